"""What a row of the table of keys is made of: sections of keys, and the forms that a value may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.messages import Pair, Text


class Unfit(Exception):
    """A value that is none of its kind. ``said``: a sentence that tells more than the kind does."""

    def __init__(self, said: Sentence | None = None) -> None:
        super().__init__("unfit")
        self.said = said


@dataclass(frozen=True)
class Scalar:
    """One value. ``told`` is what an error says is wanted, ``example`` one as it is written in TOML.

    ``read`` makes the setting of a value of ``type`` and the folder of the file, raising :class:`Unfit`. ``hidden``:
    no error shows the value. ``choices``: all that there are, for completion.
    """

    told: Text
    example: str
    read: Callable[[object, str], object]
    type: type = str
    hidden: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListOf:
    """A list; ``single``: one value may stand without brackets, and without ``several`` nothing else may."""

    item: Scalar
    single: bool = False
    several: bool = True


@dataclass(frozen=True)
class MapOf:
    """A table whose names are free, as far as ``name`` takes them."""

    name: Scalar
    item: Scalar


@dataclass(frozen=True)
class TableOf:
    """A table of declared keys."""

    section: Section


@dataclass(frozen=True)
class NamedOf:
    """A table of tables, each under a name."""

    name: Scalar
    section: Section


@dataclass(frozen=True)
class ArrayOf:
    """An array of tables."""

    section: Section


Kind = Scalar | ListOf | MapOf | TableOf | NamedOf | ArrayOf


@dataclass(frozen=True)
class Key:
    """One key. ``default`` as it is written in TOML, None where there is none; ``of``: the kinds of its section that
    have it (none: all of them); ``needed``: whether it must be there; ``sets``: the field of the settings that it sets,
    where that is called otherwise."""

    name: str
    kind: Kind
    meaning: Pair
    default: object = None
    of: tuple[str, ...] = ()
    needed: bool = False
    sets: str = ""


@dataclass(frozen=True)
class Variant:
    """A kind of profile: what it is, the service that tries and uses it, and the extra that it needs."""

    meaning: Pair
    service: str
    extra: str = ""


@dataclass(frozen=True)
class Section:
    """A table of declared keys. ``make`` makes the settings of their values; ``named`` the field of its name.

    ``variants``: what its key ``kind`` may say; others are taken as ``other`` where the table has that one's keys.
    ``private``: errors show no text that stands in it, for a password may stand at the wrong key.
    ``check`` tells of values that do not go together, each with the key at which it is told.
    """

    title: str
    meaning: Pair
    keys: tuple[Key, ...]
    make: Callable[..., object]
    named: str = ""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    other: str = ""
    private: bool = False
    check: Callable[[Mapping[str, object]], Iterator[tuple[str, Sentence]]] = lambda values: iter(())

    def variant(self, kind: str, given: Mapping[str, object]) -> str | None:
        """The row that a ``kind`` of a table goes by; None for one that is unknown."""
        if kind in self.variants and kind != self.other:
            return kind
        if self.other and all(key.name in given for key in self.of(self.other) if key.needed):
            return self.other
        return None

    def of(self, variant: str | None) -> Iterator[Key]:
        """The keys of a variant; all keys for None."""
        return (key for key in self.keys if variant is None or not key.of or variant in key.of)
