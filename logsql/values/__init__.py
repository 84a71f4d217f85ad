"""What a value is in SQL: types, texts, comparison, sorting, mixed columns, arithmetic, patterns, time spans."""
