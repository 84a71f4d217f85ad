"""``wget``: a request over HTTP for each row, or one as a source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.network._answers import Selector, known_charset
from logsql.commands.network._requests import (
    BINARY_BODY,
    FAILED,
    OURS,
    TIMEOUT,
    UNDECODABLE,
    Asking,
    Request,
    check_reach,
    no_words,
    terms_of,
)
from logsql.diagnostics.codes import define
from logsql.diagnostics.expressions import MISSING_SOURCE
from logsql.diagnostics.messages import text
from logsql.diagnostics.network import NO_ANSWER
from logsql.operators.documents import document, member, rest_members
from logsql.operators.passing import Field, passed
from logsql.planner import duties
from logsql.planner.connections.http import Ask
from logsql.planner.expressions import ExprContext
from logsql.planner.notes.fields import UNKNOWN_FIELD, absent, near
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, BINARY, INT, STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.language.tree import Command, Span
    from logsql.planner.runtime import StageRuntime

NO_ROWS_TO_SEND = define(
    "E2090",
    "wget-nothing-to-send",
    ("post or put with url= and without body=", "url=과 함께 쓴 post나 put에 body=이 없습니다"),
    (
        "method={method} with url= needs body=FIELD and rows that have it",
        "url=과 method={method}을(를) 함께 쓰려면 body=필드와 그 필드가 있는 행이 필요합니다",
    ),
    help=("put the URL into the field url: eval url = \"...\" | wget method=post",
          "URL을 url 필드에 넣으세요: eval url = \"...\" | wget method=post"),
)  # fmt: skip
BODY_OF_GET = NO_ROWS_TO_SEND.says(
    ("body= goes with method=post or method=put", "body=은 method=post나 method=put과 함께 씁니다"),
    name="wget-body-of-get",
)
XML_OF_ROW = NO_ROWS_TO_SEND.says(
    (
        "a row is sent as a form or as JSON; format=xml needs body=FIELD",
        "행은 form이나 JSON으로 보냅니다. format=xml에는 body=필드가 필요합니다",
    ),
    name="wget-xml-of-row",
)
HEADER_WITHOUT_ROWS = NO_ROWS_TO_SEND.says(
    (
        "header= names a field, and there are no rows that have it",
        "header=에는 필드를 쓰는데 그 필드가 있는 행이 없습니다",
    ),
    name="wget-header-without-rows",
    help=(
        'make the rows: json "{{}}" | eval h = dict("NAME", "VALUE"), url = "..." | wget header=h',
        '행을 만드세요: json "{{}}" | eval h = dict("이름", "값"), url = "..." | wget header=h',
    ),
)
BAD_SELECTOR = define(
    "E2091",
    "wget-selector",
    ("the selector is no CSS selector", "CSS 선택자가 아닙니다"),
    ("not a CSS selector: {reason}", "CSS 선택자가 아닙니다: {reason}"),
)
BAD_CHARSET = define(
    "E2092",
    "wget-charset",
    ("there is no charset of this name", "그런 문자 집합이 없습니다"),
    ("encoding={name}: there is no such charset", "encoding={name}: 그런 문자 집합이 없습니다"),
)
BAD_AUTH = define(
    "E2093",
    "wget-auth",
    ("auth= holds no colon", "auth=에 콜론이 없습니다"),
    ("auth= is ID:PW", "auth=은 ID:PW로 씁니다"),
)
#: What curl says with options: as the beginning of what stands there, and how it is said here.
_CURL = {
    "(?:k|insecure)": 'ca_file = "PATH" under [network] of the configuration',
    "(?:H|header)": 'eval h = dict("NAME", "VALUE"), url = "URL" | wget header=h',
    "(?:d|data[a-z-]*)": 'eval b = "a=1", url = "URL" | wget method=post body=b',
    "(?:X|request)": 'wget url="URL" method=delete',
    "(?:u|user)": 'wget url="URL" auth="ID:PW"',
}
FIRST = text(
    'as the first command it has a URL: wget url="https://HOST/PATH"',
    '첫 명령으로 쓸 때는 URL을 씁니다: wget url="https://호스트/경로"',
)
_SENDS = ("post", "put")


@dataclass(frozen=True)
class WgetArgs:
    """Everything is said by options."""


def parse(reader: ArgReader) -> WgetArgs:
    no_words(reader, _CURL)
    return WgetArgs()


def lower(stage: Stage) -> Rel:
    stage.needs_extra("wget", "aiohttp", "net")
    url: str | None = stage.option("url")
    if stage.input is None and url is None:
        stage.fail(MISSING_SOURCE, stage.command.name_span, help=FIRST.fill(), command="wget")
    request = _request(stage, url)
    selector = _selector(stage)
    made = _made(stage, selector)
    asking = Asking(request, terms_of(stage, "wget"), tuple(f.name for f in made), selector, _encoding(stage))
    check_reach(stage, url)
    if stage.input is None and url is not None:
        return _source(stage, asking, made, Ask(url, request.method, auth=request.auth))
    if url is None and absent(stage.rel, "url"):
        stage.note(UNKNOWN_FIELD, stage.command.name_span, field="url", help=near(stage.rel, "url"))
    rel, asked = _asked(stage, stage.rel, url, request)
    return passed(stage, rel, asked, made, asking.rows, once=True)


def _source(stage: Stage, asking: Asking, made: list[Field], ask: Ask) -> Rel:
    """The one row of a query that begins with its request."""

    def rows(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        return asking.source(ask, runtime)

    crossing = [Column(f.name, f.name, STRING if f.type.json else f.type) for f in made]
    rel = stage.stream(None, crossing, rows, once=True)
    items: list[tuple[str, Sql]] = [
        (f.name, sql.cast(sql.col(f.name), f.type.physical) if f.type.json else sql.col(f.name)) for f in made
    ]
    return replace(stage.select("rows", rel, items), columns=tuple(Column(f.name, f.name, f.type) for f in made))


def _request(stage: Stage, url: str | None) -> Request:
    """The options that make a request, checked together."""
    method: str = stage.option("method")
    body, form = stage.option("body"), stage.option("format") if stage.command.option("format") else None
    sends = method in _SENDS
    if body and not sends:
        stage.fail(BODY_OF_GET, _span(stage, "body"))
    if sends and url is not None and (not body or stage.input is None):
        stage.fail(NO_ROWS_TO_SEND, _span(stage, "method"), method=method)
    if sends and not body and form == "xml":
        stage.fail(XML_OF_ROW, _span(stage, "format"))
    auth: str | None = stage.option("auth")
    if auth is not None and ":" not in auth:
        stage.fail(BAD_AUTH, _span(stage, "auth"))
    header = stage.option("header")
    if header and stage.input is None:
        stage.fail(HEADER_WITHOUT_ROWS, _span(stage, "header"))
    return Request(
        method.upper(), "__url", "__header" if header else None, "__body" if body else None,
        "__fields" if sends and not body else None, form, auth,
    )  # fmt: skip


def _span(stage: Stage, option: str) -> Span | None:
    found = stage.command.option(option)
    return found.value_span if found is not None else None


def _selector(stage: Stage) -> Selector | None:
    css: str | None = stage.option("selector")
    if css is None:
        return None
    stage.needs_extra("wget selector=", "beautifulsoup4", "net", module="bs4")
    try:
        return Selector(css)
    except ValueError as error:
        stage.fail(BAD_SELECTOR, _span(stage, "selector"), reason=error)


def _encoding(stage: Stage) -> str | None:
    charset: str | None = stage.option("encoding")
    if charset is None:
        return None
    found = known_charset(charset)
    if found is None:
        stage.fail(BAD_CHARSET, _span(stage, "encoding"), name=charset)
    return found


# --- rows -------------------------------------------------------------------------------------------------------------


def _asked(stage: Stage, rel: Rel, url: str | None, request: Request) -> tuple[Rel, list[Field]]:
    """What requests are made of, as text: the URL, the headers, the body or the fields of the row."""
    header, body = stage.option("header"), stage.option("body")

    def make(cx: ExprContext) -> list[Field]:
        parts = [Field(request.url, STRING, sql.string(url) if url is not None else values.text_sql(cx.field("url")))]
        if request.header:
            parts.append(Field(request.header, STRING, _document(cx.field(header))))
        if request.body:
            value = cx.field(body)
            binary = value.kind is Kind.BINARY and not value.parts
            sent = value.expr if binary else values.text_sql(value)
            parts.append(Field(request.body, BINARY if binary else STRING, sent))
        if request.fields:
            parts.append(Field(request.fields, STRING, _row(cx, rel, {"url", header})))
        return parts

    if request.fields and rel.rest is not None:
        rel = stage.flush(rel)
    return stage.lowered(rel, make)


def _made(stage: Stage, selector: Selector | None) -> list[Field]:
    """The fields of an answer. ``body`` is one where the query names it and rows have none of their own."""
    made = [Field("line", STRING) if selector is None else Field("elements", ANY_JSON)]
    if selector is None and stage.asks_for("body") and (stage.input is None or stage.rel.column("body") is None):
        made.append(Field("body", BINARY))
    return [*made, Field("_wget_code", INT), Field("_wget_error", STRING)]


def _document(value: Typed) -> Sql:
    """A field as JSON text, null where it is null."""
    if value.kind is Kind.NULL:
        return sql.null("VARCHAR")
    return sql.when(values.not_null(value), sql.cast(document(value), "VARCHAR"))


def _row(cx: ExprContext, rel: Rel, without: set[str | None]) -> Sql:
    """The fields of the row but the URL and the headers, as one JSON object; without nulls."""
    pieces = [member(name, cx.field(name), always=False) for name in rel.names if name not in without]
    if rel.rest is not None:
        pieces.append(rest_members(rel.rest.hide([name for name in without if name is not None])))
    inner = sql.func("concat_ws", sql.string(","), *pieces) if pieces else sql.string("")
    return sql.concat(sql.string("{"), inner, sql.string("}"))


def duty(command: Command) -> duties.Fields:
    """A post or put without ``body=`` sends the whole row."""
    method = command.option("method")
    sets = frozenset({"_wget_code", "_wget_error", "elements" if command.option("selector") else "line"})
    sends = method is not None and method.value != "get" and method.value != "delete"
    if sends and command.option("body") is None:
        return replace(duties.WHOLE_ROW, sets=sets)
    return duties.Fields(duties.Flow.PASSES, frozenset({"url"}), sets)


register(
    CommandSpec(
        name="wget",
        group=Group.NETWORK,
        summary=("Send a request over HTTP for each row.", "행마다 HTTP 요청을 보냅니다."),
        usage=(
            'wget [url="URL"] [method={get|post|put|delete}] [header=FIELD] [body=FIELD] [format={form|json|xml}] '
            '[auth="ID:PW"] [selector="CSS"] [encoding=CHARSET] [timeout=SEC] '
            '[parallel=N] [cache=SPAN] [retries=N] [rate="N/SPAN"]',
        ),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        extra="net",
        options=(
            OptionSpec(
                "url",
                OptionKind.TEXT,
                ("the URL; without it the field url of each row", "URL. 없으면 각 행의 url 필드"),
            ),
            OptionSpec(
                "method",
                OptionKind.CHOICE,
                ("the method of the requests", "요청 메서드"),
                default="get",
                choices=("get", "post", "put", "delete"),
            ),
            OptionSpec(
                "header",
                OptionKind.FIELD,
                ("field with a map of headers, as dict() makes it", "dict()로 만든 헤더 맵이 있는 필드"),
            ),
            OptionSpec(
                "body",
                OptionKind.FIELD,
                ("field with what post or put sends", "post나 put으로 보낼 본문이 있는 필드"),
            ),
            OptionSpec(
                "format",
                OptionKind.CHOICE,
                ("content type of what is sent", "보내는 본문의 형식"),
                default="form",
                choices=("form", "json", "xml"),
            ),
            OptionSpec("auth", OptionKind.TEXT, ("user and password, ID:PW", "사용자와 암호. ID:PW")),
            OptionSpec(
                "selector",
                OptionKind.TEXT,
                ("CSS selector of the elements to take from a page", "페이지에서 가져올 요소의 CSS 선택자"),
            ),
            OptionSpec(
                "encoding",
                OptionKind.TEXT,
                ("charset of the answers, whatever they say", "응답의 문자 집합. 응답에 적힌 것보다 우선"),
            ),
            TIMEOUT,
            *OURS,
        ),
        description="""\
