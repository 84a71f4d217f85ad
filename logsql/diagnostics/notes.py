"""Notes: what the plan tells about a query that runs but may not mean what it says. Never an error.

A :class:`Note` is made from a row of the catalogue whose code is ``N`` and four digits::

    NO_FIELD = define("N1001", "unknown-field", (...), ("there is no field {field}", "..."), help=...)
    stage.note(NO_FIELD, span, field=name)

A lowering says it where the resolved types are known: ``stage.note(ROW, span, ...)``, ``context.note(ROW, span, ...)``,
``call.note(ROW, position, ...)``. A part of a query may be lowered more than once (a pending projection is written
first, a subquery is planned for its names): equal notes at one span are kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import Sentence
from logsql.language.positions import line_and_column

if TYPE_CHECKING:
    from logsql.language.tree import Span


@dataclass(frozen=True)
class Note:
    """One finding. ``sentence`` and ``help`` are in the language in force when the query was planned; ``span`` are
    offsets into ``text``, the query as the user wrote it, which was read from the file ``origin`` if there is one.
    ``covers`` is a loss (reason, source) of which the note tells the cause: it is not said a second time.
    """

    code: str
    name: str
    sentence: str
    span: Span | None = None
    help: str | None = None
    text: str | None = field(default=None, repr=False, compare=False)
    origin: str | None = None
    covers: tuple[str, str] | None = field(default=None, compare=False)

    def located(self, text: str, origin: str | None = None) -> Note:
        """The same note with the query text it belongs to, unless it has one already."""
        return self if self.text is not None else replace(self, text=text, origin=origin)

    @property
    def line(self) -> int:
        """Line of the place, from 1; 0 where there is none."""
        return self._place[0]

    @property
    def column(self) -> int:
        """Column of the place in characters, from 1; 0 where there is none."""
        return self._place[1]

    @property
    def _place(self) -> tuple[int, int]:
        if self.text is None or self.span is None:
            return 0, 0
        return line_and_column(self.text, self.span.start)


class Notes:
    """The notes of one plan, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span | None, str | None], Note] = {}
        self._general: set[tuple[str, Span | None, str | None]] = set()
        self._text: str | None = None
        self._origin: str | None = None

    def add(
        self,
        said: Sentence,
        span: Span | None = None,
        /,
        *,
        help: str | None = None,
        covers: object = None,
        **facts: object,
    ) -> None:
        """Keep a note made of a row of the catalogue; ``help`` takes the place of the row's own."""
        key = (said.code, span, self._text)
        if key in self._found:
            return
        if help is None and said.help is not None:
            help = said.help.fill(**facts)
        entry = (str(covers[0]), str(covers[1])) if isinstance(covers, tuple) else None
        sentence = said.text.fill(**facts)
        self._found[key] = Note(said.code, said.name, sentence, span, help, self._text, self._origin, entry)

    def add_general(self, said: Sentence, span: Span, /, *, help: str | None = None, **facts: object) -> None:
        """As :meth:`add`, of a note that is left out where another says more of the same place."""
        self.add(said, span, help=help, **facts)
        self._general.add((said.code, span, self._text))

    @contextmanager
    def within(self, text: str, origin: str) -> Iterator[None]:
        """While another text is planned (a stored query): its spans are offsets into that text."""
        before = self._text, self._origin
        self._text, self._origin = text, origin
        try:
            yield
        finally:
            self._text, self._origin = before

    def ordered(self) -> tuple[Note, ...]:
        """All notes in the order of the query; those of other texts behind its own."""
        places = [(span, text) for _, span, text in self._found]
        found = [n for key, n in self._found.items() if key not in self._general or places.count(key[1:]) == 1]
        return tuple(sorted(found, key=lambda n: (n.text is not None, n.origin or "", n.span.start if n.span else 0)))
