"""Drivers and parameters: table, json, set, setq."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from .documents import JsonReader
from .errors import NaiveError
from .javadate import parse_date, parse_span, shift
from .lexer import take_options, take_subquery
from .stream import Step, Stream, append, command, same
from .syntax import parse_assignments, parse_expr
from .values import Ctx, Row, Value, sort_key, text


def option_text(step: Step, value: str) -> str:
    """Option value as text; ``$("name")`` is the parameter (a date prints as yyyyMMddHHmmss, null as nothing)."""
    if not value.startswith("$("):
        return value
    v = step.binder.bind(parse_expr(value))({})
    if isinstance(v, datetime):
        return v.astimezone(step.ctx.tz).strftime("%Y%m%d%H%M%S")
    return text(step.ctx, v) or ""


def option_int(step: Step, options: dict[str, str], key: str, code: str, name: str) -> int | None:
    """Integer option; text that is no integer is refused with the given code."""
    if key not in options:
        return None
    value = option_text(step, options[key])
    if not re.fullmatch(r"-?\d+", value):
        raise NaiveError(code, name, f"{key}={value}")
    return int(value)


def _moment(ctx: Ctx, value: str) -> datetime:
    if re.fullmatch(r"\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14}", value):
        padded = value + {4: "0101000000", 6: "01000000"}.get(len(value), "0" * (14 - len(value)))
        d = parse_date(ctx, padded, "yyyyMMddHHmmss")
    else:
        d = parse_date(ctx, value, "yyyy-MM-dd HH:mm:ssZ")
    if d is None:
        raise NaiveError("10603", "invalid-table-spec", value)
    return d


def _matching(ctx: Ctx, spec: str) -> tuple[list[str], bool]:
    """Tables of one name, and whether the name selects several."""
    name = spec.split(":", 1)[1] if ":" in spec else spec
    optional = name.endswith("?")
    name = name.rstrip("?")
    if "*" in name:
        pattern = re.compile(".*".join(re.escape(p) for p in name.split("*")))
        return sorted(t for t in ctx.tables if pattern.fullmatch(t)), True
    if name not in ctx.tables:
        if optional:
            return [], False
        raise NaiveError("10605", "table-not-found", name)
    return [name], False


@command("table")
def table(step: Step) -> Stream:
    allowed = ("from", "to", "duration", "window", "limit", "offset", "order", "parser", "raw", "eachtable")
    options, names = take_options(step.args, allowed, "table")
    ctx = step.ctx
    limit = option_int(step, options, "limit", "10602", "negative-limit")
    offset = option_int(step, options, "offset", "10601", "negative-offset") or 0
    if offset < 0:
        raise NaiveError("10601", "negative-offset", str(offset))
    if limit is not None and limit < 0:
        raise NaiveError("10602", "negative-limit", str(limit))
    chosen: list[tuple[str, bool]] = []
    for spec in names.split(","):
        if not spec.strip():
            raise NaiveError("10603", "invalid-table-spec", names)
        found, several = _matching(ctx, spec.strip())
        chosen += [(name, several) for name in found]
    keep = _time_filter(step, options)
    columns: list[str] = []
    for name, several in chosen:
        columns = append(columns, ctx.columns[name] + (["_table"] if several else []))
    descending = options.get("order", "desc") != "asc"

    def rows() -> Iterator[Row]:
        out = [{**r, "_table": n} if several else dict(r) for n, several in chosen for r in ctx.tables[n]]
        out = [r for r in out if keep(r)]
        if "_time" in columns:
            out.sort(key=lambda r: sort_key(ctx)(r.get("_time")), reverse=descending)
        yield from out[offset : None if limit is None else offset + limit]

    return Stream(rows(), lambda: columns, lambda: True)


def _time_filter(step: Step, options: dict[str, str]) -> Callable[[Row], bool]:
    ctx = step.ctx
    low = _moment(ctx, option_text(step, options["from"])) if "from" in options else None
    high = _moment(ctx, option_text(step, options["to"])) if "to" in options else None
    if "duration" in options:
        ctx.note("table duration")
        low = shift(ctx, ctx.now, parse_span(option_text(step, options["duration"])), -1)

    def keep(row: Row) -> bool:
        if low is None and high is None:
            return True
        t = row.get("_time")
        if not isinstance(t, datetime):
            return False
        return (low is None or t >= low) and (high is None or t < high)

    return keep


@command("json")
def json_source(step: Step) -> Stream:
    args = step.args
    if args.startswith('"') and args.endswith('"') and len(args) > 1:
        source = args[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    elif re.match(r"[$\w]+\(", args):
        value = step.binder.const(parse_expr(args), "json text")
        source = value if isinstance(value, str) else ""
    else:
        raise NaiveError("10200", "missing-json-quotation", args)
    reader = JsonReader(source)
    if reader.peek() not in ("{", "["):
        raise NaiveError("10201", "invalid-json-type", source)
    try:
        parsed: Value = reader.value()
    except ValueError as e:
        raise NaiveError("10202", "invalid-json", str(e)) from e
    found = [r for r in (parsed if isinstance(parsed, list) else [parsed]) if isinstance(r, dict)]
    columns: list[str] = []
    for r in found:
        columns = append(columns, list(r))
    return Stream((dict(r) for r in found), lambda: columns, lambda: True)


@command("set")
def set_parameter(step: Step) -> Stream:
    for name, node in parse_assignments(step.args, 10400):
        step.ctx.params[name] = step.binder.bind(node)({})
    return same(step, step.input.rows)


@command("setq")
def set_from_query(step: Step) -> Stream:
    _, inner = take_subquery(step.args)
    stream = step.build(inner, step.ctx.subcontext(), None)
    first = next(stream.rows, None)
    if first is not None:
        if not stream.ordered():
            step.ctx.note("setq over rows in no order")
        step.ctx.params.update(first)
    return same(step, step.input.rows)
