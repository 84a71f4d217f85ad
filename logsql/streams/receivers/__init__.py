"""Receivers: what takes messages in, one file per kind."""
