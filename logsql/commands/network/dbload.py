"""``dbload``: rows into a table of another database, those of a batch that failed one by one."""

from __future__ import annotations

from logsql.commands.network._dbwriting import writing_command
from logsql.planner.spec import Example, register

register(
    writing_command(
        "dbload",
        True,
        (
            "Write rows to a table of another database, again one by one where a batch fails.",
            "다른 데이터베이스의 테이블에 행을 씁니다. 배치가 실패하면 한 행씩 다시 씁니다.",
        ),
        "Writes rows to a table. Where a batch fails its rows are written one by one, so that only the wrong ones are"
        " missing (`dboutput` leaves out the batch).",
        (
            Example(
                "Keep one row for each host, with the last time it was seen",
                "table logs | stats max(_time) as seen by host"
                " | dbload emp type=update batchsize=2000 table=hosts +host, seen",
            ),
        ),
    )
)
