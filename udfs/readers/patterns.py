"""Patterns and order of paths: one rule for folders of the disk and for entries of archives.

``*`` is any text inside one name, ``**`` as a whole name any number of folders (at the end: every file below); names
match ignoring case, everything else is literal. In an archive a pattern that names no folder is looked for in every
folder: ``*.evtx`` finds ``logs/a.evtx``. Pure: what is there is asked elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

ANY_DEPTH = "**"
_LAST = "\U0010ffff"
_NUMBERS = re.compile(r"([0-9]+)")


def has_wildcard(path: str) -> bool:
    """Whether a path is a pattern."""
    return "*" in path


def wildcard(pattern: str) -> re.Pattern[str]:
    """A compiled test of one name: ``*`` is any text, everything else literal, case ignored."""
    return re.compile(_name(pattern, "."), re.IGNORECASE | re.DOTALL)


def _name(pattern: str, sign: str) -> str:
    """A name as a regular expression; ``sign``: what a ``*`` may stand for.

    A part between two ``*`` is taken where it first comes, for good: tried everywhere, twenty of them in a name of 250
    characters take for ever.
    """
    first, *parts = map(re.escape, re.split(r"\*+", pattern))
    if not parts:
        return first
    return first + "".join(f"(?>{sign}*?{part})" for part in parts[:-1]) + f"{sign}*{parts[-1]}"


def entry_test(pattern: str) -> re.Pattern[str]:
    """A compiled test of whole entry names of an archive."""
    if "/" not in pattern:
        return wildcard(pattern)
    runs: list[list[str]] = [[]]  # of names between any depth and any depth
    for part in pattern.split("/"):
        if part != ANY_DEPTH:
            runs[-1].append(_name(part, "[^/]"))
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    first, *rest = ["/".join(run) for run in runs]
    if not rest:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    made = first + "/" if runs[0] else ""
    for text in rest[:-1]:
        made += f"(?>(?:[^/]+/)*?{text}/)"  # as in a name
    made += f"(?:[^/]+/)*{rest[-1]}" if runs[-1] else ".+"
    return re.compile(made, re.IGNORECASE | re.DOTALL)


def components(pattern: str) -> tuple[str, list[str]]:
    """The folder that a pattern begins in, without a wildcard, and the names from the first wildcard on."""
    parts = pattern.split("/")
    first = next((place for place, part in enumerate(parts) if "*" in part), len(parts) - 1)
    begin = "/".join(parts[:first])
    return begin or ("/" if pattern.startswith("/") else ""), parts[first:]


def natural_key(name: str) -> list[str | tuple[int, str]]:
    """Sort key that counts digits as numbers: ``a2`` before ``a10``. Text and numbers take turns.

    A number is its length and its digits: an entry of an archive may have more of them than Python makes an int of.
    """
    parts: list[str | tuple[int, str]] = [*_NUMBERS.split(name.lower())]
    for place in range(1, len(parts), 2):
        digits = str(parts[place]).lstrip("0")
        parts[place] = (len(digits), digits)
    if not parts[0] and len(parts) > 1:
        parts[0] = _LAST  # text before numbers
    return parts


def in_natural_order(names: Sequence[str]) -> list[str]:
    """Paths or entries by :func:`natural_key`; what leads to all of them is looked at once."""
    shared = os.path.commonprefix(names)  # noqa: RUF071  # by characters: the folders are cut off below
    # The separator stays: a number behind it stands before other text, at the beginning of a name behind it.
    begin = max(shared.rfind("/"), shared.rfind(os.sep), 0)
    return sorted(names, key=lambda name: (natural_key(name[begin:]), name))
