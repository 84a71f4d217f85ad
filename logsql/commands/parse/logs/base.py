"""Named log parsers for ``parse NAME``: the registry, and what a parser is made of.

A parser turns the text of a log line into fields with DuckDB string and regular expression functions; it never loops
over rows in Python. It declares fields with types, and a document for fields known only from the data (keys of CEF
extensions, of JSON, of ``key=value`` text). A row whose text is no line of the format stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.commands.parse._overlay import META, Document, carry, lay_over, tallied
from logsql.diagnostics.codes import Pair
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.messages import marked
from logsql.loading import Rows
from logsql.planner.relation import LOADED, WRITTEN
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, BOOL, DATE, STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.planner.relation import Rel
    from logsql.planner.stage import Stage


NOT_PARSED = loss(
    "not-parsed",
    ("rows whose text is not of the format: they pass unchanged", "형식에 맞지 않는 행: 그대로 통과"),
    fate=Fate.PASSED,
)


@dataclass(frozen=True)
class ParserField:
    """One field: name, type, meaning."""

    name: str
    type: LType
    help: str = ""


@dataclass(frozen=True)
class Sample:
    """A line and the fields it gives (null fields left out; dates as ISO text in UTC). Run by the tests.

    ``before`` are lines that stand above it (a header).
    """

    line: str
    row: dict[str, object]
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """What a parser found, as SQL over the builder's relation.

    ``ok`` is true for lines of the format. ``document`` holds the fields known only from the data: a JSON object, or a
    MAP of texts when ``is_map``. A declared field that the document also has takes the declared value.
    """

    ok: Sql
    fields: tuple[tuple[str, Typed], ...] = ()
    document: Sql | None = None
    is_map: bool = True


class Builder:
    """The relation a parser reads. ``text`` is the line as VARCHAR, ``rel`` grows helper columns by :meth:`column`."""

    def __init__(self, stage: Stage, rel: Rel, text: Sql) -> None:
        self.stage = stage
        self.rel = rel
        self.text = text
        self.helpers: list[str] = []

    def column(self, label: str, node: Sql, type_: LType = ANY_JSON) -> Sql:
        """``node`` computed once per row, as a column that the parser reads as often as it likes."""

        self.rel, (ident,) = carry(self.stage, self.rel, (f"__{label}", node, type_))
        self.helpers.append(ident)
        return sql.col(ident)

    def received(self) -> Sql | None:
        """The row's own time: null where it is only the time at which a file was read."""
        column = self.rel.column("_time")
        if column is None or column.type.kind is not Kind.DATE or column.parts:
            return None
        loaded = self._carried(LOADED)
        node = self.rel.expr(column.ident)
        if loaded is None:
            return node
        return sql.when(sql.func("coalesce", sql.binary("<>", node, loaded), sql.boolean(True)), node.copy())

    def reference(self) -> list[Sql]:
        """What a time without a year lies near, best first: the row's own time, the file's, now."""
        found = [self.received(), self._carried(WRITTEN), sql.cast(sql.func("now"), DATE.physical)]
        return [node for node in found if node is not None]

    def _carried(self, name: str) -> Sql | None:
        return next((self.rel.expr(c.ident) for c in self.rel.carried if c.name == name), None)

    def regex(self, pattern: str, groups: Sequence[str], node: Sql | None = None) -> Callable[[str], Sql]:
        """One regular expression (RE2) over the line or ``node``; the answer gives a group's text, null when empty."""
        names = sql.array([sql.string(g) for g in groups])
        call = sql.func("regexp_extract", self.text if node is None else node, sql.string(pattern), names)
        found = self.column("groups", call)

        def group(name: str) -> Sql:
            return sql.func("nullif", sql.func("struct_extract", found, sql.string(name)), sql.string(""))

        return group


