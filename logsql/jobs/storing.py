"""Storing rows in tables: what ``import`` and ``insert`` share.

Rows are computed into a work table first, so a query that fails stores nothing and a query may read the table it fills.
Fields the table lacks become new columns. A column keeps its type, except that integers widen; a value that does not
fit its column is stored as null and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from logsql.diagnostics.codes import define
from logsql.diagnostics.engine import STORE_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, RunError, diagnostic, did_you_mean
from logsql.diagnostics.losses import Fate, loss
from logsql.operators.pivotnames import sort_names
from logsql.planner.plan import column_expr
from logsql.planner.relation import Rel
from logsql.planner.runtime import ActionRuntime, Runtime
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import (
    ANY_JSON,
    BOOL,
    DOUBLE,
    HUGE,
    INT,
    LONG,
    MAP,
    STRING,
    Kind,
    LType,
    data_type,
    import_type,
    unify,
)
from logsql.values.values import Typed, json_pointer

NOT_THE_TYPE = loss(
    "value-not-{type}",
    ("values that do not fit the type of the column: stored as null", "열 타입에 맞지 않아 null로 저장한 값"),
    fate=Fate.NULL,
)

TABLE_MISSING = define(
    "30101",
    "import-table-not-found",
    ("there is no such table", "그런 테이블이 없습니다"),
    ("there is no table {table}", "테이블이 없습니다: {table}"),
    help=("create=t makes the table", "create=t로 테이블을 만들 수 있습니다"),
)
_RENAME = ("rename one of them", "둘 중 하나의 이름을 바꾸세요")
COLUMN_NAME = define(
    "30103",
    "invalid-column-name",
    ("two fields differ only in letter case", "대소문자만 다른 두 필드가 있습니다"),
    (
        "{table}: {field} and {other} differ only in letter case, and a table cannot hold both",
        "{table}: 대소문자만 다른 두 필드는 한 테이블에 둘 수 없습니다: {field}, {other}",
    ),
    help=_RENAME,
)
NAMELESS = COLUMN_NAME.says(
    ("{table}: a field without a name cannot be stored", "{table}: 이름 없는 필드는 저장할 수 없습니다"), help=_RENAME
)
#: Logical types that DuckDB has no name for are kept in the column's comment.
_COMMENT = "logsql:"


@dataclass(frozen=True)
class Stored:
    """A field to store: its name, its type, and its SQL over the work table."""

    name: str
    type: LType
    node: Sql

    @property
    def sql_type(self) -> str:
        """Type of a new column."""
        if self.type.kind is Kind.NULL:
            return "VARCHAR"
        return "INTEGER" if self.type.kind is Kind.INT else self.type.physical


def stored_fields(runtime: ActionRuntime, rel: Rel) -> list[Stored]:
    """All fields of a materialised relation, those of open rows found by looking at the rows."""
    found = [Stored(c.name, c.type, column_expr(rel, c)) for c in rel.columns]
    rest = rel.rest
    if rest is None:
        return found
    # Fields that a parse command replaced in every row (language.md 8.3) are gone, not columns of nulls.
    counts = [sql.func("count", f.node.copy()) for f in found] or [sql.integer(0)]
    used = runtime.execute(sql.select(counts, sql.table(rel.source)))[0]
    found = [f for f, count in zip(found, used, strict=False) if count]
    document = rel.expr(rest.ident)
    keys = sql.func("map_keys" if rest.is_map else "json_keys", document.copy())
    place = sql.func("generate_subscripts", keys.copy(), sql.integer(1))
    inner = sql.select(
        [sql.alias(sql.func("unnest", keys), "k"), sql.alias(sql.col("rowid"), "o"), sql.alias(place, "p")],
        sql.table(rel.source),
    )
    first = sql.select(
        [sql.col("k"), sql.alias(sql.func("min", sql.col("o")), "o"), sql.alias(sql.func("min", sql.col("p")), "p")],
        exp.Subquery(this=inner, alias=exp.TableAlias(this=sql.ident("keys"))),
        group=exp.Group(expressions=[sql.col("k")]),
        order=sql.order_by([sql.col("o"), sql.col("p")]),
    )
    names = [str(row[0]) for row in runtime.execute(first) if str(row[0]) not in rest.hidden]
    if rest.key_order is not None:
        names = sort_names(names, rest.key_order.kinds, rest.key_order.aliases)
    for name in names:
        if rest.is_map:
            node = sql.func("map_extract_value", document.copy(), sql.string(name))
            found.append(Stored(name, rest.value_type, node))
        else:
            found.append(_document_field(runtime, rel, document, name))
    return found


def _document_field(runtime: ActionRuntime, rel: Rel, document: Sql, name: str) -> Stored:
    """A key of JSON documents: typed when all its values have one type."""
    pointer = sql.string(json_pointer(name))
    kind = sql.func("json_type", document.copy(), pointer.copy())
    text = sql.func("json_extract_string", document.copy(), pointer.copy())
    number = sql.try_cast(text.copy(), "HUGEINT")
    items = [
        sql.func("list", exp.Distinct(expressions=[kind])),
        sql.func("min", number),
        sql.func("max", number.copy()),
    ]
    rows = runtime.execute(sql.select(items, sql.table(rel.source)))
    types = {t for t in rows[0][0] or () if t and t != "NULL"}
    low, high = rows[0][1], rows[0][2]
    whole = sql.func("json_extract", document.copy(), pointer)
    if types == {"VARCHAR"}:
        return Stored(name, STRING, text)
    if types == {"BOOLEAN"}:
        return Stored(name, BOOL, sql.cast(text, "BOOLEAN"))
    if types == {"DOUBLE"}:
        return Stored(name, DOUBLE, sql.cast(text, "DOUBLE"))
    if types and types <= {"UBIGINT", "BIGINT"} and low is not None:
        type_ = INT if low >= -(2**31) and high < 2**31 else LONG if low >= -(2**63) and high < 2**63 else HUGE
        return Stored(name, type_, sql.cast(text, type_.physical))
    json_null = sql.func("nullif", sql.cast(whole, "VARCHAR"), sql.string("null"))
    return Stored(name, MAP if types == {"OBJECT"} else ANY_JSON, sql.cast(json_null, "JSON"))


# --- tables -----------------------------------------------------------------------------------------------------------


def columns_of(runtime: Runtime, table: str) -> dict[str, str] | None:
    """Columns and types of a stored table; None when there is none."""
    rows = runtime.database.ask(
        "SELECT c.column_name, c.data_type FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid) "
        "WHERE lower(t.table_name) = lower(?) AND t.database_name = ? AND c.database_name = ? "
        "AND t.schema_name = 'main' AND NOT t.internal ORDER BY c.column_index",
        [table, runtime.database.name, runtime.database.name],
    )
    return {str(name): str(type_) for name, type_ in rows} or None


def store(
    runtime: ActionRuntime, rel: Rel, fields: Sequence[Stored], table: str, create: bool, where: Sql | None = None
) -> None:
    """Append the rows of a work table to a stored table, all or none. Raises :class:`RunError`."""
    if not runtime.policy.may_write(runtime.database.path):
        raise PolicyError(diagnostic(STORE_NOT_ALLOWED, table=table))
    have = columns_of(runtime, table)
    if have is None and not create:
        missing_table(runtime, table)
    _distinct_names(table, fields, have or {})
    if not fields:
        return
    runtime.execute(exp.Transaction())
    try:
        target = _target(runtime, table)
        if have is None:
            _create(runtime, target, fields)
        else:
            for field in fields:
                _fit(runtime, target, field, have.get(field.name))
        _insert(runtime, rel, fields, target, table, have, where)
    except BaseException:
        runtime.execute(exp.Rollback())
        raise
    runtime.execute(exp.Commit())


def missing_table(runtime: Runtime, table: str) -> None:
    """The error for a table that is not there."""
    near = did_you_mean(table, runtime.database.tables())
    raise RunError(diagnostic(TABLE_MISSING, table=table, help=near))


def _target(runtime: Runtime, table: str) -> exp.Table:
    return exp.Table(this=sql.ident(table), db=sql.ident("main"), catalog=sql.ident(runtime.database.name))


def _distinct_names(table: str, fields: Sequence[Stored], have: dict[str, str]) -> None:
    known = {name.lower(): name for name in have}
    for field in fields:
        other = known.setdefault(field.name.lower(), field.name)
        if not field.name:
            raise RunError(diagnostic(NAMELESS, table=table))
        if other != field.name:
            raise RunError(diagnostic(COLUMN_NAME, table=table, field=field.name, other=other))


def _create(runtime: ActionRuntime, target: exp.Table, fields: Sequence[Stored]) -> None:
    columns = [exp.ColumnDef(this=sql.ident(f.name), kind=data_type(f.sql_type)) for f in fields]
    runtime.execute(exp.Create(this=exp.Schema(this=target.copy(), expressions=columns), kind="TABLE"))
    for field in fields:
        _comment(runtime, target, field)


def _comment(runtime: ActionRuntime, target: exp.Table, field: Stored) -> None:
    logical = {Kind.IP: "ip", Kind.MAP: "map"}.get(field.type.kind)
    if logical is not None:
        above = {"table": target.this.copy(), "db": target.args["db"].copy(), "catalog": target.args["catalog"].copy()}
        column = exp.Column(this=sql.ident(field.name), **above)
        runtime.execute(exp.Comment(this=column, kind="COLUMN", expression=sql.string(_COMMENT + logical)))


def _fit(runtime: ActionRuntime, target: exp.Table, field: Stored, sql_type: str | None) -> None:
    """Add the field's column, or widen it for larger integers."""
    if sql_type is None:
        column = exp.ColumnDef(this=sql.ident(field.name), kind=data_type(field.sql_type))
        runtime.execute(exp.Alter(this=target.copy(), kind="TABLE", actions=[column]))
        _comment(runtime, target, field)
        return
    old = import_type(sql_type)
    if old.cast is None and not old.to_json and old.type.integer and field.type.integer:
        wider = unify(old.type, field.type)
        if wider.physical != old.type.physical:
            change = exp.AlterColumn(this=sql.ident(field.name), dtype=data_type(wider.physical))
            runtime.execute(exp.Alter(this=target.copy(), kind="TABLE", actions=[change]))


