"""The check of a document against the table of keys: settings come out, or everything that is wrong, by its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from logsql.configuration.declaring import (
    ArrayOf,
    Key,
    Kind,
    ListOf,
    MapOf,
    NamedOf,
    Scalar,
    Section,
    TableOf,
    Unfit,
)
from logsql.configuration.locating import KeyPath, shown
from logsql.configuration.secrets import Secret
from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.configuration import (
    GIVEN_IN_BOTH,
    KEY_OF_KIND,
    MISSING_KEY,
    NO_KIND,
    TYPES,
    UNKNOWN_KEY,
    UNKNOWN_KIND,
    WRONG_HIDDEN,
    WRONG_NAME,
    WRONG_TYPE,
    WRONG_VALUE,
)
from logsql.diagnostics.errors import Diagnostic, UsageError, diagnostic, nearest
from logsql.diagnostics.messages import Text, listed, message, shortened

Table = Mapping[str, object]


class ConfigurationError(UsageError):
    """Everything that is wrong in the files, in the order of lines; the first is the error, the others its notes."""

    def __init__(self, problems: list[Diagnostic]) -> None:
        first, *rest = problems
        notes = tuple(problem.message for problem in rest[:_NOTES])
        super().__init__(Diagnostic(first.code, first.name, first.message, None, notes, first.help))
        self.problems = tuple(problems)


#: How many further problems an error names; ``config validate`` prints all of them.
_NOTES = 20


@dataclass(frozen=True)
class Place:
    """Where a key stands: the number of its file among those that are read together, and the line; 0: unknown."""

    file: int
    line: int


@dataclass
class Document:
    """What was read of the files: one table, where each of its keys stands, the files as they are shown.

    ``folder``: where relative paths begin; ``folders``: by file, where files of several folders are read as one.
    """

    table: Table
    folder: str
    files: tuple[str, ...] = ()
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    def folder_of(self, path: KeyPath) -> str:
        """Where relative paths of a key begin."""
        return self.folders[self.place(path).file] if self.folders else self.folder

    def place(self, path: KeyPath) -> Place:
        """Where a key stands; one that is not written, where its table begins."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(0, 0))

    def told(self, place: Place) -> str:
        """``FILE:LINE``."""
        name = self.files[place.file] if self.files else ""
        return f"{name}:{place.line}" if place.line else name


