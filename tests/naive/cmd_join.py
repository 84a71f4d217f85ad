"""Commands that combine rows with other rows: join, streamjoin, union, lookup, memlookup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .aggregates import mask
from .errors import NaiveError
from .lexer import take_options, take_subquery
from .stream import Step, Stream, added, append, command
from .values import Row, Value, ident, is_num, text

_TYPES = ("inner", "left", "leftonly", "right", "rightonly", "full", "cross")


class Matcher:
    """Subquery rows by key, and the rules for two rows that met."""

    def __init__(self, step: Step, keys: list[str], kind: str) -> None:
        self.step = step
        self.keys = keys
        self.kind = kind
        self.rows: list[Row] = []
        self.index: dict[Value, list[int]] = {}
        self.met: set[int] = set()

    def key(self, row: Row) -> Value:
        values = [row.get(k) for k in self.keys]
        if any(v is None for v in values):
            return None
        return tuple(ident(self.step.ctx, v) for v in values)

    def load(self, sub: Stream) -> bool:
        """Read the subquery; true if the order of the matches of one row is defined."""
        self.rows = list(sub.rows)
        for i, row in enumerate(self.rows):
            k = self.key(row)
            if k is not None:
                self.index.setdefault(k, []).append(i)
        return sub.ordered() or (bool(self.keys) and all(len(v) == 1 for v in self.index.values()))

    def matches(self, row: Row) -> list[int]:
        if self.kind == "cross":
            return list(range(len(self.rows)))
        k = self.key(row)
        return self.index.get(k, []) if k is not None else []

    def merge(self, row: Row, other: Row) -> Row:
        """One output row: the subquery's non-null values win (the input's for right and full collisions are open)."""
        for name in other:
            if name in row and name not in self.keys and (row[name] is not None or other[name] is not None):
                if self.kind in ("right", "full", "cross"):
                    self.step.ctx.note(f"name collision in a {self.kind} join")
            elif (
                name in self.keys
                and is_num(row[name])
                and isinstance(row[name], float) != isinstance(other[name], float)
            ):
                self.step.ctx.note("equal join keys of different types")
        if self.kind == "right":
            return {**row, **{k: v for k, v in other.items() if row.get(k) is None}}
        return {**row, **{k: v for k, v in other.items() if v is not None or k not in row}}


def _join(step: Step, args: str, kind: str, sub_text: str) -> Stream:
    keys = [k.lstrip("+-") for k in re.split(r"[\s,]+", args) if k.strip("+-")]
    if kind == "cross" and keys:
        raise NaiveError("90001", "invalid-option", "a cross join takes no keys")
    if kind != "cross" and not keys:
        raise NaiveError("23201", "missing-field", "join needs a key")
    sub = step.build(sub_text, step.ctx.subcontext(), None)
    m = Matcher(step, keys, kind)
    defined = [True]

    def rows() -> Iterator[Row]:
        defined[0] = m.load(sub)
        for row in step.input.rows:
            hits = m.matches(row)
            m.met.update(hits)
            if kind not in ("leftonly", "rightonly"):
                for i in hits:
                    yield m.merge(row, m.rows[i])
            if not hits and kind in ("left", "leftonly", "full"):
                yield dict(row)
        if kind in ("right", "rightonly", "full"):
            for i, other in enumerate(m.rows):
                if i not in m.met:
                    yield dict(other)

    def columns() -> list[str]:
        if kind in ("leftonly", "rightonly"):
            return step.input.columns() if kind == "leftonly" else sub.columns()
        return append(step.input.columns(), sub.columns())

    loose = kind in ("right", "rightonly", "full")
    return Stream(rows(), columns, lambda: not loose and defined[0] and step.input.ordered())


@command("join")
def join(step: Step) -> Stream:
    options, rest = take_options(step.args, ("type",), "join")
    kind = options.get("type", "inner")
    if kind not in _TYPES:
        raise NaiveError("90001", "invalid-option", f"join type={kind}")
    head, inner = take_subquery(rest)
    return _join(step, head, kind, inner)


@command("streamjoin")
def streamjoin(step: Step) -> Stream:
    options, rest = take_options(step.args, ("type", "timeout"), "streamjoin")
    kind = options.get("type", "inner")
    if kind not in ("inner", "left", "leftonly"):
        raise NaiveError("23200", "unsupported-type", kind)
    head, inner = take_subquery(rest)
    return _join(step, head, kind, inner)


@command("union")
def union(step: Step) -> Stream:
    _, inner = take_subquery(step.args)
    sub = step.build(inner, step.ctx.subcontext(), None)

    def rows() -> Iterator[Row]:
        other = list(sub.rows)
        yield from step.input.rows
        # Fields stand in the order of the columns, which is the input's where both sides have them (section 5).
        names = append(step.input.columns(), sub.columns())
        yield from ({n: row[n] for n in names if n in row} for row in other)

    return Stream(rows(), lambda: append(step.input.columns(), sub.columns()), lambda: False)


@command("lookup")
def lookup(step: Step) -> Stream:
    m = re.search(r"\s+output\s+", mask(step.args))
    if m is None:
        raise NaiveError("20700", "output-token-not-found", step.args)
    head, tail = step.args[: m.start()].split(), step.args[m.end() :]
    if len(head) not in (2, 4) or (len(head) == 4 and head[2].lower() != "as"):
        raise NaiveError("20702", "invalid-lookup-field", step.args)
    pairs: list[tuple[str, str]] = []
    for piece in tail.split(","):
        words = piece.split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
            raise NaiveError("20703", "as-token-not-found", piece)
        pairs.append((words[0], words[-1]))
    name, source = head[0], head[1]
    if name not in step.ctx.lookups:
        raise NaiveError("20701", "invalid-lookup-name", name)
    mapping = step.ctx.lookups[name]

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            found = mapping.get(text(step.ctx, row.get(source)) or "", {})
            values = {g: text(step.ctx, found.get(f)) for f, g in pairs if found.get(f) is not None}
            yield {**dict.fromkeys(g for _, g in pairs), **row, **values}

    return added(step, rows(), [g for _, g in pairs])


@command("memlookup")
def memlookup(step: Step) -> Stream:
    options, rest = take_options(step.args, ("op", "name", "key"), "memlookup")
    op = options.get("op", "list")
    if op not in ("build", "drop", "list"):
        raise NaiveError("22000", "unsupported-memlookup-op", op)
    if op != "list" and "name" not in options:
        raise NaiveError("22001", "missing-name", step.args)
    if op == "build" and "key" not in options:
        raise NaiveError("22002", "missing-key", step.args)
    lookups = step.ctx.lookups
    names = [n for n in re.split(r"[\s,]+", rest) if n]
    if op == "build":
        lookups.setdefault(options["name"], {})

    def rows() -> Iterator[Row]:
        if op == "build":
            for row in step.input.rows:
                k = text(step.ctx, row.get(options["key"]))
                if k is not None:
                    lookups[options["name"]][k] = {n: row.get(n) for n in names}
        elif op == "drop":
            lookups.pop(options["name"], None)
        elif "name" in options:
            yield from (dict(r) for r in lookups.get(options["name"], {}).values())
        else:
            yield from ({"name": n, "size": len(m)} for n, m in sorted(lookups.items()))

    return Stream(rows(), list, lambda: True)
