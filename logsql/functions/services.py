"""Object groups on this machine (matchblackip and its relatives), and the functions that are refused.

The catalog's service ``objects`` (:class:`logsql.planner.services.ObjectLists`) holds named lists; a match is plain SQL
over their items, so a translated query carries the list it was made with. An unknown group is refused (functions.md >
service functions).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from sqlglot import exp

from logsql.diagnostics.codes import Pair, define, text
from logsql.functions.lowering import constant_text, example
from logsql.functions.network import ipv4_number
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB
from logsql.planner.function_spec import REFUSED_FUNCTIONS, FunctionSpec, register
from logsql.planner.services import OBJECTS
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import BOOL, Kind
from logsql.values.values import Typed

LIST_NAME = text("the name of the list", "목록 이름")
KNOWN_LISTS = text("lists known here: {known}", "여기서 쓸 수 있는 목록: {known}")
NO_LISTS = text("no {kind} lists are set up", "설정된 {kind} 목록이 없습니다")
INVALID_LIST_NAME = define(
    "90930", "invalid-object-group", ("the name of a list is no text constant", "목록 이름이 문자열 상수가 아닙니다")
)
LIST_NOT_FOUND = define(
    "90931",
    "object-group-not-found",
    ("there is no list of this name", "이 이름의 목록이 없습니다"),
    ('{function}(): there is no list "{list}"', '{function}(): "{list}" 목록이 없습니다'),
)
LIST_TOO_LONG = define(
    "90932",
    "object-group-too-long",
    ("a list has more items than a query can carry", "목록의 항목이 쿼리에 담을 수 있는 수보다 많습니다"),
    (
        '{function}(): the list "{list}" has {count:,} items; at most {most:,} are taken',
        '{function}(): "{list}" 목록의 항목이 {count:,}개입니다. {most:,}개까지 쓸 수 있습니다',
    ),
    help=(
        "make it a lookup table (--lookup NAME=FILE) and ask that: | lookup NAME field output field2",
        "룩업 테이블(--lookup NAME=FILE)로 만들어 lookup 명령으로 조회하세요: | lookup NAME field output field2",
    ),
)
#: Items of a list: each is a constant of the query, and a million of them take a gigabyte.
MOST_ITEMS = 1_000_000
#: An IPv4 address or network as nearly every list writes it: its own text, which need not be looked at closely.
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")


def _items(call: FunctionCall, kind: str) -> Sequence[str]:
    name = constant_text(call, 0, INVALID_LIST_NAME, LIST_NAME)
    lists = call.cx.catalog.service(OBJECTS)
    found = lists.items(kind, name) if lists is not None else None
    if found is None:
        known = ", ".join(lists.names(kind)) if lists is not None else ""
        help = KNOWN_LISTS.fill(known=known) if known else NO_LISTS.fill(kind=kind)
        call.fail(LIST_NOT_FOUND, 0, function=call.spec.name, list=name, help=help)
    if len(found) > MOST_ITEMS:
        call.fail(LIST_TOO_LONG, 0, function=call.spec.name, list=name, count=len(found), most=MOST_ITEMS)
    return found


def _answer(tests: list[Sql]) -> Typed:
    return values.settled(sql.or_(*tests)) if tests else Typed(sql.boolean(False), BOOL)


def _match_text(call: FunctionCall) -> Typed:
    items = [sql.string(item) for item in _items(call, "text")]
    present = [call.arg(i) for i in range(1, len(call))]
    return _answer(
        [sql.in_(values.text_sql(v), [i.copy() for i in items]) for v in present if items and v.kind is not Kind.NULL]
    )


def _match_ip(call: FunctionCall) -> Typed:
    single: list[str] = []
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for item in _items(call, "ip"):
        item = item.strip()
        if _IPV4.fullmatch(item):
            single.append(item)
            continue
        try:
            network = ipaddress.ip_network(item, strict=False)
        except ValueError:
            continue
        if network.num_addresses == 1:
            single.append(address_text(network.network_address))
        else:
            networks.append(network)
    tests: list[Sql] = []
    for i in range(1, len(call)):
        value = call.arg(i)
        if value.kind is Kind.NULL:
            continue
        node = call.let(values.text_sql(value))
        if single:
            tests.append(sql.in_(node, [sql.string(address) for address in single]))
        number = call.let(ipv4_number(node)) if any(network.version == 4 for network in networks) else node
        tests.extend(_inside(call, node, number, network) for network in networks)
    return _answer(tests)


def address_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The language's text of an address: IPv6 in eight groups."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":"))


def _inside(call: FunctionCall, node: Sql, number: Sql, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Sql:
    """``number``: the text ``node`` as the number of an IPv4 address."""
    if isinstance(network, ipaddress.IPv4Network):
        low, high = int(network.network_address), int(network.broadcast_address)
        return exp.Between(this=sql.paren(number.copy()), low=sql.integer(low), high=sql.integer(high))
    masked = call.udf("lq_network", node, sql.cast(sql.integer(network.prefixlen), "BIGINT"))
    return sql.and_(
        sql.func("contains", node, sql.string(":")), sql.eq(masked, sql.string(address_text(network.network_address)))
    )


def _is_port(text: str) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) < 10


def _match_port(call: FunctionCall) -> Typed:
    single: list[int] = []
    ranges: list[tuple[int, int]] = []
    for item in _items(call, "port"):
        low, _, high = item.partition("-")
        if _is_port(low) and (not high or _is_port(high)):
            if high:
                ranges.append((int(low), int(high)))
            else:
                single.append(int(low))
    tests: list[Sql] = []
    for i in range(1, len(call)):
        node = values.integer_sql(call.arg(i))
        if node is None:
            continue
        node = call.let(node)
        if single:
            tests.append(sql.in_(node, [sql.integer(port) for port in single]))
        tests.extend(exp.Between(this=sql.paren(node), low=sql.integer(a), high=sql.integer(b)) for a, b in ranges)
    return _answer(tests)


def _row(name: str, summary: Pair, kind: str, lower: object) -> FunctionSpec:
    return FunctionSpec(
        name, "object group", f"{name}(list, value, ...)", summary,
        lower, 2, None, "bool", DUCKDB,  # type: ignore[arg-type]
        (example(f'{name}("watch", null)', shown=False),),
        constant=(0,), notes=((
            f"reads a local list of kind {kind}; an unknown list is refused",
            f"종류가 {kind}인 로컬 목록을 읽습니다. 모르는 목록은 오류입니다",
        ),),
    )  # fmt: skip


register(
    _row(
        "matchblackip",
        (
            "Whether a value is an address in the named list of addresses and networks.",
            "값이 지정한 주소/네트워크 목록에 속하는 IP 주소인지 반환합니다.",
        ),
        "ip",
        _match_ip,
    ),
    _row(
        "matchnet",
        (
            "Whether a value is an address in the named list of networks.",
            "값이 지정한 네트워크 목록에 속하는 IP 주소인지 반환합니다.",
        ),
        "ip",
        _match_ip,
    ),
    _row(
        "matchport",
        (
            "Whether a value is a port number in the named list of ports and ranges.",
            "값이 지정한 포트/범위 목록에 속하는 포트 번호인지 반환합니다.",
        ),
        "port",
        _match_port,
    ),
    _row(
        "matchfeed",
        ("Whether a value is in the named threat feed.", "값이 지정한 위협 피드에 있는지 반환합니다."),
        "text",
        _match_text,
    ),
    _row(
        "matchsig",
        ("Whether a value is in the named list of signatures.", "값이 지정한 시그니처 목록에 있는지 반환합니다."),
        "text",
        _match_text,
    ),
)

REFUSED_FUNCTIONS.update(
    {
        "matchbehavior": text(
            "behaviour profiles are kept by the vendor's server", "행위 프로파일은 제조사 서버에만 저장됩니다"
        ),
        "matchfilter": text(
            "filters are kept by the vendor's server; write the condition with search",
            "필터는 제조사 서버에만 저장됩니다. 조건을 search로 쓰세요",
        ),
        "xpath": text(
            "use the command parsexml, which makes fields of an XML document",
            "XML 문서를 필드로 만드는 parsexml 명령을 쓰세요",
        ),
    }
)
