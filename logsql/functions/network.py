"""Addresses: ip, ip2long, ip2int, long2ip, network, reverseip (functions.md > ip).

An address is VARCHAR with the logical type ip. IPv4 is plain SQL; IPv6 goes through an Arrow function.
"""

from __future__ import annotations

from sqlglot import exp

from logsql.diagnostics.losses import BEYOND_ADDRESSES, NOT_CONVERTED
from logsql.functions.lowering import example, null, position
from logsql.planner import results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PARTLY, PLAIN, Takes
from logsql.planner.function_spec import FunctionSpec, register
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import INT, IP, LONG, STRING, WIDE, Kind
from logsql.values.values import Typed

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#: A dotted quad without leading zeros, short forms, blanks or a port.
QUAD = rf"({_OCTET}\.){{3}}{_OCTET}"
_LOW_32 = 4294967295


def is_ipv4(node: Sql) -> Sql:
    return sql.func("regexp_full_match", node, sql.string(QUAD))


def may_be_ipv6(node: Sql) -> Sql:
    """Whether text is made of the characters of an IPv6 address: spares ``10.0.0.1:8080`` the call outside SQL."""
    return sql.func("regexp_full_match", node, sql.string("[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*"))


def ipv4_number(node: Sql) -> Sql:
    """The unsigned value of IPv4 text as BIGINT, null for anything else."""
    digits = sql.func(
        "list_transform",
        sql.func("string_split", node, sql.string(".")),
        sql.lambda_(["o"], sql.cast(sql.var("o"), "BIGINT")),
    )
    step = sql.binary("+", sql.binary("*", sql.var("a"), sql.integer(256)), sql.var("b"))
    return sql.when(is_ipv4(node), sql.func("list_reduce", digits, sql.lambda_(["a", "b"], step)))


def signed_32(node: Sql) -> Sql:
    """An unsigned 32-bit number as INTEGER with the same bits."""
    high = (
        sql.binary(">", node, sql.integer(2147483647)),
        sql.cast(sql.binary("-", node, sql.integer(_LOW_32 + 1)), "INTEGER"),
    )
    return sql.case([high], sql.cast(node, "INTEGER"))


def quad_text(node: Sql) -> Sql:
    """Dotted quad of a number's low 32 bits."""
    bits = sql.binary("&", node, sql.integer(_LOW_32))

    def octet(shift: int) -> Sql:
        return sql.binary("&", sql.binary(">>", bits, sql.integer(shift)) if shift else bits, sql.integer(255))

    parts = [sql.cast(octet(shift), "VARCHAR") for shift in (24, 16, 8, 0)]
    dot = sql.string(".")
    return sql.concat(parts[0], dot, parts[1], dot, parts[2], dot, parts[3])


def _address_text(value: Typed) -> Sql | None:
    """Text or an address; None for a value that is neither."""
    if value.parts:
        found = [node for part in value.parts if (node := _address_text(part)) is not None]
        return sql.coalesce(*found) if len(found) > 1 else found[0] if found else None
    return value.expr if value.kind in (Kind.STRING, Kind.IP) else values.string_sql(value)


def _ip(call: FunctionCall) -> Typed:
    value = call.arg(0)
    if value.kind is Kind.IP:
        return value
    found: list[Sql] = [part.expr for part in value.parts if part.kind is Kind.IP]
    whole = value.expr if value.type.integer else values.integer_sql(value)
    if whole is not None:
        number = call.let(whole if value.type.physical == "BIGINT" else sql.try_cast(whole, "BIGINT"))
        inside = exp.Between(this=sql.paren(number), low=sql.integer(-(2**31)), high=sql.integer(_LOW_32))
        found.append(sql.when(inside, quad_text(number)))
    body = values.string_sql(value)
    if body is not None:
        node = call.let(body)
        sixth = (may_be_ipv6(node), call.udf("lq_ip", node))
        found.append(sql.case([(is_ipv4(node), node), sixth]))
    if not found:
        return null(IP)
    return Typed(sql.coalesce(*found) if len(found) > 1 else found[0], IP)


def _ip2long(call: FunctionCall) -> Typed:
    node = _address_text(call.arg(0))
    return null(LONG) if node is None else Typed(ipv4_number(call.let(node)), LONG)


def _ip2int(call: FunctionCall) -> Typed:
    node = _address_text(call.arg(0))
    return null(INT) if node is None else Typed(signed_32(call.let(ipv4_number(call.let(node)))), INT)


def _long2ip(call: FunctionCall) -> Typed:
    value = call.arg(0)
    node = values.integer_sql(value)
    if node is None:
        return null(STRING)
    if value.type.physical in WIDE:  # 18446744073709551615 of an unsigned column does not fit into 64 bits with a sign
        low = sql.binary("%", sql.try_cast(value.expr, "HUGEINT"), sql.integer(_LOW_32 + 1))
        node = sql.cast(low, "BIGINT")
    elif value.type.integer:
        node = value.expr if value.type.physical == "BIGINT" else sql.cast(value.expr, "BIGINT")
    whole = sql.try_cast(value.expr, "HUGEINT") if value.type.physical in WIDE else None
    node = call.let(node)
    # -1 is 255.255.255.255: what int(ip(...)) gives.
    inside = exp.Between(this=whole or node.copy(), low=sql.integer(-(2**31)), high=sql.integer(_LOW_32))
    sample = sql.cast(value.expr.copy() if value.type.integer else node.copy(), "VARCHAR")
    return call.changed(BEYOND_ADDRESSES, Typed(quad_text(node), STRING), sql.not_(inside), sample)


