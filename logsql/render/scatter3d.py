"""A 3-D scatter plot of three fields, coloured by a fourth: a web page of its own, or a PNG picture.

Contract
- ``write_scatter3d(table, x, y, z, color, path)``: ``.html`` needs nothing but a browser (no address is contacted),
  ``.png`` needs matplotlib (extra ``chart``). The file appears only when it is complete.
- Axes are numbers or dates; a row without a value on an axis is skipped and counted.
- Colour: a number field gives a scale, any other field one colour per value, the most frequent first. Beyond eight
  values the rest share a colour, and the legend says how many they are.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logsql.diagnostics.errors import RunError, UsageError, diagnostic, did_you_mean
from logsql.diagnostics.messages import language
from logsql.diagnostics.messages import text as sentence
from logsql.diagnostics.usage import (
    CHART_AXIS,
    CHART_EXTRA,
    CHART_FIELD,
    CHART_FIELDS,
    NOTHING_TO_DRAW,
    PICTURE_ENDING,
    PICTURE_NAME,
)
from udfs.jsontext import loads

#: Colours that people with any colour vision tell apart (Okabe and Ito, 2008), strongest contrast first.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
OTHER = "#999999"
_OTHERS = sentence("{count} other values", "그 밖의 값 {count}개")
_TITLE = sentence("3-D scatter", "3차원 산점도")
_HINT = sentence(
    "drag to turn, wheel to zoom, double click to reset", "끌어서 회전, 휠로 확대와 축소, 두 번 클릭하면 처음 모습"
)
#: Ends and middle of the scale for numbers, dark to light.
SCALE = ((68, 1, 84), (33, 145, 140), (253, 231, 37))
SHADES = 64


@dataclass(frozen=True)
class Axis:
    """One axis: values (float64, dates in epoch milliseconds), and ticks as (value, label)."""

    name: str
    kind: str
    values: NDArray[np.float64]
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    offset: float = 0.0

    def scaled(self, values: Any) -> Any:
        """Values as shares of the axis, 0 to 1."""
        return (values - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Colours:
    """A palette, an index into it per point, and legend entries (name, colour, points or None on a scale)."""

    palette: tuple[str, ...]
    codes: NDArray[np.uint8]
    legend: tuple[tuple[str, str, int | None], ...]
    gradient: bool


@dataclass(frozen=True)
class Drawn:
    """What was drawn: number of points, and of rows skipped because a coordinate is missing."""

    points: int
    skipped: int


def write_scatter3d(
    table: pa.Table, x: str, y: str, z: str, color: str | None, path: str | Path, title: str | None = None
) -> Drawn:
    """Draw ``table`` into ``path`` (``.html`` or ``.png``). Raises UsageError (name, fields), RunError (no row)."""
    from logsql.render.sinks import open_sink  # for cost: few queries need it

    suffix = Path(path).suffix.lower()
    if suffix not in (".html", ".htm", ".png"):
        raise UsageError(diagnostic(PICTURE_NAME, ending=suffix) if suffix else diagnostic(PICTURE_ENDING))
    raw = [_numbers(table, name) for name in (x, y, z)]
    keep = np.asarray(np.isfinite(np.column_stack([values for values, _, _ in raw])).all(axis=1))
    if not keep.any():
        raise RunError(diagnostic(NOTHING_TO_DRAW, x=x, y=y, z=z))
    axes = [_axis(name, v[keep], kind, zone) for name, (v, kind, zone) in zip((x, y, z), raw, strict=True)]
    colours = _colours(table, color, keep)
    data = (_html if suffix != ".png" else _png)(axes, colours, color, title)
    with open_sink(str(path)) as sink:
        sink.write(data)
    return Drawn(int(keep.sum()), int((~keep).sum()))


# --- data -------------------------------------------------------------------------------------------------------------


def _field(table: pa.Table, name: str) -> tuple[pa.ChunkedArray, bool]:
    """A column, and whether it holds mixed values as JSON text."""
    if name not in table.column_names:
        known = did_you_mean(name, table.column_names) or CHART_FIELDS.fill(names=", ".join(table.column_names))
        raise UsageError(diagnostic(CHART_FIELD, help=known, name=name))
    position = table.column_names.index(name)
    mixed = (table.schema.field(position).metadata or {}).get(b"logsql.type") == b"any"
    return table.column(position), mixed


def _numbers(table: pa.Table, name: str) -> tuple[NDArray[np.float64], str, str | None]:
    """A field as float64 (NaN where there is no number), its kind, and the zone of a date."""
    column, mixed = _field(table, name)
    type_ = column.type
    if mixed:
        found = [None if text is None else loads(text) for text in column.to_pylist()]
        numbers = [v if isinstance(v, (int, float)) and not isinstance(v, bool) else math.nan for v in found]
        return np.array(numbers, dtype=np.float64), "number", None
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        zone = getattr(type_, "tz", None)
        millis = column.cast(pa.timestamp("ms", tz=zone), safe=False).cast(pa.int64()).cast(pa.float64(), safe=False)
        return np.asarray(millis.to_numpy()), "date", zone or "UTC"
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy()), "number", None
    if pa.types.is_null(type_):
        return np.full(len(column), np.nan), "number", None
    raise UsageError(diagnostic(CHART_AXIS, name=name, type=type_))


def _axis(name: str, values: NDArray[np.float64], kind: str, zone: str | None) -> Axis:
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    if kind == "number":
        return Axis(name, kind, values, low, high, number_ticks(low, high))
    local = ZoneInfo(zone or "UTC")
    offset = dt.datetime.fromtimestamp(low / 1000, local).utcoffset() or dt.timedelta()
    return Axis(name, kind, values, low, high, date_ticks(low, high, offset), offset.total_seconds())


def number_ticks(low: float, high: float, wanted: int = 5) -> tuple[tuple[float, str], ...]:
    """Round numbers between ``low`` and ``high``: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    numbers = [(first + n) * step for n in range(int((high - first * step) / step + 1e-9) + 1)]
    return tuple((n, f"{n:,.10g}") for n in numbers)


