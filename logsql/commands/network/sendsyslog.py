"""``sendsyslog``: rows as syslog messages, a datagram each."""

from __future__ import annotations

from dataclasses import replace

from logsql.commands.network._syslog import ERRORS, FRAMING, LEDGER, OPTIONS, SPOOFED, TLS, duty, lowering, parse
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage


def lower(stage: Stage) -> Rel:
    """Over UDP, unless ``dst`` says otherwise."""
    if (written := stage.command.option("src")) is not None:
        stage.fail(SPOOFED, written.value_span)
    return lowering(stage, "udp")


register(
    CommandSpec(
        name="sendsyslog",
        group=Group.OUTPUT,
        summary=("Send rows as syslog messages over UDP.", "행을 UDP 시스로그 메시지로 보냅니다."),
        usage=("sendsyslog dst=HOST [port=514] [format={txt|json}] [pri=134]",),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        for_effect=True,
        options=(
            *OPTIONS,
            OptionSpec(
                "src",
                OptionKind.TEXT,
                ("a forged source address; not supported", "위조한 출발지 주소. 지원하지 않음"),
            ),
            replace(FRAMING, extension=True),
            *TLS,
        ),
        description="""\
Each row is a datagram: `<PRI>` and its text, which is the field `line`, or with `format=json` the row as a JSON object
without `_id`, `_table` and `_time`; dates in it have milliseconds and a zone. The rows pass on. A row without `line` is
not sent and counted, and so is a message of more than 65,507 bytes, which fits into no datagram.

Nobody confirms a datagram: what the network or the receiver drops is lost, and nobody knows; so that receivers keep up,
64 go out at a time, 60,000 a second at most. Only where the receiver's
machine says that nothing listens at the port, sending is tried again, for 30 seconds at most; then the query ends with
an error. `sendsyslog-tcp` knows more.

`dst` is an address, a name, or `udp://HOST:PORT`; with `tcp://` or `tls://` it does what `sendsyslog-tcp` does.

A private or reserved address needs an entry in `[network] allow` of the configuration, `"10.0.0.53"`, or with its port
`"127.0.0.1:5514"`.
""",
        examples=(
            Example("Send lines as they are", "table web | sendsyslog dst=192.0.2.10"),
            Example("Rows as JSON, as auth.warning", "table logins | sendsyslog dst=192.0.2.10 format=json pri=36"),
        ),
        errors=ERRORS,
        ledger=LEDGER,
    )
)
