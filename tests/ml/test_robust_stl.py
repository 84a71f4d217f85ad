"""``stl robust=t`` against statsmodels' own STL on a public series that comes with it, and what ``_score`` finds."""

from __future__ import annotations

import csv
import importlib.resources
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from statsmodels.tsa.seasonal import STL

from logsql.engine.session import Session
from logsql.ml.seasons import decompose, robust_scores


def months_of_co2() -> np.ndarray:
    """Monthly means of the air at Mauna Loa (Keeling), 1974 to 2001: no month of them is without a week."""
    text = importlib.resources.files("statsmodels.datasets.co2").joinpath("co2.csv").read_text("utf-8")
    weeks = defaultdict(list)
    for line in csv.DictReader(text.splitlines()):
        if line["co2"]:
            weeks[line["date"].strip('"')[:6]].append(float(line["co2"]))
    return np.array([np.mean(weeks[month]) for month in sorted(weeks) if month >= "197401"])


def monthly(values: np.ndarray) -> pa.Table:
    stamps = np.datetime64("1974-01") + np.arange(len(values))
    times = pa.array(stamps.astype("datetime64[s]"), pa.timestamp("s", "UTC"))
    return pa.table({"id": np.arange(len(values)), "_time": times, "n": values})


@pytest.mark.parametrize("robust", [True, False])
def test_parts_are_those_of_statsmodels(session: Session, robust: bool) -> None:
    values = months_of_co2()
    assert len(values) == 336
    session.register("t", monthly(values))
    rows = session.query(f"table t | stl period=1y robust={'t' if robust else 'f'} n | sort id").rows()
    truth = STL(values, period=12, robust=robust).fit()
    for name, part in (("_trend", truth.trend), ("_seasonal", truth.seasonal), ("_error", truth.resid)):
        np.testing.assert_allclose([row[name] for row in rows], part, rtol=1e-9, atol=1e-9)
    assert ("_score" in rows[0]) == robust


def test_planted_months_have_the_highest_scores(session: Session) -> None:
    values = months_of_co2()
    planted = [40, 41, 150, 290]
    values[planted] += [3.0, 3.0, -3.0, 3.0]  # the season goes from -3 to 3, the year's growth is 1.5
    session.register("t", monthly(values))
    rows = session.query("table t | stl period=1y robust=t n | sort limit=4 -_score").rows()
    assert sorted(row["id"] for row in rows) == planted
    # Without the robust rounds each bends its own trend and season: a part of the step is gone from the error.
    plain = session.query("table t | stl period=1y n").rows()
    kept = {row["id"]: abs(row["_error"]) for row in rows}
    assert all(abs(plain[place]["_error"]) < 0.8 * kept[place] for place in planted)
    assert min(row["_score"] for row in rows) > 5


def test_a_series_without_a_season_has_scores_too(session: Session) -> None:
    rng = np.random.default_rng(5)
    values = np.linspace(0, 10, 200) + rng.normal(scale=0.3, size=200)
    values[77] += 8
    session.register("t", monthly(values))
    (row,) = session.query("table t | stl period=0m robust=t n | sort limit=1 -_score").rows()
    assert row["id"] == 77
    assert abs(row["_error"] - 8) < 1


def test_scores_are_deviations_by_the_median() -> None:
    rng = np.random.default_rng(6)
    error = rng.normal(scale=4, size=20_000)
    assert np.quantile(robust_scores(error), 0.6827) == pytest.approx(1, abs=0.03)  # one deviation of a normal one
    centre = np.median(error)
    by_hand = np.abs(error - centre) / (1.4826 * np.median(np.abs(error - centre)))
    np.testing.assert_allclose(robust_scores(error), by_hand, rtol=1e-5)
    assert robust_scores(np.array([0.0] * 9 + [6.0])).tolist() == pytest.approx([0.0] * 9 + [10 / 1.2533], rel=1e-3)
    assert robust_scores(np.zeros(5)).tolist() == [0.0] * 5


def test_long_robust_series_are_fitted_at_places() -> None:
    """A robust split takes six times the work: it goes over to fewer places earlier, and stays close."""
    rng = np.random.default_rng(7)
    size = 5_000  # times a window of 185, times six: more than the five million fitted row by row
    values = 10 * np.sin(np.arange(size) * 2 * np.pi / 96) + rng.normal(size=size)
    parts = decompose(values, 96, robust=True)
    truth = STL(values, period=96, robust=True).fit()
    assert np.abs(parts.error - truth.resid).max() < 0.05 * truth.resid.std()
