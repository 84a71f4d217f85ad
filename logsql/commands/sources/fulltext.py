"""``fulltext``: rows of tables in which terms occur. There is no index: tables are scanned.

The expression has a grammar of its own: quoted terms, ``field == value`` (``!= < <= > >=``), ``range(a, b)``,
``iprange("a", "b")``, ``[ subquery ]``, joined by ``and``, ``or``, ``not`` and parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sqlglot import exp

from logsql.commands.sources._tables import scan_table
from logsql.commands.sources.table import OPTIONS, newest_first, tables_of, time_test
from logsql.diagnostics.codes import Sentence, define, syntax
from logsql.diagnostics.messages import text
from logsql.diagnostics.tables import TABLE_NOT_FOUND, TABLE_SPEC
from logsql.functions.network import ipv4_number
from logsql.language.tree import Binary, Expr, Field, Literal, Name, Span, Subquery
from logsql.operators.uniting import union
from logsql.planner import duties
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import patterns, sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.expressions import ExprContext

NO_INDEX = text(
    "there is no index {index} to use: {table} is scanned",
    "쓸 수 있는 색인이 없습니다: {index}. {table} 테이블을 모두 읽습니다",
)
_IN_QUOTES = (
    'terms stand in double quotes: fulltext "a" and not "b" from TABLE',
    '검색어는 큰따옴표로 묶습니다: fulltext "a" and not "b" from TABLE',
)
NO_TERM = define(
    "E3302",
    "invalid-fulltext",
    (
        "the expression is none, or a term is not quoted",
        "표현식이 아니거나 검색어가 큰따옴표로 묶이지 않았습니다",
    ),
    ("fulltext needs a term", "fulltext에는 검색어가 필요합니다"),
    help=syntax('fulltext "TERM" from TABLE'),
)
TOKEN_MISSING = NO_TERM.says(('"{token}" is missing', '"{token}"이(가) 없습니다'), help=_IN_QUOTES)
TERM_EXPECTED = NO_TERM.says(("a term is expected here", "여기에는 검색어가 필요합니다"), help=_IN_QUOTES)
UNQUOTED = NO_TERM.says(
    ("the term {term} does not stand in double quotes", "검색어가 큰따옴표로 묶이지 않았습니다: {term}"),
    help=_IN_QUOTES,
)
VALUE_EXPECTED = NO_TERM.says(
    (
        "a value is expected here: a number or quoted text",
        "여기에는 값이 필요합니다. 숫자나 큰따옴표로 묶은 텍스트를 쓰세요",
    ),
    help=_IN_QUOTES,
)
ADDRESS_EXPECTED = NO_TERM.says(
    (
        "{function}() takes an IPv4 address in double quotes, not {word}",
        "{function}()에는 큰따옴표로 묶은 IPv4 주소를 씁니다: {word}",
    ),
    help=_IN_QUOTES,
)
NUMBER_EXPECTED = NO_TERM.says(
    ("{function}() takes a number, not {word}", "{function}()에는 숫자를 씁니다: {word}"), help=_IN_QUOTES
)
NOT_JOINED = NO_TERM.says(("and, or or from is expected here", "여기에는 and, or, from 중 하나가 필요합니다"))
FROM_NOTHING = TABLE_SPEC.says(("a table is missing after from", "from 뒤에 테이블이 없습니다"))
#: The column of terms that a subquery gives.
_TERM = "__term"
_TOKEN = re.compile(r"==|!=|<=|>=|[<>(),]|[^\s()\[\]\",=<>!]+")


@dataclass(frozen=True)
class Term:
    """Text that a row holds."""

    text: str


@dataclass(frozen=True)
class Between:
    """``range`` of numbers or ``iprange`` of IPv4 addresses (as numbers), both ends included."""

    low: float | int
    high: float | int
    address: bool


@dataclass(frozen=True)
class Compare:
    """``field op value``: an expression of the language."""

    expr: Expr


@dataclass(frozen=True)
class Values:
    """Terms that a subquery gives."""

    subquery: Subquery


@dataclass(frozen=True)
class Joined:
    """``and``, ``or`` of several parts, ``not`` of one."""

    op: str
    parts: tuple[Node, ...]


Node = Term | Between | Compare | Values | Joined


@dataclass(frozen=True)
class FulltextArgs:
    """The condition and the tables (none: all)."""

    condition: Node
    tables: tuple[Name, ...]


# --- grammar ----------------------------------------------------------------------------------------------------------


class _Parser:
    """Reads the expression off the reader, token by token."""

    def __init__(self, reader: ArgReader) -> None:
        self.reader = reader

    def peek(self) -> str:
        found = (
            None if self.reader.at_end() else _TOKEN.match(self.reader.source.buffer, self.reader.pos, self.reader.end)
        )
        return found[0] if found is not None else ""

    def take(self) -> str:
        token = self.peek()
        self.reader.advance(self.reader.pos + len(token))
        return token

    def accept(self, *tokens: str) -> str:
        return self.take() if self.peek().lower() in tokens else ""

    def expect(self, token: str) -> None:
        if not self.accept(token):
            self.fail(TOKEN_MISSING, token=token)

    def fail(self, said: Sentence, span: Span | None = None, **facts: str) -> NoReturn:
        start = self.reader.pos
        width = max(len(self.peek()), 1) if not self.reader.at_end() else 0
        here = self.reader.source.span(start, start + width) if width else self.reader.here()
        self.reader.fail(said, span or here, **facts)

    def expression(self) -> Node:
        return self._chain("or", lambda: self._chain("and", self._negated))

    def _chain(self, op: str, part: Any) -> Node:
        parts = [part()]
        while self.accept(op):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(op, tuple(parts))

    def _negated(self) -> Node:
        if self.accept("not"):
            return Joined("not", (self._negated(),))
        return self._primary()

    def _primary(self) -> Node:
        reader = self.reader
        if reader.text.startswith("["):
            subquery = reader.subquery()
            assert subquery is not None
            return Values(subquery)
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        text = self._quoted()
        if text is not None:
            return Term(text)
        start = reader.pos
        word = self.peek()
        if not word or not re.match(r"[\w.$@:#%&;?~^{}*+-]", word):
            self.fail(TERM_EXPECTED)
        self.take()
        if word in ("range", "iprange") and self.peek() == "(":
            return self._between(word)
        op = self.accept("==", "!=", "<=", ">=", "<", ">")
        span = reader.source.span(start, start + len(word))
        if op:
            return Compare(Binary(op, Field(word, span), self._value(), span))
        if re.fullmatch(r"-?\d+(\.\d+)?", word):
            return Term(word)
        self.fail(UNQUOTED, span, term=word)

    def _quoted(self) -> str | None:
        reader = self.reader
        if reader.at_end() or not reader.source.buffer.startswith('"', reader.pos):
            return None
        text = reader.quoted()
        return text.value if text is not None else None

    def _value(self) -> Literal:
        text = self._quoted()
        if text is not None:
            return Literal(text, "string")
        word = self.take()
        if re.fullmatch(r"-?\d+", word):
            return Literal(int(word), "int" if abs(int(word)) < 2**31 else "long")
        if re.fullmatch(r"-?\d*\.\d+", word):
            return Literal(float(word), "double")
        if word in ("true", "false"):
            return Literal(word == "true", "bool")
        self.fail(VALUE_EXPECTED)

    def _between(self, kind: str) -> Between:
        self.expect("(")
        low = self._bound(kind)
        self.expect(",")
        high = self._bound(kind)
        self.expect(")")
        return Between(low, high, kind == "iprange")

    def _bound(self, kind: str) -> float | int:
        import ipaddress

        text = self._quoted()
        word = text if text is not None else self.take()
        try:
            if kind == "iprange":
                return int(ipaddress.IPv4Address(word))
            return float(word) if "." in word else int(word)
        except ValueError:
            self.fail(ADDRESS_EXPECTED if kind == "iprange" else NUMBER_EXPECTED, function=kind, word=word)


def parse(reader: ArgReader) -> FulltextArgs:
    if reader.at_end():
        reader.fail(NO_TERM)
    condition = _Parser(reader).expression()
    tables: tuple[Name, ...] = ()
    if reader.keyword("from"):
        tables = tuple(reader.name_list(trailing_comma=TABLE_SPEC))
        if not tables:
            reader.fail(FROM_NOTHING)
    elif not reader.at_end():
        span = reader.source.span(reader.pos, reader.pos + max(len(reader.peek_word()), 1))
        reader.fail(NOT_JOINED, span)
    return FulltextArgs(condition, tables)


# --- lowering ---------------------------------------------------------------------------------------------------------


def lower(stage: Stage) -> Rel:
    args = stage.arguments(FulltextArgs)
    test = time_test(stage)
    terms: dict[int, str] = {}
    found: Rel | None = None
    for info in _tables(stage, args.tables):
        rel = scan_table(stage, info)
        time = rel.column("_time")
        if test is not None:
            dated = time is not None and time.type.kind is Kind.DATE
            rel = stage.where(rel, test.over(rel.expr(time.ident)) if dated and time else sql.boolean(False))
        if _has_values(args.condition):
            # The test is a join, which gives up the order of arrival.
            rel = stage.with_keys(rel)
            rel = stage.reordered(rel, rel.order.keys or ())
        rel, where = stage.lowered(rel, lambda cx, rel=rel: _test(stage, cx, rel, args.condition, terms))  # type: ignore[misc]
        if terms:
            kept = [sql.alias(rel.expr(i), i) for i in rel.all_idents()]
            both = where if rel.where is None else sql.and_(rel.where, where)
            select = sql.select(kept, sql.table(rel.source), both)
            rel = stage.joined("matches", rel, select, *terms.values())
        else:
            rel = stage.flush(stage.where(rel, where))
        rel = stage.assign(rel, "_table", Typed(sql.string(info.name), STRING))
        found = rel if found is None else union(stage, found, rel)
    if found is None:
        return stage.nothing("nothing")
    if stage.order_needed or stage.option("limit") is not None or stage.option("offset"):
        found = newest_first(stage, found, stage.option("order") == "desc")
    return stage.limit(found, stage.option("limit"), stage.option("offset"))


def _tables(stage: Stage, names: tuple[Name, ...]) -> list[TableInfo]:
    """The tables to scan, one entry for each time a name is written; all tables without names."""
    found: list[TableInfo] = []
    for name in names or (Name("*"),):
        table, dot, index = name.text.rpartition(".")
        if dot and "*" not in name.text and stage.catalog.table(name.text) is None:
            stage.remark(NO_INDEX, index=index, table=table)
            name = Name(table, name.span)
        found += [info for _, info, _ in tables_of(stage, name, read=True)]
    return found


def _has_values(node: Node) -> bool:
    return isinstance(node, Values) or (isinstance(node, Joined) and any(_has_values(p) for p in node.parts))


def _test(stage: Stage, cx: ExprContext, rel: Rel, node: Node, terms: dict[int, str]) -> Sql:
    """SQL of a condition over one table, never null."""
    if isinstance(node, Joined):
        parts = [_test(stage, cx, rel, part, terms) for part in node.parts]
        return sql.not_(parts[0]) if node.op == "not" else (sql.and_ if node.op == "and" else sql.or_)(*parts)
    if isinstance(node, Compare):
        return sql.coalesce(cx.condition(node.expr), sql.boolean(False))
    cells = [rel.value(c) for c in rel.columns if c.type.kind is not Kind.BINARY]
    if isinstance(node, Values):
        key = id(node.subquery)
        source = terms.get(key) or _terms(stage, node.subquery)
        terms[key] = source
        held = _any([sql.func("contains", _folded(c), sql.col(_TERM, source)) for c in cells])
        return exp.Exists(this=sql.select([sql.integer(1)], sql.table(source), held))
    if isinstance(node, Between):
        return _any([_within(cell, node) for cell in cells])
    if stage.option("tt"):
        words = [word.lower() for word in re.split(r"[\W_]+", node.text) if word]
        return sql.and_(*(_any([_has_word(cell, word) for cell in cells]) for word in words))
    return _any([_holds(cell, node.text) for cell in cells])


def _any(tests: list[Sql]) -> Sql:
    return sql.coalesce(sql.or_(*(sql.coalesce(t, sql.boolean(False)) for t in tests)), sql.boolean(False))


def _folded(value: Typed) -> Sql:
    return values.lower(values.text_sql(value))


def _holds(value: Typed, term: str) -> Sql:
    core = term.strip("*").lower()
    return patterns.match_text(_folded(value), f"*{core}*") if core else values.not_null(value)


def _has_word(value: Typed, word: str) -> Sql:
    """Whether a word of letters and digits stands in a value by itself."""
    other = r"[^\p{L}\p{N}]"
    return sql.func("regexp_matches", _folded(value), sql.string(f"(^|{other}){word}({other}|$)"))


def _within(value: Typed, node: Between) -> Sql:
    """Whether a value lies in a range, or text holds a number or address that does."""
    if value.type.number and not node.address:
        return exp.Between(this=sql.paren(value.expr), low=_number(node.low), high=_number(node.high))
    if value.kind in (Kind.BOOL, Kind.DATE) or value.type.number:
        return sql.boolean(False)
    shape = r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b" if node.address else r"\b\d+\b"
    tokens = sql.func("regexp_extract_all", values.text_sql(value), sql.string(shape))
    token = ipv4_number(sql.var("x")) if node.address else sql.try_cast(sql.var("x"), "DOUBLE")
    inside = exp.Between(this=sql.paren(token), low=_number(node.low), high=_number(node.high))
    kept = sql.func("list_filter", tokens, sql.lambda_(["x"], inside))
    return sql.binary(">", sql.func("len", kept), sql.integer(0))


def _number(value: float | int) -> Sql:
    return sql.double(value) if isinstance(value, float) else sql.integer(value)


def _terms(stage: Stage, subquery: Subquery) -> str:
    """A CTE with every value of a subquery as a lower-case term."""
    rel = stage.flush(stage.subquery(subquery, order_needed=False))
    cells = [_folded(rel.value(c)) for c in rel.columns]
    listed: Sql = sql.array([sql.cast(c, "VARCHAR") for c in cells])
    if rel.rest is not None:
        document = rel.expr(rel.rest.ident)
        document = sql.func("to_json", document) if rel.rest.is_map else document
        every = sql.func("json_extract_string", document, sql.string("$.*"))
        every = sql.func("list_transform", every, sql.lambda_(["e"], sql.func("lower", sql.var("e"))))
        listed = sql.func("list_concat", listed, sql.coalesce(every, sql.cast(sql.array([]), "VARCHAR[]")))
    node = sql.select([sql.alias(sql.func("unnest", listed), _TERM)], sql.table(rel.source), rel.where)
    raw = stage.add("terms", node, rel.source)
    term = sql.col(_TERM)
    test = sql.and_(sql.not_null(term), sql.binary("<>", term, sql.string("")))
    return stage.add("terms", sql.select([term], sql.table(raw), test), raw)


_ROWS = [
    {"line": "GET /game.html MSIE 7.0 200"},
    {"line": "GET /GAME.html Firefox 404"},
    {"line": "GET /index.html Firefox 500"},
]

register(
    CommandSpec(
        name="fulltext",
        group=Group.SOURCE,
        summary=("Find rows of tables by the terms they hold.", "테이블에서 검색어가 들어 있는 행을 찾습니다."),
        usage=(
            "fulltext [duration=SPAN | from=TIME to=TIME] [limit=N] [offset=N] [order=asc|desc] [tt=t] "
            "EXPR [from TABLE, ...]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.EXPRESSION), duties.Argument(duties.Kind.TABLE, ("from",))),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            *OPTIONS,
            OptionSpec(
                "tt",
                OptionKind.BOOL,
                (
                    "t splits a term into words, all of which must occur",
                    "t면 검색어를 단어로 나누고 모두 들어 있어야 함",
                ),
                default=False,
            ),
        ),
        description="""\
A term in double quotes matches rows that hold it in any field, letter case ignored; `*` stands for any text. A field
may be compared (`status == 404`), `range(400, 500)` finds numbers and `iprange("10.0.0.0", "10.0.0.255")` IPv4
addresses between two ends, and `[ subquery ]` gives terms of which one must occur. `and`, `or`, `not` and parentheses
combine them.

Every row gets `_table`. Without `from` all tables are searched; a table named twice is read twice. There is no index:
the tables are scanned, and an index name behind the table (`iis.idx`) is ignored.
""",
        examples=(
            Example(
                "Requests for the game by two browsers",
                'fulltext "game" and ("MSIE" or "Firefox") and not range(400, 499) from iis | fields line',
                ({"line": "GET /game.html MSIE 7.0 200"},),
                {"iis": _ROWS},
            ),
            Example(
                "Terms from a subquery",
                "fulltext [ json \"[{term: 'index'}]\" ] from iis | fields line",
                ({"line": "GET /index.html Firefox 500"},),
                {"iis": _ROWS},
            ),
        ),
        errors=(
            NO_TERM,
            TABLE_NOT_FOUND,
        ),
    )
)
