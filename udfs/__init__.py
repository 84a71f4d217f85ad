"""Plain Python over Arrow: scalar functions, file readers and model scoring that SQL cannot express.

Nothing below this package imports ``logsql``, so the same functions bind to DuckDB, to another engine or to a script.
"""
