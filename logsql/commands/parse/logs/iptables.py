"""``iptables``: packets that the Linux kernel's firewall logs (LOG target of iptables, log statement of nftables).

``KERNEL PREFIX IN=eth0 OUT= MAC=.. SRC=.. DST=.. LEN=60 ... PROTO=TCP SPT=44321 DPT=22 ... SYN URGP=0`` (ipt_LOG.c).
The prefix is what the rule's ``--log-prefix`` says, without the kernel's own time stamp.
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import Builder, Parsed, ParserField, ParserSpec, Sample, integer, register, text
from logsql.commands.parse.logs.head import head_time
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, INT, STRING, LType
from logsql.values.values import Typed

#: Field, key of the log line, type.
_KEYS: tuple[tuple[str, str, LType, str], ...] = (
    ("in_iface", "IN", STRING, "interface the packet came in"),
    ("out_iface", "OUT", STRING, "interface it goes out"),
    ("mac", "MAC", STRING, "link-layer header"),
    ("src_ip", "SRC", STRING, "source address"),
    ("dst_ip", "DST", STRING, "destination address"),
    ("length", "LEN", INT, "length of the packet"),
    ("ttl", "TTL", INT, "time to live"),
    ("protocol", "PROTO", STRING, "TCP, UDP, ICMP or a number"),
    ("src_port", "SPT", INT, "source port"),
    ("dst_port", "DPT", INT, "destination port"),
    ("icmp_type", "TYPE", INT, "ICMP type"),
    ("icmp_code", "CODE", INT, "ICMP code"),
)
_PAIR = r"\b([A-Z]+)=(\S*)"
_FLAGS = r" ((?:(?:CWR|ECE|URG|ACK|PSH|RST|SYN|FIN) )+)"


def parse(builder: Builder) -> Parsed:
    def found(pattern: str) -> Sql:
        node = sql.func("regexp_extract", builder.text, sql.string(pattern), sql.integer(1))
        return sql.func("nullif", node, sql.string(""))

    line = r"kernel: (?:\[ *[0-9.]+\] ?)?(.*?) ?\bIN="
    bare = r"^(?:\[ *[0-9.]+\] ?)?(.*?) ?\bIN="
    prefix = sql.case([(sql.func("contains", builder.text, sql.string("kernel: ")), found(line))], found(bare))
    fields = [("prefix", text(prefix))]
    keys, cells = (
        builder.column(label, sql.func("regexp_extract_all", builder.text, sql.string(_PAIR), sql.integer(group)))
        for label, group in (("keys", 1), ("cells", 2))
    )
    for name, key, type_, _ in _KEYS:
        # The first occurrence: ICMP errors repeat the packet they answer in brackets.
        place = sql.func("list_position", keys, sql.string(key))
        node = sql.func("nullif", sql.index(cells, place), sql.string(""))
        fields.append((name, text(node) if type_ is STRING else integer(node, type_)))
    padded = sql.concat(builder.text, sql.string(" "))
    flags = sql.func("regexp_extract", padded, sql.string(_FLAGS), sql.integer(1))
    fields.append(("tcp_flags", text(sql.func("nullif", sql.func("trim", flags), sql.string("")))))
    ok = sql.func("regexp_matches", builder.text, sql.string(r"\bIN=\S* OUT=\S* .*\bSRC=\S+ DST=\S+ "))
    return Parsed(ok, (("_time", Typed(head_time(builder), DATE)), *fields))


register(
    ParserSpec(
        name="iptables",
        aliases=("netfilter", "nftables", "ufw"),
        summary=("Packets logged by the Linux firewall.", "Linux 방화벽이 기록한 패킷 로그."),
        parse=parse,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time in the head of the line"),
            ParserField("prefix", STRING, "the rule's log prefix"),
            *(ParserField(name, type_, meaning) for name, _, type_, meaning in _KEYS),
            ParserField("tcp_flags", STRING, "TCP flags that are set"),
        ),
        samples=(
            Sample(
                "Jun 12 10:00:00 fw kernel: [12345.678] [UFW BLOCK] IN=eth0 OUT= MAC=aa:bb:cc SRC=203.0.113.5 "
                "DST=198.51.100.7 LEN=60 TOS=0x00 PREC=0x00 TTL=51 ID=54321 DF PROTO=TCP SPT=44321 DPT=22 "
                "WINDOW=29200 RES=0x00 SYN URGP=0",
                {
                    "_time": "2003-06-12T10:00:00", "prefix": "[UFW BLOCK]",
                    "in_iface": "eth0", "mac": "aa:bb:cc", "src_ip": "203.0.113.5",
                    "dst_ip": "198.51.100.7", "length": 60, "ttl": 51, "protocol": "TCP", "src_port": 44321,
                    "dst_port": 22, "tcp_flags": "SYN",
                },
            ),
            Sample(
                "IN=eth0 OUT= SRC=2001:db8::1 DST=2001:db8::2 LEN=64 HOPLIMIT=58 PROTO=ICMPv6 TYPE=128 CODE=0 ID=1",
                {
                    "in_iface": "eth0", "src_ip": "2001:db8::1", "dst_ip": "2001:db8::2", "length": 64,
                    "protocol": "ICMPv6", "icmp_type": 128, "icmp_code": 0,
                },
            ),
        ),
        extension=True,
    )
)  # fmt: skip
