"""A receiver of each kind, and the rows that it gives."""

from __future__ import annotations

import pyarrow as pa

from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import Intake
from logsql.streams.metrics import Metrics
from logsql.streams.receivers.base import Receiver
from logsql.streams.receivers.file import FileReceiver
from logsql.streams.receivers.stdin import StdinReceiver
from logsql.streams.receivers.syslog import SyslogReceiver
from logsql.streams.settings import Receiver as Settings

_SCHEMAS = {"syslog": rows.SYSLOG, "file": rows.FILE, "stdin": rows.STDIN}


def schema_of(kind: str) -> pa.Schema:
    """The columns of the rows of a kind of receiver."""
    return _SCHEMAS[kind]


def made(settings: Settings, intake: Intake, metrics: Metrics, files: Files) -> Receiver:
    """The receiver; it does not listen or read yet. Raises StartError."""
    if settings.kind == "file":
        return FileReceiver(settings, intake, metrics, files)
    if settings.kind == "stdin":
        return StdinReceiver(settings, intake, metrics)
    return SyslogReceiver(settings, intake, metrics)
