"""Commands that read evidence files."""
