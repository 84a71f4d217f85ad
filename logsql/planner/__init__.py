"""Command tree to plan: schemas, types, expression lowering and the CTE chain. Pure: no connection, no file, no socket."""
