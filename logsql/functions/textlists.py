"""Text to list and back, replacing, formatting, URL coding (functions.md > string)."""

from __future__ import annotations

import re

from sqlglot import exp

from logsql.diagnostics.codes import define
from logsql.diagnostics.codes import text as sentence
from logsql.diagnostics.delimiters import EMPTY_DELIMITER
from logsql.diagnostics.losses import BYTES_REPLACED, LETTERS_REPLACED
from logsql.functions.lowering import computed_pointer, constant_text, example, lambda_name, null, text
from logsql.functions.regexes import matched, regex, replaced
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PARTLY, READS_ROW, Plain, Takes
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes import formats
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, STRING, Kind, list_of
from logsql.values.values import Typed

DELIMITER = sentence("the delimiter", "구분자")
FORMAT_STRING = sentence("the format string", "서식 문자열")
KEY_DELIMITER = sentence("the delimiter of key and value", "키와 값의 구분자")
PAIR_DELIMITER = sentence("the delimiter of pairs", "쌍 사이의 구분자")
CHARSET = sentence("the charset", "문자 집합")
UNSUPPORTED_CHARSET = define(
    "90680",
    "{function}-unsupported-charset",
    ("a charset that is not known", "알 수 없는 문자 집합입니다"),
    ("{function}() does not know the charset {charset}", "{function}()이(가) 지원하지 않는 문자 집합입니다: {charset}"),
)
INVALID_FORMAT = define(
    "90700", "invalid-format", ("the format string is no text constant", "서식 문자열이 문자열 상수가 아닙니다")
)
FORMAT_NOT_CONSTANT = define(
    "90701",
    "format-not-constant",
    ("the format string is computed", "서식 문자열이 계산식입니다"),
    ("the format string of format() must be a constant", "format()의 서식 문자열은 상수여야 합니다"),
)
NO_DELIMITER = EMPTY_DELIMITER.says(("the delimiter of split() is empty", "split()의 구분자가 비어 있습니다"))
SPLIT_DELIMITER = define(
    "90771",
    "invalid-split-delimiter",
    ("the delimiter of split() is no text constant", "split()의 구분자가 문자열 상수가 아닙니다"),
)
SPLIT_LIMIT = define(
    "90773",
    "invalid-split-limit",
    ("the limit of split() is out of range", "split()의 개수 제한이 범위를 벗어났습니다"),
    ("the limit of split() is an integer of 2 or more", "split()의 개수 제한은 2 이상의 정수입니다"),
)
STRJOIN_DELIMITER = define(
    "90781",
    "invalid-strjoin-delimiter",
    ("the delimiter of strjoin() is no text constant", "strjoin()의 구분자가 문자열 상수가 아닙니다"),
)
KVJOIN_DELIMITER = define(
    "90790",
    "invalid-kvjoin-delimiter",
    ("a delimiter of kvjoin() is no text constant", "kvjoin()의 구분자가 문자열 상수가 아닙니다"),
)


STRINGS = list_of(STRING)
#: Integers that DuckDB's printf() prints as Java does.
_PRINTED = ("SMALLINT", "INTEGER", "BIGINT")
EMPTY = sql.cast(sql.array([]), STRINGS.physical)


# --- split, strjoin ---------------------------------------------------------------------------------------------------


def delimiter(call: FunctionCall) -> str:
    """The constant delimiter of split()."""
    text_ = constant_text(call, 1, SPLIT_DELIMITER, DELIMITER)
    if not text_:
        call.fail(NO_DELIMITER, 1)
    return text_


def _split(call: FunctionCall) -> Typed:
    by = delimiter(call)
    limit = call.constant(2) if len(call) > 2 else None
    if len(call) > 2 and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 2):
        call.fail(SPLIT_LIMIT, 2)
    node = text(call, 0)
    if node is None:
        return null(STRINGS)
    parts = sql.func("string_split", node, sql.string(by))
    empty = (sql.eq(node, sql.string("")), EMPTY.copy())
    if limit is None:
        return Typed(sql.case([empty], parts), STRINGS)
    parts = call.let(parts)
    tail = sql.func(
        "array_to_string", sql.func("list_slice", parts, sql.integer(limit), sql.func("len", parts)), sql.string(by)
    )
    joined = sql.func("list_append", sql.func("list_slice", parts, sql.integer(1), sql.integer(limit - 1)), tail)
    # The cut is the special case: list_append(NULL, NULL) is [NULL], and null text must stay null.
    longer = (sql.binary(">", sql.func("len", parts), sql.integer(limit)), joined)
    return Typed(sql.case([empty, longer], parts), STRINGS)


