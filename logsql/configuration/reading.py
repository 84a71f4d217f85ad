"""Where the configuration is, and how it is read: ``config.toml``, with the profiles of ``profiles.toml`` beside it."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from logsql.configuration.checking import Check, ConfigurationError, Document, Place, Table
from logsql.configuration.declaring import NamedOf, Section, TableOf
from logsql.configuration.keys import ROOT
from logsql.configuration.locating import KeyPath, lines
from logsql.configuration.settings import Configuration
from logsql.diagnostics.configuration import (
    GIVEN_IN_BOTH,
    NESTED_TOO_DEEPLY,
    NO_TOML,
    NOT_READ,
    NOT_THERE,
    NOT_UTF8,
    OPEN_TO_OTHERS,
    TOO_LARGE,
)
from logsql.diagnostics.errors import Diagnostic, UsageError, diagnostic
from logsql.store.files import Files
from logsql.store.folders import config_folder

#: Bytes that a file of settings may have.
MOST_BYTES = 1_000_000
#: The file of profiles that ``logsql profile`` writes, beside the configuration.
PROFILES = "profiles.toml"


@dataclass(frozen=True)
class Source:
    """One file as it was read: its path, its table, the line of each key; whether others may read or write it."""

    path: Path
    table: Table
    lines: Mapping[KeyPath, int]
    shared: bool


def place(named: str | os.PathLike[str] | None) -> tuple[Path | None, bool]:
    """The configuration file, and whether somebody named it (it must be there then).

    The one that is named, else LOGSQL_CONFIG, else the user's. Never the current folder, in which evidence may lie.
    None where the user has no home. Raises UsageError for a text that names no file.
    """
    found = named if named is not None else os.environ.get("LOGSQL_CONFIG") or None
    if found is not None:
        path = Path(found)
        if not path.name:  # "" and "/" name no file, and nothing lies beside them
            raise UsageError(diagnostic(NOT_THERE, path=found))
        return path, True
    folder = config_folder()
    return (None if folder is None else folder / "config.toml"), False


def configuration(named: str | os.PathLike[str] | None) -> Configuration:
    """The settings as the files have them; the defaults where there are none.

    Raises ConfigurationError with everything that is wrong, UsageError for a file that cannot be read.
    """
    return configuration_of(sources(named))


def sources(named: str | os.PathLike[str] | None) -> list[Source]:
    """The files of the configuration that are there."""
    path, needed = place(named)
    if path is None:
        return []
    found = [source(path, needed)]
    if path.name != PROFILES:
        found.append(source(path.with_name(PROFILES), False))
    return [one for one in found if one is not None]


def configuration_of(found: list[Source]) -> Configuration:
    """The settings of files that are read together. Raises ConfigurationError."""
    check = Check(_document(found))
    for path, first, second in _twice(found):
        check.wrong(GIVEN_IN_BOTH, path, other=check.document.told(Place(first, second)))
    made = check.settings(ROOT)
    _check_readers(check, found)
    check.refuse()
    return replace(cast(Configuration, made), files=check.document.files)


def source(path: Path, needed: bool) -> Source | None:
    """One file; None where it is not there and need not be. Raises UsageError."""
    if "\0" in str(path):
        raise UsageError(diagnostic(NOT_THERE, path=path))
    try:
        with Files().open(path) as file:
            shared = sys.platform != "win32" and bool(os.fstat(file.fileno()).st_mode & 0o077)
            data = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        if needed:
            raise UsageError(diagnostic(NOT_THERE, path=path)) from None
        return None
    except OSError as problem:
        raise UsageError(diagnostic(NOT_READ, path=path, reason=problem.strerror or problem)) from None
    if len(data) > MOST_BYTES:
        raise UsageError(diagnostic(TOO_LARGE, path=path, most=MOST_BYTES))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise UsageError(diagnostic(NOT_UTF8, place=f"{path}:{line}")) from None
    return _parsed(path, text, shared)


#: As ``tomllib`` says it; what Python says of such a value may hold it.
_NO_VALUE = "Invalid value"
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


def _parsed(path: Path, text: str, shared: bool) -> Source:
    try:
        table = tomllib.loads(text)
        return Source(path, table, lines(text), shared)
    except tomllib.TOMLDecodeError as problem:
        found = _AT.search(str(problem))
        line = int(found[1]) if found and found[1] else text.count("\n") + (not text.endswith("\n"))
        reason = _AT.sub("", str(problem))
        problems: list[Diagnostic] = [diagnostic(NO_TOML, place=f"{path}:{line}", reason=reason)]
    except RecursionError:
        problems = [diagnostic(NESTED_TOO_DEEPLY, place=path)]
    except ValueError:  # an integer of more digits than Python converts, a date that no calendar has
        problems = [diagnostic(NO_TOML, place=path, reason=_NO_VALUE)]
    raise ConfigurationError(problems)


def _document(found: list[Source]) -> Document:
    """The files as one table."""
    places: dict[KeyPath, Place] = {}
    merged: dict[str, object] = {}
    for number, one in enumerate(found):
        for path, line in one.lines.items():
            places.setdefault(path, Place(number, line))
        _merge(merged, one.table, ROOT)
    folder = str(found[0].path.parent.absolute()) if found else ""
    return Document(merged, folder, tuple(str(one.path) for one in found), places)


def _merge(into: dict[str, object], table: Table, section: Section) -> None:
    """Add a table: sections and tables of names are put together, of everything else the first stays."""
    kinds = {key.name: key.kind for key in section.keys}
    for name, value in table.items():
        kind, there = kinds.get(name), into.get(name)
        if isinstance(there, dict) and isinstance(value, dict) and isinstance(kind, TableOf | NamedOf):
            if isinstance(kind, TableOf):
                _merge(there, value, kind.section)
            else:
                into[name] = {**value, **there}
        else:
            into.setdefault(name, dict(value) if isinstance(value, dict) else value)


def _twice(found: list[Source]) -> list[tuple[KeyPath, int, int]]:
    """Keys that both files have, with the number and line of the other place."""
    if len(found) < 2:
        return []
    first, second = found
    return [(path, 1, second.lines.get(path, 0)) for path in _both(first.table, second.table, ROOT)]


def _both(one: Table, other: Table, section: Section) -> list[KeyPath]:
    kinds = {key.name: key.kind for key in section.keys}
    out: list[KeyPath] = []
    for name in one.keys() & other.keys():
        kind, left, right = kinds.get(name), one[name], other[name]
        if not (isinstance(left, dict) and isinstance(right, dict) and isinstance(kind, TableOf | NamedOf)):
            out.append((name,))
        elif isinstance(kind, TableOf):
            out += [(name, *path) for path in _both(left, right, kind.section)]
        else:
            out += [(name, entry) for entry in left.keys() & right.keys()]
    return out


def _check_readers(check: Check, found: list[Source]) -> None:
    """A file with a secret in it is its owner's alone."""
    for number, one in enumerate(found):
        written = [path for path in check.literals if check.document.place(path).file == number]
        if one.shared and written:
            check.wrong(OPEN_TO_OTHERS, written[0], path=one.path)
