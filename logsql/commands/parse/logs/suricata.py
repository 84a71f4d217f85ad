"""``suricata-eve``: events of Suricata's EVE JSON output, one object per line.

The fields of every event keep their names; the address, port and alert fields also get the names that the firewall
queries use (``dst_ip`` for ``dest_ip``, ``signature`` for ``alert.signature``). Format: Suricata user guide, EVE JSON.
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import Builder, Parsed, ParserField, ParserSpec, Sample, integer, register, text
from logsql.commands.parse.logs.head import behind_head
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, INT, LONG, STRING, LType
from logsql.values.values import Typed

_FIELDS: tuple[tuple[str, str, LType, str], ...] = (
    ("event_type", "/event_type", STRING, "alert, dns, http, flow ..."),
    ("src_ip", "/src_ip", STRING, "source address"),
    ("src_port", "/src_port", INT, "source port"),
    ("dst_ip", "/dest_ip", STRING, "destination address"),
    ("dst_port", "/dest_port", INT, "destination port"),
    ("protocol", "/proto", STRING, "TCP, UDP ..."),
    ("flow_id", "/flow_id", LONG, "number of the flow"),
    ("action", "/alert/action", STRING, "allowed or blocked"),
    ("signature_id", "/alert/signature_id", LONG, "rule number"),
    ("signature", "/alert/signature", STRING, "rule name"),
    ("category", "/alert/category", STRING, "rule category"),
    ("severity", "/alert/severity", INT, "1 is the most severe"),
)


def parse(builder: Builder) -> Parsed:
    document = builder.column("eve", sql.try_cast(behind_head(builder.text), "JSON"))

    pointers = ["/timestamp", *(pointer for _, pointer, _, _ in _FIELDS)]
    # One call with all paths reads the document once.
    paths = sql.array([sql.string(p) for p in pointers])
    found = builder.column("values", sql.func("json_extract_string", document, paths))

    def value(pointer: str) -> Sql:
        return sql.index(found, sql.integer(pointers.index(pointer) + 1))

    stamp = value("/timestamp")
    fields: list[tuple[str, Typed]] = [("_time", Typed(sql.try_cast(stamp, DATE.physical), DATE))]
    for name, pointer, type_, _ in _FIELDS:
        node = value(pointer)
        fields.append((name, text(node) if type_ is STRING else integer(node, type_)))
    ok = sql.and_(sql.not_null(value("/event_type")), sql.not_null(stamp))
    return Parsed(ok, tuple(fields), document, is_map=False)


register(
    ParserSpec(
        name="suricata-eve",
        aliases=("suricata", "eve"),
        summary=("Events of Suricata (EVE JSON).", "Suricata 이벤트(EVE JSON)."),
        parse=parse,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time of the event"),
            *(ParserField(name, type_, meaning) for name, _, type_, meaning in _FIELDS),
        ),
        open=True,
        samples=(
            Sample(
                '{"timestamp":"2017-04-07T22:24:37.251547+0100","flow_id":586497171462735,"event_type":"alert",'
                '"src_ip":"192.168.2.14","src_port":50096,"dest_ip":"209.53.113.5","dest_port":80,"proto":"TCP",'
                '"alert":{"action":"allowed","signature_id":2018358,"signature":"ET HUNTING GENERIC","category":'
                '"Potentially Bad Traffic","severity":2},"app_proto":"http"}',
                {
                    "_time": "2017-04-07T21:24:37.251547", "event_type": "alert", "src_ip": "192.168.2.14",
                    "src_port": 50096, "dst_ip": "209.53.113.5", "dst_port": 80, "protocol": "TCP",
                    "flow_id": 586497171462735, "action": "allowed", "signature_id": 2018358,
                    "signature": "ET HUNTING GENERIC", "category": "Potentially Bad Traffic", "severity": 2,
                    "app_proto": "http", "timestamp": "2017-04-07T22:24:37.251547+0100",
                    "dest_ip": "209.53.113.5", "dest_port": 80, "proto": "TCP",
                    "alert": {
                        "action": "allowed", "signature_id": 2018358, "signature": "ET HUNTING GENERIC",
                        "category": "Potentially Bad Traffic", "severity": 2,
                    },
                },
            ),
        ),
        extension=True,
    )
)  # fmt: skip
