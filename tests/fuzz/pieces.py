"""Queries that nobody would write: made by the grammar, by splicing the tokens of right ones, and by turning bytes.

The right ones are the examples of the commands and functions, and what once failed (``corpus.txt``).
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS

CORPUS = Path(__file__).with_name("corpus.txt")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\w.]+|\s+|.', re.DOTALL)
_FIELDS = ("a", "b", "c", "line", "_time", "nope", '"a b"', "*", "a.b", "a[0]")
_VALUES = (
    *("0", "-1", "1e308", "9223372036854775808", "1.5", "null", "true", "[1, null]"),
    *('""', '"x"', '"2024-01-01"', '"\\u0000"', '"한글"', '"(("', '"%d"'),
)
_OPERATORS = ("==", "!=", "<", ">=", "+", "-", "*", "/", "and", "or", "in", "&&", "=")
#: What no run may do: wait for a person, or for time to pass.
_WAITS = re.compile(r"^\s*-|stdin|ratelimit|sleep|repeat|for\b|\bcount=\d{4,}")
#: Rows to begin with: values of several types in one field, lists, maps, nulls, other letters.
ROWS = (
    "json \"[{'a':1,'b':'x','c':[1,'2',null],'line':'k=v x=1','_time':'2024-01-01'},"
    "{'a':'z','b':null,'c':{'d':1}},{'a':1.5,'b':'한글'},{}]\""
)


def right_ones() -> list[str]:
    """Queries to begin with."""
    texts = [example.query for spec in COMMANDS.values() for example in spec.examples]
    texts += [line for line in CORPUS.read_text(encoding="utf-8").split("\n") if line and not line.startswith("#")]
    return [text for text in texts if not _WAITS.search(text)]


class Maker:
    """Makes queries, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._right = right_ones()
        self._tokens = [_TOKEN.findall(text) for text in self._right]
        self._stages = [spec for spec in COMMANDS.values() if spec.reads is None and not spec.source]

    def query(self) -> str:
        """One query; some are right."""
        while True:
            made = self._random.choice((self._of_stages, self._of_grammar, self._of_tokens, self._of_bytes))()
            if not _WAITS.search(made) and len(made) < 5000:
                return made

    def _of_stages(self) -> str:
        """Right commands behind rows that they were not written for."""
        pick = self._random
        parts = [part for text in pick.choices(self._right, k=4) for part in text.split(" | ")[1:]]
        return " | ".join([pick.choice((ROWS, "table t")), *pick.sample(parts, min(len(parts), pick.randint(1, 4)))])

    def _of_grammar(self) -> str:
        return " | ".join([ROWS, *(self._stage() for _ in range(self._random.randint(1, 5)))])

    def _stage(self) -> str:
        pick = self._random
        spec = pick.choice(self._stages)
        words = [spec.name]
        for option in spec.options:
            if pick.random() < 0.4:
                words.append(f"{option.name}={pick.choice((*_VALUES, *_FIELDS))}")
        call = f"{pick.choice(list(AGGREGATES))}({self._expression(2)})"
        words.append(
            pick.choice(
                (
                    "",
                    self._expression(3),
                    f"{pick.choice(_FIELDS)} = {self._expression(3)}",
                    f"{call} by {pick.choice(_FIELDS)}",
                    call,
                    ", ".join(pick.choices(_FIELDS, k=3)),
                    f"a [ {ROWS} ]",
                    pick.choice(_VALUES),
                )
            )
        )
        return " ".join(words)

    def _expression(self, depth: int) -> str:
        pick = self._random
        if depth == 0 or pick.random() < 0.3:
            return pick.choice((*_FIELDS[:6], *_VALUES))
        if pick.random() < 0.5:
            return f"{self._expression(depth - 1)} {pick.choice(_OPERATORS)} {self._expression(depth - 1)}"
        name = pick.choice(list(FUNCTIONS))
        return f"{name}({', '.join(self._expression(depth - 1) for _ in range(pick.randint(0, 4)))})"

    def _of_tokens(self) -> str:
        pick = self._random
        tokens = list(pick.choice(self._tokens))
        for _ in range(pick.randint(1, 4)):
            at = pick.randrange(len(tokens) + 1)
            other = pick.choice(self._tokens)
            begin = pick.randrange(len(other))
            piece = other[begin : begin + pick.randint(1, 6)]
            tokens[at : at + pick.randint(0, 3)] = piece
        return "".join(tokens)

    def _of_bytes(self) -> str:
        pick = self._random
        data = bytearray(pick.choice(self._right).encode())
        for _ in range(pick.randint(1, 6)):
            at = pick.randrange(len(data))
            change = pick.randrange(4)
            if change == 0:
                data[at] = pick.randrange(256)
            elif change == 1:
                del data[at : at + pick.randint(1, 4)]
            elif change == 2:
                data[at:at] = data[at : at + pick.randint(1, 12)]
            else:
                data[at:at] = pick.choice(
                    (b"\0", b"|", b'"', b"\\", b"[", b"(", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\r\n")
                )
            if not data:
                return " "
        return data.decode("utf-8", "surrogateescape" if pick.random() < 0.1 else "replace")
