"""``jsonfile``: one JSON object per line, read exactly, when DuckDB's ``read_json`` cannot be trusted with a file.

``read_json(columns={...}, ignore_errors=true)`` is the fast way for files that ``jsonsurvey.survey`` found clean. It
turns a line that is not JSON, an array, invalid UTF-8, a lone surrogate (``"\\ud83d"``) and the first line behind a
byte order mark into a row of nulls, and cannot give the source line. This reader skips what is no object, with line
number and sample in the ledger (``broken-json``, ``not-an-object``), repairs the rest (``invalid-utf-8``,
``lone-surrogate``: row kept, U+FFFD in place) and reads any charset sign, gzip and zstd that ``textfile`` reads.
JSON itself is parsed by DuckDB, a block of lines at a time, so that both ways agree on every value.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.jsonrepeats import LOOKED_AT, repeated_keys
from udfs.jsontext import loads
from udfs.lenientjson import dump
from udfs.readers import base
from udfs.readers.base import ReadContext, batch_of, check_cancelled, select
from udfs.readers.evidence import NOWHERE, Placing, base_name
from udfs.readers.jsondocs import HEAD, Documents, Item, are_documents, pieces
from udfs.readers.lines import Reached, lines_of, text_chunks
from udfs.readers.sources import Member, label, open_source
from udfs.readers.textlines import Window

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

JSON_TEXT = base.field("json", pa.string(), "json")
"""Declares a column as JSON text: the value as it stands in the file, strings with their quotes."""

NAMED_LINES = 100
"""Broken lines per file that get their own ledger entry; the others are counted in one."""

_BLANK, _OBJECT, _OTHER, _BROKEN = 0, 1, 2, 3
_CLASSIFY = """
    SELECT CASE WHEN ascii(line) = 123 THEN CASE WHEN json_valid(line) THEN 1 ELSE 3 END
                WHEN trim(line, chr(32) || chr(9) || chr(13)) = '' THEN 0 WHEN NOT json_valid(line) THEN 3
                WHEN ascii(ltrim(line, chr(32) || chr(9))) = 123 THEN 1 ELSE 2 END::UTINYINT AS kind
    FROM block"""
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def pointer(key: str) -> str:
    """JSON pointer to a key of the top object; unlike a JSON path it can name every key (``a"b``, ``x.y``, empty)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def engine_bounds(memory: int | None) -> dict[str, str | bool | int | float | list[str]]:
    """Settings of such a DuckDB: the memory it may hold, and no folder (else one in the working folder)."""
    held: dict[str, str | bool | int | float | list[str]] = {} if memory is None else {"memory_limit": f"{memory}B"}
    return {"temp_directory": "", **held}


@contextmanager
def json_engine(memory: int | None = None) -> Iterator[DuckDBPyConnection]:
    """A DuckDB of its own, used as JSON parser only: it sees Arrow blocks and no file.

    ``memory``: bytes that it may hold. What it parses takes eight times its text (a list of numbers).
    """
    import duckdb

    options: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "enable_external_access": False,
        "python_enable_replacements": False,
        **engine_bounds(memory),
    }
    connection = duckdb.connect(":memory:", config=options)
    try:
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class JsonLinesReader:
    """Rows of JSON lines files.

    ``types``: key -> Arrow type or field. ``string``: text of the value (strings decoded, other values as JSON text);
    ``int32``/``int64``, ``float64``, ``bool_``: only JSON integers, numbers, booleans, anything else is null and
    counted as ``type-mismatch``; ``JSON_TEXT``: the value as JSON text. JSON null and absent keys are null. Without
    ``types``, or with ``overlay``, the source line is in ``line``. ``_file`` is the base name. ``typed``:
    keys of text that hold dates (``valuetypes``). A file of documents (``jsondocs``) is read too.
    ``limit`` and ``offset`` count objects over all paths. Positions in the ledger are 1-based line numbers.
    ``repeating``: files in which a key is known to come again in an object, and is counted in every line.
    """

    paths: Sequence[str | Member]
    limit: int | None = None
    offset: int = 0
    overlay: bool = False
    types: Mapping[str, pa.DataType | pa.Field] = field(default_factory=dict)
    typed: Mapping[str, str | None] = field(default_factory=dict)
    place: Placing = NOWHERE
    repeating: frozenset[str] = frozenset()

    @property
    def schema(self) -> pa.Schema:
        """The declared keys, then ``line`` if wanted, then ``_file``; a key of these names is hidden by them. Then what
        ``place`` adds.
        """
        return self.place.schema(self._own())

    def _own(self) -> pa.Schema:
        own = ["line", "_file"] if self.overlay or not self.types else ["_file"]
        fields = [_declared(key, type_) for key, type_ in self.types.items() if key not in own]
        return pa.schema([*fields, *(pa.field(name, pa.string()) for name in own)])

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of up to about 100,000 rows or 16 MB of text."""
        own, window = self._own(), Window(self.offset, self.limit)
        with json_engine(context.memory) as engine:

            def one(path: str | Member, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
                source, shown = label(path), base_name(path)
                keys = [name for name in schema.names if not self._is_own(name)]
                if window.done:
                    return
                for lines in self._objects(path, engine, context):
                    check_cancelled(context)
                    kept = window.cut(lines)
                    if len(kept):
                        made = _values(engine, kept, schema, keys, source, context)
                        if self._is_own("line"):  # else a key of that name keeps its own values
                            made["line"] = kept
                        made["_file"] = pa.repeat(pa.scalar(shown, pa.string()), len(kept))
                        yield batch_of(schema, made, len(kept))
                    if window.done:
                        return

            yield from self.place.scan(self.paths, select(self.schema, columns), own, context, one)

    def _is_own(self, name: str) -> bool:
        return name == "_file" or (name == "line" and (self.overlay or not self.types))

    def _objects(self, path: str | Member, engine: DuckDBPyConnection, context: ReadContext) -> Iterator[pa.Array]:
        with open_source(path, context) as source:
            judge = _Judge(source.name, engine, context, label(path) in self.repeating)
            reached = Reached()
            chunks = text_chunks(source, "utf-8", context, reached)
            head = next(chunks, b"")
            while len(head) < HEAD:
                reached.lines = head.count(b"\n")
                if not (more := next(chunks, b"")):
                    break
                head += more
            if are_documents(head[:HEAD].decode("utf-8", "ignore")):
                reached.lines = 0
                documents = Documents(pieces(head, chunks, reached), source.name, judge.note)
                for items in _blocks(documents.objects()):
                    yield judge.objects(pa.array([item.text for item in items]), [item.line for item in items])
            else:
                reached.lines = 0
                for block in lines_of(itertools.chain((head,), chunks), source.name, context, reached):
                    yield judge.objects(block.array, range(block.first + 1, block.first + 1 + len(block.array)))
            judge.finish()


class _Judge:
    """Tells objects from other lines, block by block, and keeps the ledger's account of a file."""

    def __init__(self, name: str, engine: DuckDBPyConnection, context: ReadContext, repeating: bool) -> None:
        self._name = name
        self._engine = engine
        self._loss = context.loss
        self._named = 0
        self._unnamed = {"broken-json": 0, "not-an-object": 0}
        self._looking: int | None = None if repeating or context.every_loss else LOOKED_AT

    def objects(self, lines: pa.Array, numbers: Sequence[int]) -> pa.Array:
        """The lines, of these numbers, that hold objects, repaired where that is possible."""
        self._engine.register("block", pa.table({"line": lines}))
        kinds = self._engine.sql(_CLASSIFY).to_arrow_table().column(0).to_numpy()
        for position in np.flatnonzero(kinds == _BROKEN).tolist():
            fixed = rescued(lines[position].as_py())
            if fixed is not None:
                kinds = kinds.copy()
                kinds[position] = _OBJECT
                lines = pa.concat_arrays([lines[:position], pa.array([fixed]), lines[position + 1 :]])
                self._loss.lost(self._name, "lone-surrogate", 1, base.Line(numbers[position]), fixed[:120])
        for reason, kind in (("broken-json", _BROKEN), ("not-an-object", _OTHER)):
            for position in np.flatnonzero(kinds == kind).tolist():
                self.note(reason, numbers[position], lines[position].as_py())
        lines = self._without_repeats(lines, np.flatnonzero(kinds == _OBJECT), numbers)
        if (kinds == _OBJECT).all():
            return lines
        return pc.filter(lines, pa.array(kinds == _OBJECT))

    def _without_repeats(self, lines: pa.Array, objects: np.ndarray, numbers: Sequence[int]) -> pa.Array:
        """The lines with the first value of each key alone, the others counted: of the first lines, and once there is
        one of all. Whoever reads the text of a document would take the last.
        """
        mended: dict[int, str] = {}
        for position in objects.tolist():
            if self._looking is not None:
                if self._looking == 0:
                    break
                self._looking -= 1
            if again := repeated_keys(line := lines[position].as_py()):
                self._looking = None
                self._loss.lost(self._name, "repeated-key", len(again), base.Line(numbers[position]), again[0])
                mended[position] = dump(loads(line))
        if not mended:
            return lines
        texts = lines.to_pylist()
        for position, text in mended.items():
            texts[position] = text
        return pa.array(texts, lines.type)

    def note(self, reason: str, number: int, line: str) -> None:
        if self._named < NAMED_LINES:
            self._named += 1
            self._loss.lost(self._name, reason, 1, base.Line(number), line[:120])
        else:
            self._unnamed[reason] += 1

    def finish(self) -> None:
        """Tell the rest of the account."""
        for reason, count in self._unnamed.items():
            if count:
                self._loss.lost(self._name, reason, count)


