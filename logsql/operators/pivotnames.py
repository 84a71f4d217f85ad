"""The order of a pivot's columns, told from their names (language.md 5: value order by the comparator).

The columns of a pivot are discovered in its result, which holds only their names: the texts of the values, joined by
``_``. The types of the fields they came from say what each part was: 9 stands before 10, but text "10" before "9".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from logsql.values.types import NUMBERS, RANK, Kind

_NUMBER = re.compile(r"-?(\d+(\.\d+)?([eE][+-]?\d+)?|Infinity)")
_DATE = re.compile(r"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}")

#: Sorts as the value does: type group, number, text.
Part = tuple[int, float, str]


def sort_names(names: Sequence[str], kinds: Sequence[Kind], aliases: Sequence[str]) -> list[str]:
    """Names of pivot columns in value order, then in the order of the aggregates.

    ``kinds`` are the types of the fields spread over the columns, ``aliases`` the outputs of several aggregates, which
    end the names. Text that holds ``_`` itself is cut where the parts beside it allow.
    """

    def split(name: str) -> tuple[str, int]:
        for position, suffix in sorted(enumerate(aliases), key=lambda a: -len(a[1])):
            if name.endswith("_" + suffix):
                return name[: -len(suffix) - 1], position
        return name, 0

    def key(name: str) -> tuple[list[Part], int]:
        value, position = split(name) if len(aliases) > 1 else (name, 0)
        return [_part(text, kind) for text, kind in zip(_parts(value, kinds), kinds, strict=True)], position

    # Names that are equal for the comparator ("A" and "a") stand in the order of their characters: every run the same.
    return sorted(sorted(names), key=key)


def _parts(text: str, kinds: Sequence[Kind]) -> list[str]:
    """The texts joined in a name: values of types other than text hold no ``_``, so it is cut from both ends."""
    ahead: list[str] = []
    behind: list[str] = []
    left = list(kinds)
    while len(left) > 1 and left[0] is not Kind.STRING:
        part, _, text = text.partition("_")
        ahead.append(part)
        left.pop(0)
    while len(left) > 1 and left[-1] is not Kind.STRING:
        text, _, part = text.rpartition("_")
        behind.insert(0, part)
        left.pop()
    middle = text.split("_", len(left) - 1)
    return [*ahead, *middle, *[""] * (len(left) - len(middle)), *behind]


def _part(text: str, kind: Kind) -> Part:
    if text == "null":
        return (RANK[Kind.NULL], 0.0, "")
    mixed = kind is Kind.ANY
    if (kind is Kind.BOOL or mixed) and text in ("true", "false"):
        return (RANK[Kind.BOOL], float(text == "true"), "")
    if (kind in NUMBERS or mixed) and _NUMBER.fullmatch(text):
        return (RANK[Kind.INT], float(text), "")
    if (kind is Kind.DATE or mixed) and _DATE.fullmatch(text):
        return (RANK[Kind.DATE], 0.0, text)
    if kind is Kind.IP:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return (RANK[Kind.IP], 0.0, text)
        return (RANK[Kind.IP], float(address.version), f"{int(address):039d}")
    return (RANK[Kind.STRING], 0.0, text.lower())


__all__ = ["sort_names"]
