"""Which JSON types each key of a JSON lines file holds, exactly, so that ``read_json`` can be given true types.

DuckDB's typed reading lies silently: with ``columns={a: BIGINT}`` the text ``"404"`` becomes 404, ``true`` becomes 1,
2.5 becomes 2, ``"x"`` becomes null. Sampling misses what comes late. A survey looks at every value once: it reads the
keys as JSON text and judges each by its first character. CPU on 300,000 web records (211 MB, 15 keys, 2 threads), with
``read_json`` of all keys as VARCHAR = 1: typed scan of three keys 0.5-0.7; survey of one key 0.6, of three 1.0, of all
with key discovery 2.9, of none (counting objects) 0.4; JSON columns with ``->>'$'`` 1.2 for three keys and 2.2 for all;
raw lines with ``json_extract_string`` 0.8 and 1.3; pyarrow.json 3.6. Surveys are cached by path, size and modification
time: the second query pays nothing. Guards inside the scan instead (CASE on the first character, an error on deviation)
cost 1.12-1.25 of a plain scan every time.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from udfs.jsonrepeats import LOOKED_AT, any_repeats
from udfs.jsontext import loads
from udfs.readers.base import ListLoss, NullLoss, ReadContext, ReaderError, null_context
from udfs.readers.cache import StateCache
from udfs.readers.dataset import ReaderDataset
from udfs.readers.files import Place
from udfs.readers.jsonlines import JsonLinesReader, engine_bounds, pointer
from udfs.readers.lines import read_lines
from udfs.readers.sources import Member, label, open_source
from udfs.readers.valuetypes import file_state

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TYPES = ("string", "int", "long", "huge", "double", "bool", "object", "array")
"""JSON types told apart: ``int`` fits 32 bits, ``long`` 64, ``huge`` is an integer beyond; ``double`` has a fraction or
an exponent. JSON null is no type: it is an absent value."""

MAX_KEYS = 2_000
"""A file with more distinct keys is not surveyed as a whole: its fields are open (``manifold``)."""

REPEATED = "repeated keys"
"""Why a file is read exactly in which a key comes again in an object: all of its lines are looked at for such keys."""

_COLUMN = {"string": "VARCHAR", "int": "INTEGER", "long": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}
_KEYS_PER_QUERY = 128
_ORDER_SAMPLE = 1_000
_HEAD = 64 << 10
_LOOK = 512 << 10


@dataclass(frozen=True)
class KeySurvey:
    """One key: the JSON types of its values and in how many rows it has a value (not null, not absent)."""

    types: frozenset[str]
    present: int

    @property
    def kind(self) -> str:
        """The one type that holds every value unchanged: a JSON type, ``null`` (no value) or ``mixed``."""
        if not self.types:
            return "null"
        if self.types == {"int", "long"}:
            return "long"
        return next(iter(self.types)) if len(self.types) == 1 else "mixed"

    @property
    def column(self) -> str:
        """The type ``read_json`` should be given; ``JSON`` where one SQL type cannot hold the values as they are."""
        return "VARCHAR" if self.kind == "null" else _COLUMN.get(self.kind, "JSON")

    def merged(self, other: KeySurvey) -> KeySurvey:
        """Both surveys as one."""
        return KeySurvey(self.types | other.types, self.present + other.present)


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no JSON object: 1-based number, reason as in the ledger, excerpt."""

    path: str
    number: int
    reason: str
    sample: str


@dataclass(frozen=True)
class FileSurvey:
    """One file. ``rows`` counts objects; ``clean``: ``read_json`` gives exactly these rows and values."""

    path: str
    rows: int
    clean: bool
    why: str = ""
    broken: int = 0
    broken_lines: tuple[BrokenLine, ...] = ()
    keys: Mapping[str, KeySurvey] = field(default_factory=dict)
    complete: bool = False
    manifold: bool = False
    """A look at every key found more than ``MAX_KEYS`` of them, and stopped there."""


