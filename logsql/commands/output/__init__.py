"""Commands that write rows, or remove them."""
