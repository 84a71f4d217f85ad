"""Commands that take text apart: documents, delimited text, patterns, named log formats."""
