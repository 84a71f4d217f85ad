"""The one exception of the naive evaluator: a query that is refused (or a documented run-time limit)."""

from __future__ import annotations


class NaiveError(Exception):
    """A refused query: ``code`` and ``name`` as in section 10 of the language document, ``message`` for people."""

    def __init__(self, code: str, name: str, message: str = "") -> None:
        super().__init__(f"[{code} {name}] {message}")
        self.code = code
        self.name = name
        self.message = message
