"""The configuration of ``logsql serve``: one file and those it includes, changed by ``--set``, checked as a whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from logsql.configuration.checking import Check, Document, Place, Table, form
from logsql.configuration.declaring import ArrayOf, ListOf, NamedOf, Scalar, Section, TableOf
from logsql.configuration.locating import KeyPath
from logsql.configuration.reading import Source, source
from logsql.diagnostics.configuration import GIVEN_IN_BOTH, MISSING_KEY, NOT_THERE, OPEN_TO_OTHERS
from logsql.diagnostics.errors import UsageError, diagnostic, nearest
from logsql.diagnostics.messages import listed, message
from logsql.diagnostics.serving import (
    CIRCLE,
    INCLUDED_TWICE,
    NAME_TWICE,
    NO_SUCH_SINK,
    NO_SUCH_SOURCE,
    NO_UTF8,
    ONE_STDIN,
    QUERY_FILE,
    SAME_FILE,
    SAME_LISTENER,
    SET_NOTHING,
    SET_WHAT,
)
from logsql.store.files import Files
from logsql.store.logfiles import matching
from logsql.streams.servekeys import ROOT, SERVER, port_of
from logsql.streams.settings import Live

#: Arrays of tables, each entry of which has a name.
_NAMED = ("receiver", "stream", "sink")
_SET = "--set"
#: Bytes that a query may have.
_MOST = 1_000_000


def live(path: Path, sets: Sequence[str] = ()) -> Live:
    """The settings of a server: of its file, those that it includes, and ``KEY=VALUE`` words in their place.

    Relative paths begin at the folder of the file that names them, those of ``sets`` at the current one; ``database``
    and ``dead.path`` at the state folder. Raises ConfigurationError with everything that is wrong, UsageError for a
    file that cannot be read.
    """
    found = _sources(path)
    document, twice = _document(found)
    _apply(document, sets)
    check = Check(document)
    for at, said, other in twice:
        if said is GIVEN_IN_BOTH:
            check.wrong(GIVEN_IN_BOTH, at, other=document.told(other))
        else:
            check.wrong(INCLUDED_TWICE, at)
    if "server" not in document.table:
        state = next(key for key in SERVER.keys if key.needed)
        check.wrong(MISSING_KEY, ("server",), missing=state.name, form=form(state))
    made = cast("Live | None", check.settings(ROOT)) if "server" in document.table else None
    for number, one in enumerate(found):
        written = [at for at in check.literals if document.place(at).file == number]
        if one.shared and written:
            check.wrong(OPEN_TO_OTHERS, written[0], path=one.path)
    _check_names(check, document.table)
    if made is not None:
        made = _with_queries(check, made)
        _check_together(check, made)
    check.refuse()
    assert made is not None, "what is wrong was told"
    return _resolved(made, tuple(str(one.path) for one in found))


def state_dir_of(path: str) -> str:
    """The state folder that the file of a server names, whatever else is wrong in the file: who asks a running server
    needs no more. Raises ConfigurationError where it names none, UsageError for a file that cannot be read."""
    document, _ = _document(_sources(Path(path)))
    given = document.table.get("server", {})
    server = {key: given[key] for key in given if key == "state_dir"} if isinstance(given, Mapping) else given
    check = Check(replace(document, table={"server": server}))
    made = cast("Live", check.settings(ROOT))
    check.refuse()
    return made.server.state_dir


def _resolved(made: Live, files: tuple[str, ...]) -> Live:
    """The settings with the paths that begin at the state folder."""
    folder = Path(made.server.state_dir)
    server = replace(made.server, database=str(folder / Path(made.server.database).expanduser()))
    dead = replace(made.dead, path=str(folder / Path(made.dead.path).expanduser()))
    return replace(made, server=server, dead=dead, reach=replace(made.reach, files=files), files_read=files)


# --- files ------------------------------------------------------------------------------------------------------------


def _sources(path: Path) -> list[Source]:
    """The file and those that it includes, each once. A pattern may match none; a file that is named must be there."""
    first = source(path, True)
    assert first is not None, "it is needed"
    found = [first]
    given = first.table.get("include", [])
    for pattern in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
        if not isinstance(pattern, str) or not pattern:
            continue  # told by the check
        name = str(path.parent / Path(pattern).expanduser())
        names = matching(Files(), name)
        if not names and not re.search(r"[*?\[]", pattern):
            raise UsageError(diagnostic(NOT_THERE, path=name))
        for one in names:
            if not any(Path(one) == other.path for other in found):
                read = source(Path(one), True)
                assert read is not None, "it is needed"
                found.append(read)
    return found


def _document(found: list[Source]) -> tuple[Document, list[tuple[KeyPath, object, Place]]]:
    """The files as one table, and what two of them have that only one may have."""
    merged: dict[str, object] = {}
    places: dict[KeyPath, Place] = {}
    twice: list[tuple[KeyPath, object, Place]] = []
    for number, one in enumerate(found):
        if number and "include" in one.table:
            twice.append((("include",), INCLUDED_TWICE, Place(number, 0)))
            places[("include",)] = Place(number, one.lines.get(("include",), 0))
        shift = {name: len(kept) for name in _NAMED if isinstance(kept := merged.get(name), list)}
        for path, line in one.lines.items():
            places.setdefault(_shifted(path, shift), Place(number, line))
        again = list(_merge(merged, one.table, ROOT, ()))
        twice += [(path, GIVEN_IN_BOTH, Place(number, one.lines.get(path, 0))) for path in again]
    folders = tuple(str(one.path.parent.absolute()) for one in found)
    document = Document(merged, folders[0], tuple(str(one.path) for one in found), places, folders)
    return document, twice


def _shifted(path: KeyPath, shift: Mapping[str, int]) -> KeyPath:
    """Where an entry of an array stands when those of earlier files stand before it."""
    if len(path) > 1 and isinstance(path[1], int) and path[0] in shift:
        return (path[0], path[1] + shift[str(path[0])], *path[2:])
    return path


def _merge(into: dict[str, object], table: Table, section: Section, at: KeyPath) -> Iterator[KeyPath]:
    """Add a table: arrays grow, tables are put together, and what both have is told."""
    kinds = {key.name: key.kind for key in section.keys}
    for name, value in table.items():
        kind, there = kinds.get(name), into.get(name)
        if isinstance(kind, ArrayOf) and isinstance(value, list) and isinstance(there, list):
            there += value
        elif isinstance(there, dict) and isinstance(value, dict) and isinstance(kind, TableOf):
            yield from _merge(there, value, kind.section, (*at, name))
        elif isinstance(there, dict) and isinstance(value, dict) and isinstance(kind, NamedOf):
            yield from ((*at, name, entry) for entry in there.keys() & value.keys())
            there |= {entry: found for entry, found in value.items() if entry not in there}
        elif name in into:
            if name != "include" or at:
                yield (*at, name)
        else:
            into[name] = dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


# --- --set ------------------------------------------------------------------------------------------------------------


def _apply(document: Document, sets: Sequence[str]) -> None:
    """Put ``KEY=VALUE`` words in the place of what the files have."""
    if not sets:
        return
    number = len(document.files)
    document.files = (*document.files, _SET)
    document.folders = (*document.folders, str(Path.cwd()))
    places = dict(document.places)
    for word in sets:
        parts, value = _split(word)
        table = cast("dict[str, object]", document.table)
        path = _put(table, ROOT, parts, value, ())
        places[path] = Place(number, 0)
    document.places = places


def _split(word: str) -> tuple[list[str], str]:
    """The parts of a key, and what stands behind the equals sign."""
    key, equals, value = word.partition("=")
    try:
        table: object = tomllib.loads(f"{key} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        table = None
    parts: list[str] = []
    while isinstance(table, dict) and len(table) == 1:
        ((part, table),) = table.items()
        parts.append(part)
    if not equals or table != 0 or "\n" in key:
        raise UsageError(diagnostic(SET_WHAT, value=word))
    return parts, value


def _put(table: dict[str, object], section: Section, parts: list[str], value: str, at: KeyPath) -> KeyPath:
    """Set a key below a table; its place. What no section knows is put there too, for the check to tell."""
    name, rest = parts[0], parts[1:]
    kind = next((key.kind for key in section.keys if key.name == name), None)
    if isinstance(kind, ArrayOf) and len(rest) > 1:
        entries = table.get(name)
        names = (
            [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
            if isinstance(entries, list)
            else []
        )
        if not isinstance(entries, list) or rest[0] not in names:
            there = listed([str(one) for one in names if one is not None], 20)
            raise UsageError(diagnostic(SET_NOTHING, key=".".join(parts), what=name, names=there))
        number = names.index(rest[0])
        return _put(entries[number], kind.section, rest[1:], value, (*at, name, number))
    if isinstance(kind, TableOf | NamedOf) and rest:
        below = _table(table, name)
        if isinstance(kind, NamedOf) and len(rest) > 1:
            return _put(_table(below, rest[0]), kind.section, rest[1:], value, (*at, name, rest[0]))
        if isinstance(kind, TableOf):
            return _put(below, kind.section, rest, value, (*at, name))
    for part in parts[:-1]:
        table, at = _table(table, part), (*at, part)
    last = next((key.kind for key in section.keys if key.name == name), None) if not rest else None
    table[parts[-1]] = _typed(last, value)
    return (*at, parts[-1])


def _table(table: dict[str, object], name: str) -> dict[str, object]:
    found = table.get(name)
    if not isinstance(found, dict):
        found = table[name] = {}
    return found


def _typed(kind: object, value: str) -> object:
    """A word as the value of its key: numbers, truth and lists as the key takes them."""
    if isinstance(kind, ListOf):
        if value.startswith("["):
            try:
                return tomllib.loads(f"x = {value}")["x"]
            except tomllib.TOMLDecodeError:
                return value
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(kind, Scalar) and kind.type is bool:
        return {"true": True, "false": False}.get(value, value)
    if isinstance(kind, Scalar) and kind.type is not str and re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        return int(value)
    return value


# --- what goes together -----------------------------------------------------------------------------------------------


def _entries(table: Table, name: str) -> list[tuple[int, Table]]:
    found = table.get(name)
    return [(n, entry) for n, entry in enumerate(found) if isinstance(entry, dict)] if isinstance(found, list) else []


def _check_names(check: Check, table: Table) -> None:
    """Receivers, streams and sinks share one space of names; sources and sinks are there."""
    seen: dict[object, KeyPath] = {}
    for array in _NAMED:
        for number, entry in _entries(table, array):
            name, at = entry.get("name"), (array, number, "name")
            if not isinstance(name, str):
                continue
            if name in seen:
                other = check.document.told(check.document.place(seen[name]))
                check.wrong(NAME_TWICE, at, name=name, other=other)
            seen.setdefault(name, at)
    sources = [str(name) for name, at in seen.items() if at[0] != "sink"]
    sinks = [str(name) for name, at in seen.items() if at[0] == "sink"]
    for number, entry in _entries(table, "stream"):
        for place, name in _words(entry.get("from"), ("stream", number, "from")):
            if name not in sources and not re.match(r"(?:table|context):|server:log$", name):
                _unknown(check, NO_SUCH_SOURCE, place, name, sources)
        for place, name in _words(entry.get("to"), ("stream", number, "to")):
            if name not in sinks:
                _unknown(check, NO_SUCH_SINK, place, name, sinks)


def _words(value: object, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, list):
        yield from (((*at, number), word) for number, word in enumerate(value) if isinstance(word, str))


def _unknown(check: Check, said: object, at: KeyPath, name: str, names: list[str]) -> None:
    near = nearest(name, names)
    help = message("help-did-you-mean", names=", ".join(near)) if near else None
    sentence = NO_SUCH_SOURCE if said is NO_SUCH_SOURCE else NO_SUCH_SINK
    check.wrong(sentence, at, help=help, name=name, names=listed(names, 20))


def _check_together(check: Check, made: Live) -> None:
    """Circles of streams; two that read or write one thing."""
    streams = {stream.name: stream for stream in made.streams}
    for number, stream in enumerate(made.streams):
        trail = _circle(stream.name, {name: one.sources for name, one in streams.items()})
        if trail and min(trail) == stream.name:
            check.wrong(CIRCLE, ("stream", number, "from"), names=" → ".join([*trail, trail[0]]))
    files: dict[str, str] = {}
    for number, sink in enumerate(made.sinks):
        if sink.path is not None and files.setdefault(sink.path, sink.name) != sink.name:
            check.wrong(SAME_FILE, ("sink", number, "path"), name=files[sink.path])
    listeners: dict[tuple[bool, str, int], str] = {}
    stdin = False
    for number, receiver in enumerate(made.receivers):
        if receiver.kind == "stdin":
            if stdin:
                check.wrong(ONE_STDIN, ("receiver", number, "kind"))
            stdin = True
        for place, listen in enumerate(receiver.listen):
            scheme, host, port = port_of(listen)
            key = (scheme == "udp", host, port)
            if port and key in listeners:
                check.wrong(SAME_LISTENER, ("receiver", number, "listen", place), name=listeners[key])
            listeners[key] = receiver.name


def _circle(name: str, sources: Mapping[str, Sequence[str]]) -> list[str]:
    """The streams from one back to itself, in the order of rows; none where there is no way."""
    ways: list[list[str]] = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for source_name in sources.get(way[-1], ()):
            if source_name == name:
                return way[::-1]
            if source_name in sources and source_name not in seen:
                seen.add(source_name)
                ways.append([*way, source_name])
    return []


def _with_queries(check: Check, made: Live) -> Live:
    """The streams with the texts of their query files."""
    streams = list(made.streams)
    for number, stream in enumerate(streams):
        if stream.origin is None:
            continue
        try:
            data = Files().read(stream.origin, _MOST)
            streams[number] = replace(stream, query=data.decode("utf-8-sig"))
        except (OSError, ValueError) as problem:
            reason: object = problem
            if isinstance(problem, OSError):
                reason = problem.strerror or problem
            elif isinstance(problem, UnicodeDecodeError):
                reason = NO_UTF8.fill()
            check.wrong(QUERY_FILE, ("stream", number, "file"), path=stream.origin, reason=reason)
    return replace(made, streams=tuple(streams))
