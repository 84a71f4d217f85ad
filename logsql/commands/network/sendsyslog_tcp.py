"""``sendsyslog-tcp``: rows as syslog messages over a connection."""

from __future__ import annotations

from logsql.commands.network._syslog import ERRORS, FRAMING, LEDGER, OPTIONS, TLS, duty, lowering, parse
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage


def lower(stage: Stage) -> Rel:
    """Over TCP, over TLS with ``tls=t`` or ``dst=tls://...``."""
    return lowering(stage, "tcp")


register(
    CommandSpec(
        name="sendsyslog-tcp",
        group=Group.OUTPUT,
        summary=("Send rows as syslog messages over TCP or TLS.", "행을 TCP나 TLS로 시스로그 메시지로 보냅니다."),
        usage=(
            "sendsyslog-tcp dst=HOST [port=514] [framing={lf|rfc6587|nul}] [format={txt|json}] [pri=134] "
            "[tls=t] [ca=FILE]",
        ),
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
        options=(*OPTIONS, FRAMING, *TLS),
        description="""\
Each row is a message: `<PRI>` and its text, which is the field `line`, or with `format=json` the row as a JSON object
without `_id`, `_table` and `_time`; dates in it have milliseconds and a zone. The rows pass on. A row without `line` is
not sent and counted.

| `framing` | how the receiver tells messages apart |
| --- | --- |
| `lf` | a line feed ends each; a line break within a message is sent as the two characters `\\n`, and counted |
| `rfc6587`, `octet` | `LENGTH MESSAGE`: the length in bytes, whatever the message holds |
| `nul` | the byte 0 ends each; line breaks stay |

`dst` is an address, a name, or `tcp://HOST:PORT`, `tls://HOST:PORT`. With TLS the certificate of the receiver is
checked for its name; `ca=FILE` names an authority beside those of the system.

The query ends when the receiver's machine has confirmed all that was sent. A connection that breaks is made again, and
what was not confirmed is sent again, so that a message arrives at least once. A receiver that takes nothing for 30
seconds ends the query with an error, and the ledger counts the messages that nobody knows of. Syslog itself has no
confirmation: what a receiver's machine has taken and its program has not read is lost when the program dies.

How we know: by TCP's own acknowledgements on Linux and macOS; on Windows by closing the connection and waiting until
the receiver has closed its side.

A private or reserved address needs an entry in `[network] allow` of the configuration, `"10.0.0.53"`, or with its port
`"127.0.0.1:5514"`.
""",
        examples=(
            Example(
                "Hand the alerts to the SIEM",
                "table alerts | sendsyslog-tcp dst=192.0.2.10 framing=rfc6587 format=json",
            ),
            Example(
                "Encrypted, whatever the lines hold",
                'table web | sendsyslog-tcp dst="tls://siem.example.com:6514" ca="ca.pem" framing=rfc6587 pri=keep',
            ),
        ),
        errors=ERRORS,
        ledger=LEDGER,
    )
)
