"""Commands that bring two inputs together: joins, unions, lookups."""
