"""The lines, or records of several lines, in a piece of a file that still grows: where each begins, what must wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.java.javaregex import Regex, matches
from udfs.readers.framing import decoded

#: Lines of one record.
MOST_LINES = 500


@dataclass(frozen=True)
class Rules:
    """``start``: what the first line of a record of several holds; None: every line is one. ``drop``: longer ones than
    ``most`` bytes are dropped, else cut."""

    most: int
    drop: bool = False
    start: Regex | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class State:
    """What is known at a place of a file besides the place. ``skipping``: the rest of a line that was too long comes.
    ``open``: the line before was given without its end, which may still come."""

    skipping: bool = False
    open: bool = False


@dataclass(frozen=True)
class Found:
    """``lines`` with the bytes at which they begin in the piece; ``used``: so much of it is done with; the numbers of
    those that were cut, and how many were dropped."""

    lines: list[bytes]
    places: np.ndarray
    used: int
    state: State = State()
    truncated: list[int] = field(default_factory=list)
    dropped: int = 0


_NONE = np.zeros(0, np.int64)


def take(piece: bytes, rules: Rules, state: State, final: bool) -> Found:
    """What a piece holds, that begins where ``used`` of the one before ended.

    ``final``: nothing more comes for now, the last line is one without its end.
    """
    begin = _begin(piece, state)
    if begin < 0:
        return Found([], _NONE, len(piece) if state.skipping else 0, state)
    last = piece.rfind(b"\n", begin)
    lines = piece[begin:last].split(b"\n") if last >= 0 else []
    rest = piece[last + 1 :] if last >= 0 else piece[begin:]
    done = len(piece) - len(rest)
    places = np.cumsum([begin, *(len(line) + 1 for line in lines)], dtype=np.int64)[: len(lines)]
    after = State()
    long = len(rest) > rules.most
    if rest and (final or long):
        lines.append(rest)
        places = np.append(places, done)
        done = len(piece)
        after = State(skipping=long, open=not long)
    if b"\r\n" in piece:
        lines = [line.removesuffix(b"\r") for line in lines]
    found = Found(lines, places, done, after)
    if rules.start is not None and lines:
        found = _records(found, rules, final or long)
    return _within(found, rules)


def _begin(piece: bytes, state: State) -> int:
    """Where the first line begins; -1 where that cannot be said yet."""
    if state.skipping:
        end = piece.find(b"\n")
        return end + 1 if end >= 0 else -1
    if state.open:
        if piece == b"\r":
            return -1
        return 2 if piece.startswith(b"\r\n") else 1 if piece.startswith(b"\n") else 0
    return 0


def _records(found: Found, rules: Rules, final: bool) -> Found:
    """Lines put together: a record ends before the next that starts one, or behind so many lines."""
    assert rules.start is not None
    texts, _ = decoded(found.lines, rules.encoding)
    if rules.start.re2_match is not None:
        mask = pc.match_substring_regex(texts, rules.start.re2_match)
    else:
        mask = matches(texts, rules.start)
    starts = [0, *np.flatnonzero(np.asarray(mask)).tolist(), len(found.lines)]
    bounds = [0]
    for bound in starts:
        while bound - bounds[-1] > MOST_LINES:
            bounds.append(bounds[-1] + MOST_LINES)
        if bound > bounds[-1]:
            bounds.append(bound)
    whole = final or bounds[-1] - bounds[-2] == MOST_LINES
    if not whole:
        bounds.pop()
    records = [b"\n".join(found.lines[a:b]) for a, b in pairwise(bounds)]
    used = found.used if whole else int(found.places[bounds[-1]])
    places = found.places[np.array(bounds[:-1], np.int64)] if records else _NONE
    return Found(records, places, used, found.state if whole else State())


def _within(found: Found, rules: Rules) -> Found:
    """The same with what is too long cut or dropped."""
    if not found.lines or max(map(len, found.lines)) <= rules.most:
        return found
    long = [number for number, line in enumerate(found.lines) if len(line) > rules.most]
    if rules.drop:
        gone = frozenset(long)
        lines = [line for number, line in enumerate(found.lines) if number not in gone]
        return Found(lines, np.delete(found.places, long), found.used, found.state, [], len(long))
    lines = list(found.lines)
    for number in long:
        lines[number] = lines[number][: rules.most]
    return Found(lines, found.places, found.used, found.state, long)


def marks(count: int, numbers: list[int]) -> pa.Array:
    """True at some numbers, null elsewhere."""
    if not numbers:
        return pa.nulls(count, pa.bool_())
    found: list[bool | None] = [None] * count
    for number in numbers:
        found[number] = True
    return pa.array(found, pa.bool_())
