"""Lines in pieces of a growing file: whatever the pieces, the same lines at the same bytes."""

from __future__ import annotations

import random

import pytest

from logsql.streams.receivers.lines import MOST_LINES, Rules, State, take
from udfs.java.javaregex import classify


def in_pieces(data: bytes, rules: Rules, sizes: list[int]) -> list[tuple[int, bytes]]:
    """Lines and where they begin, when the file grows by these sizes; what waits is read again, as from a file."""
    out: list[tuple[int, bytes]] = []
    position, state, there = 0, State(), 0
    for size in [*sizes, len(data)]:
        there = min(there + size, len(data))
        found = take(data[position:there], rules, state, False)
        out += [(position + int(place), line) for place, line in zip(found.places, found.lines, strict=True)]
        position, state = position + found.used, found.state
    found = take(data[position:], rules, state, True)
    return out + [(position + int(place), line) for place, line in zip(found.places, found.lines, strict=True)]


PLAIN = Rules(64_000)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [(0, b"")]),
        (b"a\nbc\n\nd", [(0, b"a"), (2, b"bc"), (5, b""), (6, b"d")]),
        (b"a\r\nb\r\r\nc\rd\r\n", [(0, b"a"), (3, b"b\r"), (7, b"c\rd")]),
        (b"\xef\xbb\xbfx\0y\n", [(0, b"\xef\xbb\xbfx\0y")]),
    ],
)
def test_lines_and_their_places(data: bytes, lines: list[tuple[int, bytes]]) -> None:
    assert in_pieces(data, PLAIN, []) == lines
    assert in_pieces(data, PLAIN, [1] * len(data)) == lines


def test_pieces_never_change_the_lines() -> None:
    chance = random.Random(7)
    for _ in range(300):
        data = b"".join(chance.choice([b"\n", b"\r\n", b"a", b"bb", b" ", b"2024-", b"\r"]) for _ in range(30))
        sizes = [chance.randrange(1, 9) for _ in range(12)]
        expected, at = [], 0
        for line in data.split(b"\n"):
            if at < len(data):
                more = at + len(line) < len(data)
                expected.append((at, line.removesuffix(b"\r") if more else line))
            at += len(line) + 1
        assert in_pieces(data, PLAIN, sizes) == expected, data


def test_a_line_given_without_its_end_is_not_given_again() -> None:
    first = take(b"a\nb", PLAIN, State(), True)
    assert (first.lines, first.used, first.state) == ([b"a", b"b"], 3, State(open=True))
    for end in (b"\nc\n", b"\r\nc\n"):
        found = take(end, PLAIN, first.state, False)
        assert (found.lines, found.places.tolist(), found.used) == ([b"c"], [len(end) - 2], len(end))
    assert take(b"\r", PLAIN, first.state, False).used == 0
    assert take(b"more\n", PLAIN, first.state, False).lines == [b"more"]


@pytest.mark.parametrize("pieces", [[], [1] * 60, [13, 13, 13]])
@pytest.mark.parametrize("drop", [False, True])
def test_a_line_that_is_too_long_is_cut_or_dropped(pieces: list[int], drop: bool) -> None:
    data = b"short\n" + b"x" * 40 + b"\nafter\n"
    found = in_pieces(data, Rules(10, drop), pieces)
    assert found == [(0, b"short"), *([] if drop else [(6, b"x" * 10)]), (47, b"after")]


def test_what_is_cut_and_dropped_is_counted() -> None:
    data = b"ab\n" + b"y" * 11 + b"\nz\n" + b"x" * 99
    cut = take(data, Rules(10), State(), False)
    assert (cut.lines, cut.truncated, cut.state) == ([b"ab", b"y" * 10, b"z", b"x" * 10], [1, 3], State(skipping=True))
    dropped = take(data, Rules(10, drop=True), State(), False)
    assert (dropped.lines, dropped.places.tolist(), dropped.dropped) == ([b"ab", b"z"], [0, 15], 2)
    assert take(b"xx", Rules(10), cut.state, False).used == 2
    assert take(b"xx\nq\n", Rules(10), cut.state, False).lines == [b"q"]


@pytest.mark.parametrize("start", [r"^\d{4}-", r"^(?=\d{4}-)"])  # the second is none that RE2 knows
def test_a_record_ends_before_the_next_one_starts(start: str) -> None:
    rules = Rules(64_000, start=classify(start, named_only=False))
    data = b"loose\n2024-01 a\n  at x\r\n  at y\n2024-02 b\n2024-03 c\n  at z\n"
    expected = [(0, b"loose"), (6, b"2024-01 a\n  at x\n  at y"), (31, b"2024-02 b"), (41, b"2024-03 c\n  at z")]
    assert in_pieces(data, rules, []) == expected
    assert in_pieces(data, rules, [1] * len(data)) == expected
    waits = take(data, rules, State(), False)
    assert (len(waits.lines), waits.used) == (3, 41)


def test_a_record_has_so_many_lines_at_most() -> None:
    rules = Rules(64_000, start=classify("^S", named_only=False))
    data = b"S\n" + b"m\n" * (2 * MOST_LINES) + b"S\n"
    found = take(data, rules, State(), False)
    assert [line.count(b"\n") + 1 for line in found.lines] == [MOST_LINES, MOST_LINES, 1]
    assert found.used == len(data) - 2
