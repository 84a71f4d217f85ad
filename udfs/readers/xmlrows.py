"""``xmlfile``: one row per node an XPath selects, its content as one JSON object (commands.md, xmlfile and parsexml).

An element becomes a value by the rule of ``parsexml``: text only -> trimmed string, empty -> null; with attributes or
children -> map of attributes, children and, if there is text, ``_text``; child names that repeat -> list. The row of a
selected node is that map (``{"_text": ..}`` for text only). Rows are open: which fields exist is known only from the
data, so the reader gives them as JSON in ``_row``.

The parser is expat, fed in pieces: memory holds the selected nodes only, and of one no more than 64 MB. A document type
that declares entities is refused (``xml-entities``): a few lines of nested entities expand to gigabytes, external ones
read other files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from xml.parsers import expat

import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import ReadContext, ReaderError, batch_of, check_cancelled, select
from udfs.readers.evidence import NOWHERE, Placing, base_name, files_of
from udfs.readers.lines import codec_name, utf8_chunks
from udfs.readers.request import Request
from udfs.readers.sources import Member, open_source
from udfs.readers.textlines import Window

MAX_DEPTH = 500
MAX_NODE = 64 << 20
"""Characters of a node's attributes and text beyond which the rest of it is left out (ledger: ``node-cut``)."""
MAX_TAG = 64 << 20
"""Bytes of a tag or comment: the parser holds all of it until its end."""
_ROWS = 4_096
_PIECE = 64 << 10
_AT_ONCE = 16 << 20
"""Characters of the nodes that are handed on together."""
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_STEP = re.compile(
    r"""(?P<axis>//?)(?P<name>\*|[^/\[\]@()'"=\s]+)"""
    r"""(?:\[(?:(?P<at>[1-9][0-9]*)|@(?P<key>[^\[\]=\s]+)(?:\s*=\s*(?P<quote>["'])(?P<value>.*?)(?P=quote))?)\])?"""
)


@dataclass(frozen=True)
class Step:
    """One step of a path: name or ``*``, below the parent (``/``) or anywhere under it (``//``), one predicate."""

    anywhere: bool
    name: str
    position: int | None = None
    attribute: str | None = None
    value: str | None = None

    def accepts(self, frame: Frame) -> bool:
        """Whether an element fits this step."""
        if self.name not in ("*", frame.name):
            return False
        if self.position is not None:
            return self.position == (frame.among_all if self.name == "*" else frame.among_same)
        if self.attribute is not None:
            found = frame.attributes.get(self.attribute)
            return found is not None and self.value in (None, found)
        return True


@dataclass
class Frame:
    """An open element: its place among its siblings, its children counted, and, inside a selected node, its content."""

    name: str
    attributes: dict[str, str]
    among_all: int
    among_same: int
    selected: int | None
    building: bool
    children: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    content: dict[str, object] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)


def parse_path(text: str) -> tuple[Step, ...]:
    """An absolute path like ``/a/b[1]/c``, ``//x``, ``/a/*[@id='7']``. ReaderError ``xpath-unsupported``."""
    steps = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            break
        at = int(found["at"]) if found["at"] else None
        steps.append(Step(found["axis"] == "//", found["name"], at, found["key"], found["value"]))
        position = found.end()
    if not steps or position < len(text):
        said = "unsupported xpath {path!r}: write /a/b[1]/c, //x, * and one [n], [@a] or [@a='v'] per step"
        raise ReaderError(said, text, "xpath-unsupported")
    return tuple(steps)


_COLUMNS = pa.schema([base.field("_row", pa.string(), "json"), pa.field("_file", pa.string())])