_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]
_STEPS += [86400 * n for n in (1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825, 3650)]


def date_ticks(low: float, high: float, offset: dt.timedelta) -> tuple[tuple[float, str], ...]:
    """Round instants between two epoch milliseconds, labelled in local time."""
    rough = (high - low) / 5000.0
    step = next((s for s in _STEPS if s >= rough), _STEPS[-1] * math.ceil(rough / _STEPS[-1]))
    shift = offset.total_seconds()
    pattern = "%Y-%m-%d" if step >= 86400 else "%m-%d %H:%M" if step >= 60 else "%H:%M:%S"
    at = math.ceil((low / 1000.0 + shift) / step) * step
    ticks = []
    while (at - shift) * 1000.0 <= high:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=at)
        ticks.append(((at - shift) * 1000.0, moment.strftime(pattern)))
        at += step
    return tuple(ticks)


def _colours(table: pa.Table, name: str | None, keep: NDArray[np.bool_]) -> Colours:
    points = int(keep.sum())
    if name is None:
        return Colours(PALETTE[:1], np.zeros(points, dtype=np.uint8), (), False)
    column, mixed = _field(table, name)
    if not mixed and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return _shades(np.asarray(column.cast(pa.float64(), safe=False).to_numpy())[keep])
    texts = ["null" if v is None else str(v) for v in column.filter(pa.array(keep)).to_pylist()]
    ranked = [value for value, _ in sorted(Counter(texts).items(), key=lambda pair: (-pair[1], pair[0]))]
    counts = Counter(texts)
    named = ranked if len(ranked) <= len(PALETTE) else ranked[: len(PALETTE) - 1]
    code = {value: number for number, value in enumerate(named)}
    codes = np.array([code.get(text, len(named)) for text in texts], dtype=np.uint8)
    legend: list[tuple[str, str, int | None]] = [(v, PALETTE[n], counts[v]) for v, n in code.items()]
    if len(named) < len(ranked):
        others = ranked[len(named) :]
        legend.append((_OTHERS.fill(count=len(others)), OTHER, sum(counts[v] for v in others)))
    return Colours((*PALETTE[: len(named)], OTHER), codes, tuple(legend), False)


