"""What ``dbload`` and ``dboutput`` have in common: rows into the table of another database, batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from logsql.commands.network._databases import ERRORS, EXTRA, database, error_of, no_column, profile_word
from logsql.diagnostics.codes import Pair, define, syntax
from logsql.diagnostics.databases import COLUMN_UNKNOWN, ROW_REFUSED, TABLE_UNKNOWN, WRITE_STOPPED
from logsql.diagnostics.errors import SourceError, diagnostic, did_you_mean
from logsql.language.tree import Name, Span, Text
from logsql.operators.passing import Field, passed
from logsql.planner import duties
from logsql.planner.connections.databases import DATABASES, DatabaseProblem, Target, Writer
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.types import BINARY, BOOL, DATE, DOUBLE, LONG, STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

NO_COLUMNS = define(
    "E2075",
    "database-columns-missing",
    ("no field is named, or an update has no +key", "필드가 없거나 update에 +키가 없습니다"),
    ("{command} needs the fields that it writes", "{command}에는 쓸 필드가 필요합니다"),
    help=syntax("dboutput PROFILE table=TABLE FIELD, ..."),
)
NO_KEY = NO_COLUMNS.says(
    ("type=update needs a key field", "type=update에는 키 필드가 필요합니다"),
    help=syntax("dboutput PROFILE type=update table=TABLE +KEY, FIELD, ..."),
)
KEY_WITHOUT_UPDATE = NO_COLUMNS.says(
    ("+{name} is a key, and only type=update has keys", "+{name}은(는) 키이며, 키는 type=update에서만 씁니다")
)
NO_SUCH_FIELD = define(
    "N1051",
    "unknown-field-written",
    ("a field that the rows do not have is written as null", "행에 없는 필드를 null로 씁니다"),
    ("the rows have no field {name}: the column is null", "행에 {name} 필드가 없어 컬럼이 null입니다"),
)
ERROR = "_error"


@dataclass(frozen=True)
class WriteArgs:
    """``PROFILE [+]FIELD, ...``."""

    profile: Name
    fields: tuple[Name, ...]
    keys: tuple[Name, ...]


def parse(reader: ArgReader) -> WriteArgs:
    profile = profile_word(reader)
    signed = reader.sort_list(stop=())
    if not signed:
        reader.fail(NO_COLUMNS, command=reader.command)
    fields: list[Name] = []
    keys: list[Name] = []
    for one in signed:
        fields.append(one.name)
        before = reader.source.original[: one.name.span.start].rstrip(' "')
        if before.endswith("+"):
            keys.append(one.name)
    option = reader.option("type")
    update = option is not None and option.value == "update"
    if update and not keys:
        reader.fail(NO_KEY, option.span if option is not None else None)
    if keys and not update and (option is None or isinstance(option.value, str)):
        reader.fail(KEY_WITHOUT_UPDATE, keys[0].span, name=keys[0].text)
    return WriteArgs(profile, tuple(fields), tuple(keys))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(WriteArgs)
    profile = database(stage, args.profile)
    names = list(dict.fromkeys(name.text for name in args.fields))
    rel = stage.flush(stage.rel)
    for name in args.fields:
        if rel.rest is None and rel.column(name.text) is None:
            stage.note(NO_SUCH_FIELD, name.span, name=name.text, help=did_you_mean(name.text, rel.names))
    keys = tuple(dict.fromkeys(name.text for name in args.keys))
    target = Target(stage.option("table"), stage.option("database"), tuple(names), keys)
    spans = {name.text: name.span for name in args.fields}
    rel, given = stage.lowered(rel, lambda cx: _values(cx, names))
    option = stage.command.option("table")
    place = Text(target.table, option.value_span if option is not None else stage.command.span)
    documents = tuple(at for at, one in enumerate(given) if one.document)
    work = Writing(
        profile, target, stage.spec.name, place, spans, stage.option("batchsize"), stage.option(RETRY),
        stage.option("stoponfail"), documents,
    )  # fmt: skip
    rel = passed(stage, rel, [one.field for one in given], [Field(ERROR, STRING)], work)
    return stage.materialise(rel, "written")


@dataclass(frozen=True)
class _Given:
    """A value that is written. ``document``: JSON text of a list or a map."""

    field: Field
    document: bool = False


def _values(cx: ExprContext, names: Sequence[str]) -> list[_Given]:
    return [_value(f"__value{at}", cx.field(name)) for at, name in enumerate(names)]


def _value(name: str, value: Typed) -> _Given:
    kind, physical = value.kind, value.type.physical
    if value.type.integer and physical not in ("HUGEINT", "UHUGEINT", "UBIGINT"):
        return _Given(Field(name, LONG, sql.cast(value.expr, "BIGINT")))
    if physical == "DOUBLE" or physical in ("FLOAT", "REAL"):
        return _Given(Field(name, DOUBLE, sql.cast(value.expr, "DOUBLE")))
    if kind is Kind.BOOL:
        return _Given(Field(name, BOOL, value.expr))
    if kind is Kind.DATE:
        return _Given(Field(name, DATE, value.expr))
    if kind is Kind.BINARY:
        return _Given(Field(name, BINARY, value.expr))
    if value.type.number:
        return _Given(Field(name, STRING, sql.cast(value.expr, "VARCHAR")))
    if kind in (Kind.LIST, Kind.MAP) or value.type.json:
        return _Given(Field(name, STRING, sql.cast(values.to_json(value), "VARCHAR")), document=True)
    return _Given(Field(name, STRING, values.text_sql(value)))


@dataclass(frozen=True)
class Writing:
    """Writes the rows that come, and passes them on with what was wrong."""

    profile: Profile
    target: Target
    command: str
    place: Text
    spans: Mapping[str, Span]
    size: int
    retry: bool
    stop: bool
    documents: tuple[int, ...] = field(default=())

    def __call__(
        self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime
    ) -> Iterator[tuple[pa.RecordBatch, Mapping[str, pa.Array]]]:
        databases = runtime.service(DATABASES)
        assert databases is not None
        writer: Writer | None = None
        written = 0
        try:
            for batch in batches:
                writer = writer or databases.writer(self.profile, self.target, runtime.cancelled)
                columns = [self._column(batch, at) for at in range(len(self.target.columns))]
                rows = list(zip(*columns, strict=True))
                errors: list[str | None] = []
                for start in range(0, len(rows), self.size):
                    found = self._written(writer, rows[start : start + self.size], runtime, written)
                    written += found.count(None)
                    errors += found
                yield batch, {ERROR: pa.array(errors, pa.string())}
        except DatabaseProblem as problem:
            if problem.state == "no-column":
                raise no_column(problem, self.target.table, self.spans[problem.message]) from None
            raise error_of(problem, self.place, self.command) from None
        finally:
            if writer is not None:
                writer.close()

    def _column(self, batch: pa.RecordBatch, at: int) -> list[object]:
        found: list[object] = batch.column(f"__value{at}").to_pylist()
        return [None if one is None else json.loads(str(one)) for one in found] if at in self.documents else found

    def _written(
        self, writer: Writer, rows: Sequence[tuple[object, ...]], runtime: StageRuntime, before: int
    ) -> list[str | None]:
        """What was wrong with each row of a batch."""
        try:
            writer.write(rows, runtime.cancelled)
            return [None] * len(rows)
        except DatabaseProblem as problem:
            if problem.word or problem.state is None:  # the server is gone: no row was refused
                raise
            if self.stop and not (self.retry and len(rows) > 1):
                self._stopped(problem, before)
            if not self.retry or len(rows) == 1:
                runtime.loss.lost(self.command, ROW_REFUSED.name, len(rows), sample=problem.message)
                return [problem.message] * len(rows)
        found: list[str | None] = []
        for row in rows:
            found += self._written(writer, [row], runtime, before + found.count(None))
        return found

    def _stopped(self, problem: DatabaseProblem, before: int) -> None:
        target, reason = problem.target, problem.message
        raise SourceError(
            diagnostic(WRITE_STOPPED, self.place.span, target=target, reason=reason, written=before)
        ) from None


RETRY = "rowretry"
OPTIONS = (
    OptionSpec("table", OptionKind.TEXT, ("the table to write to", "쓸 테이블"), required=True),
    OptionSpec("database", OptionKind.TEXT, ("its schema", "테이블의 스키마")),
    OptionSpec(
        "batchsize",
        OptionKind.INT,
        ("rows of one transaction; 2000 is a good number", "한 트랜잭션의 행 수. 2000을 권장"),
        default=1,
        minimum=1,
    ),
    OptionSpec(
        RETRY,
        OptionKind.BOOL,
        ("t writes the rows of a batch that failed one by one", "t면 실패한 배치를 한 행씩 다시 씀"),
        default=False,
    ),
    OptionSpec(
        "stoponfail",
        OptionKind.BOOL,
        ("t ends the query at the first row that fails", "t면 첫 실패에서 쿼리를 끝냄"),
        default=False,
    ),
    OptionSpec(
        "type",
        OptionKind.CHOICE,
        ("insert, or update by the +key fields", "insert 또는 +키 필드로 update"),
        default="insert",
        choices=("insert", "update"),
    ),
)


_DESCRIPTION = """

