"""Conversions between types: int, long, double, string, binary and its text forms (functions.md > conversion)."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from logsql.diagnostics.codes import define, text
from logsql.diagnostics.losses import BYTES_REPLACED, LETTERS_REPLACED, NOT_CONVERTED, Fate, loss
from logsql.functions.lowering import example, null
from logsql.functions.network import ipv4_number, signed_32
from logsql.functions.textlists import charset
from logsql.planner import losses, results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PARTLY, Takes
from logsql.planner.function_spec import FunctionSpec, register
from logsql.values import sql, values
from logsql.values.arithmetic import INTEGER_TEXT, text_double
from logsql.values.mixing import choose
from logsql.values.sql import Sql
from logsql.values.types import ANY, BINARY, DOUBLE, INT, LONG, STRING, Kind, LType, list_of
from logsql.values.values import Typed

_RADIX = text("the radix argument of {function}() must be 10", "{function}()의 진법 인자는 10이어야 합니다")
_RADIX_MEANING = ("a radix other than 10", "진법이 10이 아닙니다")
INT_RADIX = define("90830", "invalid-{function}-radix", _RADIX_MEANING, _RADIX)
LONG_RADIX = define("90840", "invalid-{function}-radix", _RADIX_MEANING, _RADIX)

SATURATED = loss(
    "beyond-long",
    (
        "numbers beyond 64 bits: the largest or the smallest long in their place",
        "64비트를 넘는 숫자: 그 자리에 가장 큰 long이나 가장 작은 long",
    ),
    fate=Fate.CHANGED,
)
#: Doubles at or beyond these do not fit 64 bits; long() saturates as Java's cast does.
_LONG_LIMIT = 9.223372036854775807e18


def _integer(target: LType) -> Callable[[FunctionCall], Typed]:
    def lower(call: FunctionCall) -> Typed:
        if len(call) > 1:
            radix = call.constant(1)
            if radix != 10 or isinstance(radix, bool):
                call.fail(INT_RADIX if target is INT else LONG_RADIX, 1, function=call.spec.name)
        return _to_integer(call, call.arg(0), target)

    return lower


def _to_integer(call: FunctionCall, value: Typed, target: LType) -> Typed:
    """int() and long() by type: text must be digits with an optional sign, doubles are cut towards zero."""
    physical = target.physical
    if value.parts:
        return choose([(values.not_null(p), _to_integer(call, p, target)) for p in value.parts], null(target))
    if value.kind is Kind.LIST:
        element = value.type.element or ANY
        if element.kind is Kind.LIST:
            body = null(target)
        else:
            call.cx.lambda_depth += 1
            item = Typed(sql.var("i"), element)
            body = call.lost(NOT_CONVERTED, _to_integer(call, item, target), item)
            call.cx.lambda_depth -= 1
        return Typed(sql.func("list_transform", value.expr, sql.lambda_(["i"], body.expr)), list_of(target))
    if value.type.integer:
        fits = value.type.physical == physical or (value.type.kind < target.kind and value.type.physical != "BIGINT")
        return Typed(value.expr if fits else sql.try_cast(value.expr, physical), target)
    if value.type.number:
        return Typed(_cut(call, value.expr, target), target)
    if value.kind is Kind.STRING:
        node = call.let(value.expr)
        return Typed(_from_text(node, physical, call.cx.run_id is not None), target)
    if value.kind is Kind.IP:
        number = ipv4_number(call.let(value.expr))
        return Typed(signed_32(call.let(number)) if target is INT else number, target)
    if value.kind is Kind.ANY:
        return Typed(_mixed(call, value, target), target)
    return null(target)


def _from_text(node: Sql, physical: str, counting: bool = False) -> Sql:
    # A bare TRY_CAST takes '12.7' (as 13), ' 5 ' and '0x10'; a number that prints as it was written is a fifth of the
    # cost of a regular expression, which is left for '007' and '+5'.
    number = sql.try_cast(node, physical)
    printed = sql.eq(sql.cast(number, "VARCHAR"), node)
    shaped = sql.func("regexp_full_match", node, sql.string(INTEGER_TEXT))
    if not counting:
        return sql.case([(printed, number), (shaped, number)])
    # '99999999999' has the shape and is no int: what counts losses stands in the branch behind. The test that is there
    # already comes first: no regular expression is asked of 'x'.
    return losses.falls_through([(printed, number), (sql.and_(sql.not_null(number), shaped), number)])


def _cut(call: FunctionCall, node: Sql, target: LType) -> Sql:
    cut = sql.try_cast(sql.func("trunc", node), target.physical)
    if target is INT:
        return cut
    node = call.let(node)
    above, below = (sql.binary(op, node, sql.double(edge)) for op, edge in ((">=", _LONG_LIMIT), ("<=", -_LONG_LIMIT)))
    most, least = sql.integer(9223372036854775807), sql.cast(sql.string("-9223372036854775808"), "BIGINT")
    none = (sql.func("isnan", node), sql.null("BIGINT"))
    if call.cx.run_id is None:
        return sql.case([none, (above, most), (below, least)], cut)
    edge = Typed(sql.case([(above, most)], least), LONG)  # one place that counts, for both ends
    told = call.changed(SATURATED, edge, sql.boolean(True), sql.cast(node.copy(), "VARCHAR"))
    return sql.case([none, (sql.or_(above.copy(), below), told.expr)], cut)


def _mixed(call: FunctionCall, value: Typed, target: LType) -> Sql:
    """A value of any type: the text of a JSON integer and of integer text is the same, so both are read as text."""
    found: list[Sql] = []
    whole = values.integer_sql(value)
    if value.type.json:
        found.append(_from_text(values.plain_text(value), target.physical))
    else:
        body = values.string_sql(value)
        if whole is not None:
            found.append(sql.try_cast(whole, target.physical))
        if body is not None:
            found.append(_from_text(call.let(body), target.physical))
    real = values.number_sql(value)
    if real is not None:
        found.append(_cut(call, real, target))
    if not found:
        return sql.null(target.physical)
    return sql.coalesce(*found) if len(found) > 1 else found[0]


def _double(call: FunctionCall) -> Typed:
    value = call.arg(0)
    if value.type.number:
        node = values.number_sql(value)
        if isinstance(value.expr, exp.Literal):
            node = sql.double(float(value.expr.this))
        return Typed(node or value.expr, DOUBLE)
    body, real = values.string_sql(value), values.number_sql(value)
    parts = [] if real is None else [real]
    if body is not None:
        parts.append(text_double(call.let(body)))
    if not parts:
        return null(DOUBLE)
    return Typed(sql.coalesce(*parts) if len(parts) > 1 else parts[0], DOUBLE)


# --- binary -----------------------------------------------------------------------------------------------------------


def _binary(call: FunctionCall) -> Typed:
    codec = charset(call, 1)
    node = values.string_sql(call.arg(0))
    if node is None:
        return null(BINARY)
    if codec == "utf-8":
        return Typed(sql.func("encode", node), BINARY)
    return Typed(call.replacing(LETTERS_REPLACED, "lq_encode", node, sql.string(codec)), BINARY)


def _decode(call: FunctionCall) -> Typed:
    codec = charset(call, 1)
    node = values.binary_sql(call.arg(0))
    if node is None:
        return null(STRING)
    node = call.let(node)
    slow = call.replacing(BYTES_REPLACED, "lq_decode", node, sql.string(codec))
    if codec != "utf-8" or sql.counts(node):  # what counts inside would not be asked where decode() takes the bytes
        return Typed(slow, STRING)
    # decode() raises on malformed bytes, which the language shows as U+FFFD.
    return Typed(sql.coalesce(sql.attempt(sql.func("decode", node)), slow), STRING)


def _tobase64(call: FunctionCall) -> Typed:
    node = values.binary_sql(call.arg(0))
    return null(STRING) if node is None else Typed(sql.func("to_base64", node), STRING)


def _tohex(call: FunctionCall) -> Typed:
    node = values.binary_sql(call.arg(0))
    return null(STRING) if node is None else Typed(sql.func("lower", sql.func("hex", node)), STRING)


def _frombase64(call: FunctionCall) -> Typed:
    node = values.string_sql(call.arg(0))
    return null(BINARY) if node is None else Typed(sql.attempt(sql.func("from_base64", node)), BINARY)


def _fromhex(call: FunctionCall) -> Typed:
    node = values.string_sql(call.arg(0))
    if node is None:
        return null(BINARY)
    node = call.let(node)
    whole = sql.func("regexp_full_match", node, sql.string("([0-9a-fA-F]{2})*"))
    return Typed(losses.falls_through([(whole, sql.func("unhex", node))]), BINARY)


_CODEC_NOTE = (
    (
        "charsets by their Java or Python name; an unknown one is refused",
        "문자 집합은 자바나 파이썬의 이름으로 씁니다. 모르는 이름은 오류입니다",
    ),
)


def _binary_row(name: str) -> FunctionSpec:
    return FunctionSpec(
        name, "conversion" if name == "binary" else "crypto", f"{name}(text, [charset])",
        ("Bytes of the text, by default in utf-8; anything but text gives null.",
         "텍스트를 바이너리로 변환합니다. 기본 문자 집합은 utf-8이며, 텍스트가 아니면 null입니다."),
        _binary, 1, 2, "binary", PARTLY,
        (
            example(f'{name}("한글")', "ed959ceab880"),
            example(f'{name}("A", "UTF-16LE")', "4100"),
            example(f"{name}(123)", None),
        ),
        constant=(1,), notes=_CODEC_NOTE, loss=NOT_CONVERTED,
    )  # fmt: skip


register(
    FunctionSpec(
        "int", "conversion", "int(value)",
        ("32-bit integer: digits with an optional sign, doubles cut towards zero, IPv4 signed, lists by element.",
         "32비트 정수로 변환합니다. 텍스트는 부호와 숫자만 되고, double은 0 "
         "쪽으로 버리며, IPv4는 부호 있는 정수, 목록은 요소별로 변환합니다."),
        _integer(INT), 1, 2, "int", DUCKDB,
        (
            example('int("1234")', 1234),
            example("int(-1.2)", -1),
            example('int("12.5")', None),
            example('int(array("7", "x"))', [7, None]),
        ),
        notes=(
            ("a second argument other than 10 is refused", "두 번째 인자는 10만 됩니다"),
            ("a list in a field of a parsed document gives null: foreach(int(_1), field) converts its elements",
             "파싱한 문서의 필드에 있는 목록은 null이 됩니다. 요소는 foreach(int(_1), field)(으)로 변환합니다"),
        ),
        loss=NOT_CONVERTED,
    ),
    FunctionSpec(
        "long", "conversion", "long(value)",
        ("64-bit integer; doubles are cut and saturate, IPv4 is unsigned.",
         "64비트 정수로 변환합니다. double은 소수점 아래를 버리고 "
         "범위를 넘으면 한계값이 되며, IPv4는 부호 없는 정수입니다."),
        _integer(LONG), 1, 2, "long", DUCKDB,
        (example('long("11111111111")', 11111111111), example('long(ip("192.168.0.1"))', 3232235521),
        example('long("1.0")', None)), loss=NOT_CONVERTED,
    ),
    FunctionSpec(
        "double", "conversion", "double(value)",
        ("Double as Java's Double.parseDouble reads text; else null.",
         "텍스트를 자바의 Double.parseDouble처럼 읽어 double로 변환합니다. 안 되면 null입니다."),
        _double, 1, 1, "double", DUCKDB,
        (example('double("1e3")', 1000.0), example("double(0)", 0.0), example('double("x")', None)), loss=NOT_CONVERTED,
    ),
    _binary_row("binary"),
    _binary_row("encode"),
    FunctionSpec(
        "decode", "crypto", "decode(binary, [charset])",
        ("Text of the bytes; malformed bytes become U+FFFD; anything but binary gives null.",
         "바이너리를 텍스트로 변환합니다. 잘못된 바이트는 U+FFFD가 되고, 바이너리가 아니면 null입니다."),
        _decode, 1, 2, "string", PARTLY,
        (example('decode(fromhex("ED959C"))', "한"), example('decode(encode("A", "UTF-16LE"), "UTF-16LE")', "A"),
        example('decode("x")', None)),
        constant=(1,), notes=_CODEC_NOTE, loss=NOT_CONVERTED,
        takes=((0, Takes.TEXT_BYTES),),
    ),
    FunctionSpec(
        "tobase64", "conversion", "tobase64(binary)",
        ("Base64 text of the bytes.", "바이너리를 Base64 텍스트로 변환합니다."),
        _tobase64, 1, 1, "string", DUCKDB,
        (example('tobase64(binary("hello, world!"))', "aGVsbG8sIHdvcmxkIQ=="), example('tobase64("x")', None)),
        loss=NOT_CONVERTED,
        takes=((0, Takes.BYTES),), gives=results.always(characters="[A-Za-z0-9+/=]"),
    ),
    FunctionSpec(
        "frombase64", "conversion", "frombase64(text)",
        ("Bytes of base64 text; null when it is none.",
         "Base64 텍스트를 바이너리로 변환합니다. Base64가 아니면 null입니다."),
        _frombase64, 1,
        1, "binary", DUCKDB,
        (example('frombase64("AQID")', "010203"), example('frombase64("*")', None)), loss=NOT_CONVERTED,
    ),
    FunctionSpec(
        "tohex", "conversion", "tohex(binary)",
        ("Lower-case hex of the bytes.", "바이너리를 소문자 16진수 텍스트로 변환합니다."),
        _tohex, 1, 1, "string", DUCKDB,
        (example('tohex(encode("abcde"))', "6162636465"),), loss=NOT_CONVERTED,
        takes=((0, Takes.BYTES),), gives=results.hexadecimal,
    ),
    FunctionSpec(
        "fromhex", "conversion", "fromhex(text)",
        ("Bytes of hex digits; null for an odd length or another character.",
         "16진수 텍스트를 바이너리로 변환합니다. 길이가 홀수이거나 다른 문자가 있으면 null입니다."),
        _fromhex, 1, 1, "binary", DUCKDB,
        (example('fromhex("00fF10")', "00ff10"), example('fromhex("616")', None)), loss=NOT_CONVERTED,
    ),
)  # fmt: skip
