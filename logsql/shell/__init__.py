"""The outermost room: command-line arguments, verbs, the interactive shell. Nothing of the library imports it."""
