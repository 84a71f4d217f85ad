"""Patterns of paths: one rule for folders of the disk and for entries of archives.

``*`` is any text inside one name, ``**`` as a whole name any number of folders (at the end: every file below); names
match ignoring case, everything else is literal. In an archive a pattern that names no folder is looked for in every
folder: ``*.evtx`` finds ``logs/a.evtx``. Pure: what is there is asked elsewhere.
"""

from __future__ import annotations

import re

ANY_DEPTH = "**"


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
