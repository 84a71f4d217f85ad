"""What the language knows and one machine does not offer."""
