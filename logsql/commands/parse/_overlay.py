"""Laying the fields found in a document over the rows it came from: what all ``parse*`` commands share.

Without ``overlay`` the found fields replace the row, with it they are laid over the row; either way a row whose text
could not be read stays as it was (language.md 8.3). Found fields become the open rest of the row. A field the row had
before keeps its own column, which takes the document's value where the rule says so; the values of all such fields are
taken from the document in one pass, and not at all when no later command reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from logsql.diagnostics.losses import Fate, Loss, loss
from logsql.operators.merging import AS_JSON, beyond_json, rest_document, rest_map
from logsql.planner import losses
from logsql.planner.relation import Column, Rel, Rest
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.mixing import choose
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, MAP, STRING, Kind, LType, list_of
from logsql.values.values import NULL_VALUE, Typed

NO_TEXT = loss(
    "nothing-to-search",
    ("the field is null in every row: no field is set", "모든 행에서 검색할 필드가 null이어서 필드가 생기지 않습니다"),
    fate=Fate.PASSED,
)
#: Fields of the record itself that survive the replacing of a row (parse, parsekv).
META = ("_time", "_id", "_table")
_JSON_MAP = "MAP(VARCHAR, JSON)"


@dataclass(frozen=True)
class Document:
    """What a command found in each row, in columns that ``carry`` made.

    ``parsed``: whether the row's text could be read. ``ident``: the column of the open fields, a JSON object (null or
    no object where nothing was found) or a MAP of text; None when all fields are ``fixed``. ``fixed``: fields known
    when the query is planned: value, and whether the document has the field. ``result``: a field that takes a value of
    its own in the rows where a test holds (``parsejson`` of an array). ``scratch``: carried columns to let go of.
    """

    parsed: Sql
    ident: str | None = None
    is_map: bool = False
    fixed: Mapping[str, tuple[Typed, Sql]] | None = None
    result: tuple[str, Sql, Typed] | None = None
    scratch: tuple[str, ...] = ()


def carry(stage: Stage, rel: Rel, *made: tuple[str, Sql, LType]) -> tuple[Rel, list[str]]:
    """The relation with computed columns carried along unseen, written as a CTE; their idents."""
    pending = dict(rel.pending)
    carried = list(rel.carried)
    idents: list[str] = []
    for name, node, type_ in made:
        ident = rel.fresh_ident(name, idents)
        idents.append(ident)
        pending[ident] = node
        carried.append(Column(ident, ident, type_))
    rel = replace(rel, pending=pending, carried=tuple(carried), tag=rel.tag or stage.tag)
    return stage.flush(rel), idents


def tallied(stage: Stage, rel: Rel, ident: str, matched: Sql, field: str | Sql, source: str) -> tuple[Rel, str]:
    """The carried column ``ident``, with the rows counted in which ``matched`` holds, of those where the field is not
    null. The column itself where nobody asked (``explain --run``).
    """
    names = stage.catalog.tally(source, stage.number)
    if names is None:
        return rel, ident
    if isinstance(field, str):
        name = field
        rel, text = stage.lowered(rel, lambda cx: values.text_sql(cx.field(name)))
    else:
        text = field
    given = sql.not_null(text)
    type_ = next(column.type for column in rel.carried if column.ident == ident)
    hit, miss, nothing = (
        sql.when(sql.binary(">", stage.context(None).udf(name), sql.integer(0)), sql.col(ident)) for name in names
    )
    rel, (made,) = carry(stage, rel, ("__tallied", sql.case([(matched, hit), (given, miss)], nothing), type_))
    return rel, made


def fated(stage: Stage, rel: Rel, ident: str, matched: Sql, field: str, source: str, nothing: Loss) -> tuple[Rel, str]:
    """The carried column ``ident``; the ledger is told ``nothing`` where ``matched`` holds in no row, or that no row
    has a text.
    """
    cx = stage.context(rel)
    if cx.run_id is None or (value := cx.field(field)).kind is Kind.NULL:
        return rel, ident
    place, type_ = str(stage.number), next(column.type for column in rel.carried if column.ident == ident)

    def met(rank: int, row: Loss | None) -> Sql:
        came = losses.came(cx, place, rank, row, source)
        return sql.when(sql.eq(came, sql.string("")), sql.col(ident))

    branches = [(matched, met(0, None)), (values.not_null(value), met(1, nothing))]
    rel, (made,) = carry(stage, rel, ("__fated", sql.case(branches, met(2, NO_TEXT)), type_))
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident != ident)), made


def lay_over(
    stage: Stage, rel: Rel, found: Document, overlay: bool, kept: Sequence[str] = (), everywhere: bool = False
) -> Rel:
    """The rows with the found fields. ``kept`` fields survive replacement; ``everywhere``: every row was read."""
    fixed = found.fixed or {}
    names = list(rel.names)
    gone = [] if overlay or not everywhere else [n for n in names if n not in kept and n not in fixed]
    asked = [n for n in names if n not in fixed and n not in gone]
    if found.result is not None and found.result[0] not in names and rel.rest is not None:
        asked.append(found.result[0])  # an open field becomes one of its own, for its value may be replaced
    before = rel.rest
    rel, lookup, scratch = _lookup(stage, rel, found, asked)
    changed: dict[str, Typed] = {}
    parsed_before = bool(stage.chain.taken_by)
    for name in [*asked, *(n for n in fixed)]:
        value, has = fixed[name] if name in fixed else lookup[name]
        replaced = not overlay and name not in kept
        # A second parser reads what the first left over: the first one's fields hold values beside its own.
        if replaced and value.kind is Kind.NULL and not parsed_before:
            stage.chain.taken_by[name] = stage.command.name
        changed[name] = chosen(found.parsed if replaced else has, value, old_value(rel, name))
    if found.result is not None:
        name, test, value = found.result
        changed[name] = chosen(test, value, changed.get(name, NULL_VALUE))
    rest, pending = _rest(rel, found, overlay)
    for name, value in changed.items():
        rel = stage.assign(rel, name, value)
    rel = rel.with_columns([c for c in rel.columns if c.name not in gone])
    if rest is not None:
        taken = frozenset() if overlay else frozenset(asked) - frozenset(kept)
        ahead = before.before(names) if overlay and before is not None else frozenset((*names, *fixed))
        rest = replace(rest, hidden=frozenset(rel.names), replaced=taken, ahead=ahead, moved=taken)
    rel = replace(rel, rest=rest, pending={**rel.pending, **pending}, tag=rel.tag or stage.tag)
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident not in (*found.scratch, *scratch)))


def _lookup(
    stage: Stage, rel: Rel, found: Document, names: Sequence[str]
) -> tuple[Rel, dict[str, tuple[Typed, Sql]], tuple[str, ...]]:
    """Value and presence in the document of fields the row has already."""
    if not names or found.ident is None:
        nothing = (NULL_VALUE, sql.boolean(False))
        return rel, dict.fromkeys(names, nothing), ()
    document = sql.col(found.ident)
    if found.is_map:
        looked = {
            n: (
                Typed(sql.func("map_extract_value", document.copy(), sql.string(n)), STRING),
                sql.coalesce(sql.func("map_contains", document.copy(), sql.string(n)), sql.boolean(False)),
            )
            for n in names
        }
        return rel, looked, ()
    pointers = sql.array([sql.string(values.json_pointer(n)) for n in names])
    rel, (ident,) = carry(stage, rel, ("__old", sql.func("json_extract", document, pointers), list_of(ANY_JSON)))
    lookup: dict[str, tuple[Typed, Sql]] = {}
    for place, name in enumerate(names, 1):
        node = sql.index(sql.col(ident), sql.integer(place))
        lookup[name] = (Typed(node, ANY_JSON), sql.not_null(node.copy()))
    return rel, lookup, (ident,)


def old_value(rel: Rel, name: str) -> Typed:
    """The field as it was before, over the relation's source."""
    column = rel.column(name)
    if column is not None:
        return rel.value(column)
    rest = rel.rest
    if rest is None or name in rest.hidden:
        return NULL_VALUE
    document = rel.expr(rest.ident)
    if rest.is_map:
        return Typed(sql.func("map_extract_value", document, sql.string(name)), rest.value_type)
    return values.json_field(document, name)


