"""Benchmarks of the model commands, as ratios against scikit-learn on the same machine.

    python bench/ml.py [--quick]

Rows: scoring of 300,000 bot records end to end (Arrow in, labels out; target at least 15 times scikit-learn's own
``predict``), the same with all rows distinct (target at most 1.1 times its time), one event at a time (target p99 below
1 ms), and the cost of progress while training (target at most 1.25 times one fit).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from logsql.ml.features import encode
from logsql.ml.model import FitOptions, Manifest, ModelKind, TrainedModel
from logsql.ml.stages import rforest_stage
from logsql.ml.train import Control, fit_iforest, fit_rforest, grow
from tests.ml.bots import FIELDS, bot_table
from udfs.inference import SingleRow


def best(runs: int, work: Callable[[], object]) -> float:
    """Shortest wall time of several runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def by_scikit_learn(table: pa.Table, model: TrainedModel, estimator: object) -> pa.ChunkedArray:
    """What a user would write: columns to a matrix, ``predict``, labels back to Arrow."""
    matrix = encode(model.features, table)
    codes = estimator.predict(matrix)  # type: ignore[attr-defined]
    labels = pa.array(list(model.forest.classes), pa.string())
    return pa.chunked_array([labels.take(pa.array(codes))])


def by_stage(table: pa.Table, model: TrainedModel) -> pa.ChunkedArray:
    batches = table.to_batches(max_chunksize=100_000)
    return pa.Table.from_batches(rforest_stage(batches, model)).column("_guess")


def report(name: str, value: str, target: str, met: bool) -> None:
    print(f"{name:<52} {value:>22}   target {target:<10} {'met' if met else 'MISSED'}")


def scoring(rows: int, runs: int) -> None:
    done = fit_rforest(bot_table(75_000), "label", FIELDS)
    model = done.model(Manifest("bot", ModelKind.RFOREST, "", tuple(FIELDS), "label"))
    table = bot_table(rows, seed=2)
    assert by_stage(table, model).equals(by_scikit_learn(table, model, done.estimator)), "labels differ"
    ours = best(runs, lambda: by_stage(table, model))
    theirs = best(runs, lambda: by_scikit_learn(table, model, done.estimator))
    share = table.select(FIELDS).group_by(FIELDS).aggregate([]).num_rows / rows
    report(
        f"{rows} bot records ({share:.2%} distinct)", f"{theirs / ours:.1f} x faster", ">= 15 x", theirs / ours >= 15
    )

    rng = np.random.default_rng(3)
    noisy = table.slice(0, rows // 3)
    noisy = noisy.set_column(1, "header_count", pa.array(rng.normal(8, 4, noisy.num_rows)))
    assert by_stage(noisy, model).equals(by_scikit_learn(noisy, model, done.estimator)), "labels differ"
    pairs = [
        (best(1, lambda: by_stage(noisy, model)), best(1, lambda: by_scikit_learn(noisy, model, done.estimator)))
        for _ in range(2 * runs)  # taking turns: a busy machine slows both
    ]
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    report(
        f"{noisy.num_rows} records, all distinct", f"{ours / theirs:.2f} x the time", "<= 1.1 x", ours / theirs <= 1.1
    )

    events = table.slice(0, 20_000).to_pylist()
    outliers = fit_iforest(bot_table(75_000), FIELDS)
    for name, trained in (
        ("rforest", model),
        ("anomalies", outliers.model(Manifest("o", ModelKind.IFOREST, "", tuple(FIELDS)))),
    ):
        for cache in (0, 10_000):
            single = SingleRow(trained, cache=cache)
            single.row(events[0])
            times = np.empty(len(events))
            for number, event in enumerate(events):
                start = time.perf_counter()
                single.row(event)
                times[number] = time.perf_counter() - start
            p50, p99 = np.quantile(times, [0.5, 0.99]) * 1000
            label = f"{name}, one event ({'with cache' if cache else 'no cache'})"
            report(label, f"p50 {p50:.3f} p99 {p99:.3f} ms", "p99 < 1 ms", p99 < 1)


def progress(rows: int, runs: int) -> None:
    from sklearn.ensemble import RandomForestClassifier

    table = bot_table(rows)
    done = fit_rforest(table, "label", FIELDS, FitOptions(trees=10))
    matrix = encode(done.training.features, table)
    codes = np.array(table.column("label").to_pylist()) == "MALICIOUS"

    def plain() -> None:
        RandomForestClassifier(n_estimators=100, random_state=42, n_jobs=1).fit(matrix, codes)

    def stepped() -> None:
        estimator = RandomForestClassifier(n_estimators=1, warm_start=True, random_state=42, n_jobs=1)
        grow(estimator, 100, lambda model: model.fit(matrix, codes), Control())

    whole, steps = best(runs, plain), best(runs, stepped)
    report(
        f"training with progress, {rows} x {len(FIELDS)}, 100 trees",
        f"{steps / whole:.2f} x one fit",
        "<= 1.25 x",
        steps / whole <= 1.25,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rows, one run")
    quick = parser.parse_args().quick
    scoring(30_000 if quick else 300_000, 1 if quick else 3)
    progress(10_000 if quick else 75_000, 1 if quick else 3)


if __name__ == "__main__":
    main()
