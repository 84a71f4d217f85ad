"""Commands that start a query: tables, files, literal rows, saved results, what the session knows."""
