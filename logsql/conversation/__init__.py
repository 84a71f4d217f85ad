"""One conversation with a session: a text in, its rows to a sink, an outcome out. Knows no terminal and no process."""
