"""Syslog framing (RFC 6587) in every chunking, against answers by hand and a deframer that reads byte by byte."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import sample
from udfs.readers.framing import MODES, Deframer, decoded

Told = tuple[list[tuple[bytes, bool]], dict[str, int]]
#: The frame of RFC 6587's kind that the article prints: its 94 bytes count the line feed.
ARTICLE = b"94 <30>1 2023-01-12T19:29:28+09:00 ubuntu20host systemd 1 - - Starting Squid Web Proxy Server...\n"


@dataclass
class Naive:
    """The rules one byte after the other, over all bytes at once; nothing of it is shared with the product."""

    data: bytes
    mode: str = "auto"
    most: int = 64_000
    drop: bool = False
    messages: list[tuple[bytes, bool]] = field(default_factory=list)
    bad: dict[str, int] = field(default_factory=dict)

    def told(self) -> Told:
        while self.data:
            self.one()
        return self.messages, self.bad

    def count(self, reason: str) -> None:
        self.bad[reason] = self.bad.get(reason, 0) + 1

    def head(self) -> tuple[int, int] | None:
        """Where the payload of a counted frame begins, and its length."""
        digits = bytes(itertools.takewhile(lambda b: chr(b) in "0123456789", self.data))
        if not 1 <= len(digits) <= 7 or digits.startswith(b"0") or self.data[len(digits) : len(digits) + 1] != b" ":
            return None
        behind = self.data[len(digits) + 1 :]
        inner = bytes(itertools.takewhile(lambda b: chr(b) in "0123456789", behind[1:]))
        priority = behind[:1] == b"<" and 1 <= len(inner) <= 3 and behind[1 + len(inner) : 2 + len(inner)] == b">"
        return (len(digits) + 1, int(digits)) if priority or self.mode == "octet" else None

    def message(self, text: bytes) -> None:
        if not text:
            return
        if len(text) > self.most:
            self.count("oversize")
            if not self.drop:
                self.messages.append((text[: self.most], True))
        else:
            self.messages.append((text, False))

    def one(self) -> None:
        delimiters = {"lf": b"\n", "nul": b"\0"}.get(self.mode, b"\n\0")
        if self.data[0] in delimiters:
            self.data = self.data[1:]
            return
        if self.mode != "nul" and self.data.startswith(b"\r\n"):
            self.data = self.data[2:]
            return
        if self.mode in ("auto", "octet") and (found := self.head()):
            start, count = found
            payload, self.data = self.data[start : start + count], self.data[start + count :]
            if len(payload) < min(count, self.most):
                self.count("incomplete")
            elif count > self.most:
                self.message(payload[: self.most] + b"!")
            else:
                self.message(payload.removesuffix(b"\n"))
            return
        ends = [i for i, b in enumerate(self.data) if b in delimiters]
        if not ends and self.mode == "octet" and self.data.isdigit() and len(self.data) < 8 and self.data[:1] != b"0":
            self.count("incomplete")
            self.data = b""
            return
        end = ends[0] if ends else len(self.data)
        text = self.data[:end]
        if ends and self.data[end] == 10 and self.mode != "nul":
            text = text.removesuffix(b"\r")
        if self.mode == "octet" and text:
            self.count("no_count")
        self.message(text)
        self.data = self.data[end + 1 :]


def chunked(chunks: list[bytes], mode: str = "auto", most: int = 64_000, drop: bool = False) -> Told:
    deframer = Deframer(mode, most, drop)
    told: list[tuple[bytes, bool]] = []
    for chunk in [*chunks, None]:
        found = deframer.end() if chunk is None else deframer.feed(chunk)
        told += [(message, number in deframer.truncated) for number, message in enumerate(found)]
        assert deframer.waiting <= most + 13
    assert (deframer.waiting, deframer.since) == (0, None)
    return told, deframer.bad


CASES: list[tuple[str, bytes, list[bytes], dict[str, int]]] = [
    ("the article's frame", ARTICLE, [ARTICLE[3:-1]], {}),
    ("a minute elapsed", b"54 <1 minute elapsed\n<13>next\n", [b"54 <1 minute elapsed", b"<13>next"], {}),
    ("a date", b"2026-01-01 host\n123 abc\n", [b"2026-01-01 host", b"123 abc"], {}),
    ("octet, then a line", b"20 <13>1 - - - - - - hi<13>plain lf\n", [b"<13>1 - - - - - - hi", b"<13>plain lf"], {}),
    ("a line, then octet", b"<13>a\n6 <13>ab<13>c\n", [b"<13>a", b"<13>ab", b"<13>c"], {}),
    ("LF within a counted frame", b"7 <13>a\nb\n6 <13>c\n", [b"<13>a\nb", b"<13>c"], {}),
    ("LF that is not counted", b"5 <13>a\n5 <13>b\r\n5 <13>c\0", [b"<13>a", b"<13>b", b"<13>c"], {}),
    ("NUL within a counted frame", b"7 <13>a\0b", [b"<13>a\0b"], {}),
    ("NUL ends", b"<13>one\0<13>two\0\n", [b"<13>one", b"<13>two"], {}),
    ("CR LF, and one CR of two", b"a\r\nb\r\r\nc\rd\n\r\n\re\n", [b"a", b"b\r", b"c\rd", b"\re"], {}),
    ("CR before NUL is text", b"a\r\0", [b"a\r"], {}),
    ("empty frames", b"\n\n\0\r\n\0\n", [], {}),
    ("a counted line feed alone", b"1 <13>\n", [b"<", b"13>"], {}),
    ("eight digits are text", b"12345678 <13>a\nb\n", [b"12345678 <13>a", b"b"], {}),
    ("a leading zero is text", b"05 <13>a\n", [b"05 <13>a"], {}),
    ("four digits are no priority", b"9 <1234>a\nb\n", [b"9 <1234>a", b"b"], {}),
    ("no digit is no priority", b"9 <>a\nb\n", [b"9 <>a", b"b"], {}),
    ("two blanks are text", b"9  <13>a\nb\n", [b"9  <13>a", b"b"], {}),
    ("the end of a line without its delimiter", b"<13>a\n<13>last", [b"<13>a", b"<13>last"], {}),
    ("the end within a counted frame", b"<13>a\n20 <13>las", [b"<13>a"], {"incomplete": 1}),
    ("the end within what may be a count", b"<13>a\n20 <1", [b"<13>a", b"20 <1"], {}),
    ("tabs, leading blanks and a BOM stay", b"  \ta\t\n\xef\xbb\xbfb\n", [b"  \ta\t", b"\xef\xbb\xbfb"], {}),
    ("a count beyond the largest frame", b"30 " + b"<13>" + b"x" * 26 + b"5 <13>a", [b"<13>" + b"x" * 16, b"<13>a"],
     {"oversize": 1}),
    ("a line beyond it", b"x" * 21 + b"\ry\n<13>a\n", [b"x" * 20, b"<13>a"], {"oversize": 1}),
    ("a line as long as it, with CR LF", b"x" * 20 + b"\r\n<13>a\n", [b"x" * 20, b"<13>a"], {}),
    ("a line whose CR LF is too far", b"x" * 20 + b"\r\r\n<13>a\n", [b"x" * 20, b"<13>a"], {"oversize": 1}),
    ("an endless counted frame", b"9999999 <13>" + b"x" * 50, [b"<13>" + b"x" * 16], {"oversize": 1}),
]  # fmt: skip
IDS = [case[0] for case in CASES]


def most_of(data: bytes) -> int:
    return 20 if b"xxx" in data else 64_000


@pytest.mark.parametrize(("_", "data", "messages", "bad"), CASES, ids=IDS)
def test_every_split_gives_the_messages(_: str, data: bytes, messages: list[bytes], bad: dict[str, int]) -> None:
    most = most_of(data)
    right = [(message, len(message) == 20 and "oversize" in bad) for message in messages]
    assert chunked([data], most=most) == (right, bad)
    assert chunked([data[i : i + 1] for i in range(len(data))], most=most) == (right, bad)
    for first in range(len(data) + 1):
        assert chunked([data[:first], data[first:]], most=most) == (right, bad), first
    if len(data) < 60:
        for first, second in itertools.combinations(range(len(data) + 1), 2):
            assert chunked([data[:first], data[first:second], data[second:]], most=most) == (right, bad)


@pytest.mark.parametrize(("_", "data", "messages", "bad"), CASES, ids=IDS)
def test_the_naive_deframer_agrees_with_the_answers_by_hand(
    _: str, data: bytes, messages: list[bytes], bad: dict[str, int]
) -> None:
    told = Naive(data, most=most_of(data)).told()
    assert ([message for message, _ in told[0]], told[1]) == (messages, bad)


#: Pieces of which streams are made that look like more than one thing.
PIECES = [
    b"\n", b"\0", b"\r\n", b"\r", b"5 <13>a", b"6 <13>b\n", b"7 <13>\n\0c", b"12 <191>Oct 11 ", b"<13>line",
    b"54 <1 min", b"3 ", b" <13>", b"<1>", b"0", b"12345678 <13>", b"1234567 <13>", b"40 <13>", b"text", b"y" * 25,
    b"\xff\xfe", b"<", b">",
]  # fmt: skip
STREAMS = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=14).map(b"".join)


@given(STREAMS, st.sampled_from(MODES), st.booleans(), st.sampled_from([20, 33, 64_000]), st.randoms())
def test_any_stream_in_any_chunks(data: bytes, mode: str, drop: bool, most: int, chance: random.Random) -> None:
    right = Naive(data, mode, most, drop).told()
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(0, 6)))
    pieces = [data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)])]
    assert chunked(pieces, mode, most, drop) == right


@pytest.mark.parametrize("mode", MODES)
def test_long_streams_of_pieces_by_chance(mode: str) -> None:
    for seed in range(sample(2_000, 60)):
        chance = random.Random(seed)
        data = b"".join(chance.choice([*PIECES, ARTICLE]) for _ in range(chance.choice([3, 30, 30, 200, 400])))
        most = chance.choice([20, 64_000])
        right = Naive(data, mode, most).told()
        size = chance.choice([1, 2, 7, 100, 5_000, 100_000])
        assert chunked([data[i : i + size] for i in range(0, len(data), size)], mode, most) == right, seed


@pytest.mark.parametrize(
    ("mode", "data", "messages"),
    [
        ("lf", b"5 <13>a\nb\0c\r\n", [b"5 <13>a", b"b\0c"]),
        ("nul", b"5 <13>a\nb\r\0\nc\0", [b"5 <13>a\nb\r", b"\nc"]),
        ("octet", b"3 {a}3 {b}\n4 {c}\n", [b"{a}", b"{b}", b"{c}"]),
    ],
)
def test_a_framing_that_is_said(mode: str, data: bytes, messages: list[bytes]) -> None:
    assert chunked([data], mode) == ([(message, False) for message in messages], {})


def test_octet_framing_keeps_text_that_has_no_count_and_tells_it() -> None:
    told, bad = chunked([b"3 {a}lost count\n3 {b}"], "octet")
    assert ([message for message, _ in told], bad) == ([b"{a}", b"lost count", b"{b}"], {"no_count": 1})


def test_frames_that_are_too_long_are_dropped_where_that_is_asked_for() -> None:
    told, bad = chunked([b"30 <13>" + b"x" * 26 + b"<13>a\n" + b"y" * 30 + b"\n<13>b\n"], most=20, drop=True)
    assert ([message for message, _ in told], bad) == ([b"<13>a", b"<13>b"], {"oversize": 2})


def test_an_endless_frame_holds_no_more_than_the_largest() -> None:
    for begin in (b"x", b"9999999 <13>"):
        deframer = Deframer("auto", 1000)
        found = deframer.feed(begin, 1.0)
        for _ in range(100):
            found += deframer.feed(b"x" * 10_000, 2.0)
            assert deframer.waiting <= 1001
        assert (len(found), len(found[0]), deframer.since) == (1, 1000, 1.0)


def test_since_is_when_the_unfinished_frame_was_first_seen() -> None:
    deframer = Deframer()
    deframer.feed(b"1", 1.0)
    deframer.feed(b"2", 2.0)
    assert deframer.since == 1.0
    deframer.feed(b" <13>abcde", 3.0)
    assert deframer.since == 1.0
    assert deframer.feed(b"fghijkl", 4.0) == [b"<13>abcdefgh"]
    assert deframer.since == 4.0
    deframer.feed(b"\n", 5.0)
    assert deframer.since is None


def test_text_of_frames_and_what_is_no_text() -> None:
    texts, bad = decoded([b"a", "가".encode(), b"\xff!"], "utf-8")
    assert (texts.to_pylist(), bad) == (["a", "가", "\ufffd!"], [2])
    texts, bad = decoded(["가".encode("cp949"), b"b"], "cp949")
    assert (texts.to_pylist(), bad) == (["가", "b"], [])
