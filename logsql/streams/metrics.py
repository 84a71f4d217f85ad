"""Every metric of the server: one row each, and the counters behind them.

``/metrics``, ``/status`` and ``docs/reference/metrics.md`` derive from the rows. Counting is cheap and done once per
batch; no label holds content of a message.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from logsql.diagnostics.codes import Pair
from logsql.loading import Rows

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Metric:
    """``kind``: counter, gauge or histogram. ``labels``: their names, in order. ``meaning``: English and Korean."""

    name: str
    kind: str
    labels: Labels
    meaning: Pair


METRICS: Rows[Metric] = Rows()
#: Upper bounds of a histogram's buckets, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def metric(name: str, kind: str, labels: Labels, english: str, korean: str) -> Metric:
    """Declare a metric; its name is that of the page."""
    made = Metric(name, kind, labels, (english, korean))
    METRICS.add(name, made)
    return made


@dataclass
class Histogram:
    """Counts of values per bucket, their sum and number."""

    buckets: list[int]
    total: float = 0.0
    count: int = 0


class Metrics:
    """The values of one server; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, Labels], float] = {}
        self._histograms: dict[tuple[str, Labels], Histogram] = {}

    def add(self, metric: Metric, labels: Labels, amount: float = 1) -> None:
        """Raise a counter."""
        with self._lock:
            key = (metric.name, labels)
            self._numbers[key] = self._numbers.get(key, 0) + amount

    def set(self, metric: Metric, labels: Labels, value: float) -> None:
        """Set a gauge."""
        with self._lock:
            self._numbers[metric.name, labels] = value

    def observe(self, metric: Metric, labels: Labels, seconds: float) -> None:
        """Add a value to a histogram."""
        with self._lock:
            found = self._histograms.setdefault((metric.name, labels), Histogram([0] * len(BUCKETS)))
            found.total += seconds
            found.count += 1
            for number, bound in enumerate(BUCKETS):
                if seconds <= bound:
                    found.buckets[number] += 1
                    break

    def value(self, metric: Metric, labels: Labels) -> float:
        """A counter or gauge; 0 where nothing was counted."""
        with self._lock:
            return self._numbers.get((metric.name, labels), 0)

    def numbers(self) -> Mapping[tuple[str, Labels], float]:
        """All counters and gauges by metric and labels."""
        with self._lock:
            return dict(self._numbers)

    def histograms(self) -> Iterator[tuple[str, Labels, Histogram]]:
        """All histograms."""
        with self._lock:
            found = [
                (name, labels, Histogram(list(h.buckets), h.total, h.count))
                for (name, labels), h in self._histograms.items()
            ]
        yield from found


MESSAGES = metric(
    "logsql_receiver_messages_total", "counter", ("receiver", "transport"), "messages accepted", "받아들인 메시지"
)
BYTES = metric(
    "logsql_receiver_bytes_total", "counter", ("receiver",), "bytes read, with framing", "프레이밍을 포함해 읽은 바이트"
)
CONNECTIONS = metric(
    "logsql_receiver_connections", "gauge", ("receiver",), "connections that are open", "열려 있는 연결"
)
REFUSED = metric(
    "logsql_receiver_refused_total",
    "counter",
    ("receiver", "reason"),
    "connections and datagrams that were refused",
    "거부한 연결과 데이터그램",
)
FRAMES_BAD = metric(
    "logsql_receiver_frames_bad_total",
    "counter",
    ("receiver", "reason"),
    "frames that were cut or given up",
    "잘렸거나 포기한 프레임",
)
RECEIVER_LOST = metric(
    "logsql_receiver_lost_total",
    "counter",
    ("receiver", "reason"),
    "messages lost before they were accepted",
    "받아들이기 전에 잃은 메시지",
)
PAUSED = metric(
    "logsql_receiver_paused_seconds_total",
    "counter",
    ("receiver",),
    "seconds in which nothing was read, for want of room",
    "공간이 없어 읽지 않은 시간(초)",
)
ROWS_IN = metric("logsql_stream_rows_in_total", "counter", ("stream",), "rows that entered", "들어온 행")
ROWS_OUT = metric("logsql_stream_rows_out_total", "counter", ("stream",), "rows that came out", "나간 행")
STREAM_ERRORS = metric("logsql_stream_errors_total", "counter", ("stream", "reason"), "rows that failed", "실패한 행")
LATE = metric(
    "logsql_stream_late_total",
    "counter",
    ("stream",),
    "rows that came behind the end of their window",
    "창이 닫힌 뒤에 온 행",
)
SKIPPED = metric(
    "logsql_stream_skipped_intervals_total",
    "counter",
    ("stream",),
    "intervals without a result, because the clock jumped over them or no server ran",
    "시계가 건너뛰었거나 서버가 실행되지 않아 결과가 없는 구간",
)
LAG = metric(
    "logsql_stream_lag_seconds",
    "gauge",
    ("stream",),
    "age of the oldest row that waits",
    "기다리는 가장 오래된 행의 나이(초)",
)
BATCH_SECONDS = metric(
    "logsql_stream_batch_seconds",
    "histogram",
    ("stream",),
    "seconds from the start of a batch to its commit",
    "배치 시작부터 커밋까지의 시간(초)",
)
MODEL_SECONDS = metric(
    "logsql_model_seconds",
    "histogram",
    ("stream", "model"),
    "seconds that a model took for a batch",
    "모델이 배치 하나에 쓴 시간(초)",
)
SINK_ROWS = metric("logsql_sink_rows_total", "counter", ("sink",), "rows delivered", "전달한 행")
SINK_RETRIES = metric(
    "logsql_sink_retries_total",
    "counter",
    ("sink",),
    "attempts that failed and are made again",
    "실패하여 다시 시도한 횟수",
)
SINK_LOST = metric(
    "logsql_sink_lost_total", "counter", ("sink", "reason"), "rows that were not delivered", "전달하지 못한 행"
)
SPOOL_BYTES = metric(
    "logsql_sink_spool_bytes",
    "gauge",
    ("sink",),
    "bytes that wait on the disk for the target",
    "대상을 기다리며 디스크에 있는 바이트",
)
CONTEXTS = metric("logsql_contexts", "gauge", ("topic",), "event contexts that are open", "열려 있는 이벤트 컨텍스트")
CONTEXT_REMOVED = metric(
    "logsql_context_removed_total",
    "counter",
    ("topic", "cause"),
    "event contexts that were removed",
    "제거된 이벤트 컨텍스트",
)
JOURNAL_BYTES = metric(
    "logsql_journal_bytes",
    "gauge",
    (),
    "bytes accepted and not yet delivered",
    "받아들였으나 아직 전달하지 않은 바이트",
)
RELOADS = metric("logsql_reload_total", "counter", ("result",), "reloads of the configuration", "설정을 다시 읽은 횟수")
BUILD = metric(
    "logsql_build_info",
    "gauge",
    ("version", "python", "duckdb"),
    "1, with the versions as labels",
    "값은 1이며 레이블이 버전",
)