def _strjoin(call: FunctionCall) -> Typed:
    by = constant_text(call, 0, STRJOIN_DELIMITER, DELIMITER)
    value = values.as_list(call.arg(1))
    if value is None:
        return null(STRING)
    body = values.text_sql(Typed(sql.var("e"), value.type.element or ANY))
    items = sql.func("list_transform", value.expr, sql.lambda_(["e"], sql.coalesce(body, sql.string("null"))))
    return Typed(sql.func("array_to_string", items, sql.string(by)), STRING)


# --- replace ----------------------------------------------------------------------------------------------------------


def _replace(call: FunctionCall) -> Typed:
    if len(call) == 4 and call.constant(3) == "re":
        return replaced(call)
    if len(call) == 4:
        formats.replaced(call)
    node = text(call, 0)
    if node is None:
        return null(STRING)
    pattern, replacement = call.arg(1), call.arg(2)
    if pattern.kind is Kind.NULL:
        return Typed(node, STRING)
    by = sql.string("") if replacement.kind is Kind.NULL else values.text_sql(replacement)
    if not isinstance(by, exp.Literal):
        by = sql.coalesce(by, sql.string(""))
    find = values.text_sql(pattern)
    changed = sql.func("replace", node, find, by)
    return Typed(changed if isinstance(find, exp.Literal) else sql.case([(sql.is_null(find), node)], changed), STRING)


# --- format -----------------------------------------------------------------------------------------------------------


def _format(call: FunctionCall) -> Typed:
    fmt = constant_text(call, 0, INVALID_FORMAT, FORMAT_STRING) if call.is_constant(0) else None
    if fmt is None:
        call.fail(FORMAT_NOT_CONSTANT, 0)
    arguments = [call.arg(i) for i in range(1, len(call))]
    formats.formatted(call, fmt, arguments)
    native = _native_format(fmt, arguments)
    if native is not None:
        return Typed(native, STRING)
    kinds, nodes = "", []
    for value in arguments:
        letter, node = _format_argument(value)
        kinds += letter
        nodes.append(node)
    return Typed(
        call.udf("lq_format", sql.string(fmt), sql.string(kinds), sql.string(call.cx.catalog.zone), *nodes), STRING
    )


def _format_argument(value: Typed) -> tuple[str, Sql]:
    """How a value travels to the Java formatter: ``v`` as it is, ``j`` as JSON text (its type may vary)."""
    if value.kind is Kind.NULL:
        return "v", sql.null("VARCHAR")
    if value.kind in (Kind.ANY, Kind.MAP, Kind.LIST):
        return "j", sql.cast(values.to_json(value), "VARCHAR")
    return "v", value.expr


def _native_format(fmt: str, arguments: list[Typed]) -> Sql | None:
    """A format of plain ``%s``, ``%d`` and ``%04d`` is a concatenation; None when Java's formatter is needed."""
    pieces = re.findall(r"%%|%s|%d|%0?[1-9][0-9]?d|%.?|[^%]+", fmt)
    if any(p.startswith("%") and p not in ("%%", "%s") and not (len(p) > 1 and p.endswith("d")) for p in pieces):
        return None
    if len(arguments) == 1 and arguments[0].kind in (Kind.LIST, Kind.ANY):
        return None
    nodes: list[Sql] = []
    waiting = list(arguments)
    for piece in pieces:
        if not piece.startswith("%") or piece == "%%":
            nodes.append(sql.string("%" if piece == "%%" else piece))
            continue
        if not waiting:
            return sql.null("VARCHAR")
        value = waiting.pop(0)
        if value.kind in (Kind.DATE, Kind.LIST, Kind.MAP, Kind.BINARY):
            return None
        if piece != "%s" and value.type.physical not in _PRINTED:
            return None
        nodes.append(_piece(piece, value))
    return sql.concat(*nodes) if nodes else sql.string("")


def _piece(piece: str, value: Typed) -> Sql:
    """One plain specifier; null prints as ``null``, padded to the width."""
    width = int(re.sub("[^0-9]", "", piece) or 0)
    missing = sql.string("null".rjust(width))
    if value.kind is Kind.NULL:
        return missing
    node = sql.func("printf", sql.string(piece), value.expr) if width else values.text_sql(value)
    return node if isinstance(node, exp.Literal) else sql.coalesce(node, missing)


# --- kvjoin -----------------------------------------------------------------------------------------------------------


