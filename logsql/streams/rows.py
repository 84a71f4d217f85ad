"""What a received row holds, as Arrow columns (live.md section 2)."""

from __future__ import annotations

import pyarrow as pa

#: Instants are microseconds since 1970, in UTC.
INSTANT = pa.timestamp("us", "UTC")

#: What a syslog receiver gives. ``raw`` only where ``line`` could not be decoded.
SYSLOG = pa.schema(
    [
        ("line", pa.string()),
        ("_time", INSTANT),
        ("remote_ip", pa.string()),
        ("remote_port", pa.int32()),
        ("_logger_name", pa.string()),
        ("raw", pa.binary()),
        ("_truncated", pa.bool_()),
        ("_tls_name", pa.string()),
    ]
)
#: What a file receiver gives: ``_pos`` is the byte at which the line begins.
FILE = pa.schema(
    [
        ("line", pa.string()),
        ("_time", INSTANT),
        ("_file", pa.string()),
        ("_pos", pa.int64()),
        ("_logger_name", pa.string()),
        ("raw", pa.binary()),
        ("_truncated", pa.bool_()),
    ]
)
STDIN = pa.schema(
    [
        ("line", pa.string()),
        ("_time", INSTANT),
        ("_logger_name", pa.string()),
        ("raw", pa.binary()),
        ("_truncated", pa.bool_()),
    ]
)
#: Fields of a syslog header: there when a query names them.
HEADER = pa.schema(
    [
        ("facility", pa.int32()),
        ("severity", pa.int32()),
        ("msg_time", INSTANT),
        ("host", pa.string()),
        ("app", pa.string()),
        ("procid", pa.string()),
        ("msgid", pa.string()),
        ("structured_data", pa.string()),
        ("message", pa.string()),
    ]
)
#: A removed event context, as a row of ``context:TOPIC``; ``vars`` and ``rows`` are JSON documents.
REMOVED = pa.schema(
    [
        ("_time", INSTANT),
        ("topic", pa.string()),
        ("key", pa.string()),
        ("host", pa.string()),
        ("cause", pa.string()),
        ("counter", pa.int64()),
        ("created", INSTANT),
        ("expire_at", INSTANT),
        ("timeout_at", INSTANT),
        ("vars", pa.string()),
        ("rows", pa.string()),
    ]
)