@dataclass(frozen=True)
class JsonSurvey:
    """Several files as one source; ``keys`` in order of first appearance (of the request, if keys were named)."""

    files: tuple[FileSurvey, ...]
    keys: Mapping[str, KeySurvey]

    @property
    def rows(self) -> int:
        """Objects in all files."""
        return sum(file.rows for file in self.files)

    @property
    def broken(self) -> int:
        """Lines that are no objects."""
        return sum(file.broken for file in self.files)

    @property
    def broken_lines(self) -> tuple[BrokenLine, ...]:
        """The first of them, by file."""
        return tuple(line for file in self.files for line in file.broken_lines)

    @property
    def complete(self) -> bool:
        """``keys`` holds every key of every file (only if no keys were named)."""
        return all(file.complete for file in self.files)

    @property
    def collisions(self) -> tuple[tuple[str, ...], ...]:
        """Keys that differ only in case: one ``read_json`` cannot declare both."""
        groups: dict[str, list[str]] = {}
        for key in self.keys:
            groups.setdefault(key.lower(), []).append(key)
        return tuple(tuple(group) for group in groups.values() if len(group) > 1)

    @property
    def clean(self) -> bool:
        """True if ``read_json(columns=self.columns(), records=true, ignore_errors=true)`` reads exactly these rows."""
        return all(file.clean for file in self.files) and not self.collisions

    def nulls(self, key: str) -> int:
        """Rows in which the key is null or absent."""
        return self.rows - self.keys[key].present

    def columns(self) -> dict[str, str]:
        """``columns`` argument of ``read_json``: SQL type per key, ``JSON`` for mixed, nested and huge values."""
        return {key: survey.column for key, survey in self.keys.items()}


class SurveyCache(StateCache[FileSurvey]):
    """Surveys by path, size and modification time; a session keeps one."""


SURVEYS = SurveyCache()
"""What the queries of this process found out about files."""


def survey(
    paths: Sequence[str | Member],
    keys: Iterable[str] | None = None,
    cache: SurveyCache | None = None,
    connection: DuckDBPyConnection | None = None,
    context: ReadContext | None = None,
) -> JsonSurvey:
    """Look at every value of the named keys (None: of every key) in every file.

    ``connection``: a DuckDB whose cursor runs the queries (so that interrupting it stops the survey); default an own
    one. ``context.files`` is asked for every path before DuckDB opens it. Nothing is written to the ledger: the
    scan that follows does that. ReaderError for files that cannot be opened.
    """
    wanted = None if keys is None else list(dict.fromkeys(keys))
    context = context or null_context()
    files: list[FileSurvey] = []
    unread: list[ReaderError] = []
    with ExitStack() as stack:
        engine: DuckDBPyConnection | None = None
        for path in paths:
            try:
                state = file_state(_granted(path, context), context)
                known = None if cache is None else cache.get(*state)
                found = _known(known, wanted)
                if found is None:
                    # Opening a database costs more than planning a query: only for a file that must be looked at.
                    engine = engine or stack.enter_context(_engine(connection, context.memory))
                    found = _survey_file(engine, path, wanted, known, context)
                    if cache is not None:
                        cache.put(found, *state)
            except ReaderError as problem:
                # Of several files one that cannot be opened has no rows, as the scan will tell.
                unread.append(problem)
                found = FileSurvey(label(path), 0, False, str(problem), complete=True)
            files.append(found)
    if unread and len(unread) == len(paths):
        raise unread[0]
    merged: dict[str, KeySurvey] = {}
    for file in files:
        for key, value in file.keys.items():
            if wanted is None or key in wanted:
                merged[key] = merged[key].merged(value) if key in merged else value
    nothing = KeySurvey(frozenset(), 0)
    ordered = merged if wanted is None else {key: merged.get(key, nothing) for key in wanted}
    return JsonSurvey(tuple(files), ordered)


def first_keys(path: str, context: ReadContext) -> tuple[str, ...]:
    """The keys of the first objects of a file, for who wants to know what there is: a look at 64 KB."""
    with open_source(path, replace(context, loss=NullLoss())) as source:
        lines = source.read(_HEAD).split(b"\n")
    found: dict[str, None] = {}
    for line in lines if len(lines) == 1 else lines[:-1]:
        try:
            item = loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        found.update(dict.fromkeys(item if isinstance(item, dict) else ()))
    return tuple(found)


