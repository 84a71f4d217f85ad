"""Sinks: where the rows of streams go, one file per kind."""
