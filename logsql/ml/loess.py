"""Seasonal-trend decomposition by loess (Cleveland, Cleveland, McRae, Terpenning 1990) for equally spaced values.

The non-robust form: six rounds of cycle-subseries smoothing, low-pass filter and trend smoothing collapse into
convolutions,
because a loess window away from the ends always carries the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

# Width of the seasonal smoother in cycles and number of rounds: the usual choices for a non-robust decomposition.
SEASONAL_WIDTH = 7
ROUNDS = 5


@dataclass(frozen=True)
class Parts:
    """trend + seasonal + error = the series; seasonal is None without a period."""

    trend: Series
    seasonal: Series | None
    error: Series


def odd(value: float) -> int:
    """Smallest odd integer that is not below ``value``."""
    number = int(np.ceil(value))
    return number if number % 2 else number + 1


def _weights(at: float, left: int, right: int, size: int, width: int) -> Series:
    """Weights of the local line at ``at`` over positions left..right (tricube, then the slope's correction)."""
    position = np.arange(left, right + 1, dtype=np.float64)
    reach = max(at - left, right - at)
    if width > size:
        reach += (width - size) // 2
    distance = np.abs(position - at)
    weight = np.where(distance <= 0.999 * reach, (1.0 - (distance / max(reach, 1e-300)) ** 3) ** 3, 0.0)
    weight[distance <= 0.001 * reach] = 1.0
    weight /= weight.sum()
    mean = float(weight @ position)
    spread = float(weight @ (position - mean) ** 2)
    if np.sqrt(spread) > 0.001 * (size - 1.0):
        weight = weight * (1.0 + (at - mean) / spread * (position - mean))
    return weight


def loess(values: Series, width: int, extend: bool = False) -> Series:
    """Local linear smoothing of each row of ``values`` (rows, n); with ``extend`` also one step before and after (n
    + 2)."""
    rows, size = values.shape
    points = np.arange(-1, size + 1) if extend else np.arange(size)
    out = np.empty((rows, len(points)))
    half = (width - 1) // 2
    inner = np.zeros(len(points), dtype=np.bool_)
    if size >= width:
        inner = (points >= half) & (points <= size - 1 - half)
        kernel = _weights(half, 0, width - 1, size, width)
        out[:, inner] = _slide(values, kernel)
    for column in np.flatnonzero(~inner):
        at = int(points[column])
        left = 0 if size < width else min(max(at - half, 0), size - width)
        right = size - 1 if size < width else left + width - 1
        out[:, column] = values[:, left : right + 1] @ _weights(float(at), left, right, size, width)
    return out


def _slide(values: Series, kernel: Series) -> Series:
    """Dot product of the (symmetric) kernel with every full window."""
    if len(kernel) > 200:
        from scipy.signal import fftconvolve

        found: Series = fftconvolve(values, kernel[None, ::-1], mode="valid", axes=1)
        return found
    return np.lib.stride_tricks.sliding_window_view(values, len(kernel), axis=1) @ kernel


def _moving_mean(values: Series, width: int) -> Series:
    total = np.cumsum(np.concatenate(([0.0], values)))
    out: Series = (total[width:] - total[:-width]) / width
    return out


def decompose(values: Series, period: int) -> Parts:
    """Decompose a series without gaps; a period below 2 means no season. At least two full periods are needed."""
    size = len(values)
    if period < 2:
        trend = loess(values[None, :], min(odd(max(7, size / 3)), odd(size)))[0]
        return Parts(trend, None, values - trend)
    trend_width = odd(1.5 * period / (1.0 - 1.5 / SEASONAL_WIDTH))
    low_width = odd(period + 1)
    trend = np.zeros(size)
    seasonal = np.zeros(size)
    for _ in range(ROUNDS):
        cycle = np.empty(size + 2 * period)
        flat = values - trend
        for phase in range(period):
            cycle[phase::period] = loess(flat[None, phase::period], SEASONAL_WIDTH, extend=True)[0]
        low = _moving_mean(_moving_mean(_moving_mean(cycle, period), period), 3)
        low = loess(low[None, :], low_width)[0]
        seasonal = cycle[period : period + size] - low
        trend = loess((values - seasonal)[None, :], trend_width)[0]
    return Parts(trend, seasonal, values - trend - seasonal)


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