def read_json_options() -> dict[str, object]:
    """Named arguments that every ``read_json`` of a clean file needs beside ``columns``.

    ``records=true`` must be said: with it left to detection, a file that begins with an array or text line is read as
    one value per row and a single declared column receives whole lines.
    """
    return {"format": "newline_delimited", "records": True, "ignore_errors": True}


@contextmanager
def _engine(connection: DuckDBPyConnection | None, memory: int | None) -> Iterator[DuckDBPyConnection]:
    import duckdb

    made = connection.cursor() if connection is not None else duckdb.connect(":memory:", config=engine_bounds(memory))
    try:
        yield made
    finally:
        made.close()


def _missing(known: FileSurvey | None, wanted: list[str] | None) -> list[str] | None:
    return None if wanted is None else [key for key in wanted if known is None or key not in known.keys]


def _known(known: FileSurvey | None, wanted: list[str] | None) -> FileSurvey | None:
    """What an earlier survey already tells about the wanted keys; None when the file must be looked at again."""
    missing = _missing(known, wanted)
    if known is None or not (known.complete or missing == [] or (wanted is None and known.manifold)):
        return None
    absent = {key: KeySurvey(frozenset(), 0) for key in missing or []}
    return replace(known, keys={**known.keys, **absent}) if absent else known


def _granted(path: str | Member, context: ReadContext) -> str | Member:
    return path if isinstance(path, Member) else context.files.granted(path)


def _survey_file(
    engine: DuckDBPyConnection,
    path: str | Member,
    wanted: list[str] | None,
    known: FileSurvey | None,
    context: ReadContext,
) -> FileSurvey:
    missing = _missing(known, wanted)
    found = None
    if isinstance(path, Member):
        why = "in an archive"
    elif known is not None:
        why = known.why
    else:
        why = _unfit(path, context) or (REPEATED if repeats(path, context) else "")
    if not why and isinstance(path, str):
        import duckdb

        try:
            found = _fast(engine, path, context.files.for_duckdb(path), missing, known)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as problem:
            why = str(problem).split("\n", 1)[0]
            why = REPEATED if "has duplicate key" in why else why
    if found is None:
        found = _exact(engine, path, missing, why or "lines that are no JSON objects", context)
    # A look at every key starts afresh: names that other queries asked for need not exist in the file.
    if known is None or wanted is None:
        return found
    return replace(found, keys={**known.keys, **found.keys}, manifold=known.manifold)


def _unfit(path: str, context: ReadContext) -> str:
    """Why the first bytes rule ``read_json`` out, or rows that are not whole yet; empty if they do not."""
    if context.files.noted_end(path) is not None:
        return "an unfinished append"
    with context.files.open(path) as file:
        head = file.read(_HEAD)
    if head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "byte order mark"
    packed = head.startswith(b"\x1f\x8b")
    if packed != path.endswith(".gz") or (head == b"\x28\xb5\x2f\xfd") != path.endswith(".zst"):
        return "compression does not fit the name"
    if head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        with open_source(path, replace(context, loss=NullLoss())) as source:
            head = source.read(_HEAD)
    return "" if _begins_with_a_line(head) else "no JSON object on the first line"


def repeats(path: str, context: ReadContext) -> bool:
    """Whether keys come again in an object, which ``read_json`` does not tell: a look at the first lines, or at all
    where every loss is counted.
    """
    quiet = replace(context, loss=NullLoss())
    with open_source(path, quiet) as source:
        if context.every_loss:
            return any(any_repeats(block.array.to_pylist()) for block in read_lines(source, "utf-8", quiet))
        head = source.read(_LOOK)
    lines = head.split(b"\n")
    lines = lines[:-1] if len(head) == _LOOK else lines
    return any_repeats(line.decode("utf-8", "replace") for line in lines[:LOOKED_AT])