_TEXT_AT_ONCE = 16 << 20


def _blocks(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Documents in blocks of up to 8,192, or 16 MB of text."""
    held: list[Item] = []
    size = 0
    for item in items:
        held.append(item)
        size += len(item.text)
        if len(held) == 8_192 or size > _TEXT_AT_ONCE:
            yield held
            held, size = [], 0
    if held:
        yield held


def rescued(line: str) -> str | None:
    """The line with lone surrogate escapes as U+FFFD, if that makes it a JSON object; None otherwise."""
    if "\\u" not in line:
        return None
    fixed = _ESCAPE.sub(lambda found: "\\ufffd" if found["lone"] else found[0], line)
    try:
        return fixed if fixed != line and isinstance(loads(fixed), dict) else None
    except ValueError:
        return None


def _declared(key: str, type_: pa.DataType | pa.Field) -> pa.Field:
    return type_.with_name(key) if isinstance(type_, pa.Field) else pa.field(key, type_)


def _values(
    engine: DuckDBPyConnection, lines: pa.Array, schema: pa.Schema, keys: list[str], source: str, context: ReadContext
) -> dict[str, pa.Array]:
    """The wanted keys of a block of objects, one Arrow array per key."""
    if not keys:
        return {}
    # One json_extract call for all keys parses each line once; a call per key and use would parse it again and again.
    as_text = [key for key in keys if _is_text(schema.field(key))]
    as_json = [key for key in keys if key not in as_text]
    listed, calls, parameters = [], [], {}
    for name, function, group in (("t", "json_extract_string", as_text), ("j", "json_extract", as_json)):
        if group:
            calls.append(f"{function}(line, ${name}) AS {name}")
            parameters[name] = [pointer(key) for key in group]
    for number, _ in enumerate(as_text, 1):
        listed.append(f"t[{number}]")
    for number, key in enumerate(as_json, 1):
        listed += _extraction(schema.field(key), f"j[{number}]::VARCHAR")
    engine.register("block", pa.table({"line": lines}))
    sql = f"SELECT {', '.join(listed)} FROM (SELECT {', '.join(calls)} FROM block)"
    table = engine.sql(sql, params=parameters).to_arrow_table()
    made = {key: table.column(number).combine_chunks() for number, key in enumerate(as_text)}
    for number, key in enumerate(as_json):
        value, missed = (table.column(len(as_text) + 2 * number + n).combine_chunks() for n in (0, 1))
        made[key] = value.cast(schema.field(key).type)
        count = pc.sum(missed).as_py() or 0
        if count:
            context.loss.lost(source, "type-mismatch", count, None, f"{key} is not always {schema.field(key).type}")
    return made


def _is_json(declared: pa.Field) -> bool:
    return bool(declared.metadata) and declared.metadata.get(base.LOGICAL_TYPE) in (b"json", b"any")


def _is_text(declared: pa.Field) -> bool:
    return bool(pa.types.is_string(declared.type)) and not _is_json(declared)


def _extraction(declared: pa.Field, text: str) -> tuple[str, str]:
    """SQL of a value given the SQL of its JSON text, and SQL that is true where that text is not of the type."""
    has = f"coalesce({text} <> 'null', false)"
    if _is_json(declared):
        return f"nullif({text}, 'null')", "false"
    if pa.types.is_boolean(declared.type):
        value = f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false END"
        return value, f"{has} AND {text} NOT IN ('true', 'false')"
    number_like = f"ascii({text}) IN (45, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57)"
    if pa.types.is_integer(declared.type):
        name = "INTEGER" if declared.type.bit_width <= 32 else "BIGINT"
        whole = f"NOT contains({text}, '.') AND NOT contains({text}, 'e')"
        value = f"CASE WHEN {number_like} AND {whole} THEN TRY_CAST({text} AS {name}) END"
    elif pa.types.is_floating(declared.type):
        value = f"CASE WHEN {number_like} THEN TRY_CAST({text} AS DOUBLE) END"
    else:
        raise TypeError(f"jsonfile cannot read {declared.name} as {declared.type}")
    return value, f"{has} AND ({value}) IS NULL"
