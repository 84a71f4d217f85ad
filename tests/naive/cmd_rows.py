"""Commands that filter, shape and order rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from .aggregates import field_list, mask, split_clauses
from .cmd_sources import option_int
from .documents import write_json
from .errors import NaiveError
from .fn_text import signature as skeleton
from .lexer import take_options, take_subquery
from .stream import Step, Stream, added, append, command, same
from .syntax import Bin, Call, Items, Neg, Node, parse_assignments, parse_expr
from .values import Row, Value, compare, ident, truth


def calls(node: Node, names: set[str]) -> bool:
    """Whether a tree calls one of the functions."""
    match node:
        case Call(name, args, named):
            return name in names or any(calls(a, names) for a in [*args, *(v for _, v in named)])
        case Bin(_, left, right):
            return calls(left, names) or calls(right, names)
        case Neg(arg):
            return calls(arg, names)
        case Items(items):
            return any(calls(i, names) for i in items)
    return False


@command("search")
def search(step: Step) -> Stream:
    options, expr = take_options(step.args, ("limit",), "search")
    limit = option_int(step, options, "limit", "90001", "invalid-option")
    if re.search(r"(?<![=!<>])=(?!=)", mask(expr)):
        raise NaiveError("90001", "invalid-option", f"'=' is no comparison: {expr}")
    keep = step.binder.bind(parse_expr(expr)) if expr else None

    def rows() -> Iterator[Row]:
        kept = 0
        if limit is not None and limit <= 0:
            return
        for row in step.input.rows:
            if keep is None or truth(keep(row)):
                yield row
                kept += 1
                if kept == limit:
                    step.need_order("search limit")
                    return

    return same(step, rows())


@command("limit")
def limit_rows(step: Step) -> Stream:
    words = step.args.split()
    if not 1 <= len(words) <= 2:
        raise NaiveError("20600", "invalid-limit-args", step.args)
    if not all(re.fullmatch(r"\d+", w) for w in words):
        raise NaiveError("20601", "invalid-limit-arg-type", step.args)
    skip = int(words[0]) if len(words) == 2 else 0
    size = int(words[-1])

    def rows() -> Iterator[Row]:
        if size == 0:
            return
        if not step.input.ordered():
            everything = list(step.input.rows)
            if skip or len(everything) > size:
                step.need_order("limit")
            yield from everything[skip : skip + size]
            return
        for i, row in enumerate(step.input.rows):
            if i >= skip:
                yield row
            if i + 1 == skip + size:
                return

    return same(step, rows())


def _names(args: str) -> list[str]:
    return list(dict.fromkeys(n for n in re.split(r"[\s,]+", args) if n))


@command("fields")
def fields(step: Step) -> Stream:
    remove = re.match(r"-(\s|$)", step.args) is not None
    names = _names(step.args[1:] if remove else step.args)
    if not names:
        raise NaiveError("20400", "no-field-args", step.args)
    if remove:
        gone = set(names)
        kept = ({k: v for k, v in row.items() if k not in gone} for row in step.input.rows)
        return Stream(kept, lambda: [c for c in step.input.columns() if c not in gone], step.input.ordered)
    rows = ({n: row.get(n) for n in names} for row in step.input.rows)
    return Stream(rows, lambda: names, step.input.ordered)


@command("order")
def order(step: Step) -> Stream:
    names = _names(step.args)
    if not names:
        raise NaiveError("20400", "no-field-args", step.args)

    def arrange(present: list[str]) -> list[str]:
        return [n for n in names if n in present] + sorted(n for n in present if n not in names)

    rows = ({n: row[n] for n in arrange(list(row))} for row in step.input.rows)
    return Stream(rows, lambda: arrange(step.input.columns()), step.input.ordered)


def _sort_list(source: str) -> list[tuple[str, bool]]:
    out: list[tuple[str, bool]] = []
    for piece in source.split(","):
        piece = piece.strip()
        descending = piece.startswith("-")
        name = piece[1:].strip() if piece[:1] in ("-", "+") else piece
        if not name:
            raise NaiveError("21600", "need-column", source)
        out.append((name, descending))
    return out


@command("sort")
def sort(step: Step) -> Stream:
    options, args = take_options(step.args, ("limit",), "sort")
    limit = option_int(step, options, "limit", "21602", "invalid-limit-option")
    if limit is not None and limit <= 0:
        raise NaiveError("21602", "invalid-limit-option", str(limit))
    head, clauses = split_clauses(args, ("by",))
    if not head:
        raise NaiveError("21600", "need-column", args)
    keys = _sort_list(head)
    parts = [(n, False) for n in field_list(clauses["by"], "21601")] if "by" in clauses else []
    ordered = [True]

    def tie(a: Row, b: Row, names: list[tuple[str, bool]]) -> bool:
        return all(compare(step.ctx, a.get(n), b.get(n)) == 0 for n, _ in names)

    def rows() -> Iterator[Row]:
        data = list(step.input.rows)
        for name, descending in reversed(parts + keys):
            data = _stable(step, data, name, descending)
        loose = not step.input.ordered()
        if loose:
            for a, b in pairwise(data):
                if tie(a, b, parts + keys) and _row_id(step, a) != _row_id(step, b):
                    ordered[0] = False
        taken = 0
        for i, row in enumerate(data):
            if i and parts and not tie(data[i - 1], row, parts):
                taken = 0
            elif (
                i
                and parts
                and any(ident(step.ctx, data[i - 1].get(n)) != ident(step.ctx, row.get(n)) for n, _ in parts)
            ):
                step.ctx.note("partitions that differ only in case")
            taken += 1
            if limit is None or taken <= limit:
                yield row
            elif loose and not ordered[0]:
                step.ctx.note("sort limit over rows in no order")

    return Stream(rows(), step.input.columns, lambda: ordered[0])


def _row_id(step: Step, row: Row) -> Value:
    return tuple(sorted((k, ident(step.ctx, v)) for k, v in row.items() if v is not None))


def _stable(step: Step, data: list[Row], name: str, descending: bool) -> list[Row]:
    """Stable insertion by the comparator (a plain merge sort, written out for independence from key tricks)."""
    if len(data) < 2:
        return data
    middle = len(data) // 2
    a, b = _stable(step, data[:middle], name, descending), _stable(step, data[middle:], name, descending)
    out: list[Row] = []
    i = j = 0
    while i < len(a) and j < len(b):
        c = compare(step.ctx, a[i].get(name), b[j].get(name))
        if (c if not descending else -c) <= 0:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    return out + a[i:] + b[j:]


@command("drop")
def drop(step: Step) -> Stream:
    def rows() -> Iterator[Row]:
        for _ in step.input.rows:
            pass
        yield from ()

    return same(step, rows())


@command("bypass")
def bypass(step: Step) -> Stream:
    return same(step, step.input.rows)


@command("repeat")
def repeat(step: Step) -> Stream:
    options, _ = take_options(step.args, ("count",), "repeat")
    count = option_int(step, options, "count", "90001", "invalid-option")
    if count is None:
        raise NaiveError("22400", "missing-count-option", step.args)
    rows = (dict(row) for row in step.input.rows for _ in range(count))
    return Stream(rows, step.input.columns, lambda: False)


@command("eval")
def evaluate(step: Step) -> Stream:
    parsed = parse_assignments(step.args, 20100)
    bound = [(name, step.binder.bind(node)) for name, node in parsed]
    counts = any(calls(node, {"seq"}) for _, node in parsed)

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            if counts:
                step.need_order("seq")
            out = dict(row)
            for name, fn in bound:
                out[name] = fn(out)
            yield out

    return added(step, rows(), [name for name, _ in parsed])


@command("evalc")
def evaluate_parameter(step: Step) -> Stream:
    parsed = parse_assignments(step.args, 20200)
    bound = [(name, step.binder.bind(node)) for name, node in parsed]

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            step.need_order("evalc")
            for name, fn in bound:
                step.ctx.params[name] = fn(row)
            yield row

    return same(step, rows())


@command("rename")
def rename(step: Step) -> Stream:
    if not step.args:
        raise NaiveError("20800", "as-token-not-found", step.args)
    pairs: list[tuple[str, str]] = []
    for piece in step.args.split(","):
        words = piece.split()
        if len(words) < 3:
            raise NaiveError("20801", "to-field-not-found", piece)
        if words[1].lower() != "as" or len(words) > 3:
            raise NaiveError("20802", "invalid-as-position", piece)
        pairs.append((words[0], words[2]))

    def renamed(names: list[str]) -> list[str]:
        for a, b in pairs:
            if a in names and a != b:
                names = [b if n == a else n for n in names if n != b]
        return names

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            for a, b in pairs:
                if a == b or row.get(a) is None:
                    row = {k: v for k, v in row.items() if k != a or a == b}
                    continue
                row = {b if k == a else k: v for k, v in row.items() if k != b}
            yield row

    return Stream(rows(), lambda: renamed(step.input.columns()), step.input.ordered)


@command("explode")
def explode(step: Step) -> Stream:
    name = step.args.strip()
    if not name:
        raise NaiveError("20300", "missing-explode-field", step.args)

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            value = row.get(name)
            if not isinstance(value, list):
                yield row
                continue
            for x in value:
                yield {**row, name: x}

    return same(step, rows())


@command("prev")
def prev(step: Step) -> Stream:
    names = _names(step.args)
    if not names:
        raise NaiveError("22500", "missing-field", step.args)

    def rows() -> Iterator[Row]:
        before: Row = {}
        for i, row in enumerate(step.input.rows):
            if i:
                step.need_order("prev")
            yield {**row, **{f"prev_{n}": before.get(n) for n in names}}
            before = row

    return added(step, rows(), [f"prev_{n}" for n in names])


@command("tojson")
def tojson(step: Step) -> Stream:
    options, rest = take_options(step.args, ("output",), "tojson")
    target = options.get("output", "_json")
    names = _names(rest)

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            chosen = {n: row.get(n) for n in names} if names else {k: v for k, v in row.items() if v is not None}
            yield {**row, target: write_json(step.ctx, chosen)}

    return added(step, rows(), [target])


@command("signature")
def signature(step: Step) -> Stream:
    rows = ({**row, "signature": skeleton(step.ctx, row.get("line"))} for row in step.input.rows)
    return added(step, rows, ["signature"])


@command("serial")
def serial(step: Step) -> Stream:
    _, inner = take_subquery(step.args)
    return step.build(inner, step.ctx, step.input)


__all__ = ["append", "calls"]
