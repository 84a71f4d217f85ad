"""The metrics as Prometheus reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from logsql.streams.metrics import BUCKETS, METRICS, Histogram, Labels, Metrics

#: What the text is, to the reader.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text_of(metrics: Metrics) -> bytes:
    """The text format (version 0.0.4) of all metrics; one that has no value yet has its header alone."""
    registry = CollectorRegistry()
    registry.register(_Families(metrics))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """One family for each row of the table of metrics, in its order."""
        numbers: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
        for (name, labels), value in sorted(self._metrics.numbers().items()):
            numbers[name].append((labels, value))
        histograms: dict[str, list[tuple[Labels, Histogram]]] = defaultdict(list)
        for name, labels, found in self._metrics.histograms():
            histograms[name].append((labels, found))
        for row in METRICS.values():
            if row.kind == "histogram":
                family = HistogramMetricFamily(row.name, row.meaning[0], labels=row.labels)
                for labels, found in histograms[row.name]:
                    family.add_metric(labels, _cumulated(found), found.total)
                yield family
                continue
            make = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
            plain = make(row.name, row.meaning[0], labels=row.labels)
            for labels, value in numbers[row.name]:
                plain.add_metric(labels, value)
            yield plain


def _cumulated(found: Histogram) -> list[tuple[str, float]]:
    """Counts of values up to each bound, as the format has them."""
    made: list[tuple[str, float]] = []
    count = 0
    for bound, number in zip(BUCKETS, found.buckets, strict=True):
        count += number
        made.append((str(bound), count))
    return [*made, ("+Inf", found.count)]
