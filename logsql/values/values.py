"""Typed SQL values and the language's value rules: text form, truth, comparison, equality, sort keys, unification.

One place for language.md section 3. Every function takes :class:`Typed` values and returns SQL that gives the
language's answer per value; static types choose the cheapest form, and only columns that really hold several types
(kind *any*) pay for the general one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.texts import DOCUMENT_TEXT
from logsql.values.texts import date_text as date_text
from logsql.values.texts import double_text as double_text
from logsql.values.types import (
    ANY,
    ANY_JSON,
    ANY_LIST,
    BOOL,
    DATE,
    MAP,
    NULL,
    STRING,
    Kind,
    LType,
    list_of,
    unify,
)

#: A key of a map, or the place of an item in a list.
Step = str | int


class Place(NamedTuple):
    """Where a value stands in a JSON document: the document, the text that leads there, and its steps."""

    document: Sql
    path: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Typed:
    """A SQL expression and its logical type.

    ``pointer`` is set when the value is read from a JSON document: where it stands, so that text and null tests use the
    cheap ``json_extract_string`` and further steps lead on from there (:mod:`logsql.values.paths`). ``parts`` is set
    when a mixed value arrives as several typed columns of which at most one is non-null (readers deliver them so);
    reading one type then costs a plain column.
    ``loose`` is a form of a boolean that may be null where ``expr`` is false: enough for filters and CASE conditions,
    and the form that DuckDB can push into a scan.
    """

    expr: Sql
    type: LType
    pointer: Place | None = None
    parts: tuple[Typed, ...] = ()
    loose: Sql | None = None

    @property
    def kind(self) -> Kind:
        return self.type.kind


NULL_VALUE = Typed(sql.null("VARCHAR"), NULL)


def constant_null(type_: LType = NULL) -> Typed:
    """A null of a type."""
    return Typed(sql.null(type_.physical), type_)


def json_pointer(name: str) -> str:
    """The JSON pointer of an object key (RFC 6901), the one path form that reaches every key."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def json_field(document: Sql, name: str) -> Typed:
    """A key of a JSON document as a value of any type."""

    pointer = json_pointer(name)
    return Typed(sql.func("json_extract", document, sql.string(pointer)), ANY_JSON, Place(document, pointer, (name,)))


def is_null(value: Typed) -> Sql:
    """SQL truth of "the value is null"; a JSON null counts."""
    if value.kind is Kind.NULL:
        return sql.boolean(True)
    if value.type.json:
        return sql.is_null(_json_string(value))
    if value.parts:
        return sql.and_(*(is_null(p) for p in value.parts))
    return sql.is_null(value.expr)


def not_null(value: Typed) -> Sql:
    if value.kind is Kind.NULL:
        return sql.boolean(False)
    if value.type.json:
        return sql.not_null(_json_string(value))
    if value.parts:
        return sql.or_(*(not_null(p) for p in value.parts))
    return sql.not_null(value.expr)


def _json_string(value: Typed) -> Sql:
    if value.pointer:
        return sql.func("json_extract_string", value.pointer.document, sql.string(value.pointer.path))
    return sql.func("json_extract_string", value.expr, sql.string("$"))


def json_type(value: Typed) -> Sql:
    """DuckDB's name of the JSON type of a value of a document."""
    if value.pointer:
        return sql.func("json_type", value.pointer.document, sql.string(value.pointer.path))
    return sql.func("json_type", value.expr)


# --- text -----------------------------------------------------------------------------------------


def text(value: Typed) -> Typed:
    """The value as text (language.md 3.5); null stays null."""
    return Typed(text_sql(value), STRING)


def text_sql(value: Typed) -> Sql:
    """The value as text (language.md 3.5): one text for a list or map wherever it lies."""
    if value.parts:
        return sql.coalesce(*(text_sql(p) for p in value.parts))
    if value.kind is Kind.MAP:
        return _document_text(sql.cast(value.expr, "VARCHAR"))
    if value.type.json:
        return _json_text(value)
    if value.kind is Kind.LIST:
        return _list_text(value, text_sql)
    if value.kind is Kind.ANY:
        return _variant_text(value.expr)
    return plain_text(value)


