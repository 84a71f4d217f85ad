"""Commands that group rows: stats, rollup, cube, pivot, timechart, boxplot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cmp_to_key
from itertools import combinations, pairwise

from .aggregates import Agg, Column, field_list, parse_aggregates, split_clauses
from .errors import NaiveError
from .javadate import parse_span, truncate
from .lexer import take_options
from .stream import Step, Stream, append, command
from .syntax import parse_expr
from .values import Ctx, Long, Row, Value, compare, ident, is_num, sort_key, text

Keys = tuple[Value, ...]


class Groups:
    """Groups in order of first appearance, each with the argument values of every aggregate."""

    def __init__(self, step: Step, aggs: list[Agg]) -> None:
        self.step = step
        self.aggs = aggs
        self.found: dict[object, tuple[Keys, list[Column]]] = {}

    def add(self, keys: Keys, seen: list[tuple[Value, ...]]) -> None:
        ctx = self.step.ctx
        entry = self.found.setdefault(tuple(ident(ctx, k) for k in keys), (keys, [[] for _ in self.aggs]))
        for a, b in zip(entry[0], keys, strict=True):
            if is_num(a) and isinstance(a, float) != isinstance(b, float):
                ctx.note("equal group keys of different types")
        for column, values in zip(entry[1], seen, strict=True):
            column.append(values)

    def see(self, row: Row) -> list[tuple[Value, ...]]:
        return [a.see(row) for a in self.aggs]

    def results(self, columns: list[Column]) -> list[Value]:
        for a, c in zip(self.aggs, columns, strict=True):
            if a.ordered and len({ident(self.step.ctx, v[0]) for v in c if v[0] is not None}) > 1:
                self.step.need_order("first, last or array")
        return [a.compute(self.step.ctx, c) for a, c in zip(self.aggs, columns, strict=True)]

    def ranked(self) -> tuple[list[tuple[Keys, list[Column]]], bool]:
        """Groups ascending by their keys, and whether the order tells all of them apart."""
        ctx = self.step.ctx

        def by_keys(a: tuple[Keys, list[Column]], b: tuple[Keys, list[Column]]) -> int:
            return compare_keys(ctx, a[0], b[0])

        entries = sorted(self.found.values(), key=cmp_to_key(by_keys))
        apart = all(compare_keys(ctx, a[0], b[0]) for a, b in pairwise(entries))
        return entries, apart


def compare_keys(ctx: Ctx, a: Keys, b: Keys) -> int:
    for x, y in zip(a, b, strict=True):
        c = compare(ctx, x, y)
        if c:
            return c
    return 0


def _unique_names(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise NaiveError("21704", "duplicate-output-name", ", ".join(names))


def _grouped(step: Step, aggs: list[Agg], keys: list[str]) -> Stream:
    """The rows of ``stats``."""
    names = keys + [a.column for a in aggs]
    _unique_names(names)
    apart = [True]

    def rows() -> Iterator[Row]:
        groups = Groups(step, aggs)
        if not keys:
            groups.found[()] = ((), [[] for _ in aggs])
        for row in step.input.rows:
            groups.add(tuple(row.get(k) for k in keys), groups.see(row))
        entries, apart[0] = groups.ranked()
        for values, columns in entries:
            yield dict(zip(names, [*values, *groups.results(columns)], strict=True))

    return Stream(rows(), lambda: names, lambda: apart[0])


@command("stats")
def stats(step: Step) -> Stream:
    _, args = take_options(step.args, ("parallel",), "stats")
    head, clauses = split_clauses(args, ("by",))
    aggs = parse_aggregates(step.binder, head, ("21700", "missing-stats-function"))
    keys = field_list(clauses["by"], "21701") if "by" in clauses else []
    return _grouped(step, aggs, keys)


def _subtotals(step: Step, cube: bool) -> Stream:
    options, args = take_options(step.args, ("label", "parallel"), "cube" if cube else "rollup")
    head, clauses = split_clauses(args, ("by",))
    aggs = parse_aggregates(step.binder, head, ("21700", "missing-stats-function"))
    keys = field_list(clauses["by"], "21701") if "by" in clauses else []
    label = options.get("label")
    names = keys + [a.column for a in aggs]
    _unique_names(names)
    sizes = range(len(keys), -1, -1)
    sets = [set(c) for n in sizes for c in (combinations(range(len(keys)), n) if cube else [tuple(range(n))])]

    def rows() -> Iterator[Row]:
        data = list(step.input.rows)
        if not data:
            step.ctx.note("subtotals over no rows")
        for kept in sets:
            groups = Groups(step, aggs)
            for row in data:
                groups.add(tuple(row.get(k) for i, k in enumerate(keys) if i in kept), groups.see(row))
            for values, columns in groups.ranked()[0]:
                it = iter(values)
                full = [next(it) if i in kept else label for i in range(len(keys))]
                yield dict(zip(names, [*full, *groups.results(columns)], strict=True))

    return Stream(rows(), lambda: names, lambda: not keys)


@command("rollup")
def rollup(step: Step) -> Stream:
    return _subtotals(step, False)


@command("cube")
def cube(step: Step) -> Stream:
    return _subtotals(step, True)


class Spread:
    """Column names of values spread over columns: value text, with the aggregate's name if there are several."""

    def __init__(self, ctx: Ctx, aggs: list[Agg], taken: list[str]) -> None:
        self.ctx = ctx
        self.aggs = aggs
        self.taken = taken
        self.combos: dict[object, Keys] = {}

    def see(self, values: Keys) -> object:
        key = tuple(ident(self.ctx, v) for v in values)
        self.combos.setdefault(key, values)
        return key

    def prefix(self, values: Keys) -> str:
        return "_".join("null" if v is None else text(self.ctx, v) or "" for v in values)

    def column(self, values: Keys, agg: Agg) -> str:
        return self.prefix(values) if len(self.aggs) == 1 else f"{self.prefix(values)}_{agg.column}"

    def names(self) -> list[str]:
        ctx = self.ctx

        def by_value(a: Keys, b: Keys) -> int:
            return compare_keys(ctx, a, b)

        ranked = sorted(self.combos.values(), key=cmp_to_key(by_value))
        out = [self.column(values, agg) for values in ranked for agg in self.aggs]
        if len(set(out) | set(self.taken)) < len(out) + len(self.taken) or "" in out:
            self.ctx.note("columns of spread values with equal or empty names")
        return out


