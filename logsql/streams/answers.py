"""What the server answers on its control socket."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, cast

import pyarrow as pa

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.live import NOBODY
from logsql.planner.connections.live import Shape
from logsql.streams.control import Handler, Question, Said
from logsql.streams.shaping import encoded, shape_of, shaped

#: Seconds between two looks at whether the asker has gone; something is said at least so often.
LOOK = 0.1
#: Questions whose askers stay as long as they like.
STAYING = frozenset({"watch", "forward", "tail"})


class Watching(Protocol):
    """Somebody who reads along."""

    @property
    def missed(self) -> int: ...
    def next(self, seconds: float) -> pa.Table | None:
        """The next rows; None when none came within the time."""


class Parts(Protocol):
    """The running server, as far as its answers need it."""

    def watching(self, kind: str, names: Sequence[str], last: int = 0) -> AbstractContextManager[Watching]:
        """Rows of receivers or streams from now on, before them the last ``last`` rows."""

    def schemas(self, kind: str) -> Mapping[str, pa.Schema | None]:
        """The receivers (``receivers``) or streams (``streams``) by name, with the fields that their rows have."""

    def forward(self, names: Sequence[str], rows: pa.Table) -> None:
        """Rows for streams, as if a source of theirs had given them. They are kept when this returns."""

    def listing(self, what: str) -> list[dict[str, object]]:
        """What is told of its parts."""

    def state_folder(self) -> str:
        """The folder of its models."""

    def tables(self) -> Mapping[str, pa.Schema]:
        """The tables of its database."""

    def table(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of one."""

    def show(self, name: str) -> dict[str, object]:
        """Everything about one part."""

    def act(self, verb: str, name: str) -> dict[str, object]:
        """Stop, start, reset a stream, or reload the configuration: what is said of it."""

    def lines(self, rows: pa.Table) -> pa.Array:
        """Rows as JSON lines."""


def handlers(parts: Parts) -> dict[str, Handler]:
    """The questions that the server answers."""
    answers: dict[str, Callable[[Parts, Question], Iterator[Said]]] = {
        "shape": _shape, "watch": _watch, "forward": _forward, "listing": _listing, "tables": _tables,
        "place": _place, "table": _table, "show": _show, "tail": _tail,
    }  # fmt: skip
    found: dict[str, Handler] = {verb: _bound(parts, answer) for verb, answer in answers.items()}
    for verb in ("stop", "start", "reset", "reload"):
        found[verb] = _acting(parts, verb)
    return found


def _bound(parts: Parts, answer: Callable[[Parts, Question], Iterator[Said]]) -> Handler:
    return lambda question: answer(parts, question)


def _acting(parts: Parts, verb: str) -> Handler:
    def answer(question: Question) -> Iterator[Said]:
        yield parts.act(verb, str(question.facts.get("name", "")))

    return answer


def chosen(parts: Parts, kind: str, patterns: Sequence[str]) -> dict[str, pa.Schema | None]:
    """The parts that the names mean. Raises SourceError for a name that means none."""
    known = parts.schemas(kind)
    found: dict[str, pa.Schema | None] = {}
    for pattern in patterns:
        hits = [name for name in known if fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))]
        if not hits:
            what = kind.removesuffix("s")
            raise SourceError(diagnostic(NOBODY, kind=what, name=pattern, names=", ".join(known)))
        found |= {name: known[name] for name in hits}
    return found


def _names(question: Question) -> list[str]:
    return [str(name) for name in cast("list[object]", question.facts.get("names", []))]


def _shape_of(found: Mapping[str, pa.Schema | None], kind: str) -> Shape:
    known = [schema for schema in found.values() if schema is not None]
    return shape_of(known, kind == "streams")


def _shape(parts: Parts, question: Question) -> Iterator[Said]:
    kind = str(question.facts.get("kind"))
    shape = _shape_of(chosen(parts, kind, _names(question)), kind)
    yield {"fields": [list(field) for field in shape.fields], "open": shape.open}


def _watch(parts: Parts, question: Question) -> Iterator[Said]:
    kind = str(question.facts.get("kind"))
    found = chosen(parts, kind, _names(question))
    shape = _shape_of(found, kind)
    until = time.monotonic() + float(str(question.facts.get("seconds", 10)))
    with parts.watching(kind, list(found)) as watcher:
        while (left := until - time.monotonic()) > 0 and not question.over():
            rows = watcher.next(min(left, LOOK))
            yield {} if rows is None else shaped(rows, shape)
        yield {"missed": watcher.missed}


def _forward(parts: Parts, question: Question) -> Iterator[Said]:
    names = list(chosen(parts, "streams", _names(question)))
    taken = 0
    for rows in question.rows:
        parts.forward(names, rows)
        taken += rows.num_rows
    yield {"rows": taken}


def _listing(parts: Parts, question: Question) -> Iterator[Said]:
    yield {"rows": parts.listing(str(question.facts.get("what")))}


def _place(parts: Parts, question: Question) -> Iterator[Said]:
    yield {"folder": parts.state_folder()}


def _tables(parts: Parts, question: Question) -> Iterator[Said]:
    yield {"tables": {name: encoded(schema) for name, schema in parts.tables().items()}}


def _table(parts: Parts, question: Question) -> Iterator[Said]:
    columns = question.facts.get("columns")
    for batch in parts.table(str(question.facts.get("name"))):
        if question.over():
            return
        yield pa.Table.from_batches([batch.select([str(c) for c in columns]) if isinstance(columns, list) else batch])


def _show(parts: Parts, question: Question) -> Iterator[Said]:
    yield parts.show(str(question.facts.get("name")))


def _tail(parts: Parts, question: Question) -> Iterator[Said]:
    """The last rows of a stream or receiver, then those that come, as JSON lines."""
    name = str(question.facts.get("name"))
    kind = next((kind for kind in ("streams", "receivers") if name in parts.schemas(kind)), "streams")
    chosen(parts, kind, [name])
    with parts.watching(kind, [name], int(str(question.facts.get("rows", 10)))) as watcher:
        while not question.over():
            found = watcher.next(LOOK)
            yield {} if found is None else pa.table({"line": parts.lines(found)})
