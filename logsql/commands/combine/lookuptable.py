"""``lookuptable``: the rows of a lookup table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.lookups import INVALID_FIELD, INVALID_TABLE, NO_SUCH_TABLE, meant_table, tables_note
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.services import LOOKUPS
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.values import NULL_VALUE

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_TABLE = INVALID_TABLE.says(
    ("lookuptable needs the name of a lookup table", "lookuptable에는 룩업 테이블 이름이 필요합니다"),
    help=syntax("lookuptable NAME [limit=N] [offset=N] [COLUMN, ...]"),
)
GEOIP_IS_NO_TABLE = INVALID_TABLE.says(
    (
        "geoip is no table: it maps addresses, with lookup geoip FIELD output country",
        "geoip는 테이블이 아니라 주소를 변환합니다: lookup geoip FIELD output country",
    )
)


@dataclass(frozen=True)
class LookuptableArgs:
    """The table and the columns wanted (none: all)."""

    table: Name
    columns: tuple[Name, ...]


def parse(reader: ArgReader) -> LookuptableArgs:
    table = reader.word()
    if table is None:
        reader.fail(NO_TABLE)
    return LookuptableArgs(table, tuple(reader.name_list(trailing_comma=INVALID_FIELD)))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(LookuptableArgs)
    table = stage.catalog.lookup(args.table.text)
    if table is None:
        if args.table.text == "geoip":
            stage.fail(GEOIP_IS_NO_TABLE, args.table.span)
        known = stage.catalog.service(LOOKUPS)
        names = known.names() if known is not None else []
        asked, near = args.table, meant_table(args.table.text, names)
        stage.fail(NO_SUCH_TABLE, asked.span, help=near, notes=(tables_note(names),), name=asked.text)
    info = stage.catalog.bind("lookup", table.table)
    rel = stage.scan(sql.table(info.name), info.name, info.columns)
    if args.columns:
        chosen = {n.text: rel.column(n.text) for n in args.columns}
        missing = [n for n, column in chosen.items() if column is None]
        rel = replace(rel, columns=tuple(c for c in chosen.values() if c is not None))
        for name in missing:
            rel = stage.assign(rel, name, NULL_VALUE, list(chosen).index(name))
    return stage.limit(rel, stage.option("limit"), stage.option("offset"))


register(
    CommandSpec(
        name="lookuptable",
        group=Group.COMBINE,
        summary=("Read the rows of a lookup table.", "룩업 테이블의 행을 읽습니다."),
        usage=("lookuptable NAME [limit=N] [offset=N] [COLUMN, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.LOOKUP), duties.Argument(duties.Kind.NEW_FIELDS)),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options_anywhere=True,
        options=(
            OptionSpec("limit", OptionKind.INT, ("rows to read", "읽을 행 수"), minimum=0),
            OptionSpec("offset", OptionKind.INT, ("rows to skip", "건너뛸 행 수"), default=0, minimum=0),
        ),
        description="""\
The rows as they were registered, in their order, with all columns or with those listed. The options may stand behind
the name. Useful inside a subquery: `mpsearch msg [ lookuptable RULES ]`.
""",
        examples=(Example("The codes of 30 countries", "lookuptable country_code limit=30 code"),),
        errors=(INVALID_TABLE,),
    )
)