@dataclass(frozen=True)
class ParserSpec:
    """A parser: ``parse`` gives SQL for its fields. ``open`` tells that the data may hold further fields.

    ``row_wise``: each line is read by itself; False where header lines tell how those below them are read.
    ``extension``: the vendor has no such parser, under any of its names.
    """

    name: str
    summary: Pair
    parse: Callable[[Builder], Parsed]
    row_wise: bool
    fields: tuple[ParserField, ...] = ()
    aliases: tuple[str, ...] = ()
    open: bool = False
    samples: tuple[Sample, ...] = ()
    notes: tuple[Pair, ...] = ()
    extension: bool = False

    def told(self, lang: str | None = None) -> str:
        """What it reads, and whether it is an extension."""
        return marked(self.summary, self.extension, lang)

    def lower(self, stage: Stage) -> Rel:
        """Plan ``parse [overlay=t] [field=FIELD] NAME``."""
        field = stage.option("field")
        rel, text = stage.lowered(stage.rel, lambda cx: cx.field(field))
        return self.lower_text(stage, rel, text, stage.option("overlay"))

    def lower_text(self, stage: Stage, rel: Rel, text: Typed, overlay: bool = False) -> Rel:
        """The relation with every row parsed; ``text`` is the line, lowered over ``rel``.

        Without ``overlay`` the found fields replace the row but for ``_time``, ``_id`` and ``_table``.
        """

        builder = Builder(stage, rel, values.text_sql(text))
        builder.text = builder.column("line", builder.text, STRING)
        found = self.parse(builder)
        given = sql.and_(sql.not_null(builder.text), sql.binary("<>", builder.text, sql.string("")))
        read = sql.coalesce(found.ok, sql.boolean(False))
        told = stage.lost(
            NOT_PARSED, f"parse {self.name}", read, sql.coalesce(builder.text, sql.string("")), builder.rel
        )
        parsed = builder.column("parsed", read if told is read else sql.case([(given, told)], read), BOOL)
        if isinstance(parsed, exp.Column):
            builder.rel, name = tallied(
                stage,
                builder.rel,
                parsed.name,
                parsed,
                builder.text,
                f"parse field={stage.option('field')} {self.name}",
            )
            parsed = sql.col(name)
            builder.helpers.append(name)
        ident: str | None = None
        if found.document is not None:
            document = builder.column("doc", sql.when(parsed, found.document))
            assert isinstance(document, exp.Column)
            ident = document.name
        fixed = {n: (v, sql.and_(parsed, values.not_null(v))) for n, v in found.fields}
        fixed |= _time_of_row(builder, parsed, fixed.get("_time"))
        document_ = Document(parsed, ident, found.is_map, fixed, scratch=tuple(builder.helpers))
        return lay_over(stage, builder.rel, document_, overlay, META)


def _time_of_row(builder: Builder, parsed: Sql, found: tuple[Typed, Sql] | None) -> dict[str, tuple[Typed, Sql]]:
    """``_time`` of the line, else the row's own; the time at which a file was read dates no event."""
    if not any(c.name == LOADED for c in builder.rel.carried):
        return {}
    own = builder.received()
    if own is None:
        return {}
    value = own if found is None else sql.case([(sql.and_(parsed, sql.not_null(found[0].expr)), found[0].expr)], own)
    return {"_time": (Typed(value, DATE), sql.boolean(True))}


PARSERS: Rows[ParserSpec] = Rows()
PARSERS.rooms("logsql.commands.parse.logs")


def register(*specs: ParserSpec) -> None:
    """Add parsers to the registry under their names and aliases, lower case."""
    for spec in specs:
        for name in (spec.name, *spec.aliases):
            PARSERS.add(name.lower(), spec)


# --- building blocks --------------------------------------------------------------------------------------------------


def integer(node: Sql, type_: LType) -> Typed:
    """Text as an integer of this type; null when it is none."""
    return Typed(sql.try_cast(node, type_.physical), type_)


def text(node: Sql) -> Typed:
    return Typed(node, STRING)


def dash_null(node: Sql) -> Sql:
    """``-`` stands for no value."""
    return sql.func("nullif", node, sql.string("-"))


def moment(node: Sql, *formats: str) -> Sql:
    """Text as an instant by strptime formats; without a zone in the text, local time of the session zone."""
    form = sql.string(formats[0]) if len(formats) == 1 else sql.array([sql.string(f) for f in formats])
    return sql.cast(sql.func("try_strptime", node, form), "TIMESTAMP WITH TIME ZONE")


def text_map(builder: Builder, keys: Sql, cells: Sql) -> Sql:
    """A MAP of two lists of texts; of equal keys the last counts (a DuckDB map refuses duplicates)."""
    k, v = builder.column("keys", keys), builder.column("cells", cells)
    count = sql.func("len", k)
    later = sql.func("list_slice", k, sql.binary("+", sql.var("i"), sql.integer(1)), count)
    last = sql.not_(sql.func("list_contains", later, sql.func("list_extract", k, sql.var("i"))))
    positions = sql.func("generate_series", sql.integer(1), count)
    chosen = sql.func("list_filter", positions, sql.lambda_(["i"], last))

    def pick(cells_: Sql) -> Sql:
        body = sql.func("list_extract", cells_, sql.var("i"))
        return sql.func("list_transform", chosen.copy(), sql.lambda_(["i"], body))

    distinct = sql.eq(sql.func("len", sql.func("list_distinct", k)), count)
    return builder.column("map", sql.case([(distinct, sql.func("map", k, v))], sql.func("map", pick(k), pick(v))))