def plain_text(value: Typed) -> Sql:
    """The value as text where lists, maps and the spelling of a document's doubles do not matter: keys, conversions."""
    kind = value.kind
    if kind in (Kind.STRING, Kind.IP):
        return value.expr
    if kind is Kind.NULL:
        return sql.null("VARCHAR")
    if value.parts:
        return sql.coalesce(*(plain_text(p) for p in value.parts))
    if value.type.json:
        return _json_string(value)
    if kind in (Kind.DOUBLE, Kind.FLOAT):
        return double_text(value.expr)
    if kind is Kind.DATE:
        return date_text(value.expr)
    if kind is Kind.BINARY:
        return sql.func("lower", sql.func("hex", value.expr))
    if kind is Kind.LIST:
        return _list_text(value, plain_text)
    if kind is Kind.ANY:
        return sql.case(_variant_scalars(value.expr), sql.cast(value.expr, "VARCHAR"))
    return sql.cast(value.expr, "VARCHAR")


def _list_text(value: Typed, item: Callable[[Typed], Sql]) -> Sql:
    element = value.type.element or ANY
    if element.json and item is text_sql:
        return _document_text(sql.cast(sql.func("to_json", value.expr), "VARCHAR"))
    body = item(Typed(sql.var("e"), element))
    items = sql.func("list_transform", value.expr, sql.lambda_(["e"], sql.coalesce(body, sql.string("null"))))
    return sql.when(sql.not_null(value.expr), _bracketed(items))


def _bracketed(items: Sql) -> Sql:
    joined = sql.coalesce(sql.func("array_to_string", items, sql.string(", ")), sql.string(""))
    return sql.concat(sql.string("["), joined, sql.string("]"))


def _document_text(document: Sql) -> Sql:
    """Text of the list or map, any number of lists deep, that a JSON text is: Python, as SQL cannot recur."""
    return sql.func(DOCUMENT_TEXT, document)


#: First characters of lists, maps and numbers, whose JSON text may not be their text.
_MAY_DIFFER = r"^[\[{0-9-]"
_DIFFERENT = ("ARRAY", "OBJECT", "DOUBLE")


def _json_text(value: Typed) -> Sql:
    """Text of a value of a document; its type is asked where its first character is that of a list, map or number."""
    plain = _json_string(value)
    may = sql.func("regexp_matches", plain, sql.string(_MAY_DIFFER))
    does = sql.in_(json_type(value), [sql.string(name) for name in _DIFFERENT])
    return sql.case([(sql.and_(may, does), _document_text(plain.copy()))], plain.copy())


def _variant_scalars(node: Sql) -> list[tuple[Sql, Sql]]:
    kind = sql.func("variant_typeof", node)
    return [
        (sql.in_(kind, [sql.string("DOUBLE"), sql.string("FLOAT")]), double_text(sql.try_cast(node, "DOUBLE"))),
        *_variant_opaque(node),
    ]


def _variant_opaque(node: Sql) -> list[tuple[Sql, Sql]]:
    """Texts of what JSON cannot say."""
    kind = sql.func("variant_typeof", node)
    return [
        (sql.eq(kind, sql.string("BLOB")), sql.func("lower", sql.func("hex", sql.try_cast(node, "BLOB")))),
        (sql.eq(kind, sql.string("TIMESTAMP_MICROS_TZ")), date_text(sql.try_cast(node, DATE.physical))),
    ]