def _shades(values: NDArray[np.float64]) -> Colours:
    given = np.isfinite(values)
    low, high = (float(values[given].min()), float(values[given].max())) if given.any() else (0.0, 1.0)
    share = (np.where(given, values, low) - low) / ((high - low) or 1.0)
    codes = np.where(given, np.round(share * (SHADES - 1)), SHADES).astype(np.uint8)
    palette = tuple(_shade(n / (SHADES - 1)) for n in range(SHADES))
    legend: list[tuple[str, str, int | None]] = [
        (f"{low + part * (high - low):.4g}", palette[round(part * (SHADES - 1))], None) for part in (1.0, 0.5, 0.0)
    ]
    if not given.all():
        legend.append(("null", OTHER, int((~given).sum())))
    return Colours((*palette, OTHER), codes, tuple(legend), True)


def _shade(share: float) -> str:
    part = share * (len(SCALE) - 1)
    first = min(int(part), len(SCALE) - 2)
    mixed = [a + (b - a) * (part - first) for a, b in zip(SCALE[first], SCALE[first + 1], strict=True)]
    return "#" + "".join(f"{round(c):02x}" for c in mixed)


# --- writing ----------------------------------------------------------------------------------------------------------


def _html(axes: Sequence[Axis], colours: Colours, color: str | None, title: str | None) -> bytes:
    points = np.column_stack([axis.scaled(axis.values) for axis in axes]).astype("<f4")
    data = {
        "axes": [
            {
                "name": a.name,
                "kind": a.kind,
                "min": a.low,
                "max": a.high,
                "offset": a.offset,
                "ticks": [{"at": float(a.scaled(value)), "label": label} for value, label in a.ticks],
            }
            for a in axes
        ],
        "points": base64.b64encode(points.tobytes()).decode(),
        "colors": base64.b64encode(colours.codes.tobytes()).decode(),
        "palette": list(colours.palette),
        "legend": [{"name": name, "color": shade, "count": count} for name, shade, count in colours.legend],
        "gradient": colours.gradient,
        "color": color,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # "</script>" in a value would end the data block, "<!--" would change how the rest of the page is read.
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    page = resources.files("logsql.render").joinpath("scatter3d.html").read_text("utf-8")
    page = page.replace("<title>3-D scatter</title>", f"<title>{_escaped(title or _TITLE.fill())}</title>")
    page = page.replace("__LANG__", language()).replace("__HINT__", _HINT.fill())
    return page.replace("__DATA__", safe).encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _png(axes: Sequence[Axis], colours: Colours, color: str | None, title: str | None) -> bytes:
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError:
        raise UsageError(diagnostic(CHART_EXTRA)) from None
    with rc_context({"font.family": ["DejaVu Sans", *_wide_fonts()]}):
        figure = Figure(figsize=(10, 8), dpi=120)
        FigureCanvasAgg(figure)
        marks = [
            Line2D([], [], marker="o", linestyle="", color=shade, label=name if n is None else f"{name} ({n})")
            for name, shade, n in colours.legend
        ]
        _plot(figure.add_subplot(projection="3d"), axes, colours, color, marks, title)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _plot(
    plot: Any, axes: Sequence[Axis], colours: Colours, color: str | None, marks: list[Any], title: str | None
) -> None:
    x, y, z = (axis.scaled(axis.values) for axis in axes)
    shades = np.array(colours.palette)[colours.codes]
    plot.scatter(x, y, z, c=shades, s=4 if len(x) > 5000 else 12, alpha=0.7, linewidths=0)
    names = (plot.set_xticks, plot.set_yticks, plot.set_zticks)
    labels = (plot.set_xlabel, plot.set_ylabel, plot.set_zlabel)
    for axis, set_ticks, set_label in zip(axes, names, labels, strict=True):
        set_ticks([axis.scaled(value) for value, _ in axis.ticks], [label for _, label in axis.ticks], fontsize=7)
        set_label(axis.name, labelpad=10)
    if marks:
        plot.legend(handles=marks, title=color, loc="upper right")
    if title:
        plot.set_title(title)
    plot.view_init(elev=20, azim=-50)


def _wide_fonts() -> list[str]:
    """Installed fonts with Korean letters, which matplotlib's own font lacks."""
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    wanted = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")
    return [name for name in wanted if name in known]
