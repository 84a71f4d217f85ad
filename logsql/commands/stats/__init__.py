"""Commands that group and count."""