def _variant_text(node: Sql) -> Sql:
    """Text of a VARIANT by its type per value; dates in a list print as dates, in a list inside it as JSON has them."""
    kind = sql.func("variant_typeof", node)
    item = sql.var("v")
    told = sql.eq(sql.func("variant_typeof", item), sql.string("VARCHAR"))
    body = sql.case(
        [*_variant_opaque(item), (told, sql.cast(item, "VARCHAR"))],
        _document_text(sql.cast(sql.func("to_json", item), "VARCHAR")),
    )
    items = sql.func(
        "list_transform", sql.try_cast(node, "VARIANT[]"), sql.lambda_(["v"], sql.coalesce(body, sql.string("null")))
    )
    return sql.case(
        [
            *_variant_scalars(node),
            (sql.func("starts_with", kind, sql.string("ARRAY")), _bracketed(items)),
            (
                sql.func("starts_with", kind, sql.string("OBJECT")),
                _document_text(sql.cast(sql.func("to_json", node), "VARCHAR")),
            ),
        ],
        sql.cast(node, "VARCHAR"),
    )


# --- numbers, truth -------------------------------------------------------------------------------


def number_sql(value: Typed) -> Sql | None:
    """The value as DOUBLE where it *is* a number (not numeric text), null elsewhere; None when it never is."""
    if value.type.number:
        return value.expr if value.kind is Kind.DOUBLE else sql.cast(value.expr, "DOUBLE")
    if value.parts:
        numbers = [n for p in value.parts if (n := number_sql(p)) is not None]
        return (sql.coalesce(*numbers) if len(numbers) > 1 else numbers[0]) if numbers else None
    if value.kind is Kind.ANY:
        if value.type.json:
            test = sql.in_(json_type(value), [sql.string(t) for t in ("UBIGINT", "BIGINT", "DOUBLE", "HUGEINT")])
            return sql.when(test, sql.try_cast(_json_string(value), "DOUBLE"))
        return sql.when(is_number_variant(value.expr), sql.try_cast(value.expr, "DOUBLE"))
    return None


def integer_sql(value: Typed) -> Sql | None:
    """The value as BIGINT where it is an integer, null elsewhere; None when it never is."""
    if value.type.integer:
        return value.expr if value.type.physical == "BIGINT" else sql.try_cast(value.expr, "BIGINT")
    if value.parts:
        whole = [n for p in value.parts if (n := integer_sql(p)) is not None]
        return (sql.coalesce(*whole) if len(whole) > 1 else whole[0]) if whole else None
    if value.kind is Kind.ANY:
        if value.type.json:
            test = sql.in_(json_type(value), [sql.string(t) for t in ("UBIGINT", "BIGINT", "HUGEINT")])
            return sql.when(test, sql.try_cast(_json_string(value), "BIGINT"))
        variant = to_variant(value).expr
        return sql.when(is_integer_variant(variant), sql.try_cast(variant, "BIGINT"))
    return None


def is_integer_variant(node: Sql) -> Sql:
    return sql.func("regexp_full_match", sql.func("variant_typeof", node), sql.string("U?INT[0-9]+"))


def is_number_variant(node: Sql) -> Sql:
    return sql.func(
        "regexp_full_match", sql.func("variant_typeof", node), sql.string(r"U?INT[0-9]+|DOUBLE|FLOAT|DECIMAL.*")
    )


def truth(value: Typed) -> Sql:
    """Truth of a value (language.md 3.4) as non-null SQL boolean: null is false, any non-boolean value true."""
    if value.kind is Kind.BOOL:
        return value.expr if _never_null(value.expr) else sql.coalesce(value.expr, sql.boolean(False))
    if value.kind is Kind.NULL:
        return sql.boolean(False)
    if value.parts:
        return sql.or_(*(truth(p) for p in value.parts))
    if value.kind is Kind.ANY:
        is_false = sql.eq(text_sql(value), sql.string("false"))
        if value.type.json:
            flag = sql.and_(sql.eq(json_type(value), sql.string("BOOLEAN")), is_false)
        else:
            flag = sql.eq(sql.func("variant_typeof", value.expr), sql.string("BOOL_FALSE"))
        return sql.and_(not_null(value), sql.not_(sql.coalesce(flag, sql.boolean(False))))
    return not_null(value)


def condition(value: Typed) -> Sql:
    """Truth of a value for WHERE and CASE, where null counts as false anyway."""
    if value.loose is not None:
        return value.loose
    return value.expr if value.kind is Kind.BOOL else truth(value)


