"""``parsekv``: the fields of key-value text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from logsql.commands.parse import _quoted
from logsql.commands.parse._overlay import META, NO_TEXT, Document, carry, fated, lay_over, tallied
from logsql.diagnostics.codes import syntax
from logsql.diagnostics.delimiters import EMPTY_DELIMITER
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.options import INVALID_OPTION
from logsql.planner import duties, losses
from logsql.planner.expressions import ExprContext
from logsql.planner.notes import pairs as pairs_notes
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_DELIMITER = EMPTY_DELIMITER.says(
    (
        "{option}= is the text between the parts and cannot be empty",
        "{option}=은(는) 부분 사이의 텍스트이므로 비워 둘 수 없습니다",
    )
)

BAD_QUOTE = INVALID_OPTION.says(
    (
        "quote= is one character that is no letter, digit, blank or backslash and in no delimiter",
        "quote=은(는) 글자, 숫자, 공백, 역슬래시가 아니고 구분자에 들어 있지 않은 문자 하나여야 합니다",
    ),
    help=syntax('quote="\\""'),
)

QUOTE_CUT = loss(
    "quoted-value-cut",
    (
        "texts in which a value opens a quote and is cut at a pair delimiter inside it: "
        'quote= with that quote (quote="\\"") reads it whole',
        "따옴표로 시작한 값이 그 안의 쌍 구분자에서 잘린 문자열: "
        'quote=에 그 따옴표를 주면(quote="\\"") 값을 온전히 읽습니다',
    ),
    fate=Fate.CHANGED,
)
QUOTE_OPEN = loss(
    "quote-not-closed",
    (
        "texts in which a quote opens and nothing closes it: the value goes to the end of the text",
        "따옴표를 열고 닫지 않은 문자열: 값은 문자열 끝까지입니다",
    ),
    fate=Fate.DOUBTFUL,
)

NO_PAIR = loss(
    "no-pair",
    (
        "no text of any row holds a key with its value: kvdelim= is what stands between the two, "
        "pairdelim= what stands between pairs",
        "어느 행에도 키와 값의 쌍이 없습니다: 키와 값 사이의 텍스트는 kvdelim=, 쌍 사이의 텍스트는 pairdelim=로 줍니다",
    ),
    fate=Fate.PASSED,
)
_BLANKS = " \t\r\n"
_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)
_TEXT_MAP = LType(Kind.MAP, "MAP(VARCHAR, VARCHAR)")

#: What stands for a piece inside a lambda -> its key, or its value.
Cut = Callable[[Sql], Sql]


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    pair, delimiter, quote = stage.option("pairdelim"), stage.option("kvdelim"), stage.option("quote")
    for name, value in (("pairdelim", pair), ("kvdelim", delimiter)):
        if not value:
            stage.fail(NO_DELIMITER, option=name)
    if quote is not None and (
        len(quote) != 1 or quote.isalnum() or quote in " \t\r\n\\" or quote in pair or quote in delimiter
    ):
        stage.fail(BAD_QUOTE)
    field, overlay = stage.option("field"), stage.option("overlay")
    source = f"parsekv field={field}"

    def make(cx: ExprContext) -> tuple[Sql, Sql]:
        text = cx.let(values.text_sql(cx.field(field)))
        if quote is not None:
            return text, text.copy()
        divided = _quoted.cut_open(text.copy(), pair, delimiter)
        return text, losses.told(cx, QUOTE_CUT, source, text.copy(), "VARCHAR", divided, text.copy())

    rel, (text, told) = stage.lowered(stage.rel, make)
    if quote is None:
        texts = stage.context(rel).sample(field)
        pairs_notes.delimiters(stage, texts, field, pair, delimiter, (NO_PAIR.name, source))
    if not overlay:
        # A row without text has no pairs, and nothing of it would be left (language.md 8.3).
        rel = stage.where(rel, _with_text(stage, rel, text.copy(), source))
    scratch: tuple[str, ...] = ()
    if quote is None:
        rel, (pairs,) = carry(stage, rel, ("__pairs", _pairs(told, text, pair), _LIST))
        key_of, value_of = _key(delimiter), _value(delimiter)
    else:
        cut = _quoted.Quoted(pair, delimiter, quote)
        rel, (pieces,) = carry(stage, rel, ("__pieces", cut.pieces(text), _LIST))
        last = sql.index(sql.col(pieces), sql.integer(-1))
        cx = stage.context(rel)
        told = losses.told(cx, QUOTE_OPEN, source, sql.col(pieces), "VARCHAR[]", cut.unclosed(last), last.copy())
        # A column of its own: the map reads the pieces several times, and each time would be counted.
        rel, (pairs,) = carry(stage, rel, ("__pairs", told, _LIST))
        key_of, value_of = cut.key_of, cut.value_of
        scratch = (pieces,)
    # A column of its own: the engine would cut the keys anew for the test of repeated ones and for the map.
    found = sql.func("list_transform", sql.col(pairs), sql.lambda_(["p"], key_of(sql.var("p"))))
    rel, (keys,) = carry(stage, rel, ("__keys", found, _LIST))
    made = pairs_map(sql.col(pairs), sql.col(keys), key_of, value_of)
    rel, (kv,) = carry(stage, rel, ("__kv", made, _TEXT_MAP))
    some = sql.binary(">", sql.func("cardinality", sql.col(kv)), sql.integer(0))
    rel, kv = tallied(stage, rel, kv, some, field, source)
    rel, kv = fated(stage, rel, kv, _some_pair(sql.col(kv), sql.col(keys)), field, source, NO_PAIR)
    document = Document(sql.not_null(sql.col(kv)), kv, is_map=True, scratch=(*scratch, pairs, keys, kv))
    return lay_over(stage, rel, document, overlay, () if overlay else META, everywhere=not overlay)


def _pairs(told: Sql, text: Sql, delimiter: str) -> Sql:
    """The trimmed pieces that are not empty; ``told`` is ``text``, looked at."""
    pieces = sql.func("string_split", told, sql.string(delimiter))
    trim = sql.func("trim", sql.var("p"), sql.string(_BLANKS))
    trimmed = sql.func("list_transform", pieces, sql.lambda_(["p"], trim))
    # Trimming each piece is most of the cost, and most texts have no blank to trim.
    blanks = [blank for blank in _BLANKS if blank != delimiter]
    some = sql.or_(*(sql.func("contains", text.copy(), sql.string(blank)) for blank in blanks))
    return sql.case([(some, _filled(trimmed))], _filled(pieces.copy()))


def _filled(pieces: Sql) -> Sql:
    return sql.func("list_filter", pieces, sql.lambda_(["p"], sql.binary("<>", sql.var("p"), sql.string(""))))


def _key(delimiter: str) -> Cut:
    """What stands before the first delimiter; the whole piece without one."""

    def key(piece: Sql) -> Sql:
        place = sql.func("strpos", piece, sql.string(delimiter))
        before = sql.func("left", piece.copy(), sql.binary("-", place.copy(), sql.integer(1)))
        return sql.case([(sql.binary(">", place, sql.integer(0)), before)], piece.copy())

    return key


def _value(delimiter: str) -> Cut:
    """What stands behind the first delimiter; null without one."""

    def value(piece: Sql) -> Sql:
        place = sql.func("strpos", piece, sql.string(delimiter))
        behind = sql.binary("+", place.copy(), sql.integer(len(delimiter)))
        return sql.when(sql.binary(">", place, sql.integer(0)), sql.func("substring", piece.copy(), behind))

    return value


def _with_text(stage: Stage, rel: Rel, text: Sql, source: str) -> Sql:
    """Whether a row has a text; that none has is told (a note tells of a field that no row can have)."""
    cx = stage.context(rel)
    if cx.run_id is None or cx.field(stage.option("field")).kind is Kind.NULL:
        return sql.not_null(text)
    some, none = (losses.came(cx, f"{stage.number} text", rank, row, source) for rank, row in ((0, None), (1, NO_TEXT)))
    empty = sql.string("")
    return sql.case([(sql.not_null(text), sql.eq(some, empty))], sql.binary("<>", none, empty.copy()))


def _some_pair(kv: Sql, keys: Sql) -> Sql:
    """Whether a key has a value: ``a = 1`` is cut into the keys ``a``, the empty one and ``1``, without any.

    The first value tells it for most texts; all are looked at where it is empty, or a key is.
    """
    named = sql.binary("<>", sql.func("struct_extract", sql.var("e"), sql.string("key")), sql.string(""))
    filled = sql.binary("<>", sql.func("struct_extract", sql.var("e"), sql.string("value")), sql.string(""))
    pairs = sql.func(
        "list_filter", sql.func("map_entries", kv.copy()), sql.lambda_(["e"], sql.coalesce(sql.and_(named, filled)))
    )
    first = sql.func("list_any_value", sql.func("map_values", kv))
    plain = sql.not_(sql.func("list_contains", keys, sql.string("")))
    return sql.case(
        [(sql.and_(sql.binary("<>", first, sql.string("")), plain), sql.boolean(True))],
        sql.binary(">", sql.func("len", pairs), sql.integer(0)),
    )


def pairs_map(pairs: Sql, keys: Sql, key_of: Cut, value_of: Cut) -> Sql:
    """Pieces of key and value as a MAP; no delimiter: the value is null; of equal keys the last one counts."""
    value = value_of(sql.var("p"))
    plain = sql.func("map", keys, sql.func("list_transform", pairs, sql.lambda_(["p"], value)))
    kept = sql.func("list_select", pairs.copy(), _last_places(keys))
    unique = sql.func(
        "map",
        sql.func("list_transform", kept, sql.lambda_(["p"], key_of(sql.var("p")))),
        sql.func("list_transform", kept.copy(), sql.lambda_(["p"], value.copy())),
    )
    distinct = sql.eq(sql.func("len", keys.copy()), sql.func("list_unique", keys.copy()))
    return sql.case([(sql.is_null(pairs.copy()), sql.null()), (distinct, plain)], unique)


def _last_places(keys: Sql) -> Sql:
    """The places at which each key comes for the last time, in their order.

    By sorting keys with their places: to look for every key behind itself took 18 s for 20,000 keys of which one comes
    twice, and four times as long for twice as many.
    """
    behind = sql.binary("+", sql.func("len", keys.copy()), sql.integer(1))
    placed = sql.func("list_sort", sql.func("list_zip", keys.copy(), sql.func("range", sql.integer(1), behind)))
    next_one = sql.func("list_slice", placed.copy(), sql.integer(2), sql.integer(-1))
    this, other = (sql.func("struct_extract", sql.var("z"), sql.integer(place)) for place in (1, 2))
    key, following = (sql.func("struct_extract", entry, sql.integer(1)) for entry in (this, other))
    # Of the entry itself: what a missing one holds is not always null.
    differs = sql.or_(sql.is_null(other.copy()), sql.binary("<>", key, following))
    last = sql.func("list_filter", sql.func("list_zip", placed, next_one), sql.lambda_(["z"], differs))
    place = sql.func("struct_extract", this.copy(), sql.integer(2))
    return sql.func("list_sort", sql.func("list_transform", last, sql.lambda_(["z"], place)))


register(
    CommandSpec(
        name="parsekv",
        group=Group.PARSE,
        summary=("Take the fields out of key=value text.", "키=값 텍스트에서 필드를 추출합니다."),
        usage=('parsekv [field=FIELD] [pairdelim=" "] [kvdelim="="] [quote="\\""] [overlay=t]',),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "field", OptionKind.FIELD, ("the field that holds the text", "텍스트가 든 필드"), default="line"
            ),
            OptionSpec("pairdelim", OptionKind.TEXT, ("the text between pairs", "쌍 사이의 구분 텍스트"), default=" "),
            OptionSpec(
                "kvdelim",
                OptionKind.TEXT,
                ("the text between key and value", "키와 값 사이의 구분 텍스트"),
                default="=",
            ),
            OptionSpec(
                "quote",
                OptionKind.TEXT,
                (
                    "the quote around keys and values that hold delimiters",
                    "구분자가 든 키와 값을 감싸는 따옴표",
                ),
                extension=True,
            ),
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t lays the pairs over the row", "t면 원래 행에 키와 값을 덮어 추가"),
                default=False,
            ),
        ),
        description=r"""
