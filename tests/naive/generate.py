"""Random pipelines whose result the specification fixes completely: any difference from them is a defect.

``generate(seed)`` builds a query command by command and runs the naive evaluator after each; a command after which the
result would be open is thrown away. Open means, beyond everything that tests/conformance/README.md and FUNCTIONS.md
list under "Left out on purpose":

* order-dependent parts (``limit``, ``prev``, ``evalc``, ``first``, ``last``, ``array``, ``seq``) over unordered rows;
* text, ``typeof``, identity or a comparison decided by the last digits of a double that depends on the order of
  additions or on a mathematical library; sums and variances that cancel; percentile ties;
* text of doubles outside 0.001..10,000,000, of lists, maps and binaries; ``typeof`` of lists and binaries;
* letter case deciding between ``min``/``max``/``values``/``boxplot`` results, partitions or ``in()`` candidates;
* 64-bit overflow, NaN, infinities, -0.0, wall times inside a clock change, dates beyond the year 9999;
* names that collide in right, full and cross joins; spread columns whose names collide; nulls laid over values by
  ``parse*``; ``null`` inside ``unique``; ``kvjoin`` of null fields and of rows that were joined or united;
``urlencode`` of blanks; decoding of damaged bytes.

By construction it also avoids: ``typeof`` and text of fields in which integers and doubles (or integers of two widths)
could meet in one SQL column, the text that ``tojson`` writes (only round trips), ``now``, ``rand``, ``guid``,
``encrypt``, ``lookup`` and ``memlookup``.

Settled by decisions.md and therefore generated although README.md leaves it out: arithmetic on text that is no number
(null), sums over no numbers (null), pairs of which one value is null in ``corr``/``cov``/``slope``, case-sensitive join
keys, the text form of dates and addresses, null inside ``concat``, several aggregates with ``timechart ... by``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from .errors import NaiveError
from .gen_commands import COMMANDS, NEW_NAMES, Draft, Fields, listable
from .gen_data import Kind, make_table
from .gen_expr import Expressions, merge, quote
from .pipeline import Result, Types, build, load_tables
from .stream import Stream
from .values import Ctx, Ip, Row, Value

MAX_ROWS = 300


@dataclass(frozen=True)
class GeneratedCase:
    """A query with its tables, the rows it must give, and the commands and functions it uses."""

    seed: int
    query: str
    tables: dict[str, list[dict[str, Any]]]
    types: Types
    tz: str
    expected: Result
    used: frozenset[str]


def describe(value: Value) -> Kind:
    """Kind of a value that came out of data."""
    if isinstance(value, list):
        items = {type(x) for x in value}
        return Kind("list", "s" if items == {str} else "x")
    table = {
        type(None): "null", str: "str", bool: "bool", float: "double", dict: "map", datetime: "date", Ip: "ip",
        bytes: "bin",
    }  # fmt: skip
    return Kind(table.get(type(value), "intish"))


class Builder:
    """One (sub)query under construction, with the rows it yields so far."""

    def __init__(self, r: Random, ctx: Ctx, kinds: dict[str, Fields], depth: int = 0) -> None:
        self.r = r
        self.ctx = ctx
        self.kinds = kinds
        self.depth = depth
        self.commands: list[str] = []
        self.rows: list[Row] = []
        self.columns: list[str] = []
        self.ordered = True
        self.fields: Fields = {}
        self.params: dict[str, str] = {}
        self.counter = 0
        self.e = Expressions(r, self.fields, self.params)
        self.used: Counter[str] = Counter()

    def text(self) -> str:
        return " | ".join(self.commands)

    def attempt(self, draft: Draft) -> bool:
        """Run a draft on the rows so far; keep it if its result is completely defined."""
        if "kvjoin(" in draft.text and any(c.startswith(("join", "union")) for c in self.commands):
            return False
        params = dict(self.ctx.params)
        self.ctx.notes.clear()
        rows, columns, ordered = self.rows, self.columns, self.ordered
        try:
            stream = build(draft.text, self.ctx, Stream(iter(rows), lambda: columns, lambda: ordered))
            out = list(stream.rows)
        except OverflowError:  # an infinity reached exact arithmetic
            self._restore(params)
            return False
        except NaiveError as e:
            if e.code == "21704":  # a group key that an earlier command named like a result
                self._restore(params)
                return False
            raise AssertionError(f"the generator wrote a query that is refused: {draft.text}") from e
        names, defined = stream.columns(), stream.ordered()
        empties = bool(rows) and not out and draft.text != "drop" and self.r.random() < 0.85
        if self.ctx.notes or len(out) > MAX_ROWS or len(names) > 60 or empties:
            self._restore(params)
            return False
        known = draft.fields if draft.fields is not None else self.derive(out, names)
        self.rows, self.columns, self.ordered, self.fields = out, names, defined, known
        self.e.fields = known
        self.commands.append(draft.text)
        return True

    def _restore(self, params: dict[str, Value]) -> None:
        self.ctx.params.clear()
        self.ctx.params.update(params)

    def derive(self, rows: list[Row], names: list[str]) -> Fields:
        """Fields after a command whose columns depend on data."""
        found: Fields = {}
        same = len(rows) == len(self.rows)
        for name in names:
            old = self.fields.get(name)
            if old and same and all(a.get(name) is b.get(name) for a, b in zip(self.rows, rows, strict=True)):
                found[name] = old
                continue
            kind, flavor = (old.kind, "") if old else ("null", "")
            for row in rows:
                k = describe(row.get(name))
                flavor = k.flavor if kind in ("null", "list") and k.flavor and flavor in ("", k.flavor) else flavor
                kind = merge(kind, k.kind)
            found[name] = Kind(kind, flavor if kind == "list" else "")
        return found

    def start(self, name: str) -> None:
        """``table NAME`` or, now and then, a JSON literal."""
        options = self.r.choice(("", "", "", "", "order=asc ", f"limit={self.r.randint(3, 20)} ", "offset=1 "))
        if self.depth == 0 and self.r.random() < 0.05:
            users = ("alice", "Bob", "한글")
            parts = [
                f'{{\\"id\\": {i}, \\"user\\": \\"{self.r.choice(users)}\\", \\"n\\": {self.r.randint(0, 9)}}}'
                for i in range(self.r.randint(1, 6))
            ]
            ok = self.attempt(Draft(f'json "[{", ".join(parts)}]"'))
        else:
            ok = self.attempt(Draft(f"table {options}{name}", dict(self.kinds[name])))
        assert ok, "a source is always defined"

    def grow(self, wanted: int) -> None:
        """Append up to ``wanted`` commands."""
        pool = [c for c in COMMANDS if self.depth == 0 or c[1] not in ("drop", "evalc", "repeat")]
        added = tries = 0
        while added < wanted and tries < 60:
            tries += 1
            _, name, make = self.r.choices(pool, [c[0] for c in pool])[0]
            if name == "drop" and added + 1 < wanted:
                continue
            self.e.used = Counter()
            draft = make(self)
            if draft is not None and self.attempt(draft):
                added += 1
                self.used.update(self.e.used)
                self.used[name] += 1
                if self.r.random() < 0.03:
                    self.comment()

    def comment(self) -> None:
        self.commands.append(
            self.r.choice(("# note", '# 메모 "인용" 있음', "# [ eval x = 1 | search x > 1 ]", "# eval a = 1"))
        )
        self.used["#"] += 1

    def subquery(self, size: int) -> Builder:
        """A finished subquery over one of the tables."""
        sub = Builder(self.r, self.ctx.subcontext(), self.kinds, self.depth + 1)
        sub.ctx.notes = set()
        sub.params = self.params
        sub.e.params = self.params
        name = self.r.choice([n for n in self.kinds if n != "t"] or ["t"]) if self.r.random() < 0.8 else "t"
        sub.start(name)
        sub.grow(size)
        self.e.used.update(sub.used)
        return sub

    def parameters(self) -> None:
        """``set`` and ``setq`` before the source."""
        if self.r.random() < 0.12:
            value, kind = self.r.choice((("3", "int"), ("2 * 50", "int"), ('"bob"', "str"), ('lower("ROOT")', "str")))
            if self.attempt(Draft(f"set p = {value}")):
                self.params["p"] = kind
                self.used["set"] += 1
        if self.r.random() < 0.06:
            names = [n for n, k in self.kinds["u"].items() if k.kind in ("int", "str") and listable(n)][:2]
            if names and self.attempt(
                Draft(f"setq [ table u | sort {names[0]} | limit 1 | fields {', '.join(names)} ]")
            ):
                self.params.update({n: self.kinds["u"][n].kind for n in names})
                self.used["setq"] += 1


def _tables(r: Random) -> tuple[dict[str, list[dict[str, Any]]], Types, dict[str, Fields]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    types: Types = {}
    kinds: dict[str, Fields] = {}
    sizes = {
        "t": r.choice((1, 3, 8, 12, 20, 20, 30, 30, 40, 50, 60)),
        "u": r.choice((1, 3, 6, 10)),
        "v": r.choice((2, 8)),
    }
    for name, rows in sizes.items():
        if name == "v" and r.random() < 0.6:
            continue
        data, column_types, known = make_table(
            r,
            rows,
            r.randint(3, 9) if name == "t" else r.randint(1, 4),
            "" if name == "t" else f"{name}_",
            r.random() < 0.35,
        )
        if name != "t":
            _share(r, tables["t"], types["t"], kinds["t"], data, column_types, known)
        tables[name], types[name], kinds[name] = data, column_types, known
    return tables, {n: t for n, t in types.items() if t}, kinds


def _share(
    r: Random,
    source: list[dict[str, Any]],
    source_types: dict[str, str],
    source_kinds: Fields,
    data: list[dict[str, Any]],
    types: dict[str, str],
    kinds: Fields,
) -> None:
    """Give a second table one to three columns of the first, so that keys meet."""
    names = [
        n
        for n, k in source_kinds.items()
        if k.kind in ("str", "int", "long", "date", "ip", "bool", "double") and n != "_time"
    ]
    for name in r.sample(names, min(len(names), r.randint(1, 3))):
        present = [row[name] for row in source if row[name] is not None]
        if source_kinds[name].kind in ("double", "long"):
            present = [v for v in present if type(v) is type(max(present, key=abs))]
        values = [r.choice(present) if r.random() < 0.9 else None for _ in data]
        for row, value in zip(data, values, strict=True):
            row[name] = value
        kind = source_kinds[name].kind
        some = [v for v in values if v is not None]
        if kind == "long" and all(abs(v) < 2**31 for v in some):
            kind = "int"
        kinds[name] = Kind(kind, source_kinds[name].flavor, tuple(some)) if some else Kind("null")
        if name in source_types:
            types[name] = source_types[name]


def _spread(r: Random, commands: list[str]) -> str:
    """Query text with the blanks and line breaks that people use between commands."""
    out = commands[0]
    for text in commands[1:]:
        out += r.choices((" | ", "\n| ", "|", " |\n  "), (80, 12, 4, 4))[0] + text
    return out


def generate(seed: int) -> GeneratedCase:
    """The case of a seed: always the same for the same seed."""
    r = Random(f"logsql-{seed}")
    tables, types, kinds = _tables(r)
    tz = r.choices(("Asia/Seoul", "UTC", "America/New_York"), (8, 1, 1))[0]
    ctx = Ctx(ZoneInfo(tz))
    load_tables(ctx, tables, types)
    b = Builder(r, ctx, kinds)
    b.parameters()
    b.start("t")
    b.grow(r.choice((1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9)))
    expected = Result(b.rows, b.columns, b.ordered, frozenset())
    return GeneratedCase(seed, _spread(r, b.commands), tables, types, tz, expected, frozenset(b.used))


__all__ = ["NEW_NAMES", "GeneratedCase", "generate", "quote"]
