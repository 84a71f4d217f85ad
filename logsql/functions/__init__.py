"""Scalar functions and aggregates, one file per family; :mod:`logsql.registry` loads them."""
