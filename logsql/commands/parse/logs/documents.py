"""``json``, ``kv`` and ``csv``: lines whose fields are named by themselves or only by their place."""

from __future__ import annotations

from logsql.commands.parse.logs.base import Builder, Parsed, ParserField, ParserSpec, Sample, register, text_map
from logsql.commands.parse.logs.head import behind_head, head_time, iso_time
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE
from logsql.values.values import Typed

_PAIR = r'(?:^|[\s,;|])([A-Za-z_@][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s,;|"]*)'
_CELL = r',(?:\s*"(?:[^"]|"")*"|[^,]*)'


def parse_json(builder: Builder) -> Parsed:
    document = builder.column("json", sql.try_cast(behind_head(builder.text), "JSON"))
    own = sql.func("json_extract_string", document, sql.string("/_time"))
    ok = sql.eq(sql.func("json_type", document), sql.string("OBJECT"))
    return Parsed(ok, _time(builder, iso_time(own)), document, is_map=False)


def _time(builder: Builder, *own: Sql) -> tuple[tuple[str, Typed], ...]:
    """``_time`` of what the line itself names so, else of its syslog head."""
    return (("_time", Typed(sql.coalesce(*own, head_time(builder)), DATE)),)


def unquoted(node: Sql, quote: str) -> Sql:
    """Text in double quotes without them; ``quote`` is how a quote inside is written."""
    inner = sql.func("substring", node, sql.integer(2), sql.binary("-", sql.func("length", node), sql.integer(2)))
    bare = sql.func("replace", inner, sql.string(quote), sql.string('"'))
    return sql.case([(sql.func("starts_with", node, sql.string('"')), bare)], node)


def parse_kv(builder: Builder) -> Parsed:
    def every(group: int) -> Sql:
        return sql.func("regexp_extract_all", builder.text, sql.string(_PAIR), sql.integer(group))

    cells = sql.func("list_transform", every(2), sql.lambda_(["c"], unquoted(sql.var("c"), '\\"')))
    found = text_map(builder, every(1), cells)
    own = iso_time(sql.func("map_extract_value", found, sql.string("_time")))
    return Parsed(sql.binary(">", sql.func("cardinality", found), sql.integer(0)), _time(builder, own), found)


def parse_csv(builder: Builder) -> Parsed:
    # A comma before the first cell makes every match begin with one, so that empty cells count.
    line = sql.concat(sql.string(","), builder.text)
    cells = builder.column("cells", sql.func("regexp_extract_all", line, sql.string(_CELL)))
    cell = sql.func("substring", sql.var("c"), sql.integer(2))
    quoted = sql.func("regexp_matches", cell, sql.string(r'^\s*"'))
    value = sql.case([(quoted, unquoted(sql.func("trim", cell), '""'))], cell)
    values = sql.func("list_transform", cells, sql.lambda_(["c"], value))
    number = sql.cast(sql.binary("-", sql.var("i"), sql.integer(1)), "VARCHAR")
    names = sql.func("list_transform", cells, sql.lambda_(["c", "i"], sql.concat(sql.string("column"), number)))
    return Parsed(sql.not_null(builder.text), _time(builder), sql.func("map", names, values))


register(
    ParserSpec(
        name="json",
        summary=("JSON objects, one per line.", "한 줄에 하나씩 있는 JSON 객체."),
        parse=parse_json,
        row_wise=True,
        fields=(ParserField("_time", DATE, "a field of that name, else the time in the head of the line"),),
        open=True,
        samples=(Sample('{"a": 1, "b": "x", "c": null}', {"a": 1, "b": "x"}),),
    ),
    ParserSpec(
        name="kv",
        aliases=("keyvalue", "welf", "logfmt"),
        summary=(
            'key=value pairs between blanks or commas; values may stand in double quotes ("a b").',
            '공백이나 쉼표로 구분된 키=값 쌍. 값은 큰따옴표로 묶일 수 있습니다("a b").',
        ),
        parse=parse_kv,
        row_wise=True,
        fields=(ParserField("_time", DATE, "a field of that name, else the time in the head of the line"),),
        open=True,
        samples=(
            Sample(
                'date=2024-01-02 devname="FW 1" msg="say \\"hi\\"" srcip=10.0.0.1 sent=5 sent=6',
                {"date": "2024-01-02", "devname": "FW 1", "msg": 'say "hi"', "srcip": "10.0.0.1", "sent": "6"},
            ),
        ),
    ),
    ParserSpec(
        name="csv",
        summary=(
            "Comma-separated cells as column0, column1 ...; cells may stand in double quotes.",
            "쉼표로 구분된 셀을 column0, column1 ... 필드로 추출합니다. 셀은 큰따옴표로 묶일 수 있습니다.",
        ),
        parse=parse_csv,
        row_wise=True,
        fields=(ParserField("_time", DATE, "time in the head of the line"),),
        open=True,
        samples=(
            # RFC 4180, section 2, rules 5 to 7.
            Sample('aaa,"b""b,b",,ccc', {"column0": "aaa", "column1": 'b"b,b', "column2": "", "column3": "ccc"}),
        ),
        notes=(("use parsecsv to name the cells", "셀에 이름을 붙이려면 parsecsv를 쓰세요"),),
    ),
)
