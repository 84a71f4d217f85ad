"""Questions about the type of a value: isnull, isnotnull, isnum, isstr, typeof (functions.md > type check)."""

from __future__ import annotations

from logsql.functions.lowering import example, null
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PLAIN
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes.blanks import asked_for_null
from logsql.planner.notes.comparisons import quoted_name
from logsql.planner.results import always
from logsql.values import cells, sql, values
from logsql.values.sql import Sql
from logsql.values.types import BOOL, STRING, Kind
from logsql.values.values import Typed

_NAMES = {
    Kind.BOOL: "bool",
    Kind.SHORT: "short",
    Kind.INT: "int",
    Kind.LONG: "long",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.DATE: "date",
    Kind.STRING: "string",
    Kind.LIST: "list",
    Kind.MAP: "map",
    Kind.BINARY: "binary",
}


def _isnull(call: FunctionCall) -> Typed:
    quoted_name(call.cx, call.nodes[0])
    asked_for_null(call, '{field} == ""')
    return Typed(values.is_null(call.arg(0)), BOOL)


def _isnotnull(call: FunctionCall) -> Typed:
    quoted_name(call.cx, call.nodes[0])
    asked_for_null(call, '{field} != ""')
    return Typed(values.not_null(call.arg(0)), BOOL)


def _present(node: Sql | None) -> Typed:
    return Typed(sql.boolean(False) if node is None else sql.not_null(node), BOOL)


def _isnum(call: FunctionCall) -> Typed:
    value = call.arg(0)
    return _present(value.expr if value.type.number else values.number_sql(value))


def _isstr(call: FunctionCall) -> Typed:
    return _present(values.string_sql(call.arg(0)))


def _typeof(call: FunctionCall) -> Typed:
    node = type_name(call.arg(0))
    return null(STRING) if node is None else Typed(node, STRING)


def type_name(value: Typed) -> Sql | None:
    """The language's name of the value's type; None when the value is always null."""
    kind = value.kind
    if kind is Kind.NULL:
        return None
    if value.parts:
        names = [(values.not_null(p), name) for p in value.parts if (name := type_name(p)) is not None]
        return sql.case(names) if names else None
    if kind is Kind.IP:
        version = sql.case(
            [(sql.func("contains", value.expr, sql.string(":")), sql.string("ipv6"))], sql.string("ipv4")
        )
        return sql.when(values.not_null(value), version)
    if kind is not Kind.ANY:
        return sql.when(values.not_null(value), sql.string(_NAMES[kind]))
    return _json_name(value) if value.type.json else _variant_name(value.expr)


def _json_name(value: Typed) -> Sql:
    kind = sql.func(
        "json_type", *([value.pointer.document, sql.string(value.pointer.path)] if value.pointer else [value.expr])
    )
    whole = values.integer_sql(value)
    assert whole is not None
    small = sql.not_null(sql.try_cast(whole, "INTEGER"))
    pairs = [("VARCHAR", "string"), ("DOUBLE", "double"), ("BOOLEAN", "bool"), ("ARRAY", "list"), ("OBJECT", "map")]
    tests: list[tuple[Sql, Sql]] = [(sql.eq(kind, sql.string(j)), sql.string(name)) for j, name in pairs]
    tests.append((small, sql.string("int")))
    tests.append((sql.in_(kind, [sql.string(t) for t in ("UBIGINT", "BIGINT", "HUGEINT")]), sql.string("long")))
    return sql.case(tests)


def _variant_name(node: Sql) -> Sql:
    kind = sql.func("variant_typeof", node)

    def starts(*prefixes: str) -> Sql:
        return sql.or_(*(sql.func("starts_with", kind, sql.string(p)) for p in prefixes))

    def is_(*names: str) -> Sql:
        return sql.in_(kind, [sql.string(n) for n in names])

    return sql.case(
        [
            (sql.or_(sql.is_null(node), is_("VARIANT_NULL")), sql.null("VARCHAR")),
            (is_("VARCHAR"), sql.string("string")),
            (is_("INT8", "INT16", "UINT8"), sql.string("short")),
            (is_("INT32", "UINT16"), sql.string("int")),
            (starts("INT", "UINT"), sql.string("long")),
            (is_("FLOAT"), sql.string("float")),
            (starts("DOUBLE", "DECIMAL"), sql.string("double")),
            (starts("BOOL"), sql.string("bool")),
            (starts("TIMESTAMP"), sql.string("date")),
            (starts("ARRAY"), sql.string("list")),
            (starts("OBJECT"), sql.string("map")),
            (is_("BLOB"), sql.string("binary")),
        ],
        sql.string("string"),
    )


register(
    FunctionSpec(
        "isnull", "type check", "isnull(value)",
        ("Whether the value is null; empty text is not.", "값이 null인지 반환합니다. 빈 텍스트는 null이 아닙니다."),
        _isnull, 1, 1, "bool",
        PLAIN,
        (example("isnull(a)", True, {"b": 1}), example('isnull("")', False)), tests_null=True, direct=cells.is_null,
    ),
    FunctionSpec(
        "isnotnull", "type check", "isnotnull(value)",
        ("Whether the value is not null.", "값이 null이 아닌지 반환합니다."),
        _isnotnull, 1, 1, "bool",
        PLAIN,
        (example("isnotnull(0)", True), example("isnotnull(a)", False, {"b": 1})), tests_null=True,
        direct=cells.is_not_null,
    ),
    FunctionSpec(
        "isnum", "type check", "isnum(value)",
        ("Whether the value is a number; numeric text is none.",
         "값이 숫자인지 반환합니다. 숫자로 된 텍스트는 숫자가 아닙니다."),
        _isnum, 1, 1,
        "bool", PLAIN,
        (example("isnum(1.5)", True), example('isnum("1")', False), example("isnum(null)", False)),
        tests_null=True,
    ),
    FunctionSpec(
        "isstr", "type check", "isstr(value)",
        ("Whether the value is text.", "값이 텍스트인지 반환합니다."),
        _isstr, 1, 1, "bool", PLAIN,
        (example('isstr("")', True), example("isstr(0)", False), example("isstr(null)", False)),
        tests_null=True,
    ),
    FunctionSpec(
        "typeof", "type check", "typeof(value)",
        ("Name of the value's type: string short int long float "
         "double bool date ipv4 ipv6 list map binary; else null.",
         "값의 타입 이름을 반환합니다: string short int long float double "
         "bool date ipv4 ipv6 list map binary. 그 밖에는 null입니다."),
        _typeof, 1, 1, "string", DUCKDB,
        (
            example("typeof(1)", "int"),
            example("typeof(1 + 1)", "long"),
            example('typeof(ip("::1"))', "ipv6"),
            example("typeof(null)", None),
        ),
        gives=always(words=(*dict.fromkeys(_NAMES.values()), "ipv4", "ipv6")),
    ),
)  # fmt: skip
