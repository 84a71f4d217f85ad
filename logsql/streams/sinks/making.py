"""All sinks of a configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from logsql.configuration.settings import Configuration
from logsql.diagnostics.errors import PolicyError, UsageError, diagnostic
from logsql.diagnostics.live import SINK_OUTSIDE_HELP, SINK_UNFIT
from logsql.diagnostics.network import WORDS
from logsql.streams import settings
from logsql.streams.feed import Feed
from logsql.streams.sinks.base import Place, Sink
from logsql.streams.sinks.dead import Dead
from logsql.streams.sinks.file import FileSink
from logsql.streams.sinks.naming import ending_of
from logsql.streams.sinks.parquet import ParquetSink
from logsql.streams.sinks.syslog import SyslogSink
from logsql.streams.sinks.table import Tables, TableSink
from logsql.streams.sinks.webhook import WebhookSink

#: Kinds of sinks that reach other machines.
_REACHING = frozenset({"syslog", "webhook"})
#: Seconds in which a sink that is made anew ends what is under way.
_PATIENCE = 5.0


class Sinks:
    """The sinks by name, and the dead file. ``tables``: what the book writes with.

    Raises UsageError for a sink that cannot be (an ending, a target, a URL), PolicyError for a path outside.
    """

    def __init__(
        self, wanted: tuple[settings.Sink, ...], dead: settings.Dead, place: Place, tables: Tables, reach: Configuration
    ) -> None:
        self.dead = Dead(dead, place)
        self._place = place
        self._tables = tables
        self._reach = reach
        self._wanted = {sink.name: sink for sink in wanted}
        self.sinks: dict[str, Sink] = {sink.name: self._made(sink) for sink in wanted}

    def _made(self, wanted: settings.Sink) -> Sink:
        place, reach = self._place, self._reach
        make: Mapping[str, Callable[[settings.Sink], Sink]] = {
            "table": lambda sink: TableSink(sink, place, self._tables),
            "file": lambda sink: _file(sink, place),
            "syslog": lambda sink: SyslogSink(sink, place, reach, self.dead),
            "webhook": lambda sink: WebhookSink(sink, place, reach, self.dead),
        }
        try:
            return make[wanted.kind](wanted)
        except ValueError as problem:
            word = str(problem)
            reason = WORDS[word].fill() if word in WORDS else f"{wanted.kind}"
            raise UsageError(diagnostic(SINK_UNFIT, name=wanted.name, word=word, reason=reason)) from None

    def recover(self) -> None:
        """At the start: what was never committed is cut off. Raises Broken, OSError."""
        ends = self._place.book.ends()
        for sink in (*self.sinks.values(), self.dead):
            sink.recover(ends)

    def start(self) -> None:
        """Begin to deliver."""
        for sink in (*self.sinks.values(), self.dead):
            sink.start()

    def stop(self, deadline: float) -> None:
        """Deliver what is there to those that take it, until ``deadline`` (``time.monotonic``); keep the rest."""
        for sink in self.sinks.values():
            sink.begin_stop(deadline)
        for sink in self.sinks.values():
            sink.stop(deadline)
        self.dead.stop(max(deadline, time.monotonic() + 1))

    # --- another configuration --------------------------------------------------------------------

    def changed(self, wanted: Sequence[settings.Sink], reach: Configuration) -> set[str]:
        """The sinks that differ in another configuration, that are new and that are gone."""
        other = {sink.name: sink for sink in wanted}
        reached = {name for name, sink in other.items() if sink.kind in _REACHING and reach != self._reach}
        return {name for name in {*other, *self._wanted} if other.get(name) != self._wanted.get(name)} | reached

    def change(self, wanted: Sequence[settings.Sink], reach: Configuration) -> None:
        """Take up another configuration: sinks that are the same go on untouched, those that differ go on over their
        spools, those that are gone end, and what waits for them stays on the disk. No stream that uses one of
        :meth:`changed` may run. Raises UsageError, PolicyError, OSError for a sink that cannot be, behind which the
        others have changed."""
        other = {sink.name: sink for sink in wanted}
        names = self.changed(wanted, reach)
        deadline = time.monotonic() + _PATIENCE
        for name in names & self.sinks.keys():
            self.sinks.pop(name).stop(deadline)
        self._reach, self._wanted = reach, {n: s for n, s in self._wanted.items() if n not in names}
        ends = self._place.book.ends()
        for name in [sink.name for sink in wanted if sink.name in names]:
            made = self._made(other[name])
            made.recover(ends)
            made.start()
            self.sinks[name] = made
            self._wanted[name] = other[name]

    def feeds(self) -> list[Feed]:
        """What all of them have on the disk, to be synced now and then."""
        return [feed for sink in (*list(self.sinks.values()), self.dead) for feed in sink.feeds()]

    def status(self) -> list[dict[str, object]]:
        """For the status page."""
        return [sink.status() for sink in (*self.sinks.values(), self.dead)]


def _file(sink: settings.Sink, place: Place) -> Sink:
    path = str(place.folder / (sink.path or ""))
    try:
        place.files.policy.check_write(path)
    except PolicyError as problem:  # a server has no --allow-write: its configuration says it
        problem.diagnostic = replace(problem.diagnostic, help=SINK_OUTSIDE_HELP.fill())
        raise
    return ParquetSink(sink, place) if ending_of(path) == ".parquet" else FileSink(sink, place)
