"""Pretty-printing a query from its own text: one command per line, subqueries indented, everything else verbatim.

Only blanks around pipes, brackets of subqueries and command names change; regexes, strings, paths, comments and line
breaks inside arguments stay as they were written. ``format_query(format_query(q)) == format_query(q)`` and the parse of
the result equals the parse of ``q``. Raises the QueryError of a query that does not parse.
"""

from __future__ import annotations

import re

from logsql.language.parser import Grammar, QueryParser, trimmed
from logsql.language.splitter import Group

_NAME = re.compile(r"\S+")


def format_query(text: str, grammar: Grammar) -> str:
    """The query in the house style, without a final line break."""
    parser = QueryParser(text, grammar)
    parser.parse()
    return _Formatter(parser).group(parser.split.root, 0)


class _Formatter:
    def __init__(self, parser: QueryParser) -> None:
        self.source = parser.source
        self.groups = {at: parser.split.groups[at] for at in sorted(parser.subqueries)}

    def group(self, group: Group, depth: int) -> str:
        """The commands of a group; those after the first start a line with ``|``."""
        commands = []
        for segment in group.segments:
            start, end = trimmed(self.source, segment.start, segment.end)
            commands.append(self.comment(start, end) if segment.comment else self.command(start, end, depth))
        return ("\n" + "  " * depth + "| ").join(commands)

    def comment(self, start: int, end: int) -> str:
        return f"# {self.source.nfc[start + 1 : end].strip()}"

    def command(self, start: int, end: int, depth: int) -> str:
        found = _NAME.match(self.source.buffer, start, end)
        behind = found.end() if found is not None else end
        name = self.source.buffer[start:behind]
        arguments, pos = "", behind
        for at, group in self.groups.items():
            if not pos <= at < end:
                continue
            arguments += self.verbatim(pos, at).rstrip() + " [ " + self.group(group, depth + 1) + " ]"
            pos = group.end + 1
            if pos < end and not self.source.buffer[pos].isspace():
                arguments += " "
        arguments += self.verbatim(pos, end)
        return f"{name} {arguments.strip()}".rstrip()

    def verbatim(self, start: int, end: int) -> str:
        """The text as the user wrote it."""
        span = self.source.span(start, end)
        return self.source.original[span.start : span.end]
