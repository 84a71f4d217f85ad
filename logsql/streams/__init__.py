"""Live operation: what comes in, the queries that run over it without end, and what goes out."""
