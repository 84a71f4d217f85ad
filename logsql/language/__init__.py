"""Text to command tree: lexer, splitter, expression and option grammar, formatter. Knows no command by name."""