Each field is written to the column of its name; names are exact. A batch is one transaction, and rows are written in
their order. `type=update` sets the other columns of the rows whose `+key` columns are equal, and inserts a row where
there is none; of two rows of a batch with the same keys the later one counts. A null key equals nothing. Values are
bound, and the server converts them: a date to a column without zone has the clock of the session, a list becomes an
array, a map JSON.

All rows pass on, with `_error`: null, or what the server said of the row (without `rowretry`, of its batch). Rows that
were not written are counted. Every row is written once, whatever follows: a `limit` behind it changes nothing. Ctrl-C
leaves the batches before whole and nothing of the others.

A profile of `kind = "sqlite"` is a file that is only read. To write to one, name its driver in a profile of another
kind: `kind = "shop"`, `driver = "adbc_driver_sqlite"`, `url = "file:/path/shop.db"`.
"""


def writing_command(name: str, retry: bool, summary: Pair, says: str, examples: tuple[Example, ...]) -> CommandSpec:
    """The declaration of ``dbload`` and ``dboutput``, which differ in what follows a batch that failed."""
    return CommandSpec(
        name=name,
        group=Group.NETWORK,
        summary=summary,
        usage=(f"{name} PROFILE [batchsize=N] [database=SCHEMA] [type=insert|update] table=TABLE [+]FIELD, ...",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.Argument(duties.Kind.TEXT), duties.FIELD_LIST),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options_anywhere=True,
        for_effect=True,
        extra=EXTRA,
        names=lambda args: args.fields,
        options=tuple(replace(o, default=retry) if o.name == RETRY else o for o in OPTIONS),
        description=says + _DESCRIPTION,
        examples=examples,
        errors=(*ERRORS, NO_COLUMNS, TABLE_UNKNOWN, WRITE_STOPPED),
        ledger=(ROW_REFUSED,),
    )


__all__ = ["COLUMN_UNKNOWN", "parse", "writing_command"]
