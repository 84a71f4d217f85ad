"""How often a host is asked: at most N requests in any window of a time, over all queries of the user.

The moments of the last requests to a host stand in a small file of the state folder, which threads and processes take
turns to read and write. Where it may not be written (safe mode) the count is that of the session, and so is what a
full disk keeps out of the file. Moments are counted by the clock that nobody sets, from the start of the machine, where
the system names that start; what was noted before it, or elsewhere, counts by the clock on the wall.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from logsql.configuration.settings import Rate
from logsql.diagnostics.errors import RunError
from logsql.store.files import Files

#: Part of the window, and seconds at least and at most, that are added to it: clocks and schedulers are not exact.
_MARGIN, _LEAST, _MOST = 0.01, 0.05, 1.0
_KEPT, _LONGEST = 1000, 86_400.0
#: What Linux calls this start of the machine (random(4)): times since it are the same for all processes.
_START = "/proc/sys/kernel/random/boot_id"

#: A request that was let go: seconds since the start of the machine, and since 1970.
_Moment = tuple[float, float]


def window_of(rate: Rate) -> float:
    """Seconds in which no more than ``rate.count`` requests are let go, so that as many arrive in ``rate.seconds``."""
    return rate.seconds + min(_MOST, max(_LEAST, rate.seconds * _MARGIN))


@dataclass
class Rates:
    """The counts of one user, kept below ``folder``."""

    folder: Path
    files: Files
    _own: dict[str, list[_Moment]] = field(default_factory=dict)
    """What is not in the file."""
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, host: str, rates: Sequence[Rate]) -> tuple[float, float]:
        """Let one request to a host go: 0 and its moment, or the seconds until one may be let go.

        Takes a file's time, as :meth:`arrived` does.
        """
        found = (0.0, 0.0)

        def taken(moments: list[_Moment]) -> bool:
            nonlocal found
            found = _taken(moments, rates)
            return not found[0]

        self._changed(host, taken)
        return found

    def arrived(self, host: str, moment: float) -> None:
        """The answer to a request is there: it arrived at the host by now, and perhaps long after it was let go."""

        def moved(moments: list[_Moment]) -> bool:
            for one in moments:
                if one[0] == moment:
                    moments.remove(one)
                    moments.append(_now())
                    break
            return True

        self._changed(host, moved)

    def _changed(self, host: str, change: Callable[[list[_Moment]], bool]) -> None:
        """Change the moments of a host; the file is written where the change says so."""
        with self._guard:
            own = self._own.setdefault(host, [])
            kept, moments = list[_Moment](), None
            if self.files.policy.may_write(str(self.folder)):
                path = self.folder / f"{sha256(host.encode()).hexdigest()[:24]}.json"
                try:
                    with self.files.lock(self.folder):
                        kept, mended = self._read(path)
                        moments = [*kept, *own]
                        if change(moments) or mended or own:
                            held = {"start": self._start, "moments": moments}
                            self.files.write(path, json.dumps(held).encode(), private=True)
                    own.clear()
                    return
                except (OSError, RunError):
                    pass  # a disk that is full, a folder that cannot be written: the session counts what is missing
            if moments is None:
                moments = [*own]
                change(moments)
            own[:] = [one for one in moments if one not in kept]

    def _read(self, path: Path) -> tuple[list[_Moment], bool]:
        """The moments of the file by our clock, and whether one had to be mended: it lies ahead on the wall's clock,
        which was put back since, and counts as one of now."""
        try:
            found = json.loads(self.files.read(path))
        except (OSError, ValueError, RecursionError):  # the latter of a damaged file full of brackets
            return [], False
        if not isinstance(found, dict) or not isinstance(found.get("moments"), list):
            return [], False
        now, same = _now(), self._start != "" and found.get("start") == self._start
        moments, mended = list[_Moment](), False
        for one in filter(_is_moment, found["moments"]):
            since, wall = one
            if not same or since > now[0]:
                mended = mended or wall > now[1]
                wall = min(wall, now[1])
                since = now[0] - (now[1] - wall)
            moments.append((since, wall))
        return moments, mended

    @cached_property
    def _start(self) -> str:
        """The name of this start of the machine; empty where the system has none."""
        try:
            return self.files.read(_START).decode("ascii").strip()
        except (OSError, RunError, ValueError):
            return ""


def _now() -> _Moment:
    since = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
    return since, time.time()


def _is_moment(one: object) -> bool:
    """Whether the file holds what was written there."""
    return isinstance(one, list) and len(one) == 2 and all(isinstance(x, float) and math.isfinite(x) for x in one)


def _taken(moments: list[_Moment], rates: Sequence[Rate]) -> tuple[float, float]:
    """Note this moment in the list where there is room for it, else say the seconds to wait."""
    now = _now()
    moments.sort()
    for rate in rates:
        window = window_of(rate)
        recent = [one for one, _ in moments if one > now[0] - window]
        if len(recent) >= rate.count:
            return max(recent[-rate.count] + window - now[0], 0.001), 0.0
    longest = max(_LONGEST, *map(window_of, rates))
    most = max(_KEPT, *(rate.count for rate in rates))
    moments[:] = [*(one for one in moments if one[0] > now[0] - longest), now][-most:]
    return 0.0, now[0]