@command("pivot")
def pivot(step: Step) -> Stream:
    _, args = take_options(step.args, ("parallel",), "pivot")
    head, clauses = split_clauses(args, ("by", "rows", "for", "cols"))
    aggs = parse_aggregates(step.binder, head, ("21700", "missing-stats-function"))
    by = clauses.get("by", clauses.get("rows"))
    across = clauses.get("for", clauses.get("cols"))
    keys = field_list(by, "21701") if by is not None else []
    if across is None:
        return _grouped(step, aggs, keys)
    spread_keys = field_list(across, "21701")
    spread = Spread(step.ctx, aggs, keys)
    apart = [True]

    def rows() -> Iterator[Row]:
        cells: dict[object, Groups] = {}
        outer = Groups(step, [])
        for row in step.input.rows:
            values = tuple(row.get(k) for k in keys)
            outer.add(values, [])
            inner = cells.setdefault(tuple(ident(step.ctx, v) for v in values), Groups(step, aggs))
            across_values = tuple(row.get(k) for k in spread_keys)
            spread.see(across_values)
            inner.add(across_values, inner.see(row))
        if not cells and not keys:
            step.ctx.note("pivot without rows over no rows")
        spread.names()
        entries, apart[0] = outer.ranked()
        for values, _ in entries:
            out = dict(zip(keys, values, strict=True))
            inner = cells[tuple(ident(step.ctx, v) for v in values)]
            for across_values, columns in inner.found.values():
                for agg, result in zip(aggs, inner.results(columns), strict=True):
                    out[spread.column(across_values, agg)] = result
            yield out

    return Stream(rows(), lambda: append(keys, spread.names()), lambda: apart[0])


@command("timechart")
def timechart(step: Step) -> Stream:
    options, args = take_options(step.args, ("span", "offset", "parallel", "pivot"), "timechart")
    ctx = step.ctx
    span = parse_span(options.get("span", "1d"), "timechart")
    offset = parse_span(options["offset"], "timechart") if "offset" in options else None
    head, clauses = split_clauses(args, ("by",))
    aggs = parse_aggregates(step.binder, head, ("21800", "need-aggregation-field"))
    by = field_list(clauses["by"], "21701") if "by" in clauses else []
    names = ["_time"] + ([] if by else [a.column for a in aggs])
    _unique_names(names)
    spread = Spread(ctx, aggs, ["_time"])

    def rows() -> Iterator[Row]:
        buckets: dict[datetime, Groups] = {}
        for row in step.input.rows:
            seen = [a.see(row) for a in aggs]
            t = row.get("_time")
            values = tuple(row.get(k) for k in by)
            if not isinstance(t, datetime) or any(v is None for v in values):
                continue
            if by:
                spread.see(values)
            buckets.setdefault(truncate(ctx, t, span, offset), Groups(step, aggs)).add(values, seen)
        spread.names()
        for start in sorted(buckets):
            out: Row = {"_time": start}
            for values, columns in buckets[start].found.values():
                for agg, result in zip(aggs, buckets[start].results(columns), strict=True):
                    out[spread.column(values, agg) if by else agg.column] = result
            yield out

    return Stream(rows(), lambda: names + (spread.names() if by else []), lambda: True)


@command("boxplot")
def boxplot(step: Step) -> Stream:
    head, clauses = split_clauses(step.args, ("by",))
    if not head:
        raise NaiveError("20001", "missing-expr", step.args)
    value = step.binder.bind(parse_expr(head))
    keys = field_list(clauses["by"], "20000") if "by" in clauses else []
    ctx = step.ctx
    names = [*keys, "min", "iqr1", "iqr2", "iqr3", "max", "count"]
    _unique_names(names)
    apart = [True]

    def rows() -> Iterator[Row]:
        groups = Groups(step, [Agg("", (value,), lambda c, v: None, False)])
        for row in step.input.rows:
            v = value(row)
            if v is not None:
                groups.add(tuple(row.get(k) for k in keys), [(v,)])
        entries, apart[0] = groups.ranked()
        for group, columns in entries:
            found = sorted((v[0] for v in columns[0]), key=sort_key(ctx))
            for a, b in pairwise(found):
                if compare(ctx, a, b) == 0 and (a != b or isinstance(a, float) != isinstance(b, float)):
                    ctx.note("boxplot of values that the order does not tell apart")
            quarter = len(found) // 4
            summary = [found[0], *(found[i * quarter] for i in (1, 2, 3)), found[-1], Long(len(found))]
            yield dict(zip(names, [*group, *summary], strict=True))

    return Stream(rows(), lambda: names, lambda: apart[0])
