"""What DuckDB says, as an error of ours: the policy's refusals by their code, everything else in DuckDB's own words.

Of an error in SQL that the user wrote, DuckDB's candidates and the place that its caret points at are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import duckdb

from logsql.diagnostics.engine import (
    DISK,
    ENGINE_ERROR,
    ENGINE_REFUSED,
    INTERRUPTED,
    OUT_OF_MEMORY,
    SESSION_CLOSED,
    TOO_MANY_ITEMS,
)
from logsql.diagnostics.errors import (
    Interrupted,
    LogsqlError,
    PolicyError,
    RunError,
    SourceError,
    diagnostic,
    nearest,
    too_long,
)
from logsql.diagnostics.kept import RESULT_DAMAGED
from logsql.diagnostics.messages import message
from logsql.language.spans import width
from logsql.language.tree import Span

#: How DuckDB begins what the locked configuration, the fence and a database opened read-only refuse.
_FENCES = re.compile(r"configuration has been locked|disabled by configuration|attached in read-only mode")

#: What DuckDB adds to its sentence: names that are near, functions of that name, the line and the caret below it.
_NEAR = re.compile(r"^(?:Candidate (?:bindings|tables)|Did you mean)\b.*", re.M)
_QUOTED = re.compile(r'"((?:[^"\n]|"")+)"')
_FUNCTIONS = re.compile(r"^\s*Candidate functions:\n((?:[ \t]+\S.*\n?)+)", re.M)
_PLACE = re.compile(r"^(LINE (\d+): )(.*)\n( *)(\^+)", re.M)
_NAMED = re.compile(
    r"(?:near|column|name|named|function|variable|type|table|parameter|pattern|field) "
    r"(?:\"([^\"]+)\"|'([^']+)'|([^\s\"']+)(?= does not| not found|$))|argument types '(\w+)\("
)
#: A table or table function that is not there; the catalog's own views are no candidates for a name of the user's.
_NO_TABLE = re.compile(r"^Catalog Error: Table (?:Function )?with name (\S+) does not exist")
_SYSTEM = re.compile(r"(?:pg|duckdb|sqlite)_")
#: Candidates that are shown.
_MOST = 5


#: How DuckDB begins where an expression is deeper than it parses or binds.
_DEPTH = re.compile(r"^\w+ Error: Max expression depth limit of \d+ exceeded")
#: What the SQL of a function with a limit says to its ``error()``: code, limit, the call.
_ITEMS = re.compile(rf"Error: {TOO_MANY_ITEMS.code} (\d+) (.*)", re.S)


#: What Arrow says while DuckDB reads a saved result (``saved_table``).
_SAVED = re.compile(r"reading the stream registered as '__saved_\d+' failed: (.*)")

#: How DuckDB tells that the system refused a write or a read: a full disk, a bad sector.
_DISK = re.compile(r'Could not (?:write|read|fsync|truncate|flush)[^"\\]*\\?"([^"\\]+)\\?": ([^"\n]+)')


def first_line(problem: BaseException) -> str:
    """DuckDB's sentence without what it says about its own text."""
    text = str(problem).strip().splitlines()
    return text[0].partition(" Detail: Python exception")[0] if text else type(problem).__name__


