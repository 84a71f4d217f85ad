"""Trend and season of equally spaced values by statsmodels (extra ``timeseries``), loaded at the first call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logsql.ml.quiet import quiet

Series = NDArray[np.float64]

SEASONAL_WIDTH = 7
"""Width of the seasonal smoother in cycles: the usual choice."""
_EXACT_WORK = 5_000_000
"""Rows times width of the trend's window up to which a line is fitted at every row. 100,000 rows with a season of 24
stay below it (2.8 s); with one of 1,440 the same took 156 s, in which no Ctrl-C is heard."""
_ROBUST_ROUNDS = 6
"""A robust split is fitted 15 times by 2 inner rounds, another one once by 5: six times the work."""
_FITS_PER_WINDOW = 64
"""Beyond it: lines fitted per window; between them the curve is straight. At 10,000 rows with a season of 1,440 the
parts change by 0.3 % of the remainder's deviation."""
_FITS = 2_000
"""The same for a curve without a season, whose window is a third of the rows."""


@dataclass(frozen=True)
class Parts:
    """trend + seasonal + error = the series; seasonal is None without a period."""

    trend: Series
    seasonal: Series | None
    error: Series


def odd(value: float) -> int:
    """Smallest odd integer that is not below ``value``.

    >>> odd(4.2), odd(5), odd(6)
    (5, 5, 7)
    """
    number = int(np.ceil(value))
    return number if number % 2 else number + 1


def smooth(values: Series, width: int, robust: bool = False) -> Series:
    """A local line at every row, fitted to the ``width`` rows next to it (Cleveland 1979); robust: three more rounds in
    which far rows count less."""
    from statsmodels.nonparametric.smoothers_lowess import lowess  # for cost: statsmodels

    size = len(values)
    curve: Series = lowess(
        values,
        np.arange(size, dtype=np.float64),
        frac=min(1.0, width / size),
        it=3 if robust else 0,
        delta=float(size // _FITS),
        is_sorted=True,
        return_sorted=False,
    )
    return curve


def decompose(values: Series, period: int, robust: bool = False) -> Parts:
    """Decompose a series without gaps; a period below 2 means no season. At least two full periods are needed.

    robust: outliers do not bend trend and season, and stand out in the error.
    """
    size = len(values)
    if period < 2:
        trend = smooth(values, odd(max(7, size / 3)), robust)
        return Parts(trend, None, values - trend)
    from statsmodels.tsa.seasonal import STL  # for cost: statsmodels

    trend_width = odd(1.5 * period / (1.0 - 1.5 / SEASONAL_WIDTH))
    low_width = odd(period + 1)
    jumps = (1, 1)
    if size * trend_width * (_ROBUST_ROUNDS if robust else 1) > _EXACT_WORK:
        jumps = (max(1, trend_width // _FITS_PER_WINDOW), max(1, low_width // _FITS_PER_WINDOW))
    found = STL(
        values,
        period=period,
        seasonal=SEASONAL_WIDTH,
        trend=trend_width,
        low_pass=low_width,
        trend_jump=jumps[0],
        low_pass_jump=jumps[1],
        robust=robust,
    ).fit()
    return Parts(np.asarray(found.trend), np.asarray(found.seasonal), np.asarray(found.resid))


@dataclass(frozen=True)
class Smoothed:
    """The end of a series smoothed exponentially: its level and slope, the two weights, and the squared errors."""

    level: float
    slope: float
    alpha: float
    beta: float
    squares: float

    def end_of(self, values: Series) -> tuple[float, float]:
        """Level and slope behind the last of other values, by the same weights and from the same start."""
        slope = float(values[1] - values[0])
        level = float(values[0]) - slope
        alpha, beta = self.alpha, self.beta
        for value in values.tolist():
            before = level
            level = alpha * value + (1.0 - alpha) * (level + slope)
            slope = beta * (level - before) + (1.0 - beta) * slope
        return level, slope


def exponential(values: Series) -> Smoothed:
    """Exponential smoothing with an additive trend (Holt), its two weights chosen by least squares.

    It starts with the line through the first two values, so that the first error is that of the third.
    """
    from statsmodels.tsa.holtwinters import Holt  # for cost: statsmodels

    slope = float(values[1] - values[0])
    model = Holt(values, initialization_method="known", initial_level=float(values[0]) - slope, initial_trend=slope)
    with quiet():  # a flat series has no best weights, and any will do
        found = model.fit()
    return Smoothed(
        float(found.level[-1]),
        float(found.trend[-1]),
        float(found.params["smoothing_level"]),
        float(found.params["smoothing_trend"]),
        float(found.sse),
    )


def robust_scores(error: Series) -> Series:
    """How many deviations each error is away from the middle, by median and median absolute deviation (x 1.4826, the
    deviation of a normal distribution; Iglewicz and Hoaglin 1993). Where more than half of the errors are equal, by the
    mean absolute deviation (x 1.2533); 0 where all are."""
    away = np.abs(error - np.median(error))
    scale = 1.482602218505602 * float(np.median(away)) or 1.2533141373155 * float(away.mean())
    scores: Series = away / scale if scale > 0 else np.zeros(len(error))
    return scores


def detect_period(values: Series) -> int:
    """Length of the season in rows from the spectral density, 1 when no frequency stands out.

    A straight line is removed, the strongest frequency of at least two cycles is taken, and it counts when the series
    shifted by that period correlates with itself (0.3 and more).
    """
    size = len(values)
    if size < 6:
        return 1
    position = np.arange(size)
    flat = values - np.polyval(np.polyfit(position, values, 1), position)
    if not np.any(np.abs(flat) > 1e-12 * max(1.0, float(np.abs(values).max()))):
        return 1
    power = np.abs(np.fft.rfft(flat)) ** 2
    power[:2] = 0.0
    rough = size / int(np.argmax(power))
    best, strength = 1, 0.3
    for period in range(max(2, int(rough) - 2), min(size // 2, int(np.ceil(rough)) + 2) + 1):
        a, b = flat[:-period], flat[period:]
        scale = float(np.sqrt((a @ a) * (b @ b)))
        match = float(a @ b) / scale if scale > 0 else 0.0
        if match > strength + 1e-9:
            best, strength = period, match
    return best
