"""Commands that change the fields of a row."""
