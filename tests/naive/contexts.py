"""Event contexts, one row at a time: live.md section 5 with lists that are searched, and generators that pull one row
through all commands before the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .errors import NaiveError
from .evaluate import Binder, Fn
from .lexer import take_options
from .stream import Step, Stream, command, same
from .syntax import Call, Lit, parse_expr
from .values import Ctx, Long, Row, Value, text, truth

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass
class Context:
    """One context."""

    topic: str
    key: str
    host: str | None
    created: datetime
    maxrows: int
    counter: int = 1
    expire_at: datetime | None = None
    timeout_at: datetime | None = None
    rows: list[Row] = field(default_factory=list)
    vars: dict[str, Value] = field(default_factory=dict)

    def deadlines(self) -> list[tuple[datetime, int, str]]:
        """Both deadlines, the one that counts first in front."""
        found = [(self.expire_at, 0, "EXPIRE"), (self.timeout_at, 1, "TIMEOUT")]
        return sorted((at, rank, cause) for at, rank, cause in found if at is not None)


@dataclass
class Contexts:
    """All of them, the clocks of hosts, and what became of those that are gone: topic, key, cause."""

    now: datetime
    open: list[Context] = field(default_factory=list)
    clocks: dict[str, datetime] = field(default_factory=dict)
    gone: list[tuple[str, str, str | None, str, datetime]] = field(default_factory=list)

    def find(self, topic: Any, key: Any, host: Any) -> Context | None:
        """The context of a key."""
        return next((c for c in self.open if (c.topic, c.key, c.host) == (topic, key, host)), None)

    def end(self, context: Context, cause: str, moment: datetime) -> None:
        """It is gone."""
        self.open.remove(context)
        self.gone.append((context.topic, context.key, context.host, cause, moment))

    def time(self, host: str | None, seen: datetime | None) -> datetime | None:
        """Now by the clock of a host, behind all deadlines that it has reached."""
        if host is None:
            return self.now
        if seen is not None:
            self.clocks[host] = max(seen, self.clocks.get(host, seen))
        if host not in self.clocks:
            return None
        now = self.clocks[host]
        due = [(*c.deadlines()[0], c) for c in self.open if c.host == host and c.deadlines()]
        for at, _, cause, context in sorted(due, key=lambda one: one[:2]):
            if at <= now:
                self.end(context, cause, at)
        return now


def contexts(ctx: Ctx) -> Contexts:
    """Those of a run."""
    if ctx.contexts is None:
        ctx.contexts = Contexts(ctx.now)
    found: Contexts = ctx.contexts
    return found


def _span(options: dict[str, str], name: str) -> timedelta | None:
    value = options.get(name)
    return None if value is None else timedelta(seconds=int(value[:-1]) * _UNITS[value[-1]])


def _row(ctx: Ctx, row: Row) -> Row:
    """The fields that a row has; a document holds dates as text."""
    return {k: text(ctx, v) if isinstance(v, datetime) else v for k, v in row.items() if v is not None}


def _operation(step: Step, allowed: tuple[str, ...], act: Callable[..., None]) -> Stream:
    options, expr = take_options(step.args, allowed, "evtctx")
    test, ctx = step.binder.bind(parse_expr(expr)), step.ctx
    store, dynamic = contexts(ctx), options.get("dynamic") == "t"

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            host: str | None = None
            now: datetime | None = store.now
            if "logtick" in options:
                host = text(ctx, row.get(options["logtick"]))
                seen = row.get("_time")
                now = None if host is None else store.time(host, seen if isinstance(seen, datetime) else None)
            topic = text(ctx, row.get("topic")) if dynamic else options["topic"]
            key = text(ctx, row.get(options.get("key", "key")))
            if truth(test(row)) and topic is not None and key is not None and now is not None:
                act(ctx, store, options, row, (topic, key, host), now)
            yield row

    return same(step, rows())


def _add(
    ctx: Ctx, store: Contexts, options: dict[str, str], row: Row, place: tuple[str, str, str | None], now: datetime
) -> None:
    expire, timeout, most = _span(options, "expire"), _span(options, "timeout"), int(options.get("maxrows", "10"))
    if options.get("dynamic") == "t":
        limits = [row.get(name) for name in ("expire", "timeout", "maxrows")]
        spans = [timedelta(seconds=v) if isinstance(v, int) and v > 0 else None for v in limits[:2]]
        expire, timeout = spans
        most = 10 if limits[2] is None else int(limits[2])  # type: ignore[call-overload]
    context = store.find(*place)
    if context is None:
        context = Context(*place, now, most, expire_at=None if expire is None else now + expire)
        store.open.append(context)
    else:
        context.counter += 1
    if timeout is not None:
        context.timeout_at = now + timeout
    if most > 0 and len(context.rows) < context.maxrows:
        context.rows.append(_row(ctx, row))


def _delete(
    ctx: Ctx, store: Contexts, options: dict[str, str], row: Row, place: tuple[str, str, str | None], now: datetime
) -> None:
    context = store.find(*place)
    if context is not None:
        store.end(context, "REMOVAL", now)


@command("evtctxadd")
def add(step: Step) -> Stream:
    return _operation(step, ("topic", "key", "expire", "timeout", "maxrows", "logtick", "dynamic"), _add)


@command("evtctxdel")
def delete(step: Step) -> Stream:
    return _operation(step, ("topic", "key", "logtick", "dynamic"), _delete)


# --- functions --------------------------------------------------------------------------------------------------------


def _found(b: Binder, args: list[Fn], host: int) -> Callable[[Row], Context | None]:
    store = contexts(b.ctx)

    def find(row: Row) -> Context | None:
        topic, key = text(b.ctx, args[0](row)), text(b.ctx, args[1](row))
        return store.find(topic, key, text(b.ctx, args[host](row)) if len(args) > host else None)

    return find


def _get(b: Binder, node: Call) -> Fn:
    if not isinstance(node.args[2], Lit):
        raise NaiveError("E3322", "event-context-attribute", "")
    name = {"expire": "expire_at", "timeout": "timeout_at"}.get(str(node.args[2].value), str(node.args[2].value))
    find = _found(b, [b.bind(a) for a in node.args], 3)

    def run(row: Row) -> Value:
        context = find(row)
        value = None if context is None else getattr(context, name)
        return list(value) if isinstance(value, list) else value

    return run


def _getvar(b: Binder, node: Call) -> Fn:
    args = [b.bind(a) for a in node.args]
    find = _found(b, args, 3)

    def run(row: Row) -> Value:
        context, name = find(row), text(b.ctx, args[2](row))
        return None if context is None or name is None else context.vars.get(name)

    return run


def _setvar(b: Binder, node: Call) -> Fn:
    args = [b.bind(a) for a in node.args]
    find = _found(b, args, 4)

    def run(row: Row) -> Value:
        context, name, value = find(row), text(b.ctx, args[2](row)), args[3](row)
        if context is None or name is None:
            return False
        context.vars[name] = value
        return True

    return run


def _count(b: Binder, node: Call) -> Fn:
    topic, store = b.bind(node.args[0]), contexts(b.ctx)
    return lambda row: Long(sum(c.topic == text(b.ctx, topic(row)) for c in store.open))


SIMPLE: dict[str, Any] = {}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {
    "evtctxget": _get,
    "evtctxgetvar": _getvar,
    "evtctxsetvar": _setvar,
    "evtctxcnt": _count,
}