def settled(test: Sql) -> Typed:
    """A boolean value whose SQL may be null where the language says false."""
    if _never_null(test):
        return Typed(test, BOOL)
    return Typed(sql.coalesce(test, sql.boolean(False)), BOOL, loose=test)


def _never_null(node: Sql) -> bool:
    """Whether a boolean expression built here cannot be null (saves a ``coalesce`` that hides it from pushdown)."""
    from sqlglot import exp

    if isinstance(node, exp.Boolean):
        return True
    if isinstance(node, exp.Paren):
        return _never_null(node.this)
    if isinstance(node, (exp.And, exp.Or)):
        return _never_null(node.this) and _never_null(node.expression)
    if isinstance(node, exp.Not):
        return _never_null(node.this)
    if isinstance(node, exp.Is):
        return True
    return (
        isinstance(node, exp.Anonymous)
        and str(node.this).lower() == "coalesce"
        and isinstance(node.expressions[-1], exp.Boolean)
    )


# --- comparison -----------------------------------------------------------------------------------


def lower(node: Sql) -> Sql:
    """``lower(x)``, folded when ``x`` is a literal or already lower-cased."""
    from sqlglot import exp

    if isinstance(node, exp.Literal) and node.is_string:
        return sql.string(str(node.this).lower())
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "lower":
        return node
    return sql.func("lower", node)


def variant_rank(node: Sql) -> Sql:
    """Comparator rank of a VARIANT by its type per value."""
    kind = sql.func("variant_typeof", node)

    def starts(prefix: str) -> Sql:
        return sql.func("starts_with", kind, sql.string(prefix))

    return sql.case(
        [
            (sql.or_(sql.is_null(node), sql.eq(kind, sql.string("VARIANT_NULL"))), sql.integer(0)),
            (starts("BOOL"), sql.integer(1)),
            (is_number_variant(node), sql.integer(2)),
            (starts("TIMESTAMP"), sql.integer(3)),
            (sql.eq(kind, sql.string("VARCHAR")), sql.integer(6)),
            (starts("ARRAY"), sql.integer(7)),
            (starts("OBJECT"), sql.integer(8)),
        ],
        sql.integer(9),
    )


# --- unification ----------------------------------------------------------------------------------


def to_variant(value: Typed) -> Typed:
    """The value as VARIANT, its type kept per value."""
    if value.type.variant and not value.parts:
        return value
    if value.parts:
        branches = [(not_null(p), to_variant(p).expr) for p in value.parts]
        return Typed(sql.case(branches), ANY)
    if value.kind is Kind.NULL:
        return Typed(sql.null("VARIANT"), ANY)
    return Typed(sql.cast(value.expr, "VARIANT"), ANY)


def coerce(value: Typed, target: LType) -> Sql:
    """SQL of the value in a type that :func:`unify` gave for it."""
    if value.type == target and not value.parts:
        return value.expr
    if value.kind is Kind.NULL:
        return sql.null(target.physical)
    if target.kind is Kind.ANY and target.variant:
        return to_variant(value).expr
    if target.kind is Kind.LIST and value.kind is Kind.LIST:
        element = value.type.element or ANY
        body = coerce(Typed(sql.var("e"), element), target.element or ANY)
        return sql.func("list_transform", value.expr, sql.lambda_(["e"], body))
    if value.type.json and target.json:
        return value.expr
    if target.json:
        return sql.func("to_json", value.expr)
    return sql.cast(value.expr, target.physical)


def common_type(values: list[Typed]) -> LType:
    """The type that can hold all the values."""
    result = NULL
    for value in values:
        result = unify(result, value.type)
    return result


