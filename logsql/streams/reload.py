"""A new configuration in a running server: all of it checked first, then only what differs is touched.

Receivers that are the same keep their sockets and connections; streams that differ take over where the old ones were.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from logsql.diagnostics.messages import message
from logsql.streams import settings
from logsql.streams.assembly import Assembly, in_order, source_feeds
from logsql.streams.feeds import RECEIVER
from logsql.streams.receivers.base import StartError
from logsql.streams.settings import Live
from logsql.streams.unit import Unit

#: Seconds in which a stream that is replaced ends its batch.
PATIENCE = 10.0


class Reload:
    """From the parts as they are to those of ``live``."""

    def __init__(self, parts: Assembly, live: Live) -> None:
        self.parts = parts
        self.live = live
        self.old = parts.live

    async def run(self) -> list[str]:
        """Do it; what is said of it, a line each. Raises LogsqlError, and nothing has changed."""
        parts = self.parts
        said = self._needs_restart()
        live = self.live
        sinks = parts.sinks.changed(live.sinks, live.reach)
        changed = self._changed(sinks)
        self._reach(live)
        try:
            units = await asyncio.to_thread(parts.plan, live, changed)
            receivers = await self._receivers()
        except BaseException:
            self._reach(self.old)
            raise
        parts.live = live
        await asyncio.to_thread(self._replace, units)
        return said + receivers + self._told(changed, sinks)

    def _reach(self, live: Live) -> None:
        """What queries that are planned from now on may reach."""
        services = self.parts.session.workspace.services
        if services.settings.configuration != live.reach:
            services.change(replace(services.settings, configuration=live.reach))
            services.forget_configuration()

    def _needs_restart(self) -> list[str]:
        """Keys that are taken up at the next start only."""
        old, new = self.old, self.live
        names = [f"server.{key}" for key in vars(new.server) if getattr(new.server, key) != getattr(old.server, key)]
        names += [f"files.{key}" for key in vars(new.files) if getattr(new.files, key) != getattr(old.files, key)]
        names += [f"dead.{key}" for key in vars(new.dead) if getattr(new.dead, key) != getattr(old.dead, key)]
        self.live = replace(new, server=old.server, files=old.files, dead=old.dead)
        return [message("live-next-start", key=name) for name in names]

    # --- streams ----------------------------------------------------------------------------------

    def _changed(self, sinks: set[str]) -> list[str]:
        """The streams that are new or differ, or whose sinks, sources or reach do."""
        old = {stream.name: stream for stream in self.old.streams}
        receivers = {r.name: r for r in self.old.receivers}
        changed: list[str] = []
        for stream in in_order(self.live):
            given = [r for r in self.live.receivers if r.name in stream.sources]
            same = stream == old.get(stream.name) and self.live.reach == self.old.reach
            same = same and not sinks & set(stream.to) and all(_same_rows(r, receivers.get(r.name)) for r in given)
            same = same and not set(changed) & set(stream.sources)
            if not same:
                changed.append(stream.name)
        return changed

    def _replace(self, made: dict[str, Unit]) -> None:
        parts = self.parts
        gone = [name for name in parts.units if all(s.name != name for s in self.live.streams)]
        deadline = time.monotonic() + PATIENCE
        for name in (*made, *gone):
            if name in parts.units:
                parts.units.pop(name).stop(deadline)
        parts.sinks.change(self.live.sinks, self.live.reach)
        for name in source_feeds(self.live):
            parts.feeds(name)
        kept = list(parts.units)
        parts.wire(made)
        parts.units = {s.name: made.get(s.name) or parts.units[s.name] for s in in_order(self.live)}
        for name, unit in made.items():
            unit.start()
            parts.log.say(message("live-replaced", name=name), part=name)
        self._renew(kept)

    def _renew(self, names: list[str]) -> None:
        """What streams load once (the subquery of a streamjoin) is loaded anew."""
        for name in names:
            self.parts.units[name].renew()

    def _told(self, units: list[str], sinks: set[str]) -> list[str]:
        old = {stream.name for stream in self.old.streams}
        gone = old - {stream.name for stream in self.live.streams}
        said = [message("live-stream-changed" if name in old else "live-stream-new", name=name) for name in units]
        said += [message("live-stream-gone", name=name) for name in sorted(gone)]
        return said + [message("live-sink-changed", name=name) for name in sorted(sinks)]

    # --- receivers --------------------------------------------------------------------------------

    async def _receivers(self) -> list[str]:
        """Open what is new, take over what is there (certificates are read again), close what is gone; what is said.

        Raises StartError, and puts back.
        """
        parts = self.parts
        old = {r.name: r for r in self.old.receivers}
        new = {r.name: r for r in self.live.receivers}
        begun: list[str] = []
        try:
            for name, wanted in new.items():
                if name not in old:
                    parts.receivers[name] = one = parts.receiver(wanted)
                    begun.append(name)
                    await one.start()
            for name, wanted in new.items():
                if name in old and not await parts.receivers[name].reload(wanted):
                    await self._made_anew(name, wanted, old[name])
        except BaseException:
            for name in begun:
                await parts.receivers.pop(name).stop()
            raise
        gone = [name for name in parts.receivers if name not in new]
        for name in gone:
            await parts.receivers.pop(name).stop()
            parts.journal.forget(name)
            parts.intakes.pop(name, None)
            parts.feeds.forget(RECEIVER + name)
        said = [message("live-receiver-new", name=name) for name in begun]
        said += [message("live-receiver-changed", name=n) for n in new if n in old and new[n] != old[n]]
        return said + [message("live-receiver-gone", name=name) for name in gone]

    async def _made_anew(self, name: str, wanted: settings.Receiver, before: settings.Receiver) -> None:
        """Close a receiver and open it with other settings, where its sockets cannot stay."""
        parts = self.parts
        await parts.receivers[name].stop()
        try:
            one = parts.receiver(wanted)
            await one.start()
        except StartError:
            again = parts.receiver(before)
            await again.start()
            parts.receivers[name] = again
            raise
        parts.receivers[name] = one


def _same_rows(new: settings.Receiver, old: settings.Receiver | None) -> bool:
    """Whether the rows of a receiver are read as before: its kind and how headers are parsed."""
    return old is not None and all(getattr(new, key) == getattr(old, key) for key in ("kind", "parse", "timezone"))
