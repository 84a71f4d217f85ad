"""Commands and functions of event contexts: one plan for those that a row passes together (docs/authors.md)."""