def _begins_with_a_line(head: bytes) -> bool:
    """Whether the first line may be a JSON object: else the exact reader tells documents from broken lines."""
    line, end, _ = head.lstrip(b" \t\r\n").partition(b"\n")
    if not line or (not end and line.startswith(b"{")):
        return True
    try:
        return isinstance(loads(line.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _fast(
    engine: DuckDBPyConnection, path: str, place: Place, keys: list[str] | None, known: FileSurvey | None
) -> FileSurvey | None:
    """Survey through DuckDB's own reader, which knows the file as ``place``.

    None if some line is no object, so that lines must be looked at.
    """
    rows = known.rows if known is not None else -1
    lines = _Objects(engine, place)
    every = keys is None
    keys = lines.keys() if keys is None else keys
    manifold = every and len(keys) > MAX_KEYS
    found: dict[str, KeySurvey] = {}
    empty: int | None = None
    if manifold:
        keys = []
    elif len(keys) > _KEYS_PER_QUERY:
        found = lines.judged(keys)
    for group in _groups([] if found else keys):
        sql = f"SELECT count(*), count(*) FILTER (WHERE {_all_null(len(group))}), {_judgement(len(group))} "
        aliases = ", ".join(f"k{n}" for n in range(len(group)))
        sql += f"FROM read_json($path, compression = $packing, columns = $columns, {_OPTIONS}) t({aliases})"
        parameters = {"path": place.path, "packing": place.packing, "columns": dict.fromkeys(group, "JSON")}
        rows, nulls, *judged = engine.execute(sql, parameters).fetchall()[0]
        empty = nulls if empty is None else min(empty, nulls)
        found.update(_key_surveys(group, judged))
    if known is None and empty != 0:
        # A row of nulls only may be a broken line, an array, or an object without these keys.
        rows, objects = lines.counts()
        if objects != rows:
            return None
    judged_keys = {key: found[key] for key in keys}
    return FileSurvey(path, rows, True, keys=judged_keys, complete=every and not manifold, manifold=manifold)


# Errors are not passed over: a key that comes again in an object is one, and costs nothing to find so. Of other lines
# the exact reader tells.
_OPTIONS = "format = 'newline_delimited', records = true, ignore_errors = false"


class _Objects:
    """Whole lines of a file, through DuckDB's reader."""

    def __init__(self, engine: DuckDBPyConnection, place: Place) -> None:
        self._engine = engine
        self._parameters = {"path": place.path, "packing": place.packing}
        self._source = "read_ndjson_objects($path, compression = $packing, ignore_errors = true)"

    def counts(self) -> tuple[int, int]:
        """Lines that are not blank, and objects among them."""
        sql = f"SELECT count(*), count(*) FILTER (WHERE ascii(json) = 123) FROM {self._source}"
        lines, objects = self._engine.execute(sql, self._parameters).fetchall()[0]
        return lines, objects

    def keys(self) -> list[str]:
        """Distinct keys in order of first appearance."""
        return _all_keys(self._engine, self._source, self._parameters)

    def judged(self, keys: list[str]) -> dict[str, KeySurvey]:
        """The keys' types, found row by row."""
        return _by_key(self._engine, self._source, self._parameters, keys)


def _all_keys(engine: DuckDBPyConnection, source: str, parameters: Mapping[str, object]) -> list[str]:
    sample = f"SELECT json_keys(json) FROM {source} LIMIT {_ORDER_SAMPLE}"
    first = [key for (keys,) in engine.execute(sample, parameters).fetchall() for key in keys or ()]
    every = f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {source} ORDER BY key"
    later = [key for (key,) in engine.execute(every, parameters).fetchall()]
    return list(dict.fromkeys([*first, *later]))


def _by_key(
    engine: DuckDBPyConnection, source: str, parameters: Mapping[str, object], keys: list[str]
) -> dict[str, KeySurvey]:
    """Types of many keys: one row a value, grouped by key. A column a key takes DuckDB 4 ms each to plan (1,000 keys
    of 50 lines: 4.2 s, this way 0.1 s). A key that stands twice in an object counts with both values.
    """
    value = "nullif(value::VARCHAR, 'null')"
    pairs = f"SELECT unnest(json_keys(json)) AS key, unnest(json_extract(json, '$.*')) AS value FROM {source}"
    sql = f"SELECT key, bit_or({_bits('v')}), count(v) FROM (SELECT key, {value} AS v FROM ({pairs})) GROUP BY key"
    judged = {key: (bits, count) for key, bits, count in engine.execute(sql, parameters).fetchall()}
    return _key_surveys(keys, [item for key in keys for item in judged.get(key, (0, 0))])


def _groups(keys: list[str]) -> Iterator[list[str]]:
    """The keys in groups that one ``read_json`` can declare: not too many, no two that differ only in case."""
    left = keys
    while left:
        group: dict[str, str] = {}
        rest = []
        for key in left:
            if len(group) < _KEYS_PER_QUERY and key.lower() not in group:
                group[key.lower()] = key
            else:
                rest.append(key)
        yield list(group.values())
        left = rest


def _all_null(count: int) -> str:
    return " AND ".join(f"k{n} IS NULL" for n in range(count))


def _judgement(count: int) -> str:
    """SQL: for each of k0, k1, ... the bits of its types (as in TYPES) and the number of its values."""
    return ", ".join(f"bit_or({_bits(f'k{n}')}), count(k{n})" for n in range(count))


def _bits(value: str) -> str:
    # Numbers come back in DuckDB's spelling: a double always shows '.', 'e' or a letter (NaN, Infinity).
    return (
        f"CASE ascii({value}) WHEN 34 THEN 1 WHEN 123 THEN 64 WHEN 91 THEN 128 WHEN 116 THEN 32 WHEN 102 THEN 32 "
        f"ELSE CASE WHEN {value} IS NULL THEN 0 WHEN contains({value}, '.') OR contains({value}, 'e') "
        f"OR contains({value}, 'N') OR contains({value}, 'I') THEN 16 WHEN length({value}) <= 9 THEN 2 "
        f"WHEN TRY_CAST({value}::VARCHAR AS INTEGER) IS NOT NULL THEN 2 "
        f"WHEN TRY_CAST({value}::VARCHAR AS BIGINT) IS NOT NULL THEN 4 ELSE 8 END END"
    )


def _key_surveys(keys: list[str], judged: Sequence[int | None]) -> dict[str, KeySurvey]:
    found = {}
    for number, key in enumerate(keys):
        bits, present = judged[2 * number] or 0, judged[2 * number + 1] or 0
        found[key] = KeySurvey(frozenset(name for bit, name in enumerate(TYPES) if bits >> bit & 1), present)
    return found


def _exact(
    engine: DuckDBPyConnection, path: str | Member, keys: list[str] | None, why: str, context: ReadContext
) -> FileSurvey:
    """Survey through ``JsonLinesReader``: any file it can read, broken lines by number."""
    loss = ListLoss()
    dataset = ReaderDataset(JsonLinesReader([path]), replace(context, loss=loss))
    engine.register("lines_of_file", dataset)
    source = "(SELECT line::JSON AS json FROM lines_of_file)"
    try:
        every = keys is None
        keys = _all_keys(engine, source, {}) if keys is None else keys
        manifold = every and len(keys) > MAX_KEYS
        rows, found = 0, {}
        if not manifold and len(keys) > _KEYS_PER_QUERY:
            found = _by_key(engine, source, {}, keys)
        groups = [keys[n : n + _KEYS_PER_QUERY] for n in range(0, len(keys), _KEYS_PER_QUERY)]
        for group in [[]] if manifold or found or not groups else groups:
            values = ", ".join(f"nullif(found[{n + 1}]::VARCHAR, 'null') AS k{n}" for n in range(len(group)))
            inner = f"SELECT {values or '1'} FROM (SELECT json_extract(json, $pointers) AS found FROM {source})"
            sql = f"SELECT {', '.join(['count(*)', _judgement(len(group))] if group else ['count(*)'])} FROM ({inner})"
            parameters = {"pointers": [pointer(key) for key in group] or [pointer("")]}
            rows, *judged = engine.execute(sql, parameters).fetchall()[0]
            found.update(_key_surveys(group, judged))
    except Exception:
        if dataset.last_error is not None:
            raise dataset.last_error from None
        raise
    finally:
        engine.unregister("lines_of_file")
    kinds = ("broken-json", "not-an-object")
    lost = [entry for entry in loss.entries if entry.reason in kinds]
    named = tuple(
        BrokenLine(label(path), entry.position, entry.reason, entry.sample or "")
        for entry in lost
        if entry.position is not None
    )
    broken = sum(entry.count for entry in lost)
    return FileSurvey(label(path), rows, False, why, broken, named, found, every and not manifold, manifold)
