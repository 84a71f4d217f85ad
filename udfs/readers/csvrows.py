"""``csvfile``: CSV and TSV with a header line, every value a string (commands.md, language.md 8.1).

Short rows lack their trailing fields (null), an empty cell is the empty string, surplus cells become ``columnN`` (N
from zero), so the columns are known only after one look at the whole file: numpy counts the cells of every record and
finds out whether the file is *plain* (see ``csvparse.Structure``). A plain file with equal rows is then decoded by
pyarrow.csv, the wanted columns only; in a plain file with short rows these are filled up first; any other file goes to
the exact parser. All ways give the same rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from udfs.readers.base import (
    BATCH_ROWS,
    PLACE,
    Line,
    NullLoss,
    ReadContext,
    ReaderError,
    batch_of,
    check_cancelled,
    null_context,
    select,
)
from udfs.readers.cache import StateCache
from udfs.readers.csvparse import ABSENT, Dialect, Odd, Structure, padded, records
from udfs.readers.evidence import NOWHERE, Placing, base_name, files_of
from udfs.readers.lines import Reached, codec_name, utf8_chunks, whole_lines, with_line_feeds, without_marks
from udfs.readers.request import Request
from udfs.readers.sources import Member, Source, open_source
from udfs.readers.textlines import Window
from udfs.readers.valuetypes import Found, types_kept

_OWN = ("_file", "_rest")
_BLOCK = 8 << 20
_LINES_AT_ONCE = 8_192
_HEAD = 64 << 10
MOST_COLUMNS = 10_000
"""Columns that are read when ``maxcol`` is not given."""


@dataclass(frozen=True)
class Plan:
    """What discovery found out about one file.

    ``names``: its columns, cut at ``maxcol``; ``renamed``: notes about those that could not keep their name; ``width``:
    cells of its longest record; ``way``: ``even`` (plain, equal rows), ``ragged`` (plain, short rows), ``exact``.
    ``top`` and ``beyond``: the lines of its header, and of the first record wider than ``MOST_COLUMNS`` (0: none).
    ``unnamed``: the names that columns got whose name is empty; ``wider`` and ``shorter``: records with more and with
    fewer cells than the header; ``again``: records that repeat it.
    """

    names: tuple[str, ...]
    renamed: tuple[str, ...]
    width: int
    way: str
    delimiter: str = ","
    top: int = 1
    beyond: int = 0
    unnamed: tuple[str, ...] = ()
    wider: Odd = field(default_factory=Odd)
    shorter: Odd = field(default_factory=Odd)
    again: Odd = field(default_factory=Odd)

    def told(self, source: str, context: ReadContext, cut: bool) -> None:
        """What of the header and the records beside it a reader of the rows should know; ``cut``: columns are cut."""
        for note in self.renamed:
            context.loss.lost(source, "duplicate-header", 0, Line(self.top), note)
        for name in self.unnamed:
            context.loss.lost(source, "unnamed-column", 0, Line(self.top), name)
        if cut:
            context.loss.lost(source, "columns-cut", self.width - len(self.names), Line(self.beyond))
        elif self.wider.count:
            context.loss.lost(source, "cells-beyond-header", self.wider.count, Line(self.wider.line))
        for odd, reason in ((self.shorter, "cells-missing"), (self.again, "header-again")):
            if odd.count:
                context.loss.lost(source, reason, odd.count, Line(odd.line))


@dataclass(frozen=True)
class _Top:
    """What the first bytes of a file tell: the delimiter, and whether a line said it (``sep=;``)."""

    delimiter: str
    said: bool


PLANS: StateCache[Plan] = StateCache()
"""What the queries of this process found out about files."""


@dataclass(frozen=True)
class CsvReader:
    """Rows of CSV files; columns are the union over the files, then ``_rest`` if wanted, then ``_file``.

    ``charset``: IANA name. ``strict``: RFC 4180, else lenient. ``tab``: cells end with a tab. ``maxcol``: columns
    read; ``rest`` puts the raw text of the others into ``_rest``. A column name that occurs twice in a header becomes
    ``name_1`` (noted in the ledger as ``duplicate-header``), an empty one ``columnN``. ``offset`` and ``limit`` count
    rows over all files; with a limit only the rows it needs are looked at for surplus cells. ``cache`` spares the
    look at files that have not changed. ``delim``: the character between cells; None: a comma, or what the first line
    says when it is ``sep=;`` as Excel writes it. ``header`` False: the first record is a row and columns are
    ``columnN``. ``skip``: lines left out at the beginning; ``comment``: lines that begin with it are left out.
    ``typed``: what a look at every value found out (``valuetypes``); the reader gives text all the same. ``placed``:
    the rows of a single file are numbered.
    ReaderError: those of opening a file, ``unknown-charset``, ``strict-with-tab``.
    """

    paths: Sequence[str | Member]
    charset: str = "utf-8"
    strict: bool = False
    tab: bool = False
    maxcol: int = MOST_COLUMNS
    rest: bool = False
    limit: int | None = None
    offset: int = 0
    context: ReadContext = field(default_factory=null_context)
    cache: StateCache[Plan] | None = None
    delim: str | None = None
    header: bool = True
    skip: int = 0
    comment: str | None = None
    typed: Found = field(default_factory=dict)
    placed: bool = False
    place: Placing = NOWHERE
    plans: tuple[Plan, ...] = field(init=False)
    unread: dict[int, ReaderError] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What is wrong with files among several that cannot be opened, by their place in ``paths``."""

    def __post_init__(self) -> None:
        codec_name(self.charset)
        if self.strict and self.tab:
            raise ReaderError("strict=t cannot go with tab=t", "", "strict-with-tab")
        # Discovery opens files as the policy allows, and tells its losses to nobody: the scan will.
        context = replace(self.context, loss=NullLoss())
        object.__setattr__(self, "plans", tuple(self._planned(at, context) for at in range(len(self.paths))))
        if self.unread and len(self.unread) == len(self.paths):
            raise self.unread[0]

    @classmethod
    def of(cls, request: Request) -> CsvReader:
        """Options: those of the command; ``types``: look at the values of the columns in ``demand`` (None: all)."""
        made = cls(
            files_of(request),
            request.text("cs") or "utf-8",
            request.flag("strict"),
            request.flag("tab"),
            request.number("maxcol") or MOST_COLUMNS,
            request.flag("rest"),
            request.number("limit"),
            request.number("offset") or 0,
            request.context,
            PLANS,
            request.text("delim"),
            request.options.get("header") is not False,
            request.number("skip") or 0,
            request.text("comment") or None,
            placed=request.flag("placed"),
            place=Placing.of(request),
        )
        return replace(made, typed=made._types(request)) if request.flag("types") else made

    def _types(self, request: Request) -> Found:
        demand = request.options.get("demand")
        # The number of the row is no cell.
        names = [name for name in self.schema.names if name not in (*_OWN, PLACE)]
        if isinstance(demand, frozenset):
            names = [name for name in names if name in demand]
        above = (self.header, self.skip, self.comment, self.delim)
        options = (self.charset, self.dialect, *above, self.maxcol, self.rest, self.limit, self.offset)
        return types_kept(self, names, request, options)

    @property
    def dialect(self) -> Dialect:
        """Delimiter and strictness."""
        return Dialect("\t" if self.tab else self.delim or ",", self.strict)

    @property
    def schema(self) -> pa.Schema:
        """All columns are strings."""
        return self.place.schema(self._own())

    def _own(self) -> pa.Schema:
        names = dict.fromkeys(name for plan in self.plans for name in plan.names)
        own = ["_rest", "_file"] if self.rest else ["_file"]
        fields = [pa.field(name, pa.string()) for name in (*names, *own)]
        if self.placed and len(self.paths) == 1 and PLACE not in names:
            fields.append(pa.field(PLACE, pa.int64()))
        return pa.schema(fields)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of about 100,000 rows."""
        window, own = Window(self.offset, self.limit), self._own()
        plans = iter(enumerate(self.plans))

        def one(path: str | Member, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
            at, plan = next(plans)
            if window.done:
                return
            if at in self.unread:
                raise self.unread[at]
            for batch in self._of_file(path, plan, schema, context):
                batch = window.cut(batch)
                if batch.num_rows:
                    yield batch
                if window.done:
                    return

        yield from self.place.scan(self.paths, select(self.schema, columns), own, context, one)

    def _of_file(
        self, path: str | Member, plan: Plan, schema: pa.Schema, context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        """All rows of a file."""
        shown = base_name(path)
        cut = plan.width > self.maxcol == MOST_COLUMNS and not self.rest  # a number of one's own is a wish
        plan.told(_name(path), context, cut)
        wanted = [name for name in schema.names if name in plan.names or name == "_rest"]
        read = self._exact if plan.way == "exact" else self._fast
        placed = self.placed and len(self.paths) == 1 and PLACE in schema.names and PLACE not in plan.names
        done = 0
        for made, rows in read(path, plan, wanted, context):
            check_cancelled(context)
            arrays = {name: made[name] if name in made else pa.nulls(rows, pa.string()) for name in schema.names}
            if placed:
                arrays[PLACE] = pa.array(np.arange(done + 1, done + rows + 1))
            done += rows
            if "_file" in arrays:
                arrays["_file"] = pa.repeat(pa.scalar(shown, pa.string()), rows)
            yield batch_of(schema, arrays, rows)

    def _planned(self, at: int, context: ReadContext) -> Plan:
        """The plan of a file; one that cannot be opened has no rows, and the scan tells why."""
        try:
            return self._plan(self.paths[at], context)
        except ReaderError as problem:
            self.unread[at] = problem
            return Plan((), (), 0, "exact")

    def _plan(self, path: str | Member, context: ReadContext) -> Plan:
        above = (self.header, self.skip, self.comment)
        options = (self.charset, self.dialect, self.delim, self.maxcol, self.rest, self._enough(), above)
        key = (*context.files.state(path.zip_path if isinstance(path, Member) else path), path, *options)
        plan = None if self.cache is None else self.cache.get(*key)
        if plan is None:
            plan = self._discovered(path, context)
            if self.cache is not None:
                self.cache.put(plan, *key)
        return plan

    def _enough(self) -> int | None:
        """Records a limited scan can reach, header included."""
        return None if self.limit is None else max(self.offset, 0) + max(self.limit, 0) + 1

    def _discovered(self, path: str | Member, context: ReadContext) -> Plan:
        enough, whole = self._enough(), True
        with open_source(path, context) as source:
            top, chunks = self._top(source, context)
            delimiter = top.delimiter
            structure = Structure(replace(self.dialect, delimiter=delimiter))
            lines = self._below(whole_lines(chunks, source.name, context))
            first = next(lines, b"")
            header = _header(first, structure.dialect, self.comment)
            structure.header = len(header) if header is not None and self.header else None
            size, header = (0, None) if header is None else _kept(header)
            again = _Again(first if structure.header else b"")
            for data in itertools.chain((first,), lines):
                structure.feed(data)
                again.feed(data)
                if not structure.plain:
                    break
                if enough is not None and structure.records >= enough:
                    whole = False
                    break
            else:
                structure.finish()
        beyond, above = 0, self.skip + top.said
        if header is None:
            size, header = _kept(next(self._records(path, context, None), ([], None, 0))[0])
        width, way = structure.most, "even" if structure.fewest in (None, structure.most) else "ragged"
        uneven = structure.wider.count + structure.shorter.count
        # Lines are counted without comments here, and more records are looked at than a limit wants.
        recount = bool(uneven + again.met.count) and (self.comment is not None or enough is not None)
        unsure = self.header and (structure.header is None or recount)
        if not structure.plain or width > MOST_COLUMNS or unsure:
            way = way if structure.plain else "exact"
            width, beyond, structure.wider, structure.shorter, again.met = self._widest(
                path, context, enough, header, size
            )
            above = 0
        width = max(width, size)
        # A file without a column is read, too: what is damaged at its beginning is told by the scan.
        if not whole or not width or self.rest or structure.longest > _BLOCK // 2:
            way = "exact"
        names, renamed = named(header if self.header else [], min(width, self.maxcol))
        # A delimiter behind the last cell of every line names no column, and none is missed.
        ends = max((place for place, cell in enumerate(header) if cell), default=size)
        unnamed = tuple(name for name, cell in zip(names, header[:ends], strict=False) if not cell)
        unnamed = unnamed if self.header else ()
        header_line = next(self._records(path, context, None), ([], None, 1))[2] if renamed or unnamed else 1
        odd = [Odd(odd.count, odd.line and odd.line + above) for odd in (structure.wider, structure.shorter, again.met)]
        return Plan(names, renamed, width, way, delimiter, header_line, beyond, unnamed, *odd)

    def _widest(
        self, path: str | Member, context: ReadContext, enough: int | None, header: list[str], names: int
    ) -> tuple[int, int, Odd, Odd, Odd]:
        """Cells of the longest record, the line of the first one with more than ``MOST_COLUMNS`` (0: none), and the
        records that are wider and shorter than the ``names`` of the header, and those that repeat it.
        """
        most = beyond = 0
        wider, shorter, again = Odd(), Odd(), Odd()
        for number, (cells, _, line) in enumerate(self._records(path, context, None)):
            size = len(cells)
            most = max(most, size)
            if not beyond and most > MOST_COLUMNS:
                beyond = line
            if self.header and number and (enough is None or number < enough):
                if size != names:
                    (wider if size > names else shorter).met(line)
                elif size > 1 and cells == header:
                    again.met(line)
            if enough is not None and number >= enough:
                break
        return most, beyond, wider, shorter, again

    def _records(
        self, path: str | Member, context: ReadContext, most: int | None
    ) -> Iterator[tuple[list[str], str | None, int]]:
        """Records, with the lines of the file on which they begin."""
        with open_source(path, context) as source:
            top, chunks = self._top(source, context)
            lines = _text_lines(whole_lines(chunks, source.name, context))
            above = self.skip + top.said
            next(itertools.islice(lines, self.skip, self.skip), None)

            def told(number: int, text: str) -> None:
                context.loss.lost(source.name, "unclosed-quote", 1, Line(number + above), text[:120])

            def differs(number: int, text: str) -> None:
                context.loss.lost(source.name, "quoting-differs", 1, Line(number + above), text[:120])

            dialect = replace(self.dialect, delimiter=top.delimiter)
            for cells, rest, line in records(lines, dialect, most, told, differs, self.comment):
                yield cells, rest, line + above

    def _top(self, source: Source, context: ReadContext) -> tuple[_Top, Iterator[bytes]]:
        """What the first bytes tell, and the text as UTF-8 with LF or CR LF behind a line ``sep=;`` of Excel."""
        # Discovery, which tells nobody, needs no numbers of lines.
        reached = Reached() if isinstance(context.loss, NullLoss) else None
        text = without_marks(utf8_chunks(source, codec_name(self.charset), context, reached))
        chunks = with_line_feeds(text, quoted=True)
        first = next(chunks, b"")
        found = None if self.tab or self.delim else _SEP.match(first)
        if found is None:
            return _Top(self.dialect.delimiter, False), itertools.chain((first,), chunks)
        # Arrow takes an empty chunk for the end.
        return _Top(found[1].decode(), True), filter(None, itertools.chain((first[found.end() :],), chunks))

    def _below(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """Whole lines without the first ``skip`` lines and without comments."""
        lines = _behind(lines, self.skip) if self.skip else lines
        return lines if self.comment is None else _uncommented(lines, self.comment)

    def _exact(
        self, path: str | Member, plan: Plan, wanted: list[str], context: ReadContext
    ) -> Iterator[tuple[dict[str, pa.Array], int]]:
        most = self.maxcol if self.rest else None
        # Without rest, cells beyond maxcol are parsed and dropped, as the option says.
        places = [(name, plan.names.index(name)) for name in wanted if name in plan.names]
        width = len(plan.names)
        stream = self._records(path, context, most)
        if self.header:
            next(stream, None)
        rows: list[list[str | None]] = []
        rests: list[str | None] = []
        for cells, rest, _ in stream:
            padded = cast("list[str | None]", cells)
            if len(cells) < width:
                padded = padded + [None] * (width - len(cells))
            rows.append(padded)
            rests.append(rest)
            if len(rows) == BATCH_ROWS:
                yield _columns(rows, rests, places, "_rest" in wanted), len(rows)
                rows, rests = [], []
            elif len(rows) % _LINES_AT_ONCE == 0:
                check_cancelled(context)
        if rows:
            yield _columns(rows, rests, places, "_rest" in wanted), len(rows)

    def _fast(
        self, path: str | Member, plan: Plan, wanted: list[str], context: ReadContext
    ) -> Iterator[tuple[dict[str, pa.Array], int]]:
        # Positions as names: the file's own may be anything. A count needs one column to count by.
        position = {name: f"{number}" for number, name in enumerate(plan.names)}
        included = [position[name] for name in wanted] or ["0"]
        with open_source(path, context) as source:
            chunks = self._top(source, context)[1]
            if plan.way == "ragged" or self.skip or self.comment is not None:
                # Arrow takes chunks as they come: only what looks at lines needs them whole.
                chunks = self._below(whole_lines(chunks, source.name, context))
            if plan.way == "ragged":
                chunks = padded(chunks, replace(self.dialect, delimiter=plan.delimiter), plan.width)
            stream = _Stream(chunks)
            try:
                for batch in self._decoder(stream, plan, included):
                    yield {name: batch.column(position[name]) for name in wanted}, batch.num_rows
            except pa.ArrowInvalid as problem:
                if stream.failure is not None:
                    raise stream.failure from None
                raise ReaderError(
                    "cannot read {path}: {reason}", source.name, "read-failed", reason=problem
                ) from problem

    def _decoder(self, stream: _Stream, plan: Plan, included: list[str]) -> pa.Array:
        ragged = plan.way == "ragged"
        return pa_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            pa_csv.ReadOptions(
                column_names=[f"{number}" for number in range(plan.width)],
                skip_rows_after_names=int(self.header),
                block_size=_BLOCK,
                use_threads=False,
            ),
            pa_csv.ParseOptions(delimiter=plan.delimiter, newlines_in_values=True),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(included, pa.string()),
                include_columns=included,
                strings_can_be_null=ragged,
                quoted_strings_can_be_null=False,
                null_values=[ABSENT.decode()] if ragged else [],
                check_utf8=False,
            ),
        )


class _Again:
    """Lines that are the header's once more; a header of one name is perhaps a value, too."""

    def __init__(self, first: bytes) -> None:
        # The header itself stands behind empty lines. One of megabytes comes once, and copies of it fill the memory.
        self._from = next((at.start() for at in re.finditer(rb"[^\r\n]", first)), len(first))
        line = first[self._from : first.find(b"\n", self._from, self._from + _HEAD) + 1]
        self._line = b"\n" + line if re.search(rb"[^\w\s]", line) else b""
        self._lines = 0
        self._start = b""
        self.met = Odd()

    def feed(self, data: bytes) -> None:
        """Look at whole lines; the first are those with the header."""
        if not self._line:
            return
        # Lines share their line feeds: two of them would be found as one.
        text = self._start + data
        at = text.find(self._line, self._from)
        while at >= 0:
            self.met.met(self._lines + 1 + text.count(b"\n", len(self._start), at + 1))
            at = text.find(self._line, at + len(self._line) - 1)
        self._lines += data.count(b"\n")
        self._start, self._from = b"\n", 0


