"""Views over registry hives: what Windows keeps in them about users and programs, one row a fact.

A :class:`View` names the keys it reads, its fields and a pure function from the values of one hive to rows. Below are
the helpers that such functions share. Nothing here imports Arrow: a view is declared in the file of its command, which
is loaded with every other command, and must cost nothing before it reads a hive (``reader.ViewReader`` does).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

EPOCH = 116_444_736_000_000_000

Kind = Literal["string", "int", "long", "boolean", "binary", "date", "local date"]
"""Type of a field. ``date``: microseconds since 1970 (or a datetime); ``local date``: a datetime without a zone."""


@dataclass(frozen=True)
class RegValue:
    """A value of a hive: ``data`` the stored bytes, ``written`` microseconds since 1970 (of the key) or None."""

    key: str
    name: str
    type: str
    data: bytes
    written: int | None


Row = Mapping[str, object]
Lost = Callable[[RegValue], None]
"""Called by a view for a value it cannot read."""


@dataclass(frozen=True)
class View:
    """``keys``: regular expression (RE2, case ignored) that a key must contain. ``rows``: the pure function.

    ``fields``: names and types in order; ``_file`` follows them. ``hives``: the files of Windows that have such keys.
    """

    keys: str
    fields: tuple[tuple[str, Kind], ...]
    rows: Callable[[list[RegValue], Lost], Iterable[Row]]
    hives: tuple[str, ...] = ()


def micros(filetime: int) -> int | None:
    """FILETIME as microseconds since 1970; None for 0 and beyond the signed range."""
    return (filetime - EPOCH) // 10 if 0 < filetime < 1 << 63 else None


def filetime_at(data: bytes, offset: int) -> int | None:
    """The FILETIME stored at ``offset`` as microseconds since 1970."""
    value: int = struct.unpack_from("<Q", data, offset)[0]
    return micros(value)


def time_of(value: RegValue | None, lost: Lost) -> int | None:
    """The FILETIME that a value holds, as microseconds since 1970; one that is too short is told."""
    if value is None:
        return None
    try:
        return filetime_at(value.data, 0)
    except struct.error:
        lost(value)
        return None


def string(data: bytes) -> str:
    """UTF-16LE text up to the first NUL."""
    return data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0]


def text_of(value: RegValue | None) -> str | None:
    """The text that a value holds, of a list the first; None where there is no such value, or one of another type.

    An empty text is a text, as regipy, python-registry and reglookup print it: ``FileId`` of a file that was not read
    is there and says nothing.
    """
    if value is None or value.type not in ("SZ", "EXPAND_SZ", "MULTI_SZ"):
        return None
    return string(value.data)


def number_of(value: RegValue | None, lost: Lost, kind: Literal["int", "long"] = "long") -> int | None:
    """The number that a value holds for a field of this kind, as data or as a text of decimal digits; another is told.

    A text that is empty holds none. Data are eight bytes, else the first four; an ``int`` is the first four, signed.
    """
    if value is None:
        return None
    if (text := text_of(value)) is not None:
        if text.isdecimal() and len(text) < (19 if kind == "long" else 10):
            return int(text)
        if text:
            lost(value)
        return None
    if len(value.data) < 4:
        lost(value)
        return None
    if kind == "int":
        return int.from_bytes(value.data[:4], "little", signed=True)
    eight = len(value.data) == 8
    return int.from_bytes(value.data[: 8 if eight else 4], "little", signed=eight)


def by_key(values: Iterable[RegValue]) -> dict[str, dict[str, RegValue]]:
    """Values by key, then by name in lower case; keys in the order of the hive."""
    keys: dict[str, dict[str, RegValue]] = {}
    for value in values:
        keys.setdefault(value.key, {})[value.name.lower()] = value
    return keys


def mru_order(values: dict[str, RegValue]) -> dict[str, int]:
    """Place of each numbered value in the key's MRUListEx (0: used last), by its name.

    MRUListEx is a list of 32-bit value names, the most recent first, ended by 0xFFFFFFFF.
    """
    listed = values.get("mrulistex")
    if listed is None:
        return {}
    numbers = struct.unpack(f"<{len(listed.data) // 4}I", listed.data[: len(listed.data) & ~3])
    order: dict[str, int] = {}
    for place, number in enumerate(numbers):
        if number == 0xFFFFFFFF:
            break
        order.setdefault(str(number), place)
    return order


def current_control_set(values: Iterable[RegValue]) -> str | None:
    """``ControlSet001`` for ``Select\\Current`` 1; None when the hive does not say."""
    for value in values:
        if value.name.lower() == "current" and value.key.lower().endswith("\\select") and len(value.data) >= 4:
            return f"ControlSet{int.from_bytes(value.data[:4], 'little'):03d}"
    return None


def in_current_set(values: list[RegValue]) -> list[RegValue]:
    """Values of the control set in use; of all sets when the hive does not say or does not have that one.

    The other sets are copies of an earlier boot: their entries would appear twice.
    """
    current = current_control_set(values)
    rest = [value for value in values if not value.key.lower().endswith("\\select")]
    kept = [value for value in rest if current and f"\\{current.lower()}\\" in value.key.lower()]
    return kept or rest