def _insert(
    runtime: ActionRuntime,
    rel: Rel,
    fields: Sequence[Stored],
    target: exp.Table,
    table: str,
    have: dict[str, str] | None,
    where: Sql | None,
) -> None:
    items: list[Sql] = []
    for field in fields:
        wanted = (have or {}).get(field.name)
        node, fits = _converted(field, wanted)
        if fits is not None:
            _count_lost(runtime, rel, field, node, fits, table, wanted or "", where)
        items.append(sql.alias(node, field.name))
    query = sql.select(items, sql.table(rel.source), where)
    columns = exp.Schema(this=target, expressions=[sql.ident(f.name) for f in fields])
    runtime.execute(exp.Insert(this=columns, expression=query))


def _converted(field: Stored, sql_type: str | None) -> tuple[Sql, Sql | None]:
    """The field in the column's type, and the test that a value survived when it might not."""
    if sql_type is None or field.type.kind is Kind.NULL:
        target = field.sql_type if sql_type is None else None
        return (sql.cast(field.node, target) if target and target != field.type.physical else field.node), None
    old = import_type(sql_type)
    value = Typed(field.node, field.type)
    same = old.cast is None and not old.to_json
    if same and (old.type.physical == field.type.physical or (old.type.integer and field.type.integer)):
        return field.node, None
    if same and old.type.kind is Kind.ANY:
        return (values.to_json(value) if old.type.json else values.to_variant(value).expr), None
    if same and old.type.kind is Kind.STRING:
        return values.text_sql(value), None
    source = values.text_sql(value) if field.type.kind in (Kind.ANY, Kind.MAP) else field.node
    node: Sql = exp.TryCast(this=source.copy(), to=exp.DataType.build(sql_type, dialect="duckdb"))
    return node, sql.or_(values.is_null(value), sql.not_null(node.copy()))


def _count_lost(
    runtime: ActionRuntime, rel: Rel, field: Stored, node: Sql, fits: Sql, table: str, sql_type: str, where: Sql | None
) -> None:
    test = sql.not_(sql.coalesce(fits, sql.boolean(False)))
    both = sql.and_(where.copy(), test) if where is not None else test
    items = [
        sql.func("count", exp.Star()),
        sql.func("any_value", values.text_sql(Typed(field.node.copy(), field.type))),
    ]
    count, sample = runtime.execute(sql.select(items, sql.table(rel.source), both))[0]
    if count:
        reason = f"value-not-{sql_type.lower().replace(' ', '-')}"
        runtime.loss.lost(f"{table}.{field.name}", reason, int(count), None, str(sample)[:80])


def relation_without(rel: Rel, name: str) -> Rel:
    """The relation without one field (``insert`` does not store the field that routes)."""
    columns = tuple(c for c in rel.columns if c.name != name)
    rest = rel.rest.hide([name]) if rel.rest is not None else None
    return replace(rel, columns=columns, rest=rest)
