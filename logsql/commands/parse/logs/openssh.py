"""``openssh``: what sshd says about logins, in the text of a syslog line or without its header.

Messages of auth.c and monitor.c: ``Accepted|Failed|Postponed|Partial METHOD for [invalid user ]USER from ADDRESS port N
[ssh2]``, ``Invalid user USER from ...``, ``[Connection] closed|reset by ...``, ``Disconnected from ...``.
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import Builder, Parsed, ParserField, ParserSpec, Sample, integer, register, text
from logsql.commands.parse.logs.head import head_time
from logsql.values import sql
from logsql.values.types import DATE, INT, STRING
from logsql.values.values import Typed

_TAIL = r"from (\S+)(?: port (\d+))?(?: (ssh[0-9]*))?"
_LOGIN = r"\b(Accepted|Failed|Postponed|Partial) (\S+) for (invalid user )?(.*?) " + _TAIL
_LOGIN_GROUPS = ("result", "login_method", "invalid", "account", "src_ip", "src_port", "protocol")
_OTHER = (
    r"\b(Invalid user|Disconnected from|Connection closed by|Connection reset by|Received disconnect from|"
    r"Did not receive identification string from)"
    r"(?: (?:authenticating |invalid )?(?:user )?([^\s:]+))?(?: from)? "
    r"([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*?)(?: port (\d+))?(?::? |$)"
)
_OTHER_GROUPS = ("result", "account", "src_ip", "src_port")


def parse(builder: Builder) -> Parsed:
    login = builder.regex(_LOGIN, _LOGIN_GROUPS)
    padded = sql.concat(builder.text, sql.string(" "))
    other = builder.regex(_OTHER, _OTHER_GROUPS, padded)

    def either(name: str) -> sql.Sql:
        return sql.coalesce(login(name), other(name))

    result = either("result")
    return Parsed(
        sql.not_null(result),
        (
            ("_time", Typed(head_time(builder), DATE)),
            ("result", text(result)),
            ("login_method", text(login("login_method"))),
            ("account", text(either("account"))),
            ("src_ip", text(either("src_ip"))),
            ("src_port", integer(either("src_port"), INT)),
            ("protocol", text(login("protocol"))),
            ("logtype", text(sql.string("openssh"))),
        ),
    )


register(
    ParserSpec(
        name="openssh",
        aliases=("sshd",),
        summary=("Logins and connections of the OpenSSH server.", "OpenSSH 서버의 로그인과 접속 로그."),
        parse=parse,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time in the head of the line"),
            ParserField("result", STRING, "Accepted, Failed, Invalid user ..."),
            ParserField("login_method", STRING, "password, publickey ..."),
            ParserField("account", STRING, "the name that was tried"),
            ParserField("src_ip", STRING, "client address"),
            ParserField("src_port", INT, "client port"),
            ParserField("protocol", STRING, "ssh2"),
            ParserField("logtype", STRING, "openssh"),
        ),
        samples=(
            Sample(
                "Mar  1 10:00:00 web sshd[77]: Failed password for invalid user admin from 203.0.113.9 port 50022 ssh2",
                {
                    "_time": "2003-03-01T10:00:00", "result": "Failed",
                    "login_method": "password", "account": "admin", "src_ip": "203.0.113.9",
                    "src_port": 50022, "protocol": "ssh2", "logtype": "openssh",
                },
            ),
            Sample(
                "Accepted publickey for root from 2001:db8::7 port 22 ssh2: RSA SHA256:abc",
                {
                    "result": "Accepted", "login_method": "publickey", "account": "root", "src_ip": "2001:db8::7",
                    "src_port": 22, "protocol": "ssh2", "logtype": "openssh",
                },
            ),
            Sample(
                "Invalid user test from 203.0.113.9 port 40000",
                {
                    "result": "Invalid user", "account": "test", "src_ip": "203.0.113.9", "src_port": 40000,
                    "logtype": "openssh",
                },
            ),
            Sample(
                "Connection closed by authenticating user root 203.0.113.9 port 40000 [preauth]",
                {
                    "result": "Connection closed by", "account": "root", "src_ip": "203.0.113.9", "src_port": 40000,
                    "logtype": "openssh",
                },
            ),
            Sample(
                "Received disconnect from 203.0.113.9 port 5: 11: Bye",
                {"result": "Received disconnect from", "src_ip": "203.0.113.9", "src_port": 5, "logtype": "openssh"},
            ),
        ),
    )
)  # fmt: skip
