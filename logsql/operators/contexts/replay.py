"""Rows through the operations, one after the other: what the commands of event contexts do when a query runs.

Where no argument depends on a context this is a loop over values that SQL has computed. Where one does, its question
has to be answered in between, and SQL that is asked for one row costs a millisecond. So a row that has no answer yet
is *parked*, and the rows behind it are looked at ahead, as far as they have nothing to do with contexts that a parked
row may change: they collect more questions. Then SQL answers all of them at once, everything from the first parked
row on is undone, and the rows go on from there. An answer depends on nothing but what it was asked for (the row and the
results that it reads), so what was asked too early does no harm, and each time one row more at least is through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from logsql.diagnostics.contexts import NO_KEY, NO_STORE, TOO_MANY
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.operators.contexts.answers import Answers
from logsql.operators.contexts.plain import compiled
from logsql.operators.contexts.program import KINDS, Arg, Operation, Program, What
from logsql.planner.runtime import Row
from logsql.planner.services import CONTEXTS, EventContexts
from logsql.values.arrow import arrow_type

if TYPE_CHECKING:
    from logsql.planner.runtime import StageRuntime


#: What a step says of the row: it goes on, it stops here, it waits for an answer.
ON, STOPS, PARKS = 0, 1, 2
#: Rows that are looked at behind a parked one, at first and at most.
AHEAD, MOST_AHEAD = 256, 8192
#: Rows between two looks at the cancel flag.
SLICE = 20_000
_SECOND = 1_000_000

Step = Callable[[int], int]
Read = Callable[[int], Row | None]
Place = tuple[object, object, object]


def replayed(
    program: Program,
    held: Sequence[tuple[str, str]],
    batches: Iterator[pa.RecordBatch],
    runtime: StageRuntime,
) -> Iterator[tuple[pa.RecordBatch, Mapping[str, pa.Array]]]:
    """The batches with the columns of results; ``held`` are columns that are handed on under another name."""
    store = runtime.service(CONTEXTS)
    if store is None:
        raise RunError(diagnostic(NO_STORE))
    answers = Answers(program, runtime)
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, SLICE):
                if runtime.cancelled():
                    return
                part = batch.slice(start, SLICE)
                with store:
                    found = Replay(program, store, answers, part).run()
                    found.told(runtime)
                made = {i: _array(found.results[i], physical) for i, physical in program.results.items()}
                yield part, made | {name: part.column(ident) for ident, name in held}
    finally:
        answers.close()


def _array(cells: list[object], physical: str) -> pa.Array:
    if "TIME ZONE" in physical:
        return pa.array(cells, pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.array(cells, arrow_type(physical))


class Replay:
    """The rows of one batch on their way. The store is held."""

    def __init__(self, program: Program, store: EventContexts, answers: Answers, batch: pa.RecordBatch) -> None:
        self.store = store
        self.rows: int = batch.num_rows
        self.results: dict[str, list[object]] = {ident: [None] * self.rows for ident in program.results}
        self.without_key: dict[str, int] = {}
        self.too_many: dict[str, int] = {}
        self.now = 0
        #: What parked rows may change: contexts, and hosts whose clock they may move.
        self.touched: set[object] = set()
        self._program = program
        self.answers = answers.of(batch, self.results)
        self._cells: dict[str, list[object]] = {}
        self._batch = batch
        self._operations = [one for one in program.operations if one.what is not What.HOLD]
        self._steps = [_STEPS[one.what](self, one) for one in self._operations]
        self._ahead = AHEAD

    def run(self) -> Replay:
        """All rows, in order."""
        self.now = self.store.tick()
        if self._program.asks:
            self._asking()
        else:
            steps = self._steps
            for row in range(self.rows):
                for step in steps:
                    if step(row):  # it stops here
                        break
        return self

    def told(self, runtime: StageRuntime) -> None:
        """What was not done, in the ledger."""
        for reason, counts in ((NO_KEY, self.without_key), (TOO_MANY, self.too_many)):
            for source, count in counts.items():
                runtime.loss.lost(source, reason.name, count)

    # --- with questions ---------------------------------------------------------------------------

    def _asking(self) -> None:
        position = 0
        try:
            while position < self.rows:
                position = self._pass(position)
            self.answers.settle()
        except BaseException:  # what was only looked at ahead must not stay
            self.store.undo()
            raise
        finally:
            self.store.settle()

    def _pass(self, start: int) -> int:
        """Rows from ``start`` on, until those ahead of a parked one have been looked at; the row to go on from."""
        store, steps, results = self.store, self._steps, list(self.results.values())
        self.touched.clear()
        parked: int | None = None
        counts: tuple[dict[str, int], dict[str, int]] = {}, {}
        row, stop = start, self.rows
        while row < stop:
            for cells in results:
                cells[row] = None
            if parked is None:
                store.remember()
                counts = dict(self.without_key), dict(self.too_many)
            for number, step in enumerate(steps):
                said = step(row)
                if said == PARKS:
                    if parked is None:
                        parked, stop = row, min(self.rows, row + self._ahead)
                    if not self._will_touch(row, number):
                        stop = row
                if said:
                    break
            row += 1
        if parked is None:
            return self.rows
        store.undo()
        self.without_key, self.too_many = counts
        asked = self.answers.ask()
        # One context after the other waits for itself: looking ahead finds nothing to ask.
        if asked * 8 < self._ahead:
            self._ahead = max(1, self._ahead // 2)
        elif asked * 2 > self._ahead:
            self._ahead = min(MOST_AHEAD, self._ahead * 2)
        return parked

    def _will_touch(self, row: int, number: int) -> bool:
        """Remember what a row may still change; False where that is not known."""
        for one in self._operations[number:]:
            if one.what not in (What.ADD, What.DELETE, What.SET):
                continue
            roles = [one.args.get(role, _NOTHING) for role in ("topic", "key", "host")]
            if one.asks is not None and any(arg.ident in one.asks.gives for arg in roles):
                return False
            topic, key, host = (self._cell(arg)(row) for arg in roles)
            self.touched.add((topic, key, host))
            self.touched.add(topic)
            if "time" in one.args:
                self.touched.add((host,))
        return True

    def busy(self, topic: object, key: object, host: object) -> bool:
        """Whether a parked row may change a context."""
        touched = self.touched
        return (topic, key, host) in touched or (host is not None and (host,) in touched)

    # --- steps ------------------------------------------------------------------------------------

    def _cell(self, arg: Arg) -> Callable[[int], object]:
        """The value of an argument that depends on no result."""
        if arg.ident is None:
            constant = arg.constant
            return lambda row: constant
        return self.column(arg.ident).__getitem__

    def column(self, ident: str) -> list[object]:
        """The values of a column of the batch; times as microseconds."""
        if ident not in self._cells:
            column = self._batch.column(ident)
            if pa.types.is_timestamp(column.type):
                column = column.cast(pa.int64())
            self._cells[ident] = column.to_pylist()
        return self._cells[ident]

    def reader(self, one: Operation, roles: Sequence[str]) -> Read:
        """The arguments of these roles for a row; None where they are not known yet."""
        args = [one.args.get(role, _NOTHING) for role in roles]
        rows = self.rows
        asked = one.asks.gives if one.asks is not None else ()
        columns = [
            [arg.constant] * rows if arg.ident is None or arg.ident in asked else self.column(arg.ident) for arg in args
        ]
        together = list(zip(*columns, strict=True))
        if one.asks is None or not any(arg.ident in asked for arg in args):
            return together.__getitem__
        answer = self.answers.reader(one.asks)
        places = [(n, asked.index(arg.ident)) for n, arg in enumerate(args) if arg.ident in asked]
        direct = self._direct(one, roles)

        def read(row: int) -> Row | None:
            values = list(together[row])
            if direct is not None and direct(row, values):
                return tuple(values)
            found = answer(row)
            if found is None:
                return None
            for n, at in places:
                values[n] = found[at]
            return tuple(values)

        return read

    def _direct(self, one: Operation, roles: Sequence[str]) -> Callable[[int, list[object]], bool] | None:
        """Sets the arguments that Python computes; False where it is not certain, and SQL is asked."""
        if one.plain is None:
            return None
        single = [(roles.index(role), compiled(plain, self)) for role, plain in one.plain.items() if role != "value"]
        kinds = {role: n for n, role in enumerate(roles) if role in KINDS}
        value = compiled(one.plain["value"], self) if "value" in one.plain else None

        def direct(row: int, values: list[object]) -> bool:
            for n, compute in single:
                cell = compute(row)
                if cell is None:
                    return False
                values[n] = cell[1]
            if value is None:
                return True
            cell = value(row)
            if cell is None or (cell[1] is not None and cell[0] not in kinds):
                return False
            for kind, n in kinds.items():
                values[n] = cell[1] if kind == cell[0] else None
            return True

        return direct

    def document(self, one: Operation) -> Callable[[int], object]:
        """The row to keep: its text, or what will be its text."""
        arg = one.args.get("doc", _NOTHING)
        if one.asks_doc is None:
            return self._cell(arg)
        return self.answers.later(one.asks_doc)

    def miss(self, counts: dict[str, int], name: str) -> int:
        """Count a row for which nothing was done; it goes on."""
        counts[name] = counts.get(name, 0) + 1
        return ON


_NOTHING = Arg()


def _filter(replay: Replay, one: Operation) -> Step:
    if one.asks is None:
        stops = [STOPS if not value else ON for value in replay.column(str(one.args["test"].ident))]
        return stops.__getitem__
    read = replay.reader(one, ("test",))

    def step(row: int) -> int:
        found = read(row)
        return PARKS if found is None else ON if found[0] else STOPS

    return step


def _add(replay: Replay, one: Operation) -> Step:
    read = replay.reader(one, ("test", "topic", "key", "host", "time", "expire", "timeout", "maxrows"))
    document = replay.document(one)
    store, touched, logged, name = replay.store, replay.touched, "time" in one.args, one.name
    dynamic, expires, timeouts, most = "maxrows" in one.args, one.expire, one.timeout, one.maxrows

    def step(row: int) -> int:
        found = read(row)
        if found is None:
            return PARKS
        test, topic, key, host, time, expire, timeout, maxrows = found
        if not test and not logged:
            return ON
        if touched and replay.busy(topic, key, host):
            return PARKS
        now: int | None = replay.now
        if logged:
            now = store.host_time(host, time) if host is not None else None
            if not test:
                return ON
        if topic is None or key is None or now is None:
            return replay.miss(replay.without_key, name)
        if not dynamic:
            made = store.add(topic, key, host, now, expires, timeouts, most, document(row))
        else:
            kept = most if maxrows is None else maxrows
            text = document(row) if kept > 0 else None
            made = store.add(topic, key, host, now, _span(expire), _span(timeout), kept, text)
        return ON if made else replay.miss(replay.too_many, name)

    return step


def _span(seconds: object) -> int | None:
    """Seconds of a row as microseconds; none where they are not positive."""
    return seconds * _SECOND if isinstance(seconds, int) and seconds > 0 else None


def _delete(replay: Replay, one: Operation) -> Step:
    read = replay.reader(one, ("test", "topic", "key", "host", "time"))
    store, touched, logged, name = replay.store, replay.touched, "time" in one.args, one.name

    def step(row: int) -> int:
        found = read(row)
        if found is None:
            return PARKS
        test, topic, key, host, time = found
        if not test and not logged:
            return ON
        if touched and replay.busy(topic, key, host):
            return PARKS
        now: int | None = replay.now
        if logged:
            now = store.host_time(host, time) if host is not None else None
            if not test:
                return ON
        if topic is None or key is None or now is None:
            return replay.miss(replay.without_key, name)
        store.remove(topic, key, host, now)
        return ON

    return step


def _get(replay: Replay, one: Operation) -> Step:
    read = replay.reader(one, ("topic", "key", "host"))
    store, touched, answers = replay.store, replay.touched, replay.answers
    ((_, ident),) = one.results
    cells = replay.results[ident]
    name = {"expire": "expire_at", "timeout": "timeout_at"}.get(one.attribute, one.attribute)

    def step(row: int) -> int:
        found = read(row)
        if found is None:
            return PARKS
        topic, key, host = found
        if touched and replay.busy(topic, key, host):
            return PARKS
        context = store.find(topic, key, host)
        if context is not None:
            value = getattr(context, name)
            if name == "rows":
                if not answers.known(value or ()):
                    return PARKS
                value = "[" + ",".join(map(str, value or ())) + "]"
            cells[row] = value
        return ON

    return step


def _var(replay: Replay, one: Operation) -> Step:
    read = replay.reader(one, ("topic", "key", "host", "name"))
    store, touched = replay.store, replay.touched
    parts = {kind: replay.results[ident] for kind, ident in one.results}

    def step(row: int) -> int:
        found = read(row)
        if found is None:
            return PARKS
        topic, key, host, name = found
        if touched and replay.busy(topic, key, host):
            return PARKS
        context = store.find(topic, key, host)
        if context is not None and context.vars is not None and (held := context.vars.get(name)) is not None:
            parts[held[0]][row] = held[1]
        return ON

    return step


def _set(replay: Replay, one: Operation) -> Step:
    named = [role for role in one.args if role not in ("test", "topic", "key", "host", "name")]
    guard = "test" in one.args
    read = replay.reader(one, ("test", "topic", "key", "host", "name", *named))
    store, touched = replay.store, replay.touched
    ((_, ident),) = one.results
    cells = replay.results[ident]

    def step(row: int) -> int:
        found = read(row)
        if found is None:
            return PARKS
        test, topic, key, host, name, *value = found
        if guard and not test:
            return ON
        if touched and replay.busy(topic, key, host):
            return PARKS
        context = store.find(topic, key, host)
        if context is None or not isinstance(name, str):
            cells[row] = False
            return ON
        kind, held = next(((k, v) for k, v in zip(named, value, strict=True) if v is not None), ("string", None))
        store.set_var(context, name, (kind, held))
        cells[row] = True
        return ON

    return step


def _count(replay: Replay, one: Operation) -> Step:
    read = replay.reader(one, ("topic",))
    store, touched = replay.store, replay.touched
    ((_, ident),) = one.results
    cells = replay.results[ident]

    def step(row: int) -> int:
        found = read(row)
        if found is None or (touched and found[0] in touched):
            return PARKS
        cells[row] = store.size(str(found[0])) if found[0] is not None else 0
        return ON

    return step


_STEPS: dict[What, Callable[[Replay, Operation], Step]] = {
    What.FILTER: _filter,
    What.ADD: _add,
    What.DELETE: _delete,
    What.GET: _get,
    What.VAR: _var,
    What.SET: _set,
    What.COUNT: _count,
}
