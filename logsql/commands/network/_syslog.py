"""What ``sendsyslog`` and ``sendsyslog-tcp`` share: options, the text of a row, sending.

Rows are stored behind the sending, so that each is sent once, however often they are read and whatever stands behind.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Command
from logsql.operators.documents import member, rest_members
from logsql.operators.passing import Field, Slices, passed
from logsql.planner import duties
from logsql.planner.connections.syslog import SYSLOG, Destination, Outgoing
from logsql.planner.expressions import ExprContext
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.spec import OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.language.tree import Span
    from logsql.planner.runtime import Runtime, StageRuntime

DESTINATION = define(
    "E3280",
    "syslog-destination",
    ("dst= is no receiver of syslog", "dst=이 시스로그 수신자가 아닙니다"),
    ("dst= names no receiver: {value!r}", "dst=에 수신자가 없습니다: {value!r}"),
    help=(
        "dst=ADDRESS, dst=NAME, or dst=SCHEME://HOST:PORT with udp, tcp or tls",
        "dst=주소, dst=이름, 또는 dst=udp|tcp|tls://호스트:포트",
    ),
)
TWO_PORTS = DESTINATION.says(
    ("dst= has a port, and port= names another", "dst=에 포트가 있는데 port=에 다른 포트가 있습니다"),
    help=("leave one of them out", "하나만 쓰세요"),
)
DATAGRAMS = DESTINATION.says(
    (
        "{option}= is for connections, and the receiver is reached by datagrams (udp)",
        "{option}=은 연결에 쓰는 옵션인데 수신자에게는 데이터그램(udp)으로 보냅니다",
    ),
    help=("use sendsyslog-tcp, or dst=tcp://HOST:PORT", "sendsyslog-tcp나 dst=tcp://호스트:포트를 쓰세요"),
)
NOT_TLS = DESTINATION.says(
    ("ca= is for TLS, and the receiver is reached without", "ca=은 TLS에 쓰는 옵션인데 TLS 없이 보냅니다"),
    help=("add tls=t, or write dst=tls://HOST:PORT", "tls=t를 추가하거나 dst=tls://호스트:포트로 쓰세요"),
)
SCHEME = DESTINATION.says(
    (
        "sendsyslog-tcp makes a connection, and dst= begins with udp://",
        "sendsyslog-tcp는 연결로 보내는데 dst=이 udp://로 시작합니다",
    ),
    help=("use sendsyslog", "sendsyslog를 쓰세요"),
)
SPOOFED = DESTINATION.says(
    (
        "src= is not supported: messages are sent from the address of this machine",
        "src=은 지원하지 않습니다. 메시지는 이 컴퓨터의 주소에서 보냅니다",
    ),
)
NO_PRI = INVALID_OPTION.says(
    ("pri= is 0 to 191, or keep: {value!r}", "pri=은 0에서 191까지이거나 keep입니다: {value!r}"),
)
NO_PORT = INVALID_OPTION.says(("port= is 1 to 65535: {value}", "port=은 1에서 65535까지입니다: {value}"))
ESCAPED = loss(
    "line-breaks-escaped",
    (
        "line breaks (or NUL) within a message, which would end it early: \\n (or \\0) was sent",
        "메시지 안에서 메시지를 일찍 끝낼 줄바꿈(또는 NUL): \\n(또는 \\0)으로 보냄",
    ),
    fate=Fate.CHANGED,
)
TOO_LONG = loss(
    "messages-too-long",
    ("messages that fit into no datagram: not sent", "데이터그램에 들어가지 않아 보내지 않은 메시지"),
    fate=Fate.PASSED,
)
NO_LINE = loss(
    "rows-without-line",
    ("rows whose field line has no value: not sent", "line 필드에 값이 없어 보내지 않은 행"),
    fate=Fate.PASSED,
)
NOT_SENT = loss(
    "syslog-not-sent",
    (
        "messages of which nobody knows whether they arrived; what was not read yet comes on top",
        "도착했는지 알 수 없는 메시지. 아직 읽지 않은 행은 세지 않음",
    ),
)
LEDGER = (ESCAPED, TOO_LONG, NO_LINE, NOT_SENT)
ERRORS = (DESTINATION, INVALID_OPTION.when(("pri= or port= is out of bounds", "pri=이나 port=이 범위를 벗어났습니다")))
#: Fields that are no part of the JSON of a row (the vendor's newest page).
LEFT_OUT = frozenset({"_id", "_table", "_time"})
#: Seconds for which a message waits for a receiver that does not take it (the vendor's ``max_queue_time``).
PATIENCE = 30.0
#: Rows that are sent together.
_ROWS = 4096
_TEXT = "__syslog"
_URL = re.compile(r"(?:(udp|tcp|tls)://)?(\[[^\]]*\]|[^:/\[\]]*)(?::([0-9]{1,5}))?/?", re.IGNORECASE)
_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}

OPTIONS = (
    OptionSpec(
        "dst", OptionKind.TEXT, ("address, name or URL of the receiver", "수신자의 주소, 이름, URL"), required=True
    ),
    OptionSpec(
        "port", OptionKind.INT, ("port of the receiver; 514, of TLS 6514", "수신자의 포트. 기본값 514, TLS는 6514")
    ),
    OptionSpec(
        "format",
        OptionKind.CHOICE,
        (
            "txt sends the field line, json the row without _id, _table and _time",
            "txt는 line 필드를, json은 _id, _table, _time을 뺀 행을 보냄",
        ),
        "txt",
        choices=("txt", "json"),
    ),
    OptionSpec(
        "pri",
        OptionKind.TEXT,
        (
            "facility * 8 + severity, 0 to 191; keep: a text that begins with its own keeps it",
            "facility * 8 + severity, 0에서 191까지. keep이면 텍스트 맨 앞의 PRI를 그대로 둠",
        ),
        "134",
    ),
)
FRAMING = OptionSpec(
    "framing",
    OptionKind.CHOICE,
    (
        "what tells messages apart: a line feed, the number of their bytes (rfc6587 or octet), or the byte 0",
        "메시지를 나누는 방법: 줄바꿈, 바이트 수(rfc6587 또는 octet), 0 바이트",
    ),
    "lf",
    choices=("lf", "rfc6587", "octet", "nul"),
)
TLS = (
    OptionSpec("tls", OptionKind.BOOL, ("encrypt the connection", "연결을 암호화"), default=False, extension=True),
    OptionSpec(
        "ca",
        OptionKind.PATH,
        ("PEM file of a further authority that TLS trusts", "TLS가 추가로 신뢰할 인증 기관의 PEM 파일"),
        extension=True,
    ),
)


@dataclass(frozen=True)
class NoArgs:
    """Everything is in the options."""


def parse(reader: ArgReader) -> NoArgs:
    """Nothing stands behind the options."""
    return NoArgs()


def duty(command: Command) -> duties.Fields:
    """``line``, or any field."""
    form = command.option("format")
    if form is not None and form.value != "txt":
        return duties.WHOLE_ROW
    return duties.Fields(duties.Flow.PASSES, frozenset({"line"}), duties.NOTHING)


def lowering(stage: Stage, scheme: str) -> Rel:
    """Send each row and pass it on. ``scheme``: ``udp`` or ``tcp``, unless the options say otherwise."""
    sending = _Sending(_destination(stage, scheme), _pri(stage))
    stage.chain.steps.insert(0, Action(f"check that {sending.destination.told} may be reached", sending.check))
    rel = stage.flush(stage.rel)
    rel, text = stage.lowered(rel, _line if stage.option("format") == "txt" else partial(_json, rel))
    return stage.materialise(passed(stage, rel, [Field(_TEXT, STRING, text)], [], sending))


def _line(cx: ExprContext) -> Sql:
    return values.text_sql(cx.field("line"))


def _json(rel: Rel, cx: ExprContext) -> Sql:
    """The row as JSON, nulls of its fields written too."""
    names = [name for name in rel.names if name not in LEFT_OUT]
    pieces = [member(name, _dated(cx.field(name)), always=True) for name in names]
    if rel.rest is not None:
        pieces.append(rest_members(rel.rest.hide(LEFT_OUT)))
    body = sql.func("concat_ws", sql.string(","), *pieces) if pieces else sql.string("")
    return sql.concat(sql.string("{"), body, sql.string("}"))


def _dated(value: Typed) -> Typed:
    """A value whose dates are texts with milliseconds and zone, as all that is sent to others has them."""
    if value.parts:
        return replace(value, parts=tuple(_dated(part) for part in value.parts))
    if value.kind is not Kind.DATE:
        return value
    zone = sql.concat(sql.func("strftime", value.expr, sql.string("%z")), sql.string(":00"))
    text = sql.concat(
        sql.func("strftime", value.expr.copy(), sql.string("%Y-%m-%dT%H:%M:%S.%g")),
        sql.func("left", zone, sql.integer(6)),
    )
    return Typed(text, STRING)


# --- options ----------------------------------------------------------------------------------------------------------


def _destination(stage: Stage, scheme: str) -> Destination:
    written: str = stage.option("dst")
    found = _URL.fullmatch(f"[{written}]" if _is_v6(written) else written)
    if found is None or not found[2].strip("[]"):
        stage.fail(DESTINATION, _span(stage, "dst"), value=written)
    own = (found[1] or "").lower()
    if own == "udp" and scheme == "tcp":
        stage.fail(SCHEME, _span(stage, "dst"))
    scheme = "tls" if stage.option("tls") else own or scheme
    for option, fits in (("framing", scheme != "udp"), ("tls", own != "udp"), ("ca", scheme != "udp")):
        if not fits and stage.command.option(option) is not None and stage.option(option):
            stage.fail(DATAGRAMS, _span(stage, option), option=option)
    ca: str | None = stage.option("ca")
    if ca is not None and scheme != "tls":
        stage.fail(NOT_TLS, _span(stage, "ca"))
    framing = {"rfc6587": "octet"}.get(stage.option("framing"), stage.option("framing"))
    return Destination(scheme, found[2].strip("[]"), _port(stage, scheme, found[3]), framing, ca)


def _port(stage: Stage, scheme: str, written: str | None) -> int:
    asked: int | None = stage.option("port")
    if asked is not None and written is not None and asked != int(written):
        stage.fail(TWO_PORTS, _span(stage, "port"))
    port = asked if asked is not None else int(written) if written is not None else _PORTS[scheme]
    if not 0 < port < 65536:
        stage.fail(NO_PORT, _span(stage, "port" if asked is not None else "dst"), value=port)
    return port


def _pri(stage: Stage) -> int | None:
    """The number, None for ``keep``."""
    written: str = stage.option("pri")
    if written.lower() == "keep":
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 4 and int(written) < 192):
        stage.fail(NO_PRI, _span(stage, "pri"), value=written)
    return int(written)


def _is_v6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _span(stage: Stage, option: str) -> Span | None:
    written = stage.command.option(option)
    return written.value_span if written is not None else None


# --- sending ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sending:
    """Sends the texts of rows, in order."""

    destination: Destination
    pri: int | None

    def check(self, runtime: Runtime) -> None:
        """Refuse a receiver that may not be reached, before any row is read."""
        if self.destination.ca_file is not None:
            runtime.policy.check_read(self.destination.ca_file)
        if (service := runtime.service(SYSLOG)) is not None:
            service.check(self.destination)

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        service = runtime.service(SYSLOG)
        if service is None:
            return
        outgoing = service.outgoing(self.destination, PATIENCE)
        try:
            for batch in batches:
                for offset in range(0, batch.num_rows, _ROWS):
                    rows = batch.slice(offset, _ROWS)
                    self._send(outgoing, rows.column(_TEXT), runtime)
                    yield rows, {}
            outgoing.finish(runtime.cancelled)
        finally:
            if (unknown := outgoing.unconfirmed()) > 0:
                runtime.loss.lost(self.destination.told, NOT_SENT.name, unknown)
            outgoing.close()

    def _send(self, outgoing: Outgoing, texts: pa.Array, runtime: StageRuntime) -> None:
        source = self.destination.told
        if texts.null_count:
            runtime.loss.lost(source, NO_LINE.name, texts.null_count)
            texts = texts.drop_null()
        sent = outgoing.send(texts, self.pri, runtime.cancelled)
        if sent.escaped:
            runtime.loss.lost(source, ESCAPED.name, sent.escaped)
        if sent.too_long:
            runtime.loss.lost(source, TOO_LONG.name, sent.too_long)