def _kvjoin(call: FunctionCall) -> Typed:
    between = constant_text(call, 0, KVJOIN_DELIMITER, KEY_DELIMITER)
    pairs = constant_text(call, 1, KVJOIN_DELIMITER, PAIR_DELIMITER)
    names = list(call.cx.rel.names) if call.cx.rel is not None else []
    if len(call) > 2:
        from udfs.java.javaregex import matches  # for cost: pyarrow.compute and regex

        chosen = matches(_array(names), regex(call, 2)).to_pylist()
        names = [name for name, wanted in zip(names, chosen, strict=True) if wanted]
    rest = call.cx.rel.rest if call.cx.rel is not None else None
    ahead = rest.before(names) if rest is not None else frozenset(names)
    nodes = _pairs(call, [n for n in names if n in ahead], between)
    found = _open_pairs(call, between)
    if found is not None:
        # concat_ws() skips null, so a row without open fields adds no delimiter.
        joined = sql.func("array_to_string", found, sql.string(pairs))
        nodes.append(sql.func("nullif", joined, sql.string("")))
    nodes += _pairs(call, [n for n in names if n not in ahead], between)
    return Typed(sql.func("concat_ws", sql.string(pairs), *nodes) if nodes else sql.string(""), STRING)


def _pairs(call: FunctionCall, names: list[str], between: str) -> list[Sql]:
    found = [(name, call.cx.field(name)) for name in names]
    return [
        sql.concat(sql.string(name + between), values.text_sql(value))
        for name, value in found
        if value.kind is not Kind.NULL
    ]


def _open_pairs(call: FunctionCall, between: str) -> Sql | None:
    """The pairs of the fields that are known only when data is read, as a list; None when the row has no such part."""
    rest = call.cx.rest
    if rest is None:
        return None
    document = call.cx.document(rest)
    name = lambda_name(call.cx, "f")
    key = sql.var(name)
    tests: list[Sql] = []
    if rest.hidden:
        tests.append(sql.not_(sql.in_(key, [sql.string(h) for h in sorted(rest.hidden)])))
    if len(call) > 2:
        tests.append(values.truth(matched(call, Typed(key, STRING), 2)))
    if rest.is_map:
        keys = sql.func("map_keys", document)
        body = values.text_sql(Typed(sql.func("map_extract_value", document, key), rest.value_type))
    else:
        keys = sql.func("json_keys", document)
        body = sql.func("json_extract_string", document, computed_pointer(key))
    if tests:
        keys = sql.func("list_filter", keys, sql.lambda_([name], sql.and_(*tests)))
    return sql.func("list_transform", keys, sql.lambda_([name], sql.concat(key, sql.string(between), body)))


def _array(names: list[str]) -> object:
    import pyarrow as pa

    return pa.array(names, pa.string())


# --- URL coding -------------------------------------------------------------------------------------------------------


def charset(call: FunctionCall, position: int) -> str:
    """Codec of a constant Java charset name, ``utf-8`` when it is not written; an unknown one is refused."""
    from udfs.text import charset as codec_of  # for cost: pyarrow.compute and regex

    if position >= len(call):
        return "utf-8"
    name = constant_text(call, position, UNSUPPORTED_CHARSET, CHARSET)
    try:
        return codec_of(name)
    except LookupError:
        call.fail(UNSUPPORTED_CHARSET, position, function=call.spec.name, charset=name)


def _urldecode(call: FunctionCall) -> Typed:
    codec = charset(call, 1)
    node = text(call, 0)
    if node is None:
        return null(STRING)
    plain = sql.func("replace", node, sql.string("+"), sql.string(" "))
    escaped = (
        sql.func("contains", node, sql.string("%")),
        call.replacing(BYTES_REPLACED, "lq_urldecode", node, sql.string(codec)),
    )
    return Typed(sql.case([escaped], plain), STRING)


def _urlencode(call: FunctionCall) -> Typed:
    codec = charset(call, 1)
    node = text(call, 0)
    if node is None:
        return null(STRING)
    if codec != "utf-8":
        return Typed(call.replacing(LETTERS_REPLACED, "lq_urlencode", node, sql.string(codec)), STRING)
    # java.net.URLEncoder writes a blank as "+", leaves "*" alone and escapes "~"; url_encode does the opposite.
    encoded = sql.func("url_encode", node)
    for found, wanted in (("%20", "+"), ("~", "%7E"), ("%2A", "*")):
        encoded = sql.func("replace", encoded, sql.string(found), sql.string(wanted))
    return Typed(encoded, STRING)


