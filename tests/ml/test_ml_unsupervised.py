"""kmeans, lof, tfidf, curvefit, stl and forecast against worked values and independent implementations."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import LocalOutlierFactor

from logsql.ml.errors import MlError
from logsql.ml.seasons import decompose, detect_period
from logsql.ml.timeseries import ForecastOptions, forecast, stl
from logsql.ml.unsupervised import curvefit, kmeans, lof, tfidf_build, tfidf_query, words
from tests.support import shared_data


def column(table: pa.Table, name: str) -> list[object]:
    return table.column(name).to_pylist()


@pytest.mark.evidence
def test_kmeans_of_the_manual_on_iris() -> None:
    iris = pacsv.read_csv(shared_data("logs", "iris.csv"))
    out = kmeans(iris, ["sepal_length", "sepal_width", "petal_length", "petal_width"], k=3).table
    cluster = column(out, "_cluster")
    assert out.schema.field("_cluster").type == pa.int32()
    assert set(cluster) == {1, 2, 3}
    assert cluster[0] == 1  # numbered by first appearance
    # 0.73: the published agreement of k-means with the three species of this data set
    assert adjusted_rand_score(column(iris, "species"), cluster) == pytest.approx(0.73, abs=0.01)


def test_kmeans_keeps_rows_without_numbers() -> None:
    rows = pa.table({"a": [1.0, None, 1.1, 9.0, float("nan"), 9.1], "b": [1, 1, 1, 2, 2, 2]})
    out = kmeans(rows, ["a", "b"], k=2)
    assert column(out.table, "_cluster") == [1, None, 1, 2, None, 2]
    assert out.notes == {"kmeans: no number in a field": 2}
    for call, code in (
        (lambda: kmeans(rows, ["a"], k=7), "41113"),
        (lambda: kmeans(rows, ["a"], k=0), "41151"),
        (lambda: kmeans(rows, ["c"]), "41110"),
        (lambda: kmeans(pa.table({"a": ["5.1"]}), ["a"]), "41115"),
    ):
        with pytest.raises(MlError) as caught:
            call()
        assert caught.value.code == code


def test_lof_is_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(size=(200, 2)), [[6, 6]]])
    rows = pa.table({"x": points[:, 0], "y": points[:, 1]})
    expected = -LocalOutlierFactor(n_neighbors=10).fit(points).negative_outlier_factor_
    found = lof(rows, ["x", "y"]).table.column("_lof").to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert found.argmax() == 200


def test_lof_with_equal_rows_groups_and_training() -> None:
    same = pa.table({"x": [1.0] * 20})
    assert column(lof(same, ["x"]).table, "_lof") == pytest.approx([1.0] * 20)  # eps keeps the density finite
    rng = np.random.default_rng(3)
    train = pa.table({"x": np.concatenate([rng.normal(size=50), rng.normal(100, 1, 50)]), "g": ["a"] * 50 + ["b"] * 50})
    probe = pa.table({"x": [0.0, 100.0, 100.0, 0.0, None], "g": ["a", "b", "a", "c", "a"]})
    out = lof(probe, ["x"], k=5, by=["g"], training=train)
    a, b, moved, unknown, null = column(out.table, "_lof")
    for found, group, x in ((a, "a", 0.0), (b, "b", 100.0), (moved, "a", 100.0)):
        own = np.array([v for v, g in zip(column(train, "x"), column(train, "g"), strict=True) if g == group])
        novelty = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(own.reshape(-1, 1))
        assert found == pytest.approx(-novelty.score_samples([[x]])[0])
    assert moved > 10  # type: ignore[operator]
    assert (unknown, null) == (None, None)
    assert out.notes == {"lof: no number in a field": 1, "lof: group of at most k=5 rows": 1}
    with pytest.raises(MlError, match="by FIELD"):
        lof(probe, ["x"], training=train)


def test_curvefit_recovers_a_cubic() -> None:
    x = np.arange(1_700_000_000, 1_700_000_100)  # epoch seconds: raw powers of x would have no digits left
    y = 3 + 0.5 * (x - x[0]) - 0.02 * (x - x[0]) ** 2 + 0.001 * (x - x[0]) ** 3
    rows = pa.table({"x": x, "y": pa.array(y, mask=np.arange(100) == 5)})
    out = curvefit(rows, "x", "y")
    np.testing.assert_allclose(out.table.column("_p").to_numpy(), y, atol=1e-6)
    assert column(out.table, "_x") == x.tolist()
    assert out.notes == {"curvefit: no number in a field": 1}
    with pytest.raises(MlError) as caught:
        curvefit(rows.slice(0, 3), "x", "y")
    assert caught.value.code == "41113"


def test_words() -> None:
    assert words("GET /a/b?id=404", " /?=", False) == ["GET", "a", "b", "id", "404"]
    assert words("a 404 20 x1", " ", True) == ["a", "###", "##", "x1"]
    assert words("a[b](c)\\d", "[]()\\", False) == ["a", "b", "c", "d"]


def test_tfidf_by_hand() -> None:
    rows = pa.table({"line": ["a a b", "a c", "a c c"], "n": [1, 2, 3]})
    built = tfidf_build(rows, ["line"])
    assert built.to_pylist() == [
        {"term": "a", "_idf": 0.0},
        {"term": "b", "_idf": pytest.approx(math.log(3))},
        {"term": "c", "_idf": pytest.approx(math.log(1.5))},
    ]
    out = tfidf_query(rows, ["line"])
    assert [(r["n"], r["term"], round(r["_tfidf"], 6)) for r in out.to_pylist()] == [
        (1, "a", 0.0),
        (1, "b", round(math.log(3) / 3, 6)),
        (2, "a", 0.0),
        (2, "c", round(math.log(1.5) / 2, 6)),
        (3, "a", 0.0),
        (3, "c", round(math.log(1.5) * 2 / 3, 6)),
    ]
    assert column(tfidf_build(rows, ["line"], threshold=1), "term") == ["a", "c"]
    later = tfidf_query(pa.table({"line": ["a new"]}), ["line"], built=built)
    assert [(r["term"], r["_idf"]) for r in later.to_pylist()] == [("a", 0.0), ("new", pytest.approx(math.log(3)))]
    two = pa.table({"x": ["a", None], "y": ["b", "c"]})
    assert column(tfidf_build(two, ["x", "y"]), "term") == ["a", "b", "c"]
    for call in (lambda: tfidf_query(rows, ["z"]), lambda: tfidf_query(rows, ["line"], built=rows)):
        with pytest.raises(MlError):
            call()


# --- time series
# --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["week", "odd", "short"])
def test_decomposition_is_that_of_statsmodels(case: str) -> None:
    """Expected values: STL(y, period).fit() of statsmodels 0.15, rounded to nine digits."""
    data = json.loads((Path(__file__).parent / "stl_statsmodels.json").read_text())[case]
    parts = decompose(np.array(data["y"]), data["period"])
    np.testing.assert_allclose(parts.trend, data["trend"], atol=2e-9)
    np.testing.assert_allclose(parts.seasonal, data["seasonal"], atol=2e-9)
    assert detect_period(np.array(data["y"])) == data["period"]


def test_no_season_in_noise_or_constant_or_line() -> None:
    rng = np.random.default_rng(0)
    for series in (np.full(50, 3.0), np.arange(50.0), rng.normal(size=400), np.zeros(3)):
        assert detect_period(series) == 1


def daily(values: np.ndarray, zone: str = "Asia/Seoul", start: dt.date = dt.date(2024, 1, 1)) -> pa.Table:
    at = [dt.datetime.combine(start + dt.timedelta(days=i), dt.time(), ZoneInfo(zone)) for i in range(len(values))]
    return pa.table({"_time": pa.array(at, pa.timestamp("us", tz=zone)), "v": values, "other": ["x"] * len(values)})


def seasonal(size: int) -> np.ndarray:
    at = np.arange(size)
    return 100 + 2.0 * at + 10 * np.sin(2 * np.pi * at / 7)


def test_stl_adds_up_in_the_order_of_the_rows() -> None:
    rows = daily(seasonal(70))
    shuffled = rows.take(pa.array(np.random.default_rng(0).permutation(70)))
    for period in (None, 7 * 86_400_000):
        out = stl(shuffled, "v", period).table
        total = sum(np.array(column(out, name)) for name in ("_trend", "_seasonal", "_error"))
        np.testing.assert_allclose(total, column(shuffled, "v"))
        assert out.select(shuffled.column_names).equals(shuffled)
        amplitude = np.array(column(out, "_seasonal"))
        assert amplitude.max() == pytest.approx(10 * np.sin(2 * np.pi * 2 / 7), abs=0.2)
    assert "_seasonal" not in stl(rows, "v", 0).table.column_names


def test_stl_gaps_nulls_groups_and_daylight_saving() -> None:
    rows = daily(seasonal(140), "America/New_York", dt.date(2024, 2, 1))  # March 10 has 23 hours
    holes = rows.filter(pa.array([i not in (20, 21, 50) for i in range(140)]))
    out = stl(holes, "v", 7 * 86_400_000)
    assert len(column(out.table, "_error")) == 137
    assert np.nanmax(np.abs(column(out.table, "_error"))) < 6
    nulls = rows.set_column(1, "v", pa.array([None if i == 3 else v for i, v in enumerate(seasonal(140))]))
    out = stl(nulls, "v", 7 * 86_400_000)
    assert column(out.table, "_trend")[3] is None
    assert out.notes == {"stl: no time or no number": 1}
    two = pa.concat_tables(
        [rows.append_column("g", pa.array(["a"] * 140)), rows.append_column("g", pa.array(["b"] * 140))]
    )
    grouped = stl(two, "v", 7 * 86_400_000, by=["g"]).table
    assert column(grouped, "_trend")[:140] == column(grouped, "_trend")[140:]
    with pytest.raises(MlError, match="same time"):
        stl(two, "v")
    with pytest.raises(MlError, match="at least"):
        stl(rows, "v", 100 * 86_400_000)
    with pytest.raises(MlError, match="date"):
        stl(rows.rename_columns(["at", "_time", "o"]), "at", 0, time="_time")


def test_forecast_continues_season_trend_time_and_groups() -> None:
    rows = daily(seasonal(84)).append_column("region", pa.array(["east"] * 84))
    west = rows.set_column(1, "v", pa.array(seasonal(84) * 2)).set_column(3, "region", pa.array(["west"] * 84))
    for smoother in ("ets", "linear", "loess"):
        out = forecast(
            pa.concat_tables([rows, west]), "v", ForecastOptions(period=7, count=7, smoother=smoother), ["region"]
        )
        table = out.table
        assert table.num_rows == 2 * 84 + 14
        assert column(table, "_future")[:168] == [None] * 168
        east = table.slice(168, 7)
        np.testing.assert_allclose(column(east, "_future"), seasonal(91)[84:], rtol=0.02)
        np.testing.assert_allclose(column(table.slice(175, 7), "_future"), seasonal(91)[84:] * 2, rtol=0.02)
        assert column(east, "region") == ["east"] * 7
        assert column(east, "_time")[0] == dt.datetime(2024, 3, 25, tzinfo=ZoneInfo("Asia/Seoul"))
        assert column(east, "v") == column(east, "other") == [None] * 7
        low, mid, high = (np.array(column(east, n)) for n in ("_lower", "_future", "_upper"))
        assert (low <= mid).all()
        assert (mid <= high).all()


def test_forecast_interval_covers_and_widens() -> None:
    rng = np.random.default_rng(5)
    line = 10 + 0.5 * np.arange(200) + rng.normal(size=200)
    inside = 0
    for start in range(0, 100, 4):
        rows = daily(line[start : start + 60])
        out = forecast(rows, "v", ForecastOptions(period=1, count=10)).table.slice(60, 10)
        low, high = np.array(column(out, "_lower")), np.array(column(out, "_upper"))
        truth = line[start + 60 : start + 70]
        inside += int(((low <= truth) & (truth <= high)).sum())
        assert (np.diff(high - low) > -1e-9).all()  # a line's errors hardly grow, and bounds follow the errors
        assert (high - low)[-1] >= (high - low)[0]
    assert inside / 250 > 0.85  # 95 % promised; the runs overlap
    flat = forecast(rows, "v", ForecastOptions(period=1, accumulate=False)).table.slice(60, 5)
    width = np.array(column(flat, "_upper")) - np.array(column(flat, "_lower"))
    np.testing.assert_allclose(width, width[0])


def test_forecast_of_months_normalized_and_refused() -> None:
    months = [dt.datetime(2020 + i // 12, i % 12 + 1, 1, tzinfo=dt.UTC) for i in range(36)]
    growth = np.exp(np.arange(36) / 10)
    rows = pa.table({"_time": pa.array(months, pa.timestamp("ms", tz="UTC")), "v": growth})
    out = forecast(rows, "v", ForecastOptions(period=1, count=3, normalize=True)).table.slice(36, 3)
    assert column(out, "_time") == [dt.datetime(2023, m, 1, tzinfo=dt.UTC) for m in (1, 2, 3)]
    np.testing.assert_allclose(column(out, "_future"), np.exp(np.arange(36, 39) / 10), rtol=0.02)
    for options, table, word in (
        (ForecastOptions(period=20), rows, "at least"),
        (ForecastOptions(), rows.slice(0, 3), "at least 4"),
        (ForecastOptions(smoother="x"), rows, "smoother"),
        (ForecastOptions(count=0), rows, "count"),
        (ForecastOptions(), rows.drop_columns(["_time"]), "_time"),
    ):
        with pytest.raises(MlError, match=word):
            forecast(table, "v", options)
    times = pa.array([0, 1000, 2500, 3000, 9999], pa.timestamp("ms", tz="UTC"))
    with pytest.raises(MlError, match="constant interval"):
        forecast(pa.table({"_time": times, "v": [1.0] * 5}), "v")
