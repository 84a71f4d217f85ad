"""Commands that reach other machines, through the services of :mod:`logsql.planner.connections`."""