def chosen(test: Sql, new: Typed, old: Typed) -> Typed:
    """``new`` where the test holds, else ``old``, in a type that keeps both as they are."""
    if old.kind is Kind.NULL and not new.parts:
        return Typed(sql.when(test.copy(), new.expr), new.type) if new.kind is not Kind.NULL else NULL_VALUE
    if new.kind is Kind.NULL:
        return _masked(sql.not_(sql.coalesce(test.copy(), sql.boolean(False))), old)
    if new.type == ANY_JSON and not old.parts and (old.kind in AS_JSON or old.type.json):
        before = old.expr if old.type.json else sql.func("to_json", old.expr)
        return Typed(sql.case([(test.copy(), new.expr)], before), ANY_JSON)
    return choose([(test.copy(), new)], old)


def _masked(test: Sql, value: Typed) -> Typed:
    """The value where the test holds, null elsewhere."""
    if value.parts:
        parts = tuple(_masked(test, part) for part in value.parts)
        return replace(value, parts=parts)
    return Typed(sql.when(test.copy(), value.expr), value.type)


# --- the open rest ----------------------------------------------------------------------------------------------------


def _rest(rel: Rel, found: Document, overlay: bool) -> tuple[Rest | None, dict[str, Sql]]:
    """The open part of the new rows and the pending column that holds it."""
    before = rel.rest
    if found.ident is None:
        if before is None:
            return None, {}
        # The old open fields stay where the text could not be read, and everywhere under an overlay.
        node = _without(rel, before)
        kept = node if overlay else sql.when(sql.not_(sql.coalesce(found.parsed.copy(), sql.boolean(False))), node)
        return _new_rest(rel, kept)
    if before is None:
        if found.is_map:
            return Rest(found.ident, STRING, True), {}
        return Rest(found.ident, ANY_JSON), {}
    if beyond_json(before):
        return _typed_rest(rel, before, found, overlay)
    new: Sql = sql.col(found.ident)
    if found.is_map:
        new = sql.cast(sql.func("to_json", new), "JSON")
    merged = merged_objects(_without(rel, before), new) if overlay else new
    test = sql.not_null(sql.col(found.ident)) if overlay else found.parsed.copy()
    return _new_rest(rel, sql.case([(test, merged)], _without(rel, before)))


