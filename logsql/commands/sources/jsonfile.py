"""``jsonfile``: files with one JSON object per line."""

from __future__ import annotations

from dataclasses import replace

from logsql.commands.sources._files import (
    ADDED_ZIP_OPTIONS,
    ENTRIES,
    FOLDERS,
    HOST,
    LIMIT,
    OFFSET,
    PATHS,
    all_options,
    open_text,
    path_parser,
    scan_source,
)
from logsql.commands.sources._native_json import clean_source
from logsql.diagnostics.codes import define, text
from logsql.diagnostics.paths import NEEDS_PATH, NO_FILE, NO_PATH, PATH_FORM
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.relation import Rel, Rest
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import ANY_JSON
from udfs.jsonrepeats import LOOKED_AT
from udfs.readers.artefacts import Artefact, Known

NOT_FOUND = define("10900", "file-not-found", NO_FILE)
#: Where keys that come again are looked for, for ``explain``: by each of the two ways to read a file.
KEYS_OF_ALL_LINES = text(
    "keys that come again in an object are looked for in all lines where they are fields of this query, others and "
    "those of inner objects in the first {lines:,} lines; --loss looks at everything",
    "한 객체에 되풀이되는 키를 찾는 범위: 이 쿼리의 필드는 모든 줄, 다른 키와 안쪽 객체의 키는 처음 {lines:,}줄. "
    "--loss를 붙이면 전부 찾습니다",
)
KEYS_OF_FIRST_LINES = text(
    "keys that come again in an object are looked for in the first {lines:,} lines, and where there is one in all; "
    "--loss looks at everything",
    "한 객체에 되풀이되는 키를 찾는 범위: 처음 {lines:,}줄, 그 안에 있으면 모든 줄. --loss를 붙이면 전부 찾습니다",
)
MISSING = define("10902", "missing-field", NO_PATH, NEEDS_PATH, PATH_FORM)


def lower(stage: Stage) -> Rel:
    limit, offset, overlay = stage.option("limit"), stage.option("offset"), stage.option("overlay")
    info, unasked = open_text(stage, {**all_options(stage), "demand": stage.demand})
    rel = scan_source(stage, info, unasked)
    if stage.catalog.most_counted is not None:
        stage.remark(KEYS_OF_FIRST_LINES if info.native is None else KEYS_OF_ALL_LINES, lines=LOOKED_AT)
    if info.meta.get("open"):
        rel = _by_path(rel, overlay)
    else:
        rel = replace(rel, others=info.meta.get("others"), typed_by="" if stage.option("dates") else "jsonfile dates=t")
    return stage.limit(rel, limit, offset) if info.native is not None else rel


def _by_path(rel: Rel, overlay: bool) -> Rel:
    """Files without keys or with thousands of them: fields are read from the line by path."""
    line = rel.column("line")
    assert line is not None
    ident = rel.fresh_ident("__line")
    columns = rel.columns if overlay else tuple(c for c in rel.columns if c.name != "line")
    rest = Rest(ident, ANY_JSON, hidden=frozenset(c.name for c in columns), ahead=frozenset())
    return replace(rel, columns=columns, rest=rest, pending={ident: sql.cast(sql.col(line.ident), "JSON")})


ARTEFACT = Artefact((Known("JSON", r"\.(json|jsonl|ndjson)(\.gz)?$", loose=True),))

register(
    CommandSpec(
        name="jsonfile",
        group=Group.SOURCE,
        summary=("Read files with one JSON object per line.", "한 줄에 JSON 객체가 하나씩 있는 파일을 읽습니다."),
        usage=("jsonfile [limit=N] [offset=N] [overlay=t] [dates=t] [host=REGEX] PATH",),
        parse=path_parser(MISSING),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec(
            "udfs.readers.jsonfile:JsonFileReader",
            code=NOT_FOUND.code,
            native=clean_source,
            suffixes=(".jsonl", ".ndjson", ".json", ".jsonl.gz", ".json.gz"),
            artefact=ARTEFACT,
        ),
        options=(
            *ADDED_ZIP_OPTIONS,
            HOST,
            LIMIT,
            OFFSET,
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t keeps the text of each line in the field line", "t면 각 줄의 원문을 line 필드에 남김"),
                default=False,
            ),
            OptionSpec(
                "dates",
                OptionKind.BOOL,
                ("t reads ISO dates in texts as dates", "t면 ISO 형식의 날짜 텍스트를 날짜로 읽음"),
                default=False,
                extension=True,
            ),
        ),
        description=f"""\
Every key is a field with the type of its values; a key whose values differ in type keeps the type of each. A line
that is no JSON object is skipped and counted in the ledger. Gzip and zstd files are unpacked.

Extensions: in a file that begins with an array of objects, or whose first line is the beginning of an object, the JSON
may go over several lines: each object of the array is a row, and so is each object that stands alone (of CloudTrail's
`{{"Records": [...]}}` the field `Records` is a list; `explode Records` makes rows of it). What is broken there is
counted with its line. `dates=t` makes a date of a field of text when every value that is not empty is an ISO date.

Of a key that comes again in an object the first value counts, and the others are counted in the ledger. They are looked
for in all lines where the query reads the field of that name, others and those of inner objects in the first
{LOOKED_AT:,} lines of a file; `--loss` looks at everything (`explain` says so).

{PATHS} {FOLDERS} {ENTRIES}
""",
        examples=(
            Example(
                "Requests by status",
                "jsonfile sample_data/access.jsonl.gz | stats count by status | sort -count | limit 1 | fields status",
                ({"status": 200},),
            ),
        ),
        errors=(
            NOT_FOUND,
            MISSING,
        ),
    )
)
