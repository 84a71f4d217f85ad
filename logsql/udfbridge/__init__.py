"""How the functions of ``udfs`` are bound to DuckDB."""