class Check:
    """One check of a document. ``problems``: what is wrong; ``literals``: where a secret itself is written."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[tuple[int, int, Diagnostic]] = []
        self.literals: list[KeyPath] = []
        self._private = False

    def settings(self, section: Section) -> object:
        """The settings of the whole document. Look at :meth:`refuse` before they are used."""
        return self._section(section, self.document.table, (), None)

    def refuse(self) -> None:
        """Raise ConfigurationError where something is wrong."""
        if self.problems:
            in_order = sorted(self.problems, key=lambda found: found[:2])
            raise ConfigurationError([problem for *_, problem in in_order])

    def wrong(self, said: Sentence, at: KeyPath, help: str | None = None, **facts: object) -> None:
        """Something is wrong at a key."""
        place = self.document.place(at)
        where = self.document.told(place)
        problem = diagnostic(said, help=help, notes=(), place=where, key=shown(at), **facts)
        self.problems.append((place.file, place.line, problem))

    # --- tables -----------------------------------------------------------------------------------

    def _section(self, section: Section, given: Table, path: KeyPath, name: str | None) -> object:
        """The settings of a table of declared keys; None where they cannot be made."""
        before, outside = len(self.problems), self._private
        self._private = outside or section.private
        kind = self._kind(section, given, path) if section.variants else None
        known = {key.name: key for key in section.of(kind)}
        values: dict[str, object] = {}
        for written, value in given.items():
            here = (*path, written)
            if written not in known:
                self._unknown(section, written, here, given, kind)
            elif section.variants and written == "kind":
                values[written] = value
            elif not section.variants or kind is not None:
                values[written] = self._value(known[written].kind, value, here)
        self._private = outside
        for key in known.values():
            told = kind is not None or key.name == "kind" or not section.variants
            if key.needed and given.get(key.name, []) == [] and told:
                self.wrong(MISSING_KEY, path, missing=key.name, form=form(key))
        if len(self.problems) > before:
            return None
        for key_name, said in section.check(values):
            self.wrong(said, (*path, key_name))
        made = {key.sets or key.name: values[key.name] for key in known.values() if key.name in values}
        return section.make(**made, **({section.named: name} if section.named else {}))

    def _kind(self, section: Section, given: Table, path: KeyPath) -> str | None:
        """The row of variants that a table goes by; None where that is unknown."""
        kind = given.get("kind")
        if kind is None:
            return None
        here = (*path, "kind")
        if not isinstance(kind, str):
            wanted = next(key.kind for key in section.keys if key.name == "kind")
            self._wrong_type(wanted, kind, here)
            return None
        found = section.variant(kind, given)
        if found is None:
            kinds = ", ".join(section.variants)
            if re.fullmatch(r"[\w.-]{1,30}", kind):
                self.wrong(UNKNOWN_KIND, here, help=_near(kind, section.variants), value=kind, kinds=kinds)
            else:
                self.wrong(NO_KIND, here, kinds=kinds)
        return found

    def _unknown(self, section: Section, written: str, here: KeyPath, given: Table, kind: str | None) -> None:
        names = list(dict.fromkeys(key.name for key in section.of(kind)))
        if kind is not None and any(key.name == written for key in section.keys):
            self.wrong(KEY_OF_KIND, here, kind=shortened(str(given["kind"])), keys=listed(names, 20))
        elif kind is not None or written not in names:
            near = _near(written, [name for name in names if name not in given]) or _near(written, names)
            self.wrong(UNKNOWN_KEY, here, help=near, keys=listed(names, 20))

    # --- values -----------------------------------------------------------------------------------

    def _value(self, kind: Kind, value: object, here: KeyPath) -> object:
        if isinstance(kind, Scalar):
            return self._scalar(kind, value, here)
        if isinstance(kind, ListOf):
            if not kind.several:
                return (self._scalar(kind.item, value, here),)
            items = [value] if kind.single and not isinstance(value, list) else value
            if not isinstance(items, list):
                return self._wrong_type(kind, value, here)
            places = [here] if items is not value else [(*here, number) for number in range(len(items))]
            return tuple(self._scalar(kind.item, item, place) for item, place in zip(items, places, strict=True))
        if isinstance(kind, ArrayOf):
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                return self._wrong_type(kind, value, here)
            return tuple(self._section(kind.section, item, (*here, i), None) for i, item in enumerate(value))
        if not isinstance(value, dict):
            return self._wrong_type(kind, value, here)
        if isinstance(kind, TableOf):
            return self._section(kind.section, value, here, None)
        return dict(self._entries(kind, value, here))

    def _entries(self, kind: MapOf | NamedOf, table: Table, here: KeyPath) -> Iterator[tuple[str, object]]:
        """The entries of a table of free names, under the names as they are looked up."""
        seen: dict[str, KeyPath] = {}
        for written, value in table.items():
            place = (*here, written)
            try:
                name = str(kind.name.read(written, self.document.folder_of(place)))
            except Unfit:
                self.wrong(WRONG_NAME, place, wanted=kind.name.told.fill())
                continue
            if name in seen:
                self.wrong(GIVEN_IN_BOTH, place, other=self.document.told(self.document.place(seen[name])))
            seen[name] = place
            if isinstance(kind, MapOf):
                yield name, self._scalar(kind.item, value, place)
            elif isinstance(value, dict):
                yield name, self._section(kind.section, value, place, name)
            else:
                self._wrong_type(kind.section, value, place)

    def _scalar(self, kind: Scalar, value: object, here: KeyPath) -> object:
        if not isinstance(value, kind.type) or (isinstance(value, bool) and kind.type is not bool):
            return self._wrong_type(kind, value, here)
        try:
            read = kind.read(value, self.document.folder_of(here))
        except Unfit as problem:
            if problem.said is not None:
                self.wrong(problem.said, here)
            elif kind.hidden or (isinstance(value, str) and (self._private or re.search(r"[@?=]", value))):
                self.wrong(WRONG_HIDDEN, here, wanted=kind.told.fill())
            else:
                self.wrong(WRONG_VALUE, here, wanted=kind.told.fill(), value=_plain(value))
            return None
        if isinstance(read, Secret) and read.literal:
            self.literals.append(here)
        return read

    def _wrong_type(self, kind: Kind | Section, value: object, here: KeyPath) -> object:
        self.wrong(WRONG_TYPE, here, wanted=wanted(kind).fill(), found=TYPES[_type(value)].fill())
        return None


def wanted(kind: Kind | Section) -> Text:
    """What an error says a key takes."""
    if isinstance(kind, Scalar):
        return kind.told
    return TYPES["list" if isinstance(kind, ListOf | ArrayOf) else "table"]


def form(key: Key) -> str:
    """How a key is written: ``url = "ldaps://host.example"``."""
    kind = key.kind.item if isinstance(key.kind, ListOf | MapOf) else key.kind
    return f"{key.name} = {kind.example if isinstance(kind, Scalar) else '...'}"


def _near(name: str, known: object) -> str | None:
    names = [str(one) for one in known] if isinstance(known, list | Mapping) else []
    found = nearest(name, names)
    return message("help-did-you-mean", names=", ".join(found)) if found else None


def _plain(value: object) -> object:
    return shortened(value) if isinstance(value, str) else value


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {str: "text", int: "whole", float: "number", list: "list", dict: "table"}
    return next((name for made, name in names.items() if isinstance(value, made)), "date")
