"""``-``: the lines of standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.sources._files import scan_source
from logsql.diagnostics.unreadable import PACKED_INPUT, READ_TWICE
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    assert stage.spec.reads is not None
    return scan_source(stage, stage.catalog.open_source("-", stage.spec.reads, [], {}))


register(
    CommandSpec(
        name="-",
        group=Group.SOURCE,
        summary=("Read standard input.", "표준 입력을 읽습니다."),
        usage=("-",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec("udfs.readers.stdin:StdinReader"),
        description="""\
One row per line in `line`. Where every command behind it passes rows on one by one, a row of a pipe or a terminal is
printed when its line is there, and Ctrl-C ends the input: what has come is answered, with exit code 130
(`tail -f a.log | logsql -q "- | search error"`). Commands that need all rows (`stats`, `sort`, `limit`) answer at the
end of the input, and Ctrl-C before it leaves nothing. Rows whose fields are known only when they are read wait for the
end too, unless `fields` names them, and so does what writes (`import`, `outputcsv`) or asks other machines (`wget`).

`logsql -p PORT -q "- | ..."` reads syslog that arrives over UDP and TCP at 127.0.0.1 and ::1, `-p ADDRESS:PORT` at that
address: a message is a row, whatever line breaks it holds, and only `line` is there (`parse syslog` takes it apart).
Rows are JSON lines as they come. Where commands need all rows the answer comes at Ctrl-C; the exit code is 130 either
way, and a second Ctrl-C does not wait. Formats that are complete only at their end (`json`, `parquet`) need `-o FILE`.
What was lost on the way is told at the end.

A query that names it several times (`- | union [ - | ... ]`) reads all of it in each place:
what was read is kept until the query ends, in memory up to 64 MB and then in a temporary file. gzip and zstd are
unpacked on the way (`cat a.log.gz | logsql -q "- | stats count"`); of other packings the error names what unpacks them.
""",
        errors=(READ_TWICE, PACKED_INPUT),
    )
)