@dataclass(frozen=True)
class XmlReader:
    """Rows of XML files: ``_row`` (JSON object, logical type json) and ``_file``.

    ``xpath``: which nodes (None: the root element). ``charset``: None believes the file's own declaration, else UTF-8.
    A document that breaks off gives the nodes before the break and the ledger entry ``broken-xml`` (line number). Of
    several documents one that cannot be read is a ledger entry. A node of more than :data:`MAX_NODE` characters lacks
    its end (``node-cut``).
    ReaderError: ``xpath-unsupported``, ``unknown-charset``, ``xml-entities``, ``xml-too-deep``, ``not-xml``.
    """

    paths: Sequence[str | Member]
    xpath: str | None = None
    charset: str | None = None
    limit: int | None = None
    offset: int = 0
    place: Placing = NOWHERE

    def __post_init__(self) -> None:
        if self.charset is not None:
            codec_name(self.charset)
        if self.xpath is not None:
            parse_path(self.xpath)

    @classmethod
    def of(cls, request: Request) -> XmlReader:
        """Options: ``xpath``, ``cs``, ``limit``, ``offset``."""
        return cls(
            files_of(request),
            request.text("xpath"),
            request.text("cs"),
            request.number("limit"),
            request.number("offset") or 0,
            Placing.of(request),
        )

    @property
    def schema(self) -> pa.Schema:
        """``_row`` and ``_file``, then what ``place`` adds."""
        return self.place.schema(_COLUMNS)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of up to some thousand nodes."""
        steps = (Step(False, "*"),) if self.xpath is None else parse_path(self.xpath)
        window = Window(self.offset, self.limit)

        def one(path: str | Member, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
            if window.done:
                return
            shown = base_name(path)
            for nodes in self._nodes(path, steps, context):
                check_cancelled(context)
                rows = window.cut(pa.array([json.dumps(node, ensure_ascii=False) for node in nodes], pa.string()))
                if len(rows):
                    names = pa.repeat(pa.scalar(shown, pa.string()), len(rows))
                    yield batch_of(schema, {"_row": rows, "_file": names}, len(rows))
                if window.done:
                    return

        yield from self.place.scan(self.paths, select(self.schema, columns), _COLUMNS, context, one)

    def _nodes(self, path: str | Member, steps: tuple[Step, ...], context: ReadContext) -> Iterator[list[object]]:
        charset = self.charset or _declared(path, context)
        with open_source(path, context) as source:
            builder = _Builder(steps, source.name, context.loss)
            try:
                for chunk in utf8_chunks(source, codec_name(charset), context):
                    start = 0
                    while start < len(chunk):
                        # What is made of a chunk may be a hundred times as large: memory and clock are looked at often.
                        check_cancelled(context)
                        # A tag without an end is read from its beginning at every piece: as much again each time.
                        piece = chunk[start : start + max(_PIECE, builder.unfinished())]
                        builder.feed(piece)
                        start += len(piece)
                        if builder.full():
                            yield builder.taken()
                builder.parser.Parse(b"", True)
            except (expat.ExpatError, _TooLong) as problem:
                reason = str(problem) if isinstance(problem, _TooLong) else expat.errors.messages[problem.code]
                if not builder.root_seen:
                    raise ReaderError("{path} is not XML: {reason}", source.name, "not-xml", reason=reason) from problem
                context.loss.lost(source.name, "broken-xml", 1, base.Line(problem.lineno), reason)
                builder.finish_broken()
            if builder.ready:
                yield builder.taken()


def _declared(path: str | Member, context: ReadContext) -> str:
    # The scan that follows tells what is damaged and how far it is.
    quiet = replace(context, loss=base.NullLoss(), progress=base.NullProgress())
    with open_source(path, quiet) as source:
        head = source.read(400)
    found = _DECLARED.match(head.removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii") if found else "utf-8"


class _TooLong(Exception):
    """A tag or comment that the parser would have to hold, and the line on which it begins."""

    def __init__(self, lineno: int) -> None:
        super().__init__(f"a tag or comment of more than {MAX_TAG >> 20} MB")
        self.lineno = lineno


class _Builder:
    """Follows the open elements and keeps the content of those inside a selected node."""

    def __init__(self, steps: tuple[Step, ...], source: str, loss: base.LossSink | None = None) -> None:
        """``loss``: where a node that is cut is told of; without it none is."""
        self._steps = steps
        self._source = source
        self._loss = loss
        self._fed = 0
        self._size = 0
        """Characters of the node at hand, and of those that are ready, but for what was left out."""
        self._ready_size = 0
        self._open: list[Frame] = []
        self._top = Frame("", {}, 0, 0, None, False)
        self._number = 0
        self._held: list[tuple[int, object]] = []
        self.ready: list[object] = []
        self.root_seen = False
        # The chunks are UTF-8 whatever the declaration says.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._refuse

    def feed(self, data: bytes) -> None:
        """Parse what follows. _TooLong for a tag or comment that does not end."""
        self.parser.Parse(data)
        self._fed += len(data)
        if self.unfinished() > MAX_TAG:
            raise _TooLong(self.parser.CurrentLineNumber)

    def unfinished(self) -> int:
        """Bytes of the tag or comment that has not ended yet."""
        return self._fed - max(self.parser.CurrentByteIndex, 0)

    def full(self) -> bool:
        """Whether there is enough to be handed on."""
        return len(self.ready) >= _ROWS or self._ready_size >= _AT_ONCE

    def taken(self) -> list[object]:
        """The finished nodes, handed over."""
        nodes, self.ready, self._ready_size = self.ready, [], 0
        return nodes

    def _room(self, size: int) -> bool:
        """Whether so much more of the node at hand is kept; the first that is not is told."""
        if self._loss is None:
            return True
        fitted = self._size <= MAX_NODE
        self._size += size
        if self._size > MAX_NODE and fitted:
            told = f"a node of more than {MAX_NODE >> 20} MB is cut: choose smaller ones with xpath="
            self._loss.lost(self._source, "node-cut", 1, base.Line(self.parser.CurrentLineNumber), told)
        return self._size <= MAX_NODE

    def finish_broken(self) -> None:
        """The document broke off inside these nodes: those inside that were complete still count."""
        self.ready += [node for _, node in sorted(self._held, key=lambda pair: pair[0])]
        self._held = []

    def _refuse(self, name: str, *_: object) -> None:
        said = "{path} declares the entity {name}; documents with entity declarations are not read"
        raise ReaderError(said, self._source, "xml-entities", name=name)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.root_seen = True
        if len(self._open) >= MAX_DEPTH:
            said = "{path} nests more than {limit} elements"
            raise ReaderError(said, self._source, "xml-too-deep", limit=MAX_DEPTH)
        # Counted as they come: a sum over the names would take the square of their number (100,000 names: a minute).
        above = self._open[-1] if self._open else self._top
        above.children += 1
        above.counts[name] += 1
        frame = Frame(name, attributes, above.children, above.counts[name], None, False)
        self._open.append(frame)
        if self._selected():
            frame.selected = self._number
            self._number += 1
        inside = len(self._open) > 1 and self._open[-2].building
        frame.building = inside or frame.selected is not None
        if attributes and frame.building and self._room(sum(map(len, attributes)) + sum(map(len, attributes.values()))):
            frame.content.update(attributes)

    def _selected(self) -> bool:
        """Whether the innermost open element ends the path; works backwards over the steps."""
        reachable = {len(self._open)}
        for step in reversed(self._steps):
            # ``reachable``: depths at which this step's element may stand.
            fitting = {depth for depth in reachable if depth > 0 and step.accepts(self._open[depth - 1])}
            if step.anywhere:
                reachable = {above for depth in fitting for above in range(depth)}
            else:
                reachable = {depth - 1 for depth in fitting}
            if not reachable:
                return False
        return 0 in reachable

    def _text(self, text: str) -> None:
        if self._open and self._open[-1].building and self._room(len(text)):
            self._open[-1].text.append(text)

    def _end(self, name: str) -> None:
        frame = self._open.pop()
        if not frame.building:
            return
        text = "".join(frame.text).strip()
        if text and frame.content:
            _add(frame, "_text", text)
        value: object = frame.content or text or None
        if frame.selected is not None:
            row = frame.content or ({"_text": text} if text else {})
            self._held.append((frame.selected, row))
        if self._open and self._open[-1].building:
            if self._size <= MAX_NODE or value is not None:
                _add(self._open[-1], name, value)
        elif self._held:
            # Nodes inside a selected node end before it; the order is that of their beginnings.
            self.ready += [node for _, node in sorted(self._held, key=lambda pair: pair[0])]
            self._held = []
            self._ready_size, self._size = self._ready_size + self._size, 0


def _add(frame: Frame, name: str, value: object) -> None:
    if name in frame.lists:
        held = frame.content[name]
        assert isinstance(held, list)
        held.append(value)
    elif name in frame.content:
        frame.content[name] = [frame.content[name], value]
        frame.lists.add(name)
    else:
        frame.content[name] = value
