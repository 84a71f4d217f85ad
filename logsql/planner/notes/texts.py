"""The query as it is written: what its comments swallow."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import define
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Query
from logsql.planner.spec import COMMANDS

COMMENT_SWALLOWS = define(
    "N1107",
    "comment-swallows",
    (
        "a comment goes on to the next pipe, and a line of it begins like a command",
        "주석은 다음 파이프까지 이어지는데 그 안에 명령처럼 시작하는 줄이 있습니다",
    ),
    (
        'the comment goes on to the next pipe: the line "{line}" is part of it',
        '주석은 다음 파이프까지 이어져 "{line}" 줄도 주석입니다',
    ),
    help=("begin that line with a pipe: | {line}", "그 줄을 파이프로 시작하세요: | {line}"),
)
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