def engine_error(problem: duckdb.Error, interrupted: bool = False) -> LogsqlError:
    """The error of the query for one of DuckDB's. ``interrupted``: the run was told to stop."""
    if interrupted or isinstance(problem, duckdb.InterruptException):
        return Interrupted(diagnostic(INTERRUPTED))
    if isinstance(problem, duckdb.ConnectionException) and "closed" in str(problem):
        return RunError(diagnostic(SESSION_CLOSED))
    if isinstance(problem, duckdb.OutOfMemoryException):
        return RunError(diagnostic(OUT_OF_MEMORY, reason=first_line(problem)))
    if isinstance(problem, duckdb.IOException) and (disk := _DISK.search(str(problem))):
        return RunError(diagnostic(DISK, path=disk[1], reason=disk[2]))
    if saved := _SAVED.search(str(problem)):
        return SourceError(diagnostic(RESULT_DAMAGED, reason=saved[1]))
    if _DEPTH.search(str(problem)):
        return too_long()
    if found := _ITEMS.search(str(problem)):
        return RunError(diagnostic(TOO_MANY_ITEMS, limit=int(found[1]), call=found[2]))
    if isinstance(problem, duckdb.PermissionException) or _FENCES.search(str(problem)):
        return PolicyError(diagnostic(ENGINE_REFUSED, reason=first_line(problem)))
    return RunError(diagnostic(ENGINE_ERROR, reason=first_line(problem)))


def sql_error(
    problem: duckdb.Error,
    text: str,
    interrupted: bool = False,
    tables: Callable[[], Iterable[str]] = tuple,
) -> LogsqlError:
    """The error for one of DuckDB's about SQL that the user wrote: with its candidates, and the place in the text.

    ``tables``: the names that may stand behind FROM, which DuckDB does not know all.
    """
    error = engine_error(problem, interrupted)
    found = error.diagnostic
    if found.code != ENGINE_ERROR.code:
        return error
    said = str(problem)
    near = _NEAR.search(said)
    names = _QUOTED.findall(near[0])[:_MOST] if near else []
    if missing := _NO_TABLE.search(said):
        own = nearest(missing[1], tables())
        names = own or [name for name in names if _SYSTEM.match(missing[1]) or not _SYSTEM.match(name)]
    functions = _FUNCTIONS.search(said)
    notes = [line.strip() for line in functions[1].splitlines() if line.strip()][:_MOST] if functions else []
    help = message("help-did-you-mean", names=message("word-or").join(f'"{name}"' for name in names)) if names else None
    error.diagnostic = replace(found, span=_place(said, text), notes=(*found.notes, *notes), help=help or found.help)
    return error.located(text, "sql")


def _place(said: str, text: str) -> Span | None:
    """What the caret points at. In the second of several statements DuckDB counts the ones before twice, and of
    rewritten text the line is another one: there the name that the sentence tells is looked for."""
    named = _NAMED.search(first_line(ValueError(said)))
    words = [] if named is None else list(_words(text, next(name for name in named.groups() if name)))
    spot = _PLACE.search(said)
    span = None if spot is None else _under_caret(spot, text)
    if span is not None:
        if not words:
            return span
        if inside := [word for word in words if span.start <= word.start and word.end <= span.end]:
            return inside[0]
    return words[0] if len(words) == 1 else None


def _words(text: str, name: str) -> Iterator[Span]:
    before = r"(?<!\w)" if name[0].isalnum() else ""  # of a sign: `by)` is where `near ")"` is
    behind = r"(?!\w)" if name[-1].isalnum() else ""
    for match in re.finditer(f"{before}{re.escape(name)}{behind}", text, re.I):
        yield Span(*match.span())


def _under_caret(spot: re.Match[str], text: str) -> Span | None:
    """The place of the caret: DuckDB shows a piece of the line, cut with ``...``, and counts columns of a terminal."""
    before, number, shown = spot[1], int(spot[2]), spot[3]
    lines = text.split("\n")
    if number > len(lines):
        return None
    cut = 3 if shown.startswith("...") else 0
    piece = shown[cut:].removesuffix("...") if not lines[number - 1].endswith(shown[cut:]) else shown[cut:]
    begin = lines[number - 1].find(piece)
    if begin < 0:
        return None
    target = len(spot[4]) - len(before) - cut
    at = 0
    while at < len(piece) and width(piece[:at]) < target:
        at += 1
    end = at
    while end < len(piece) and width(piece[at:end]) < len(spot[5]):
        end += 1
    start = sum(len(line) + 1 for line in lines[: number - 1]) + begin
    return Span(start + at, start + max(end, at))
