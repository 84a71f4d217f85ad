"""stl and forecast as pure functions over Arrow tables.

Contract
- Rows are put on a regular grid per group: the interval is the smallest distance of two times, other distances are
  multiples of it (a missing bucket is interpolated for the fit only); months count as equal intervals.
- Times are laid out as wall time of the column's zone, so that days and months stay regular across daylight saving.
- A row without a time or a number keeps its place and gets null; the vendor's limit of 1000 rows does not exist here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.diagnostics.modeldata import DATE_NEEDED, FORECAST_ROWS, OF_GROUP, unknown_field
from logsql.diagnostics.models import (
    FORECAST_OPTIONS,
    NO_INTERVAL,
    SAME_TIME,
    SEASON_TOO_LONG,
    THE_ROWS,
    MlError,
    fields_note,
)
from logsql.ml.backtest import errors, half_widths
from logsql.ml.seasons import Series, Smoothed, decompose, detect_period, exponential, odd, robust_scores, smooth
from logsql.ml.unsupervised import Result, group_rows, numeric_matrix, put_column

DAY = 86_400_000


@dataclass(frozen=True)
class Grid:
    """rows: row numbers in time order; slots: their positions 0..size-1; start: wall time of slot 0 (ms); step: ms,
    or 0 for months."""

    rows: NDArray[np.int64]
    slots: NDArray[np.int64]
    size: int
    start: int
    step: int
    months: int = 0

    def filled(self, values: Series) -> Series:
        """Values by slot; slots without a row are interpolated."""
        out: Series = np.interp(np.arange(self.size), self.slots, values)
        return out

    def time_of(self, slot: int) -> int:
        """Wall time (ms) of a slot, also of one beyond the last row."""
        if not self.months:
            return self.start + slot * self.step
        first = np.datetime64(self.start, "ms").astype("datetime64[M]")
        rest = self.start - int(first.astype("datetime64[ms]").astype(np.int64))
        month = first + np.timedelta64(slot * self.months, "M")
        return int(month.astype("datetime64[ms]").astype(np.int64)) + rest


def _wall_times(rows: pa.Table, time: str, command: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Wall time in ms and a mask of the rows that have one."""
    if time not in rows.column_names:
        raise unknown_field(time, rows.column_names, THE_ROWS.fill())
    column = rows.column(time).combine_chunks()
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        if not pa.types.is_null(column.type):
            notes = [fields_note(THE_ROWS.fill(), rows.column_names)]
            raise MlError(DATE_NEEDED, notes=notes, command=command, name=time, found=column.type)
        return np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=np.bool_)
    if getattr(column.type, "tz", None):
        column = pc.local_timestamp(column)
    millis = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    return millis.fill_null(0).to_numpy(zero_copy_only=False), millis.is_valid().to_numpy(zero_copy_only=False)


