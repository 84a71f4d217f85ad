"""Command tree to plan: schemas, types, expression lowering, the CTE chain. Pure: no connection, file or socket."""
