"""``profiles.toml``: the file of profiles that the program writes, and the profiles of both files as they are written.

The file is written as a whole and takes the place of the one before (:meth:`~.Files.replacing`); those who write take
turns, so that of two profiles set at once both are there. The user's own ``config.toml`` is never written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from logsql.configuration.checking import Check, Document
from logsql.configuration.declaring import Key, ListOf, Scalar, Unfit
from logsql.configuration.keys import OTHER_DRIVER, PROFILE, ROOT
from logsql.configuration.kinds import PATH, SECRET
from logsql.configuration.reading import PROFILES, Source, place, source
from logsql.configuration.secrets import SCHEMES, Secret
from logsql.configuration.writing import document
from logsql.diagnostics.configuration import (
    NO_HOME,
    NO_PASSWORD,
    PASSWORD_AS_REFERENCE,
    PROFILE_ELSEWHERE,
    PROFILE_NOT_THERE,
)
from logsql.diagnostics.errors import UsageError, diagnostic, nearest
from logsql.diagnostics.messages import message
from logsql.diagnostics.redaction import MASK
from logsql.store.files import Files, keeping

#: The first lines of the file.
HEAD = "# Written by logsql profile, which keeps no comments. Profiles of your own go into config.toml.\n\n"


@dataclass(frozen=True)
class Written:
    """A profile as a file has it: its table and where it stands."""

    name: str
    table: dict[str, object]
    path: Path
    line: int

    @property
    def shown(self) -> dict[str, object]:
        """The table with ``***`` in the place of literal secrets."""
        kind = str(self.table.get("kind"))
        keys = {key.name: key for key in PROFILE.of(PROFILE.variant(kind, self.table))}
        return {key: _shown(keys.get(key), value) for key, value in self.table.items()}


def _shown(key: Key | None, value: object) -> object:
    """A value as it may be shown. Of a key that its kind does not have nothing is known, it may be a misspelt password;
    and a URL that is refused may hold one."""
    kind = key.kind.item if key is not None and isinstance(key.kind, ListOf) else key.kind if key is not None else None
    if not isinstance(kind, Scalar):
        return MASK
    if isinstance(value, list):
        return [_shown(key, item) for item in value]
    if kind is SECRET:
        return str(Secret(value)) if isinstance(value, str) else MASK
    if kind.hidden:
        try:
            kind.read(value, "")
        except Unfit:
            return MASK
    return value


class Profiles:
    """The profiles of a configuration; ``named`` is its file as ``--config`` names it, ``files`` the door to write by.

    Raises UsageError for files that cannot be read.
    """

    def __init__(self, named: str | None, files: Files) -> None:
        path, needed = place(named)
        if path is None:
            raise UsageError(diagnostic(NO_HOME))
        self._own = path.with_name(PROFILES)
        self._user = path if path.name != PROFILES else None
        self._needed = needed
        self._files = files

    def all(self) -> list[Written]:
        """The profiles of both files by name."""
        return sorted((*self._of(self._user_source()), *self._of(source(self._own, False))), key=lambda w: w.name)

    def get(self, name: str) -> Written:
        """A profile. Raises UsageError where there is none, with the nearest names."""
        found = {written.name: written for written in self.all()}
        if name not in found:
            near = nearest(name, found)
            help = message("help-did-you-mean", names=", ".join(near)) if near else None
            raise UsageError(diagnostic(PROFILE_NOT_THERE, help=help, name=name))
        return found[name]

    def set(self, name: str, words: Sequence[tuple[str, str]]) -> bool:
        """Change keys of a profile, or make it; an empty value takes a key away. Whether a secret itself was given.

        Raises UsageError with everything that is wrong in it; nothing is written then.
        """

        def changed(table: dict[str, object]) -> dict[str, object]:
            for key, text in words:
                table.pop(key, None)
                if text:
                    table[key] = text
            return {key: self._value(table, key, value) for key, value in table.items()}

        return self._change(name, changed)

    def set_password(self, name: str, password: str) -> None:
        """Change the password of a profile. One that refers to a keyring is put there. Raises UsageError."""
        if not password:
            raise UsageError(diagnostic(NO_PASSWORD))
        written = self.get(name)
        before = Secret(str(written.table.get("password", "")))
        if before.reference.startswith("keyring:"):
            before.store(password)
            return
        if password.startswith(SCHEMES):
            raise UsageError(diagnostic(PASSWORD_AS_REFERENCE))
        self._change(name, lambda table: {**table, "password": password})

    def remove(self, name: str) -> None:
        """Take a profile away. Raises UsageError where there is none, or where the user's own file has it."""
        self._elsewhere(name)
        self.get(name)
        with self._writing() as profiles:
            profiles.pop(name, None)

    # --- writing ----------------------------------------------------------------------------------

    def _value(self, table: dict[str, object], name: str, value: object) -> object:
        """A word of the command line as the value of its key. A path is the one that is meant where it was typed."""
        variant = PROFILE.variant(str(table.get("kind")), table)
        key = next((key for key in PROFILE.of(variant) if key.name == name), None)
        if key is None or not isinstance(value, str):
            return value
        if isinstance(key.kind, ListOf):
            parts = [part.strip() for part in value.split(",") if part.strip()] if key.kind.several else [value]
            return parts[0] if key.kind.single and len(parts) == 1 else parts
        if isinstance(key.kind, Scalar) and key.kind.type is int:
            return int(value) if re.fullmatch(r"-?\d{1,18}", value, re.ASCII) else value
        if key.kind is PATH:
            return os.path.abspath(os.path.expanduser(value))
        if key.kind is SECRET and value.startswith("file:"):
            return f"file:{os.path.abspath(os.path.expanduser(value.removeprefix('file:')))}"
        return value

    def _change(self, name: str, change: Callable[[dict[str, object]], dict[str, object]]) -> bool:
        """Replace a profile by what comes of it, if that is right; whether it holds a secret itself."""
        self._elsewhere(name)
        with self._writing() as profiles:
            before = profiles.get(name)
            profiles[name] = change(dict(before) if isinstance(before, dict) else {})
            told = message("profile-set")
            check = Check(Document({"profiles": {name: profiles[name]}}, str(self._own.parent.absolute()), (told,)))
            check.settings(ROOT)
            check.refuse()
        return bool(check.literals)

    def _elsewhere(self, name: str) -> None:
        found = next((written for written in self._of(self._user_source()) if written.name == name), None)
        if found is not None:
            raise UsageError(diagnostic(PROFILE_ELSEWHERE, name=name, place=f"{found.path}:{found.line}"))

    @contextmanager
    def _writing(self) -> Iterator[dict[str, object]]:
        """One writer's turn: the profiles of the file, which are changed inside and written at the end of the block."""
        with self._files.lock(self._own.parent):
            found = source(self._own, False)
            table = dict(found.table) if found is not None else {}
            profiles = table.get("profiles")
            table["profiles"] = kept = dict(profiles) if isinstance(profiles, dict) else {}
            yield kept
            with keeping(self._own):
                self._files.write(self._own, (HEAD + document(table)).encode(), private=True)

    def _user_source(self) -> Source | None:
        return None if self._user is None else source(self._user, self._needed)

    def _of(self, found: Source | None) -> list[Written]:
        table = found.table.get("profiles") if found is not None else None
        if found is None or not isinstance(table, dict):
            return []
        lines = found.lines
        return [
            Written(name, value, found.path, lines.get(("profiles", name), 0))
            for name, value in table.items()
            if isinstance(value, dict)
        ]


def words_of(table: Mapping[str, object]) -> list[str]:
    """What may stand behind ``profile set NAME``: ``KEY=`` of the keys that its kind has, or ``KEY=VALUE`` of those
    that say one of some words."""
    out: list[str] = []
    for key in PROFILE.of(PROFILE.variant(str(table.get("kind")), table)):
        choices = key.kind.choices if isinstance(key.kind, Scalar) else ()
        out += [f"{key.name}={choice}" for choice in choices or ("",)]
    return list(dict.fromkeys(out))


def target(written: Written) -> str:
    """What a profile leads to, in a word for a list."""
    shown = written.shown
    for key in ("url", "path", "driver"):
        value = shown.get(key)
        if value:
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return ""


def variant_of(kind: str) -> str:
    """The row of kinds that a profile of a kind goes by."""
    return kind if kind in PROFILE.variants else OTHER_DRIVER
