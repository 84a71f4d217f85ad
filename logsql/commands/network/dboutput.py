"""``dboutput``: rows into a table of another database, batch by batch."""

from __future__ import annotations

from logsql.commands.network._dbwriting import writing_command
from logsql.planner.spec import Example, register

register(
    writing_command(
        "dboutput",
        False,
        ("Write rows to a table of another database.", "다른 데이터베이스의 테이블에 행을 씁니다."),
        "Writes rows to a table. Where a batch fails none of its rows is written (`dbload` writes each by itself).",
        (
            Example(
                "Store a row",
                "json \"{'id':1, 'line': 'hello world' }\" | dboutput wood table=logs id, line",
            ),
        ),
    )
)
