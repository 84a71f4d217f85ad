"""Fields of an open row: found in a stored table, once the rows are known (language.md 5, decision 16).

The table holds the open part of its rows in one JSON or MAP column. Names come in order of first appearance, those of a
pivot in value order; a JSON field is typed when every value met has one JSON type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from logsql.diagnostics.engine import TOO_MANY_FIELDS
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.engine.present import BEYOND_64_BITS, MIXED_TYPES, Field, of_one_type, rest_field
from logsql.operators.pivotnames import sort_names
from logsql.planner.relation import Rest
from logsql.planner.runtime import Row
from logsql.values import sql

#: Most fields that a row is shown with: DuckDB plans each column in more time than the one before, 6,000 in ten
#: seconds, and 200,000 (one hostile document of 3 MB) in hours.
MAX_FIELDS = 10_000
Fetch = Callable[[str], list[Row]]


def all_fields(fetch: Fetch, table: str, column: str, fixed: list[Field], rest: Rest) -> list[Field]:
    """The fields of an open row, in the order they are shown.

    ``fetch`` runs a statement and returns its rows; ``column`` of ``table`` (SQL text of its full name) is the open
    column, and ``fixed``, the fields known before, read ``table`` too.
    """
    return looked_through(fetch, table, column, fixed, rest).fields(column, rest)


@dataclass(frozen=True)
class Looked:
    """What the open part of some rows holds: names with the types of their values, those and the ones that rows without
    it kept in the order in which they are shown, and the fields known before that stay."""

    names: dict[str, _Found]
    order: tuple[str, ...]
    kept: tuple[Field, ...]

    @property
    def shape(self) -> tuple[object, ...]:
        """Rows of one shape have the same fields."""
        return tuple((n, *found.types) for n, found in self.names.items()), self.order, tuple(f.name for f in self.kept)

    def fields(self, column: str, rest: Rest) -> list[Field]:
        """The fields of the rows, read from the open column."""
        free = [n for n in self.names if n not in rest.hidden]
        document = sql.col(column)
        made = [rest_field(document, n, rest.is_map, rest.value_type, self.names[n].types) for n in free]
        return _placed(list(self.kept), made, self.order, rest)


def looked_through(fetch: Fetch, table: str, column: str, fixed: list[Field], rest: Rest) -> Looked:
    """What the open part of the rows holds; the arguments are those of :func:`all_fields`."""
    names = _names(fetch, table, column, rest)
    if len(names) > MAX_FIELDS:
        raise RunError(diagnostic(TOO_MANY_FIELDS, limit=MAX_FIELDS, count=len(names)))
    places = {name: found.place for name, found in names.items()}
    kept, early = _without_replaced(fetch, table, fixed, rest)
    if early:
        places = _merged(places, early)
    return Looked(names, tuple(places), tuple(kept))


def settled(fetch: Fetch, table: str, fields: Mapping[int, Field]) -> dict[int, Field]:
    """Mixed fields whose values all have one type, with that type. ``fields`` by the number of their column ``v0``."""
    if not fields:
        return {}
    bits = ", ".join(f"bit_or({_MIXED_BITS.format(f'v{n}')})" for n in fields)
    (row,) = fetch(f"SELECT {bits} FROM {table}")
    found = {}
    for (number, field), held in zip(fields.items(), row, strict=True):
        types = [t for bit, t in enumerate(MIXED_TYPES) if (held or 0) >> bit & 1]
        if (only := of_one_type(field.name, sql.col(f"v{number}"), types)) is not None:
            found[number] = only
    return found


#: Where a name appears first: the row, and the place in that row.
Place = tuple[int, int]


@dataclass(frozen=True)
class _Found:
    """A name of the open column: the types of its values (none for a map of one type), and where it appears first."""

    types: list[str]
    place: Place


def _names(fetch: Fetch, table: str, column: str, rest: Rest) -> dict[str, _Found]:
    """Every name in the open column, also of fields that have become columns of their own since.

    One row a value, grouped by name: DuckDB needs milliseconds to plan each column of a statement that looks at every
    name, and finds each of them from the start of the document.
    """
    node = sql.col(column).sql("duckdb")
    mixed = rest.is_map and rest.value_type.variant
    keys, value = f"json_keys({node})", _VALUES.format(node)
    if rest.is_map:
        keys, value = f"map_keys({node})", f"unnest(map_values({node}))" if mixed else "NULL"
    bits, types = (_MIXED_BITS.format("v"), MIXED_TYPES) if mixed else ("0" if rest.is_map else _BITS, _TYPES)
    text = (
        f"SELECT k, bit_or({bits}), min({_PLACE}) AS place "
        f"FROM (SELECT unnest({keys}) AS k, rowid AS o, generate_subscripts({keys}, 1) AS p, {value} AS v "
        f"FROM {table} WHERE {node} IS NOT NULL) GROUP BY k ORDER BY place"
    )
    found = {
        str(r[0]): _Found([t for bit, t in enumerate(types) if (r[1] or 0) >> bit & 1], divmod(r[2], _ROW))
        for r in fetch(text)
        if r
    }
    order = rest.key_order
    return found if order is None else {n: found[n] for n in sort_names(list(found), order.kinds, order.aliases)}


#: Row and place in it as one number, whose smallest is the place in the *first* row: of "b=2 c=3" and "c=1 b=3" it is
#: b, c. The smallest row and the smallest place, each by itself, gave a tie.
_ROW = 1 << 40
_PLACE = f"o::HUGEINT * {_ROW} + p"


_TYPES = ("VARCHAR", "UBIGINT", "BIGINT", "DOUBLE", "BOOLEAN", "OBJECT", "ARRAY", BEYOND_64_BITS)
_VALUES = "unnest(json_extract({}, '$.*'))"
#: Bits of ``_TYPES``: what ``json_type`` says, and whether an integer leaves the signed 64 bits.
_BITS = (
    "CASE json_type(v) WHEN 'VARCHAR' THEN 1 WHEN 'UBIGINT' THEN CASE WHEN length(v) > 18 "
    "AND TRY_CAST(v ->> '$' AS BIGINT) IS NULL THEN 130 ELSE 2 END WHEN 'BIGINT' THEN 4 WHEN 'DOUBLE' THEN 8 "
    "WHEN 'BOOLEAN' THEN 16 WHEN 'OBJECT' THEN 32 WHEN 'ARRAY' THEN 64 ELSE 0 END"
)


#: Bits of ``MIXED_TYPES``: what a VARIANT holds. Of a list its elements are asked.
_MIXED_BITS = (
    "CASE variant_typeof({0}) WHEN 'VARCHAR' THEN 1 WHEN 'TIMESTAMP_MICROS_TZ' THEN 2 WHEN 'BLOB' THEN 4 "
    "WHEN 'VARIANT_NULL' THEN 0 ELSE CASE WHEN {0} IS NULL THEN 0 WHEN starts_with(variant_typeof({0}), 'ARRAY') AND "
    "len(list_filter(TRY_CAST({0} AS VARIANT[]), lambda e: variant_typeof(e) <> 'VARCHAR')) = 0 THEN 8 ELSE 16 END END"
)


def _without_replaced(fetch: Fetch, table: str, fixed: list[Field], rest: Rest) -> tuple[list[Field], dict[str, Place]]:
    """Fields that a parse command replaced (language.md 8.3) are shown only if some row that could not be parsed kept
    them. With them, where each of those appears first.
    """
    replaced = [(place, f) for place, f in enumerate(fixed) if f.name in rest.replaced]
    if not replaced:
        return fixed, {}
    rows = ", ".join(f"min(rowid) FILTER (WHERE {f.expr.sql('duckdb')} IS NOT NULL)" for _, f in replaced)
    first = fetch(f"SELECT {rows} FROM {table}")[0]
    places = {f.name: (row, place) for (place, f), row in zip(replaced, first, strict=True) if row is not None}
    return [f for f in fixed if f.name not in rest.replaced or f.name in places], places


def _merged(names: dict[str, Place], early: dict[str, Place]) -> dict[str, Place]:
    """Names of the open column and of fields that rows without it kept, in order of first appearance.

    A row that was parsed has the field in both: then the place in the document counts.
    """
    every = dict(names)
    for name, place in early.items():
        if name not in every or place[0] < every[name][0]:
            every[name] = place
    return dict(sorted(every.items(), key=lambda item: item[1]))


def _placed(fixed: list[Field], made: list[Field], names: Iterable[str], rest: Rest) -> list[Field]:
    """Open fields stand where the parsing command stood, and so does one that was given a new value since."""
    if rest.sorted_after is not None:
        fields = [*fixed, *made]
        return fields[: rest.sorted_after] + sorted(fields[rest.sorted_after :], key=lambda f: f.name)
    names = list(names)
    ahead = rest.before(f.name for f in fixed) - (rest.moved & set(names))
    later = {f.name: f for f in fixed if f.name not in ahead}
    opened = {f.name: f for f in made}
    places = {key: name for name, key in rest.places if name in later and key is not None}
    left = {name for name, key in rest.places if key is None}
    shown = [places.get(n, n) for n in names if n in places or n not in left]
    middle = [later.pop(n) if n in later else opened[n] for n in shown if n in later or n in opened]
    return [*(f for f in fixed if f.name in ahead), *middle, *later.values()]