def as_list(value: Typed) -> Typed | None:
    """The value as a list where it is one (null elsewhere); None when it never is."""
    if value.kind is Kind.LIST:
        return value
    if value.parts:
        return _either([found for part in value.parts if (found := as_list(part)) is not None])
    if value.kind is Kind.ANY:
        if value.type.json:
            test = sql.eq(json_type(value), sql.string("ARRAY"))
            return Typed(sql.when(test, sql.try_cast(value.expr, "JSON[]")), list_of(ANY_JSON))
        return Typed(sql.try_cast(value.expr, "VARIANT[]"), ANY_LIST)
    return None


def as_map(value: Typed) -> Typed | None:
    """The value as a JSON object where it is a map (null elsewhere); None when it never is."""

    if value.kind is Kind.MAP:
        return value
    if value.parts:
        return _either([found for part in value.parts if (found := as_map(part)) is not None])
    if value.kind is Kind.ANY:
        if value.type.json:
            return Typed(sql.when(sql.eq(json_type(value), sql.string("OBJECT")), value.expr), MAP)
        is_object = sql.func("starts_with", sql.func("variant_typeof", value.expr), sql.string("OBJECT"))
        return Typed(sql.when(is_object, sql.func("to_json", value.expr)), MAP)
    return None


def _either(found: list[Typed]) -> Typed | None:
    """The value among several of which at most one is not null, in the type that holds them all."""
    if len(found) < 2:
        return found[0] if found else None
    target = common_type(found)
    return Typed(sql.coalesce(*(coerce(v, target) for v in found)), target)


# --- one type of a mixed value --------------------------------------------------------------------


def _one_type(value: Typed, kind: Kind, variant: str, json: str | None) -> Sql | None:
    """The value as ``kind`` where it is of that kind, null elsewhere; None when it never is."""
    if value.kind is kind:
        return value.expr
    if value.parts:
        found = [n for p in value.parts if (n := _one_type(p, kind, variant, json)) is not None]
        return (sql.coalesce(*found) if len(found) > 1 else found[0]) if found else None
    if value.kind is not Kind.ANY:
        return None
    physical = {Kind.STRING: "VARCHAR", Kind.BOOL: "BOOLEAN", Kind.BINARY: "BLOB", Kind.DATE: DATE.physical}[kind]
    if value.type.json:
        if json is None:
            return None
        body = _json_string(value)
        return sql.when(
            sql.eq(json_type(value), sql.string(json)), body if kind is Kind.STRING else sql.try_cast(body, physical)
        )
    test = sql.func("starts_with", sql.func("variant_typeof", value.expr), sql.string(variant))
    return sql.when(test, sql.try_cast(value.expr, physical))


def string_sql(value: Typed) -> Sql | None:
    """The value as text where it *is* text, null elsewhere; None when it never is."""
    return _one_type(value, Kind.STRING, "VARCHAR", "VARCHAR")


def bool_sql(value: Typed) -> Sql | None:
    """The value as BOOLEAN where it is a boolean, null elsewhere; None when it never is."""
    return _one_type(value, Kind.BOOL, "BOOL", "BOOLEAN")


def binary_sql(value: Typed) -> Sql | None:
    """The value as BLOB where it is binary, null elsewhere; None when it never is (a document holds no binary)."""
    return _one_type(value, Kind.BINARY, "BLOB", None)


def date_sql(value: Typed) -> Sql | None:
    """The value as TIMESTAMPTZ where it is a date, null elsewhere; None when it never is (a document holds no date)."""
    return _one_type(value, Kind.DATE, "TIMESTAMP", None)


def to_json(value: Typed) -> Sql:
    """The value as JSON; what JSON cannot say becomes its text form (dates, binary)."""
    if value.type.json:
        return value.expr
    if value.kind in (Kind.DATE, Kind.BINARY):
        return sql.func("to_json", text_sql(value))
    element = value.type.element
    if element is not None and element.kind in (Kind.DATE, Kind.BINARY, Kind.LIST):
        body = to_json(Typed(sql.var("e"), element))
        return sql.func("to_json", sql.func("list_transform", value.expr, sql.lambda_(["e"], body)))
    if value.parts:
        return sql.case([(not_null(p), to_json(p)) for p in value.parts])
    return sql.func("to_json", value.expr)
