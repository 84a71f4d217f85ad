"""The query as it is written: what its comments swallow."""

from __future__ import annotations

import re

from logsql.diagnostics.names import COMMENT_SWALLOWS
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Query
from logsql.planner.spec import COMMANDS

_HEAD = re.compile(r"([\w.-]+)(?=\s|\Z)")


def tell_comments(notes: Notes, query: Query) -> None:
    """A comment ends at the next pipe: ``# title`` above ``table t`` makes the command part of the comment."""
    for comment in query.comments:
        _, *lines = comment.text.split("\n")
        for line in lines:
            head = _HEAD.match(line.strip())
            if head is not None and head[1] in COMMANDS and not line.strip().startswith("#"):
                shown = " ".join(line.split())
                shown = shown if len(shown) <= 60 else shown[:57] + "..."
                notes.add(COMMENT_SWALLOWS, comment.span, line=shown)
                break