def _reverseip(call: FunctionCall) -> Typed:
    node = _address_text(call.arg(0))
    if node is None:
        return null(STRING)
    node = call.let(node)
    octets = sql.func("list_reverse", sql.func("string_split", node, sql.string(".")))
    return Typed(sql.when(is_ipv4(node), sql.func("array_to_string", octets, sql.string("."))), STRING)


def _network(call: FunctionCall) -> Typed:
    body, bits = _address_text(call.arg(0)), position(call, 1)
    if body is None or bits.wrong or bits.absent:
        return null(STRING)
    node = call.let(body)
    four, tests = _network4(call, node, bits.value, bits.sql), [is_ipv4(node)]
    if bits.value is not None and not 0 <= bits.value <= 128:
        return null(STRING)
    sixth = (may_be_ipv6(node), call.udf("lq_network", node, sql.cast(bits.sql, "BIGINT")))
    return Typed(sql.case([*([] if four is None else [(sql.and_(*tests), four)]), sixth]), STRING)


def _network4(call: FunctionCall, node: Sql, bits: int | None, bits_sql: Sql) -> Sql | None:
    number = call.let(ipv4_number(node))
    if bits is not None:
        if not 0 <= bits <= 32:
            return None
        return quad_text(sql.binary("&", number, sql.integer(_LOW_32 - (2 ** (32 - bits) - 1))))
    low = sql.binary("<<", sql.cast(sql.integer(1), "BIGINT"), sql.binary("-", sql.integer(32), bits_sql))
    masked = sql.binary("*", sql.binary("//", number, low), low)
    return sql.when(exp.Between(this=sql.paren(bits_sql), low=sql.integer(0), high=sql.integer(32)), quad_text(masked))


register(
    FunctionSpec(
        "ip", "ip", "ip(value)",
        ("The address in a text or an integer (signed or unsigned "
         "IPv4); IPv6 in eight groups; null for anything else.",
         "텍스트나 정수(부호 있는/없는 IPv4)를 IP 주소로 변환합니다. "
         "IPv6는 8개 그룹으로 표시하고, 그 밖의 값은 null입니다."),
        _ip, 1, 1, "ip", PARTLY,
        (
            example('ip("1.2.3.4")', "1.2.3.4"),
            example('ip("::1")', "0:0:0:0:0:0:0:1"),
            example("ip(-1062731775)", "192.168.0.1"),
            example('ip("256.0.0.1")', None),
        ),
        loss=NOT_CONVERTED,
    ),
    FunctionSpec(
        "ip2long", "ip", "ip2long(address)",
        ("Unsigned value of an IPv4 address.", "IPv4 주소를 부호 없는 정수로 변환합니다."),
        _ip2long, 1, 1, "long", DUCKDB,
        (example('ip2long("192.168.0.1")', 3232235521), example('ip2long("host")', None)),
        loss=NOT_CONVERTED, gives=results.always(low=0, high=2**32 - 1),
    ),
    FunctionSpec(
        "ip2int", "ip", "ip2int(address)",
        ("Signed 32-bit value of an IPv4 address.", "IPv4 주소를 부호 있는 32비트 정수로 변환합니다."),
        _ip2int, 1, 1, "int", DUCKDB,
        (example('ip2int("192.168.0.1")', -1062731775), example('ip2int("0.0.0,0")', None)),
        loss=NOT_CONVERTED,
    ),
    FunctionSpec(
        "long2ip", "ip", "long2ip(number)",
        ("Dotted quad of the low 32 bits; numeric text gives null.",
         "하위 32비트를 점으로 구분한 IPv4 주소로 변환합니다. 숫자로 된 텍스트는 null입니다."),
        _long2ip, 1, 1,
        "string", PLAIN,
        (example("long2ip(3232235521)", "192.168.0.1"), example("long2ip(-1)", "255.255.255.255"),
        example('long2ip("1")', None)), loss=NOT_CONVERTED, gives=results.always(characters="[0-9.]"),
    ),
    FunctionSpec(
        "network", "ip", "network(address, bits)",
        ("Network address as text: IPv4 with 0 to 32 bits, IPv6 with 0 to 128.",
         "네트워크 주소를 텍스트로 반환합니다. 비트 수는 IPv4가 0~32, IPv6가 0~128입니다."),
        _network, 2, 2, "string", PARTLY,
        (
            example('network("192.0.2.128", 24)', "192.0.2.0"),
            example('network("21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A", 96)', "21da:d3:0:2f3b:2aa:ff:0:0"),
            example('network("1.2.3.4", 100)', None),
        ),
        takes=((1, Takes.WHOLE),), never=((1, lambda _, bits: isinstance(bits, int) and not 0 <= bits <= 128),),
        loss=NOT_CONVERTED, gives=results.always(case="lower", characters="[0-9a-f.:]"),
    ),
    FunctionSpec(
        "reverseip", "string", "reverseip(address)",
        ("IPv4 octets in reverse order, for in-addr.arpa names.",
         "in-addr.arpa 이름에 쓰도록 IPv4 옥텟의 순서를 뒤집습니다."),
        _reverseip, 1, 1, "string", DUCKDB,
        (example('concat(reverseip(ip), ".in-addr.arpa")', "238.14.217.172.in-addr.arpa", {"ip": "172.217.14.238"}),
        example('reverseip("x")', None)), loss=NOT_CONVERTED, gives=results.always(characters="[0-9.]"),
    ),
)  # fmt: skip
