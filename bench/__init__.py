"""Benchmarks: what the product costs as a ratio to the best hand-written DuckDB SQL and to other tools.

``python -m bench.run [ROW ...]`` prints one line per row and never fails on a time.
"""
