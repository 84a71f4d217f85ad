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
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE | re.DOTALL)


def entry_test(pattern: str) -> re.Pattern[str]:
    """A compiled test of whole entry names of an archive."""
    if "/" not in pattern:
        return wildcard(pattern)
    parts = pattern.split("/")
    made = ""
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == ANY_DEPTH:
            made += ".+" if last else "(?:[^/]+/)*"
        else:
            made += "[^/]*".join(re.escape(text) for text in part.split("*")) + ("" if last else "/")
    return re.compile(made, re.IGNORECASE | re.DOTALL)


def components(pattern: str) -> tuple[str, list[str]]:
    """The folder that a pattern begins in, without a wildcard, and the names from the first wildcard on."""
    parts = pattern.split("/")
    first = next((place for place, part in enumerate(parts) if "*" in part), len(parts) - 1)
    begin = "/".join(parts[:first])
    return begin or ("/" if pattern.startswith("/") else ""), parts[first:]