def make_grid(members: NDArray[np.int64], times: NDArray[np.int64], command: str) -> Grid:
    """Lay the rows ``members`` on a regular grid by their wall times. Raises MlError when there is no constant
    interval."""
    order = members[np.argsort(times[members], kind="stable")]
    at = times[order]
    if len(order) == 1:
        return Grid(order, np.zeros(1, dtype=np.int64), 1, int(at[0]), DAY)
    gaps = np.diff(at)
    step = int(gaps.min())
    if step == 0:
        raise MlError(SAME_TIME, command=command)
    slots: NDArray[np.int64] = np.concatenate(([0], np.cumsum(gaps // step)))
    if not (gaps % step).any():
        return Grid(order, slots, int(slots[-1]) + 1, int(at[0]), step)
    stamps = at.astype("datetime64[ms]")
    months = stamps.astype("datetime64[M]")
    rest = at - months.astype("datetime64[ms]").astype(np.int64)
    number = months.astype(np.int64)
    if (rest == rest[0]).all() and (np.diff(number) > 0).all():
        unit = int(np.gcd.reduce(np.diff(number)))
        slots = (number - number[0]) // unit
        return Grid(order, slots, int(slots[-1]) + 1, int(at[0]), 0, unit)
    raise MlError(NO_INTERVAL, command=command)


def stl(
    rows: pa.Table,
    field: str,
    period_ms: int | None = None,
    by: Sequence[str] = (),
    time: str = "_time",
    robust: bool = False,
) -> Result:
    """Add ``_trend``, ``_seasonal`` and ``_error`` (doubles) per group of ``by``, with ``robust`` also ``_score``.

    period_ms: length of the season in milliseconds, None to find it, 0 for none. ``_seasonal`` is absent when no
    group has
    a season. Raises MlError: fields, times, or a period longer than half of the rows.
    """
    values = numeric_matrix(rows, (field,), "stl")[:, 0]
    times, timed = _wall_times(rows, time, "stl")
    usable = timed & ~np.isnan(values)
    names = ("_trend", "_seasonal", "_error", *(("_score",) if robust else ()))
    out = {name: np.full(rows.num_rows, np.nan) for name in names}
    season = False
    small = 0
    for _, members in group_rows(rows, by):
        chosen = members[usable[members]]
        if len(chosen) < 4:
            small += len(chosen)
            continue
        grid = make_grid(chosen, times, "stl")
        series = grid.filled(values[grid.rows])
        parts = decompose(series, _period(period_ms, grid, series), robust)
        if robust:
            out["_score"][grid.rows] = robust_scores(parts.error[grid.slots])
        for name, part in (("_trend", parts.trend), ("_seasonal", parts.seasonal), ("_error", parts.error)):
            if part is not None:
                out[name][grid.rows] = part[grid.slots]
        season = season or parts.seasonal is not None
    table = rows
    for name, column in out.items():
        if name != "_seasonal" or season:
            table = put_column(table, name, pa.array(column, pa.float64(), from_pandas=True))
    notes = {"stl: no time or no number": int((~usable).sum()), "stl: group of fewer than 4 rows": small}
    return Result(table, {reason: count for reason, count in notes.items() if count})


def _period(period_ms: int | None, grid: Grid, series: Series) -> int:
    if period_ms is None:
        return detect_period(series)
    step = grid.step or 30 * DAY * grid.months
    return _checked_period(round(period_ms / step), grid.size)


def _checked_period(period: int, size: int) -> int:
    if period > size // 2:
        raise MlError(SEASON_TOO_LONG, period=period, needed=2 * period, rows=size)
    return period


@dataclass(frozen=True)
class ForecastOptions:
    """period: rows of a season (None: found, below 2: none); count: rows to forecast; confidence: percent."""

    period: int | None = None
    count: int = 5
    smoother: str = "ets"
    normalize: bool = False
    accumulate: bool = True
    confidence: int = 95


def forecast(
    rows: pa.Table,
    field: str,
    options: ForecastOptions | None = None,
    by: Sequence[str] = (),
    time: str = "_time",
) -> Result:
    """Append ``count`` rows per group with ``_future``, ``_lower`` and ``_upper`` (doubles; null in the given rows).

    An appended row carries the time, the group's ``by`` values, and null elsewhere. Raises MlError: options, fields,
    times,
    a period longer than half of the rows, or a group of fewer than four rows.
    """
    options = options or ForecastOptions()
    if options.count < 1 or not 1 <= options.confidence <= 99 or options.smoother not in (*_SMOOTHERS, "ets"):
        raise MlError(FORECAST_OPTIONS)
    values = numeric_matrix(rows, (field,), "forecast")[:, 0]
    times, timed = _wall_times(rows, time, "forecast")
    usable = timed & ~np.isnan(values)
    future: list[int] = []
    origin: list[int] = []
    numbers: list[NDArray[np.float64]] = []
    for key, members in group_rows(rows, by):
        chosen = members[usable[members]]
        if len(chosen) < 4:
            group = OF_GROUP.fill(key=", ".join(map(str, key))) if key else ""
            raise MlError(FORECAST_ROWS, group=group, rows=len(chosen))
        grid = make_grid(chosen, times, "forecast")
        numbers.append(_predict(grid.filled(values[grid.rows]), options))
        future += [grid.time_of(grid.size + step) for step in range(options.count)]
        origin += [int(chosen[0])] * options.count
    table = _appended(rows, time, by, future, origin)
    predicted = np.concatenate(numbers) if numbers else np.zeros((0, 3))
    for position, name in enumerate(("_future", "_lower", "_upper")):
        column = np.concatenate((np.full(rows.num_rows, np.nan), predicted[:, position]))
        table = put_column(table, name, pa.array(column, pa.float64(), from_pandas=True))
    skipped = int((~usable).sum())
    return Result(table, {"forecast: no time or no number": skipped} if skipped else {})


def _appended(rows: pa.Table, time: str, by: Sequence[str], future: Sequence[int], origin: Sequence[int]) -> pa.Table:
    columns: dict[str, object] = {}
    for field in rows.schema:
        if field.name == time:
            wall = pa.array(future, pa.timestamp("ms"))
            zone = getattr(field.type, "tz", None)
            if zone:  # a time that daylight saving skips or repeats: the earlier instant
                wall = pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="earliest")
            columns[field.name] = wall.cast(field.type)
        elif field.name in by:
            columns[field.name] = rows.column(field.name).take(pa.array(origin, pa.int64())).combine_chunks()
        else:
            columns[field.name] = pa.nulls(len(future), field.type)
    return pa.concat_tables([rows, pa.table(columns, schema=pa.schema([f.with_nullable(True) for f in rows.schema]))])


def _predict(series: Series, options: ForecastOptions) -> NDArray[np.float64]:
    """Forecast, lower and upper bound, shape (count, 3)."""
    from scipy.special import boxcox, inv_boxcox, ndtri  # for cost: scipy
    from scipy.stats import boxcox_normmax  # for cost: scipy

    power: float | None = None
    shift = 0.0
    work = series
    if options.normalize:
        shift = 1.0 - float(series.min()) if series.min() <= 0 else 0.0
        power = float(boxcox_normmax(series + shift, method="mle")) if np.ptp(series) > 0 else 1.0
        work = boxcox(series + shift, power)
    period = detect_period(work) if options.period is None else _checked_period(options.period, len(series))
    going_on = _going_on(work, period, options)
    centre, spread = going_on(work)
    off = errors(work, options.count, max(1, period), lambda known: going_on(known)[0])
    if off is None:
        away = float(ndtri(0.5 + options.confidence / 200.0)) * spread
    else:
        away = half_widths(off, options.confidence / 100.0, options.accumulate)
    bounds = np.stack([centre, centre - away, centre + away], axis=1)
    if power is not None:
        bounds = inv_boxcox(bounds, power) - shift
    return bounds


def _going_on(series: Series, period: int, options: ForecastOptions) -> Callable[[Series], tuple[Series, Series]]:
    """How rows so far go on: the next values and the spread by formula. The weights of ``ets`` are those of the whole
    series also for its earlier rows: finding them again takes most of the time and changes little."""
    count = options.count
    if period < 2 and options.period is not None:
        return lambda known: _linear(known, count, options.accumulate)
    found = None
    if options.smoother == "ets":
        parts = decompose(series, period)
        found = exponential(series if parts.seasonal is None else series - parts.seasonal)

    def going_on(known: Series) -> tuple[Series, Series]:
        seasonal = decompose(known, period).seasonal if period >= 2 else None
        base = known if seasonal is None else known - seasonal
        if found is not None:
            centre, spread = _ets(base, found, count, options.accumulate)
        else:
            centre, spread = _SMOOTHERS[options.smoother](base, count, options.accumulate)
        if seasonal is not None:
            centre = centre + seasonal[-period:][np.arange(count) % period]
        return centre, spread

    return going_on


def _linear(series: Series, count: int, accumulate: bool) -> tuple[Series, Series]:
    """Straight line by least squares; the spread is that of a new observation."""
    size = len(series)
    x = np.arange(size, dtype=np.float64)
    slope, level = np.polyfit(x, series, 1)
    error = series - (level + slope * x)
    sigma = np.sqrt(float(error @ error) / max(1, size - 2))
    ahead = size + np.arange(count)
    widen = np.sqrt(1.0 + 1.0 / size + (ahead - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum()))
    spread: Series = np.asarray(sigma * (widen if accumulate else np.ones(count)))
    return np.asarray(level + slope * ahead, dtype=np.float64), spread


def _local(series: Series, count: int, accumulate: bool) -> tuple[Series, Series]:
    """Last level and slope of a loess curve, continued."""
    curve = smooth(series, odd(max(5, len(series) / 3)))
    error = series - curve
    sigma = np.sqrt(float(error @ error) / max(1, len(series) - 2))
    ahead = np.arange(1, count + 1)
    return curve[-1] + (curve[-1] - curve[-2]) * ahead, sigma * (np.sqrt(ahead) if accumulate else np.ones(count))


def _ets(series: Series, found: Smoothed, count: int, accumulate: bool) -> tuple[Series, Series]:
    """Exponential smoothing with an additive trend and known weights.

    Variance of h steps ahead: sigma^2 (1 + sum over j < h of (alpha (1 + beta j))^2), Hyndman and others 2008, table
    6.1.
    """
    level, slope = found.end_of(series)
    sigma = np.sqrt(found.squares / max(1, len(series) - 3))
    ahead = np.arange(1, count + 1)
    growth = np.concatenate(([0.0], np.cumsum((found.alpha * (1.0 + found.beta * np.arange(1, count))) ** 2)))
    spread: Series = np.asarray(sigma * (np.sqrt(1.0 + growth) if accumulate else np.ones(count)))
    return np.asarray(level + slope * ahead, dtype=np.float64), spread


_SMOOTHERS: dict[str, Callable[[Series, int, bool], tuple[Series, Series]]] = {
    "linear": _linear,
    "loess": _local,
}
