"""Query text to command tree.

``parse_query(text, grammar)`` splits the text, finds each command in the grammar, reads its options and lets the
command's own declaration read the rest through an :class:`~logsql.language.reader.ArgReader`. No command is known here
by name. The first error ends the parse: 90003 empty command, 92000 unknown command, 90000..90002 options, and whatever
the expression grammar or the declaration raises; every error carries the query text and a span into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from logsql.diagnostics.foreign import foreign_name, foreign_option, meant_construct, meant_name
from logsql.diagnostics.language import EMPTY_COMMAND, EMPTY_QUERY, UNSUPPORTED_COMMAND
from logsql.diagnostics.messages import Text, message
from logsql.diagnostics.places import Place
from logsql.language.expressions import reject_rest
from logsql.language.options import read_options, sweep_options
from logsql.language.reader import ArgReader
from logsql.language.source import Source
from logsql.language.splitter import Group, Segment, Split, split
from logsql.language.sqlwords import is_sql
from logsql.language.tree import Command, Comment, Option, Query, Subquery

if TYPE_CHECKING:
    from logsql.diagnostics.errors import QueryError

_NAME = re.compile(r"\S+")


class CommandGrammar(Protocol):
    """What the language room needs to know of a command; commands/base.py implements it."""

    @property
    def name(self) -> str: ...
    @property
    def option_names(self) -> tuple[str, ...]: ...
    @property
    def options_anywhere(self) -> bool: ...
    @property
    def takes_options(self) -> bool: ...
    @property
    def usage(self) -> tuple[str, ...]: ...
    @property
    def sql(self) -> bool: ...
    def parse(self, reader: ArgReader) -> object: ...


class Grammar(Protocol):
    """The commands of the language. ``refused`` are real commands that this product does not run: name -> reason."""

    @property
    def refused(self) -> Mapping[str, Text]: ...
    def command(self, name: str) -> CommandGrammar | None: ...
    def command_names(self) -> Iterable[str]: ...
    def reader_of(self, path: str) -> str | None: ...
    def computes(self, name: str) -> str | None: ...


def parse_query(text: str, grammar: Grammar) -> Query:
    """Parse a whole query. Raises :class:`~logsql.diagnostics.errors.QueryError`."""
    return QueryParser(text, grammar).parse()


@dataclass
class QueryParser:
    """One parse: the split text, and which brackets turned out to be subqueries (the formatter asks)."""

    text: str
    grammar: Grammar
    subqueries: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.split: Split = split(Source.of(self.text), self._followed_by_sql)
        self.source: Source = self.split.source

    def parse(self) -> Query:
        return self._group(self.split.root)

    def _followed_by_sql(self, name: str) -> bool:
        spec = self.grammar.command(name)
        return spec is not None and spec.sql

    def opens(self, at: int) -> bool:
        """Whether a subquery begins here; a bracket in what was split as a text (``type"=left [``) opens none."""
        return at in self.split.groups

    def subquery(self, at: int) -> tuple[Subquery, int]:
        """The subquery whose ``[`` stands at ``at``, and the position behind its ``]``."""
        group = self.split.groups[at]
        self.subqueries.add(at)
        return Subquery(self._group(group), self.source.span(at, group.end + 1)), group.end + 1

    def _group(self, group: Group) -> Query:
        commands: list[Command] = []
        comments: list[Comment] = []
        for segment in group.segments:
            start, end = trimmed(self.source, segment.start, segment.end)
            if segment.comment:
                comments.append(self._comment(start, end, len(commands)))
            elif start == end:
                raise self._empty(group, segment)
            else:
                commands.append(self._command(start, end))
        start, end = trimmed(self.source, group.start, group.end)
        if not commands:
            raise self.source.error(EMPTY_QUERY, start, end, help=self._swallowed(comments))
        return Query(tuple(commands), tuple(comments), self.source.span(start, end))

    def _swallowed(self, comments: list[Comment]) -> str | None:
        """The line of a comment that begins like a command: a comment goes on to the next pipe."""
        for comment in comments:
            for line in comment.text.split("\n")[1:]:
                name = line.split(maxsplit=1)[0] if line.strip() else ""
                if name and self.grammar.command(name) is not None:
                    return message("help-comment-swallows", line=" ".join(line.split())[:60])
        return None

    def _comment(self, start: int, end: int, position: int) -> Comment:
        return Comment(self.source.nfc[start + 1 : end].strip(), position, self.source.span(start, end))

    def _empty(self, group: Group, segment: Segment) -> QueryError:
        if len(group.segments) == 1:
            span = (segment.start - 1, segment.end + 1) if group.start else (segment.start, segment.end)
            return self.source.error(EMPTY_QUERY, *span)
        first = segment is group.segments[0]
        pipe = segment.end if first else segment.start - 1
        doubled = not first and segment.start == segment.end < group.end
        help = message("help-pipe-or") if doubled else None
        if doubled and (begin := group.segments[group.segments.index(segment) - 1].start) is not None:
            help = meant_construct(self.source.buffer, begin, group.end, pipe, Place.COMMAND) or help
        return self.source.error(EMPTY_COMMAND, pipe, pipe + 1 + doubled, help=help)

    def _command(self, start: int, end: int) -> Command:
        source = self.source
        found = _NAME.match(source.buffer, start, end)
        name = found[0] if found is not None else ""
        behind = start + len(name)
        spec = self.grammar.command(name)
        if spec is None:
            raise self._unknown(name, start)
        options: tuple[Option, ...] = ()
        pos = behind
        buffer: str | None = None
        if spec.takes_options:
            options, pos = read_options(source, pos, end, name, spec.option_names)
            if spec.sql:
                later, range_ = self._options_behind_word(pos, end, name, spec.option_names)
                options += later
                buffer = _blanked(source.buffer, [range_]) if later else None
            elif spec.options_anywhere:
                later, ranges = sweep_options(source, pos, end, name, spec.option_names)
                options += later
                buffer = _blanked(source.buffer, ranges) if ranges else None
        reader = ArgReader(self, name, source.span(start, behind), options, pos, end, spec, buffer)
        args = spec.parse(reader)
        if not reader.at_end():
            reject_rest(reader.source, reader.pos, end, self._too_much(name, spec, reader, end))
        return Command(name, options, args, source.span(start, end), source.span(start, behind))

    def _options_behind_word(
        self, pos: int, end: int, name: str, names: tuple[str, ...]
    ) -> tuple[tuple[Option, ...], tuple[int, int]]:
        """The options between the first word and the SQL, and where they stand: nothing of the SQL is an option."""
        begin, _ = trimmed(self.source, pos, end)
        word = _NAME.match(self.source.buffer, begin, end)
        at = begin if word is None else word.end()
        options, stop = read_options(self.source, at, end, name, names)
        return options, (at, stop)

    def _too_much(self, name: str, spec: CommandGrammar, reader: ArgReader, end: int) -> str | None:
        """The help of text behind the arguments: an option out of its place, a second query, else the usage."""
        rest = reader.source.buffer[reader.pos : end].lstrip()
        option = re.match(r"([^\W\d][\w.\-]*)=", rest)
        if option is not None and option[1] in spec.option_names:
            return message("help-option-order", command=name, option=option[1])
        if option is not None:
            value = rest[option.end() :].split(maxsplit=1)
            if help := foreign_option(name, option[1], value[0] if value else "", spec.option_names):
                return help
        if rest.startswith(";"):
            return message("help-one-query")
        return message("help-use", form=spec.usage[0]) if spec.usage else None

    def _unknown(self, name: str, start: int) -> QueryError:
        reason = self.grammar.refused.get(name)
        if reason is not None:
            return self.source.error(
                UNSUPPORTED_COMMAND, start, start + len(name), command=name, notes=(reason.fill(),)
            )
        names = list(self.grammar.command_names())
        head = re.split(r'[\[("=]', name, maxsplit=1)[0]
        if name.startswith("#"):
            help: str | None = message("help-comment-blank")
        elif head != name and head in names:
            help = message("help-blank-after-command", command=head)
        elif self._first(start) and is_sql(self.text, names):
            help = message("help-sql")
        elif self._first(start) and (found := self._read_file(start)):
            help = message("help-use", form=found)
        else:
            help = self._other_word(name, head, names, self._first(start))
        return self.source.error(UNSUPPORTED_COMMAND, start, start + len(name), command=name, help=help)

    def _other_word(self, name: str, head: str, names: list[str], first: bool) -> str | None:
        """The help for a word in capitals, of another language, a function in its place, a misspelt one."""
        foreign = foreign_name(head, Place.COMMAND)
        lower = name.lower()
        if name != lower in names and (first or foreign is None):  # TABLE t; in the middle it is a word of Splunk
            return message("help-did-you-mean", names=f'"{lower}"')
        if foreign is None and (form := self.grammar.computes(head)) is not None:
            return message("help-use", form=form)
        called = foreign_name(head, Place.FUNCTION) if head != name else None  # cidrmatch(...)
        return foreign or called or meant_name(name, Place.COMMAND, names)

    def _first(self, start: int) -> bool:
        return not self.text[: self.source.span(start, start).start].strip()

    def _read_file(self, start: int) -> str | None:
        """The command that reads a file named where a command stands: ``a.csv | ...``, ``cat a.log | ...``."""
        segment = self.split.root.segments[0]
        words = self.source.buffer[start : segment.end].split()
        path = next((word.strip("\"'") for word in words[:2] if self.grammar.reader_of(word.strip("\"'"))), None)
        return None if path is None else f"{self.grammar.reader_of(path)} {path}"


def trimmed(source: Source, start: int, end: int) -> tuple[int, int]:
    """The range without the blanks at both ends."""
    text = source.buffer[start:end]
    stripped = text.strip()
    start += len(text) - len(text.lstrip())
    return start, start + len(stripped)


def _blanked(buffer: str, ranges: list[tuple[int, int]]) -> str:
    pieces, last = [], 0
    for start, end in ranges:
        pieces += [buffer[last:start], " " * (end - start)]
        last = end
    return "".join(pieces) + buffer[last:]
