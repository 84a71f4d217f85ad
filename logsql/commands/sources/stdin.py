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
One row per line in `line`. A query that names it several times (`- | union [ - | ... ]`) reads all of it in each place:
what was read is kept until the query ends, in memory up to 64 MB and then in a temporary file. gzip and zstd are
unpacked on the way (`cat a.log.gz | logsql -q "- | stats count"`); of other packings the error names what unpacks them.
""",
        errors=(READ_TWICE, PACKED_INPUT),
    )
)
