"""Bounds of a forecast hold what they promise, by forecasting public series from earlier places of theirs."""

from __future__ import annotations

import csv
import importlib.resources

import numpy as np
import pytest

from logsql.ml.backtest import half_widths
from logsql.ml.timeseries import ForecastOptions, _predict
from tests.ml.test_robust_stl import months_of_co2


def public(name: str, column: str) -> np.ndarray:
    text = importlib.resources.files(f"statsmodels.datasets.{name}").joinpath(f"{name}.csv").read_text("utf-8")
    return np.array([float(line[column]) for line in csv.DictReader(text.splitlines())])


def test_95_percent_of_what_came_is_between_the_bounds() -> None:
    """Air at Mauna Loa, sunspots since 1700, the Nile since 1871, 12 steps ahead: from 73 to 100 % before."""
    inside = []
    for values, period in (
        (months_of_co2(), 12),
        (public("sunspots", "SUNACTIVITY"), None),
        (public("nile", "volume"), None),
    ):
        size = len(values)
        for place in np.linspace(max(60, size // 2), size - 12, 12).astype(int):
            bounds = _predict(values[:place], ForecastOptions(period=period, count=12))
            came = values[place : place + 12]
            inside.append((came >= bounds[:, 1]) & (came <= bounds[:, 2]))
    assert 0.93 <= np.mean(inside) <= 0.97


def test_widths_are_those_of_the_errors() -> None:
    off = np.random.default_rng(1).normal(size=(2000, 3)) * [1.0, 2.0, 4.0]
    np.testing.assert_allclose(half_widths(off, 0.95, True), 1.96 * np.array([1, 2, 4]), rtol=0.08)
    assert len(set(half_widths(off, 0.95, False))) == 1
    assert half_widths(np.zeros((9, 3)), 0.95, True).tolist() == [0.0] * 3
    falling = half_widths(off[:, ::-1], 0.8, True)
    assert falling.tolist() == pytest.approx([falling[0]] * 3)
