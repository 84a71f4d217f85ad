"""The page of metrics and counters of the live server, ``docs/reference/metrics.md``, from the table of metrics."""

from __future__ import annotations

from logsql.streams.metrics import BUCKETS, METRICS

HEAD = """# Metrics of the live server

`/metrics` of the status page (`[server] status = "127.0.0.1:8514"`) in the text format of Prometheus, and the same
numbers in `/status`. Counters end in `_total` and start at 0 with the process. No label holds content of a message;
senders stand in `/status` alone.

At rest these hold, and a test asserts them: messages of a receiver = rows in of each stream that reads it; rows in of a
stream that passes rows on = rows out + errors; rows out = rows of its sinks + what they lost.
"""


def page() -> str:
    """The page as Markdown."""
    rows = [
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{name}`' for name in row.labels) or '-'} | {row.meaning[0]} |"
        for row in METRICS.values()
    ]
    bounds = ", ".join(str(bound) for bound in BUCKETS)
    table = ["| metric | kind | labels | what it counts |", "| --- | --- | --- | --- |", *rows]
    return "\n".join([HEAD, *table, "", f"Buckets of the histograms, in seconds: {bounds}.", ""])