def _typed_rest(rel: Rel, before: Rest, found: Document, overlay: bool) -> tuple[Rest, dict[str, Sql]]:
    """As :func:`_rest` over open fields that JSON cannot hold (dates of a pivot): both become values of any type."""
    assert found.ident is not None
    old = rest_map(before, before.hidden - set(rel.names))
    new = rest_map(Rest(found.ident, STRING, found.is_map), ())
    test = sql.not_null(sql.col(found.ident)) if overlay else found.parsed.copy()
    merged = sql.func("map_concat", old, new) if overlay else new
    ident = rel.fresh_ident("__rest")
    return Rest(ident, ANY, True), {ident: sql.case([(test, merged)], old.copy())}


def _new_rest(rel: Rel, node: Sql) -> tuple[Rest, dict[str, Sql]]:
    ident = rel.fresh_ident("__rest")
    return Rest(ident, ANY_JSON), {ident: sql.cast(node, "JSON")}


def _without(rel: Rel, rest: Rest) -> Sql:
    """The old open fields as a JSON object, without those that were removed by name."""
    gone = rest.hidden - set(rel.names)
    return rest_document(rest, None, gone)


def merged_objects(below: Sql, above: Sql) -> Sql:
    """Two JSON objects as one, key by key, the second winning.

    ``json_merge_patch`` would merge nested objects and drop nulls. A key that repeats inside one object cannot go into
    a MAP: such objects are spliced, winner first, where reading by path finds it.
    """
    below = sql.coalesce(below, sql.string("{}"))
    maps = sql.func("map_concat", sql.try_cast(below, _JSON_MAP), sql.try_cast(above, _JSON_MAP))
    first, second = (sql.func("trim", sql.cast(node.copy(), "VARCHAR")) for node in (above, below))
    inner = sql.func("substring", second, sql.integer(2))
    head = sql.func("rtrim", sql.func("left", first, sql.integer(-1)))
    spliced = sql.case(
        [
            (
                sql.eq(sql.func("replace", second.copy(), sql.string(" "), sql.string("")), sql.string("{}")),
                first.copy(),
            ),
            (
                sql.eq(sql.func("replace", first.copy(), sql.string(" "), sql.string("")), sql.string("{}")),
                second.copy(),
            ),
        ],
        sql.concat(head, sql.string(","), inner),
    )
    both = sql.and_(
        sql.not_null(sql.try_cast(below.copy(), _JSON_MAP)), sql.not_null(sql.try_cast(above.copy(), _JSON_MAP))
    )
    return sql.case([(both, sql.func("to_json", maps))], sql.cast(spliced, "JSON"))


def object_test(node: Sql, brackets: str = "{") -> Sql:
    """Whether text begins as a JSON object (``{``) or an array (``[``)."""
    return sql.func("regexp_matches", node, sql.string(rf"^\s*[{re.escape(brackets)}]"))


__all__ = ["MAP", "META", "Document", "carry", "chosen", "lay_over", "merged_objects", "object_test", "old_value"]
