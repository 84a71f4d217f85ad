"""Which columns of text hold numbers, dates or booleans in every row, by a look at every value (``types=t``).

A type is given only where no value loses anything by it: an integer is text that the number's own spelling gives back
(``007``, ``+82``, ``-0`` and what 64 bits do not hold stay text), a decimal has at most 17 digits, a date is ISO 8601
with a full date. One value that does not fit leaves its column text. Empty cells fit every type and decide none.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from udfs.readers.base import NullLoss, ReadContext, Reader, ReaderError, check_cancelled
from udfs.readers.cache import StateCache
from udfs.readers.evidence import files_of
from udfs.readers.jsonlines import json_engine
from udfs.readers.request import Request
from udfs.readers.sources import Member

_SAMPLE = 200
"""Values of a column that tell which kinds are worth a look at all of them."""

_DECIMAL = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DATE = f"{_DAY}(?:[T ]{_TIME})?"
_BOOL = "true|false|True|False|TRUE|FALSE"
_KINDS = {"number": re.compile(_DECIMAL), "date": re.compile(_DATE), "bool": re.compile(_BOOL)}

_INT, _LONG, _BIG, _DOUBLE, _TEXT = 1, 2, 4, 8, 16
# 2^53: a greater integer among decimals would lose its last digits.
_JUDGED = {
    "number": f"""CASE WHEN TRY_CAST($v AS BIGINT)::VARCHAR = $v THEN
            CASE WHEN TRY_CAST($v AS INTEGER) IS NOT NULL THEN {_INT}
                 WHEN TRY_CAST($v AS BIGINT) BETWEEN -9007199254740992 AND 9007199254740992 THEN {_LONG}
                 ELSE {_BIG} END
        WHEN NOT regexp_full_match($v, '{_DECIMAL}') OR NOT regexp_matches($v, '[.eE]') THEN {_TEXT}
        WHEN isfinite(TRY_CAST($v AS DOUBLE)) AND (length($v) <= 17
            OR length(regexp_replace($v, '^-?0?[.]0*|[eE].*|[^0-9]', '', 'g')) <= 17) THEN {_DOUBLE}
        ELSE {_TEXT} END""",
    "date": f"""CASE WHEN regexp_full_match($v, '{_DATE}') AND TRY_CAST($v AS TIMESTAMPTZ) IS NOT NULL THEN 1
        ELSE {_TEXT} END""",
    "bool": f"CASE WHEN regexp_full_match($v, '{_BOOL}') THEN 1 ELSE {_TEXT} END",
}

Found = Mapping[str, str | None]
#: What the queries of this process found out about files, by their state and the options of reading.
TYPES: StateCache[Found] = StateCache()


@dataclass(frozen=True)
class _Look:
    """A column and a kind it may have: the name, the kind, its number in the SQL."""

    name: str
    kind: str


def types_of(
    reader: Reader, names: Iterable[str], context: ReadContext, kinds: Sequence[str] = ("number", "date", "bool")
) -> dict[str, str | None]:
    """``int``, ``long``, ``double``, ``date``, ``bool`` or None (text) for each of the reader's text columns ``names``.

    Reads every row twice at most: a sample, then the columns whose sample fits. Losses are told to nobody: the scan
    that follows will. ReaderError as the reader's ``scan``.
    """
    quiet = replace(context, loss=NullLoss())
    wanted = list(names)
    found: dict[str, str | None] = dict.fromkeys(wanted)
    looks = [_Look(name, kind) for name, fits in _sampled(reader, wanted, quiet, kinds).items() for kind in fits]
    bits = dict.fromkeys(looks, 0)
    if not looks:
        return found
    with json_engine(context.memory) as engine:
        for batch in reader.scan(list(dict.fromkeys(look.name for look in looks)), quiet):
            check_cancelled(quiet)
            open_ = [look for look in looks if not bits[look] & _TEXT]
            if not open_:
                break
            # Names as numbers: columns that differ in letter case only are one to DuckDB.
            engine.register("block", pa.table([batch.column(look.name) for look in open_], names=_numbered(len(open_))))
            sql = ", ".join(f"bit_or({_bits(look, n)})" for n, look in enumerate(open_))
            row = engine.sql(f"SELECT {sql} FROM block").fetchall()[0]
            for look, seen in zip(open_, row, strict=True):
                bits[look] |= seen or 0
    for look, seen in bits.items():
        found[look.name] = _type(look.kind, seen) or found[look.name]
    return found


def types_kept(
    reader: Reader,
    names: Sequence[str],
    request: Request,
    options: Hashable,
    kinds: Sequence[str] = ("number", "date", "bool"),
) -> Found:
    """:func:`types_of` for files of a request, looked at once as long as they stay as they are."""
    states = [file_state(path, request.context) for path in files_of(request)]
    key = (options, tuple(kinds), *states)
    known = TYPES.get(*key) or {}
    missing = [name for name in names if name not in known]
    if missing:
        known = {**known, **types_of(reader, missing, request.context, kinds)}
        TYPES.put(known, *key)
    return {name: known[name] for name in names}


def file_state(path: str | Member, context: ReadContext) -> tuple[object, ...]:
    """What tells that a file is as it was: a file among several that is not there any more has its name alone."""
    try:
        if isinstance(path, Member):
            return (*context.files.state(path.zip_path), path.entry, path.charset)
        return context.files.state(path)
    except ReaderError:
        return (path,)


def _numbered(count: int) -> list[str]:
    return [f"c{n}" for n in range(count)]


def _bits(look: _Look, number: int) -> str:
    value = f"c{number}"
    judged = _JUDGED[look.kind].replace("$v", value)
    return f"CASE WHEN {value} IS NULL OR {value} = '' THEN 0 ELSE {judged} END"


def _sampled(reader: Reader, names: list[str], context: ReadContext, kinds: Sequence[str]) -> dict[str, Sequence[str]]:
    """The kinds that the first values of each column fit; all where the first rows have none."""
    batches: Iterator[pa.RecordBatch] = iter(reader.scan(names, context))
    first = next(batches, None)
    if first is None:
        return {}
    fits: dict[str, Sequence[str]] = {}
    for name in names:
        values = [v for v in first.column(name).slice(0, _SAMPLE).to_pylist() if v]
        fits[name] = [kind for kind in kinds if all(_KINDS[kind].fullmatch(value) for value in values)]
    return fits


def _type(kind: str, seen: int) -> str | None:
    if not seen or seen & _TEXT:
        return None
    if kind != "number":
        return kind
    if seen & _DOUBLE:
        return None if seen & _BIG else "double"
    return "int" if seen == _INT else "long"
