"""``cef`` and ``leef``: the event formats of ArcSight and QRadar, with or without a syslog header before them.

CEF: ``CEF:0|Vendor|Product|Version|Signature|Name|Severity|key=value key=value``; pipes and backslashes are escaped in
the header, equals signs, backslashes and line breaks in the extension (ArcSight Common Event Format, revision 25).
LEEF 1.0 has no name and severity and separates pairs by tabs, LEEF 2.0 may name another delimiter (QRadar LEEF guide).
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import Builder, Parsed, ParserField, ParserSpec, Sample, register, text, text_map
from logsql.commands.parse.logs.head import head_time
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, STRING
from logsql.values.values import Typed

_PART = r"((?:[^|\\]|\\.)*)\|"
_CEF = r"CEF:(\d+)\|" + _PART * 6 + r"(?s:(.*))$"
_CEF_GROUPS = ("version", "vendor", "product", "release", "signature", "name", "severity", "extension")
_LEEF = r"LEEF:(1\.0|2\.0)\|" + _PART * 4 + r"(?s:(.*))$"
_LEEF_GROUPS = ("version", "vendor", "product", "release", "event", "extension")
#: Control characters that stand for pieces of the extension while it is taken apart; no log line holds them.
_BEGIN, _EQUALS, _ESCAPED_EQUALS, _ESCAPED_BACKSLASH = "\x01", "\x02", "\x03", "\x04"


def _replace(node: Sql, old: str, new: str) -> Sql:
    return sql.func("replace", node, sql.string(old), sql.string(new))


def _header(node: Sql) -> Sql:
    return _replace(_replace(_replace(node, "\\\\", _ESCAPED_BACKSLASH), "\\|", "|"), _ESCAPED_BACKSLASH, "\\")


def _pairs(builder: Builder, marked: Sql, unescape: bool) -> Sql:
    """The MAP of text in which every pair begins with one mark and holds another between key and value."""
    pieces = sql.func("string_split", marked, sql.string(_BEGIN))
    has = sql.func("contains", sql.var("p"), sql.string(_EQUALS))
    parts = builder.column("pairs", sql.func("list_filter", pieces, sql.lambda_(["p"], has)))
    position = sql.func("instr", sql.var("p"), sql.string(_EQUALS))
    key = sql.func("trim", sql.func("left", sql.var("p"), sql.binary("-", position, sql.integer(1))))
    value = sql.func("rtrim", sql.func("substring", sql.var("p"), sql.binary("+", position, sql.integer(1))))
    if unescape:
        for old, new in (("\\n", "\n"), ("\\r", "\r"), (_ESCAPED_EQUALS, "="), (_ESCAPED_BACKSLASH, "\\")):
            value = _replace(value, old, new)
    keys = sql.func("list_transform", parts, sql.lambda_(["p"], key))
    return text_map(builder, keys, sql.func("list_transform", parts, sql.lambda_(["p"], value)))


def parse_cef(builder: Builder) -> Parsed:
    group = builder.regex(_CEF, _CEF_GROUPS)
    safe = _replace(_replace(group("extension"), "\\\\", _ESCAPED_BACKSLASH), "\\=", _ESCAPED_EQUALS)
    begin = sql.string(r"(^|\s)([A-Za-z0-9_.\[\]-]+)=")
    marked = sql.func("regexp_replace", safe, begin, sql.string(_BEGIN + r"\2" + _EQUALS), sql.string("g"))
    fields = (
        ("_time", Typed(head_time(builder), DATE)),
        ("cef_version", text(group("version"))),
        ("device_vendor", text(_header(group("vendor")))),
        ("device_product", text(_header(group("product")))),
        ("device_version", text(_header(group("release")))),
        ("signature_id", text(_header(group("signature")))),
        ("name", text(_header(group("name")))),
        ("severity", text(_header(group("severity")))),
    )
    return Parsed(sql.not_null(group("version")), fields, _pairs(builder, marked, True))


def parse_leef(builder: Builder) -> Parsed:
    group = builder.regex(_LEEF, _LEEF_GROUPS)
    extension = group("extension")
    declared = sql.func("regexp_extract", extension, sql.string(r"^(.|(?:0x|x)[0-9A-Fa-f]{1,4})?\|"), sql.integer(1))
    code = sql.func("regexp_extract", declared, sql.string(r"^0?x([0-9A-Fa-f]+)$"), sql.integer(1))
    point = sql.try_cast(sql.concat(sql.string("0x"), code), "INTEGER")
    second = sql.eq(group("version"), sql.string("2.0"))
    delimiter = builder.column(
        "delimiter",
        sql.case(
            [
                (sql.and_(second, sql.binary("<>", code, sql.string(""))), sql.func("chr", point)),
                (sql.and_(second, sql.binary("<>", declared, sql.string(""))), declared),
            ],
            sql.string("\t"),
        ),
        STRING,
    )
    cut = sql.func("regexp_replace", extension, sql.string(r"^(?:.|(?:0x|x)[0-9A-Fa-f]{1,4})?\|"), sql.string(""))
    body = sql.case([(second, cut)], extension)
    pieces = sql.func("string_split", body, delimiter)
    # The first = of a piece ends its key.
    marked = sql.func("regexp_replace", sql.var("p"), sql.string(r"^\s*([^=\s]+)="), sql.string(r"\1" + _EQUALS))
    joined = sql.func("list_transform", pieces, sql.lambda_(["p"], marked))
    fields = (
        ("_time", Typed(head_time(builder), DATE)),
        ("leef_version", text(group("version"))),
        ("device_vendor", text(_header(group("vendor")))),
        ("device_product", text(_header(group("product")))),
        ("device_version", text(_header(group("release")))),
        ("event_id", text(_header(group("event")))),
    )
    whole = sql.func("array_to_string", joined, sql.string(_BEGIN))
    return Parsed(sql.not_null(group("version")), fields, _pairs(builder, whole, False))


_DEVICE = (
    ParserField("device_vendor", STRING, "maker"),
    ParserField("device_product", STRING, "product"),
    ParserField("device_version", STRING, "its version"),
)

register(
    ParserSpec(
        name="cef",
        summary=
        ("ArcSight Common Event Format; the keys of the extension become fields.",
         "ArcSight Common Event Format(CEF). 확장 영역의 키가 필드가 됩니다."),
        parse=parse_cef,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time in the head of the line"),
            ParserField("cef_version", STRING, "version of the format"),
            *_DEVICE,
            ParserField("signature_id", STRING, "type of the event"),
            ParserField("name", STRING, "what happened"),
            ParserField("severity", STRING, "0 to 10, or a word"),
        ),
        open=True,
        samples=(
            # The example of the CEF specification, and its escaping rules.
            Sample(
                "Sep 19 08:26:10 host CEF:0|Security|threatmanager|1.0|100|worm successfully stopped|10|"
                "src=10.0.0.1 dst=2.1.2.2 spt=1232",
                {
                    "_time": "2003-09-19T08:26:10", "cef_version": "0",
                    "device_vendor": "Security", "device_product": "threatmanager",
                    "device_version": "1.0", "signature_id": "100", "name": "worm successfully stopped",
                    "severity": "10", "src": "10.0.0.1", "dst": "2.1.2.2", "spt": "1232",
                },
            ),
            Sample(
                "CEF:0|security|threat\\|manager|1.0|100|detected a \\\\ in packet|10|"
                "act=blocked a \\= b msg=two words\\nand a line dst=1.1.1.1",
                {
                    "cef_version": "0", "device_vendor": "security", "device_product": "threat|manager",
                    "device_version": "1.0", "signature_id": "100", "name": "detected a \\ in packet",
                    "severity": "10", "act": "blocked a = b", "msg": "two words\nand a line", "dst": "1.1.1.1",
                },
            ),
        ),
    ),
    ParserSpec(
        name="leef",
        summary=
        ("QRadar Log Event Extended Format 1.0 and 2.0; its attributes become fields.",
         "QRadar Log Event Extended Format(LEEF) 1.0과 2.0. 속성이 필드가 됩니다."),
        parse=parse_leef,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time in the head of the line"),
            ParserField("leef_version", STRING, "version of the format"),
            *_DEVICE,
            ParserField("event_id", STRING, "type of the event"),
        ),
        open=True,
        samples=(
            Sample(
                "LEEF:1.0|Microsoft|MSExchange|2013 SP1|15345|src=10.50.1.1\tdst=2.10.20.20\tsev=5\tmsg=a=b",
                {
                    "leef_version": "1.0", "device_vendor": "Microsoft", "device_product": "MSExchange",
                    "device_version": "2013 SP1", "event_id": "15345", "src": "10.50.1.1", "dst": "2.10.20.20",
                    "sev": "5", "msg": "a=b",
                },
            ),
            Sample(
                "LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=10.0.1.8^dst=10.0.0.5^sev=5^usrName=joe black",
                {
                    "leef_version": "2.0", "device_vendor": "Lancope", "device_product": "StealthWatch",
                    "device_version": "1.0", "event_id": "41", "src": "10.0.1.8", "dst": "10.0.0.5", "sev": "5",
                    "usrName": "joe black",
                },
            ),
            Sample(
                "LEEF:2.0|V|P|1|7|x7C|a=1|b=2",
                {
                    "leef_version": "2.0", "device_vendor": "V", "device_product": "P", "device_version": "1",
                    "event_id": "7", "a": "1", "b": "2",
                },
            ),
        ),
    ),
)  # fmt: skip
