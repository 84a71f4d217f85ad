"""The model store under several processes at once, one of them killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from logsql.ml.store import ModelStore
from logsql.ml.train import Fitted
from tests.ml.test_ml_store_safety import ROOT, fitted, put, reloaded, store
from tests.support import sample

__all__ = ["fitted", "store"]

WORKER = """
    import sys
    from dataclasses import replace
    from logsql.ml.model import FitOptions, Manifest, ModelKind
    from logsql.ml.store import ModelStore
    from logsql.ml.train import fit_rforest
    from tests.ml.bots import FIELDS, bot_table
    folder, key, names = sys.argv[1], sys.argv[2], sys.argv[3].split(",") * int(sys.argv[5])
    store = ModelStore(folder, key_file=key)
    done = fit_rforest(bot_table(int(sys.argv[4])), "label", FIELDS, FitOptions(trees=5))
    print("ready", flush=True)
    for name in names:
        manifest = Manifest(name, ModelKind.RFOREST, "bot", tuple(FIELDS), "label", 2, FitOptions(trees=5))
        store.put(replace(manifest, training=done.training), done.estimator)
    print("done", flush=True)
"""


def worker(store: ModelStore, names: list[str], rows: int, times: int = 1) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", textwrap.dedent(WORKER), str(store.folder), str(store._key_file)),
            *(",".join(names), str(rows), str(times)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_fitting_at_once_lose_nothing(store: ModelStore) -> None:
    mine = [f"a{i}" for i in range(20)]
    others = [f"b{i}" for i in range(20)]
    shared = ["shared"] * 20
    processes = [worker(store, mine + shared, 300), worker(store, others + shared, 500)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert store.names() == sorted({*mine, *others, "shared"})
    for name in ("a19", "b19", "shared"):
        assert len(store.get(name).forest.trees) == 5
    assert len(list(store.folder.joinpath("models").glob("*.joblib"))) == 42  # "shared" in both versions


@pytest.mark.posix("kill -9")
@pytest.mark.parametrize("delay", (0.01, 0.0, 0.05)[: sample(3, 1)])
def test_kill_during_saves_leaves_a_whole_model(store: ModelStore, fitted: Fitted, delay: float) -> None:
    put(store, fitted)
    process = worker(store, ["bot"], 300, times=100_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    fresh = reloaded(store)
    assert len(fresh.get("bot").forest.trees) == 5
    assert fresh.names() == ["bot"]
    put(fresh, fitted)  # the lock of the dead process is free, its leftovers are swept
    assert len(list(store.folder.joinpath("models").glob("*.joblib"))) == 1