def named(header: list[str], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Column names for ``width`` columns, and notes about those that had to be renamed."""
    names: list[str] = []
    notes: list[str] = []
    taken = {*_OWN, *header}
    seen: set[str] = {*_OWN}
    for number in range(width):
        name = (header[number] if number < len(header) else "") or f"column{number}"
        if name in seen or (number >= len(header) and name in taken):
            copy = 1
            while f"{name}_{copy}" in taken or f"{name}_{copy}" in seen:
                copy += 1
            notes.append(f"column {number}: {name} is read as {name}_{copy}")
            name = f"{name}_{copy}"
        seen.add(name)
        names.append(name)
    return tuple(names), tuple(notes)


_SEP = re.compile(rb"sep=([!-~])\r?(?:\n|$)", re.IGNORECASE)


def _kept(header: list[str]) -> tuple[int, list[str]]:
    """How many names a header has, and of fifty million as many as are read: they fill the memory."""
    return len(header), header[: MOST_COLUMNS + 1]


def _header(first: bytes, dialect: Dialect, comment: str | None) -> list[str] | None:
    """Cells of the first record, when the first whole lines of the text hold it; None when more must be read."""
    head = first[: first.rfind(b"\n", 0, _HEAD) + 1] or first
    opened: list[int] = []
    lines = _text_lines(iter((head,)))
    found = next(records(lines, dialect, None, lambda number, _: opened.append(number), None, comment), None)
    return None if found is None or opened else found[0]


def _behind(lines: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """Chunks of whole lines without the first ``skip`` lines."""
    for data in lines:
        while skip and data:
            end = data.find(b"\n") + 1
            data, skip = (data[end:] if end else b""), skip - 1
        if data:
            yield data


def _uncommented(lines: Iterator[bytes], comment: str) -> Iterator[bytes]:
    """Chunks of whole lines without the lines that begin with ``comment`` where a record begins.

    Behind an odd number of quotes a line goes on with a cell. That holds in plain text (``Structure``), the only one
    that is read from here; what is not plain in the lines before shows in the chunks.
    """
    mark = re.compile(rb"(?m)^" + re.escape(comment.encode()) + rb"[^\n]*(?:\n|\Z)")
    inside = 0
    for data in lines:
        parts: list[bytes] = []
        done = 0
        for found in mark.finditer(data):
            inside += data.count(b'"', done, found.start())
            begin = done
            if inside & 1:  # a line of a quoted cell
                inside += data.count(b'"', found.start(), found.end())
                parts.append(data[begin : found.end()])
            else:
                parts.append(data[begin : found.start()])
            done = found.end()
        inside += data.count(b'"', done)
        data = b"".join([*parts, data[done:]]) if parts else data
        if data:
            yield data


def _name(path: str | Member) -> str:
    return path.name if isinstance(path, Member) else path


def _text_lines(chunks: Iterator[bytes]) -> Iterator[str]:
    for data in chunks:
        lines = data.decode("utf-8").split("\n")
        if lines[-1] == "":
            lines.pop()
        yield from lines


def _columns(
    rows: list[list[str | None]], rests: list[str | None], places: list[tuple[str, int]], rest: bool
) -> dict[str, pa.Array]:
    made: dict[str, pa.Array] = {name: pa.array([row[place] for row in rows], pa.string()) for name, place in places}
    if rest:
        made["_rest"] = pa.array(rests, pa.string())
    return made


class _Stream:
    """Chunks as the file object Arrow reads; keeps an exception that Arrow would turn into text."""

    closed = False

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._last = b""
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while len(self._held) < size and (chunk := self._next()):
                self._held = self._held + chunk if self._held else chunk
        except BaseException as problem:
            self.failure = problem
            raise
        data, self._held = self._held[:size], self._held[size:]
        return data

    def _next(self) -> bytes:
        chunk = next(self._chunks, b"")
        while chunk and not self._last and not (chunk := chunk.lstrip(b"\r\n")):
            # Arrow would take an empty line before the header for the header.
            chunk = next(self._chunks, b"")
        if not chunk and not self._last.endswith(b"\n"):
            # Arrow refuses a header line that no newline ends.
            chunk = b"\n"
        self._last = chunk or self._last
        return chunk

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        return None