Every value is text. A pair is cut at the first `kvdelim`; a piece without one is a key whose value is null. When a
key comes again the last value counts. Without `overlay=t` only the pairs and `_time`, `_id`, `_table` remain, and a
row whose field is null is dropped.

With `quote="\""` a key or a value that begins with the quote goes to the quote that closes it: blanks,
delimiters and pairs inside belong to it and never become fields. Inside, `\"` and `""` are a quote, other backslashes
stay. A quote in the middle of a value is text. One that nothing closes goes to the end of the text and enters the
ledger. Without the option quotes are text as any other; a value that opens one and is cut inside enters the ledger.
""",
        examples=(
            Example(
                "A firewall line",
                "table t | parsekv | fields src, sp",
                ({"src": "1.2.3.4", "sp": "55"},),
                {"t": [{"line": "src=1.2.3.4 sp=55 flag"}]},
            ),
            Example(
                "Other delimiters",
                'table t | parsekv pairdelim=";" kvdelim=":" overlay=t | fields a, c, z',
                ({"a": "1", "c": "3", "z": 1},),
                {"t": [{"line": "a:1;b:2;;c:3", "z": 1}]},
            ),
            Example(
                "Values in quotes",
                r'table t | parsekv quote="\"" | fields action, msg',
                ({"action": "deny", "msg": 'probe "x" action=allow'},),
                {"t": [{"line": r'action=deny msg="probe \"x\" action=allow"'}]},
            ),
        ),
        errors=(
            EMPTY_DELIMITER,
            INVALID_OPTION.when(("quote= is no single character", "quote=이(가) 한 글자가 아닙니다")),
        ),
        ledger=(QUOTE_CUT, QUOTE_OPEN, NO_PAIR, NO_TEXT),
    )
)
