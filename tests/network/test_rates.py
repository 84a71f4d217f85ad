"""The counts of a host while its surroundings change: clocks that are set, a full disk, many processes at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logsql.configuration.settings import Rate
from logsql.connectors.rates import Rates, window_of
from logsql.store.files import Files
from tests.support import sample

FOUR = [Rate(4, 60.0)]


def let_go(rates: Rates, times: int) -> int:
    """How many of so many requests are let go at once."""
    return sum(rates.take("host", FOUR)[0] == 0 for _ in range(times))


@pytest.mark.parametrize("step", [-86_400.0, -3600.0, -30.0, 30.0, 3600.0, 86_400.0])
def test_a_clock_that_is_set_lets_no_more_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    """Put back an hour, all that had been let go was forgotten, and put forward as well: twice as many went."""
    rates = Rates(tmp_path, Files())
    assert let_go(rates, 5) == 4
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    for other in (rates, Rates(tmp_path, Files())):
        assert let_go(other, 5) == 0
        assert 50 < other.take("host", FOUR)[0] <= window_of(FOUR[0]), "no longer than without the step"


@pytest.mark.parametrize(("passed", "more"), [(-3600.0, 0), (30.0, 0), (61.0, 4)])
def test_moments_of_another_start_count_by_the_clock_on_the_wall(tmp_path: Path, passed: float, more: int) -> None:
    """Seconds since the start of the machine say nothing after another start; a moment ahead counts as one of now,
    for a window and no longer."""
    rates = Rates(tmp_path, Files())
    assert let_go(rates, 4) == 4
    (file,) = tmp_path.glob("*.json")
    held = json.loads(file.read_text())
    moments = [(since + 1e6, wall - passed) for since, wall in held["moments"]]
    file.write_text(json.dumps({"start": "another", "moments": moments}))
    assert let_go(Rates(tmp_path, Files()), 4) == more
    if passed < 0:
        first = rates.take("host", FOUR)[0]
        time.sleep(0.2)
        assert rates.take("host", FOUR)[0] <= first - 0.15


FULL = """
import resource, signal, sys
from pathlib import Path
from logsql.configuration.settings import Rate
from logsql.connectors.rates import Rates
from logsql.store.files import Files

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rates = Rates(Path(sys.argv[1]), Files())
take = lambda times: sum(rates.take("host", [Rate(4, 60.0)])[0] == 0 for _ in range(times))
found = [take(3)]
for most in (0, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    found.append(take(9))
rates = Rates(Path(sys.argv[1]), Files())
found.append(take(9))
print(*found, file=sys.stderr)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit on Windows")
def test_a_full_disk_lets_no_more_go(tmp_path: Path) -> None:
    """What the file held was forgotten when it could not be written: seven of four went, and eleven when it could
    be again. No file may have a byte: the system refuses it as a full disk does."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stderr.split() == ["3", "1", "0", "0"]


MANY = """
import sys, time
from pathlib import Path
from logsql.configuration.settings import Rate
from logsql.connectors.rates import Rates
from logsql.store.files import Files

rates, rate, left = Rates(Path(sys.argv[1]), Files()), [Rate(5, 0.5)], 2
while left:
    wait, moment = rates.take("host", rate)
    if wait:
        time.sleep(wait)
    else:
        print(moment)
        left -= 1
"""


def test_a_rate_holds_over_many_processes(tmp_path: Path) -> None:
    processes = sample(20, 6)
    command = [sys.executable, "-c", MANY, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    moments = sorted(float(one) for process in started for one in process.communicate(timeout=120)[0].split())
    assert len(moments) == processes * 2
    assert all(later - first >= 0.5 for first, later in zip(moments, moments[5:], strict=False))