register(
    FunctionSpec(
        "split", "string", "split(text, delimiter, [limit])",
        ("Parts of the text between the delimiter (one literal string); empty parts stay, empty text gives [].",
         "텍스트를 구분자(문자열 하나)로 나눈 목록을 반환합니다. 빈 부분도 남기고, 빈 텍스트는 []입니다."),
        _split, 2, 3, "list of string", DUCKDB,
        (
            example('split("a,b,,c", ",")', ["a", "b", "", "c"]),
            example('split("a/b/c", "/", 2)', ["a", "b/c"]),
            example('split("", ",")', []),
        ),
        constant=(1, 2),
        plain=Plain(1, 'split(replace({0}, {1}, " ", "re"), " ")', stars=False),
    ),
    FunctionSpec(
        "strjoin", "string", "strjoin(delimiter, list)",
        ("The elements as one text; null elements print as null.",
         "목록의 요소를 이어 텍스트 하나로 만듭니다. null 요소는 null로 표시합니다."),
        _strjoin, 2, 2, "string", DUCKDB,
        (example('strjoin("-", array("a", null, "b"))', "a-null-b"), example('strjoin(",", "text")', None)),
        constant=(0,),
        takes=((1, Takes.LIST),),
    ),
    FunctionSpec(
        "replace", "string", 'replace(text, find, replacement, ["re"])',
        ('Replaces every occurrence; with "re" find is a Java regular expression and $1 a group.',
         '일치하는 문자열을 모두 바꿉니다. "re"를 주면 find는 자바 정규표현식이고 $1은 그룹입니다.'),
        _replace, 3, 4, "string", PARTLY,
        (
            example('replace("a.b", ".", "-")', "a-b"),
            example('replace("2024-01-30", "(\\\\d+)-(\\\\d+)-(\\\\d+)", "$3/$2/$1", "re")', "30/01/2024"),
            example('replace("abc", "b", null)', "ac"),
        ),
        constant=(3,),
        notes=(
            ("a null find returns the text, a null replacement removes",
             "find가 null이면 텍스트를 그대로 반환하고, replacement가 null이면 찾은 것을 지웁니다"),
            ('any other fourth argument changes nothing', "네 번째 인자가 다른 값이면 영향이 없습니다")),
        plain=Plain(1, 'replace({0}, {1}, {2}, "re")', bare=False, most=3),
    ),
    FunctionSpec(
        "format", "string", "format(format, value, ... or list)",
        ("java.util.Formatter: %s %d %x %f %e %c %b with width, precision, flags and positions; null when it fails.",
         "java.util.Formatter 형식으로 출력합니다. %s %d %x %f %e %c %b에 "
         "폭, 정밀도, 플래그, 위치를 쓸 수 있고, 실패하면 null입니다."),
        _format, 2, None, "string", PARTLY,
        (
            example('format("%04d-%02d", 2004, 3)', "2004-03"),
            example('format("%s/%s", n, s)', "5/x", {"n": 5, "s": "x"}),
            example('format("%d", "text")', None),
        ),
        constant=(0,),
    ),
    FunctionSpec(
        "kvjoin", "string", "kvjoin(keydelimiter, pairdelimiter, [regex])",
        ("All fields of the row, or those whose name the pattern finds, as key and value pairs in field order.",
         "행의 모든 필드, 또는 이름이 패턴과 일치하는 필드를 필드 순서대로 키와 값의 쌍으로 잇습니다."),
        _kvjoin, 2, 3, "string", READS_ROW,
        (
            example('kvjoin(":", "^")', "name:Kim^age:30", {"name": "Kim", "age": 30}),
            example('kvjoin("=", ",", "^src")', "src_ip=1.2.3.4", {"src_ip": "1.2.3.4", "dst_port": 80}),
        ),
        constant=(0, 1, 2),
        notes=(("fields that are null are left out", "null인 필드는 뺍니다"),),
    ),
    FunctionSpec(
        "urldecode", "string", "urldecode(text, [charset])",
        ("Percent-decoding, + is a blank; text that cannot be decoded is returned unchanged.",
         "퍼센트 인코딩을 디코딩합니다. +는 공백이며, 디코딩할 수 없는 텍스트는 그대로 반환합니다."),
        _urldecode, 1, 2, "string", PARTLY,
        (example('urldecode("a%20b+c")', "a b c"), example('urldecode("100%")', "100%")),
        constant=(1,),
    ),
    FunctionSpec(
        "urlencode", "string", "urlencode(text, [charset])",
        ("Percent-encoding; a blank becomes +.", "퍼센트 인코딩합니다. 공백은 +가 됩니다."),
        _urlencode, 1, 2, "string", PARTLY,
        (example('urlencode("a/b?c=d")', "a%2Fb%3Fc%3Dd"),),
        constant=(1,),
    ),
)  # fmt: skip