Sends one request for each row and adds the answer to it: `line` is the body as text, `_wget_code` the status,
`_wget_error` a word where there is no whole answer. Rows keep their order and their other fields. A row without `url`
passes unchanged. As the first command, with `url=`, it gives one row.

| case | `_wget_code` | `line` | `_wget_error` |
| --- | --- | --- | --- |
| answer complete, also 404 or 500 | the status | the body, `""` where it is empty | null |
| the body did not come whole or cannot be read | the status | null | a word |
| no status | null | null | a word; as a source an error |
| row without `url` | null | null | null |

The words are listed under [network words](../network-words.md), and `logsql help WORD` tells one; the ledger counts
them by host. With `selector=` the field `elements` takes the place of `line`: a list of maps, one an element, of its
attributes, `own_text` and `text`. A query that names the field `body` gets the bytes of answers that are no text
(images, archives), whose `line` is null.

What is sent: `post` and `put` send `body=FIELD` as it is, and without it the fields of the row but `url` and the
headers, as a form or with `format=json` as one JSON object.

Only https goes out, to addresses of the open internet; `[network]` of the configuration allows others, sets rates,
proxies and authorities, and adds keys to requests so that no query holds them. Certificates are always checked.
Requests that fail are repeated where that is safe, `Retry-After` is waited for. Equal requests are sent again unless
`cache=` says how old an answer may be.
""",
        examples=(
            Example(
                "Status of each page",
                "json \"[{url:'https://example.com/'}]\" | wget timeout=10 | fields url, _wget_code",
            ),
            Example(
                "Titles of a feed",
                'wget url="https://logpresso.com/feed/" selector="item title" | explode elements '
                '| eval title = valueof(elements, "own_text") | fields title',
            ),
            Example(
                "Ask a service about each address, four times a minute, and not again within a day",
                'table logins | stats count by ip | eval url = concat("https://api.example.com/ip/", ip) '
                '| wget rate="4/1m" cache=1d | parsejson overlay=t',
            ),
        ),
        errors=(NO_ROWS_TO_SEND, BAD_SELECTOR, BAD_CHARSET, BAD_AUTH, NO_ANSWER),
        ledger=(FAILED, UNDECODABLE, BINARY_BODY),
        for_effect=True,
    )
)
