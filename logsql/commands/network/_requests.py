"""What the commands that send requests have in common: their options, and rows with answers."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyarrow as pa

from logsql.commands.network._answers import Selector, Unreadable, is_binary, text_of
from logsql.configuration.settings import Rate
from logsql.diagnostics.engine import NETWORK_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, SourceError, diagnostic
from logsql.diagnostics.language import REMAIN_TERMS
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.messages import message
from logsql.diagnostics.network import RATE_FORM, unanswered
from logsql.operators.passing import Slices
from logsql.planner.connections.http import HTTP, Answer, Ask, Http, Terms
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values.timespans import parse_span

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

FAILED = loss(
    "no-answer-{word}",
    (
        "requests without a whole answer: the word is in _wget_error, its meaning on the page of wget",
        "답을 온전히 받지 못한 요청: 이유는 _wget_error에 있으며 뜻은 wget 설명에 있습니다",
    ),
    fate=Fate.NULL,
)
UNDECODABLE = loss(
    "undecodable",
    (
        "answers with bytes that are no text in their charset: U+FFFD in their place",
        "문자 집합의 텍스트가 아닌 바이트가 있는 응답: 그 자리에 U+FFFD",
    ),
    fate=Fate.CHANGED,
)
BINARY_BODY = loss(
    "binary-answer",
    (
        "answers that are no text, so that line is null: name the field body to have their bytes",
        "텍스트가 아니어서 line이 null인 응답: 바이트가 필요하면 body 필드를 쓰세요",
    ),
    fate=Fate.NULL,
)
_BARE_URL = re.compile(r"https?://[^\s\"']+", re.IGNORECASE)
_RATE = re.compile(r"\s*([1-9][0-9]{0,8})\s*/\s*(\S.*)", re.ASCII)
#: Characters of text in one batch: Arrow's own bound is 2^31 bytes.
_MOST = 64_000_000

TIMEOUT = OptionSpec(
    "timeout", OptionKind.INT, ("seconds that a whole request may take", "요청 하나에 허용하는 시간(초)"), minimum=1
)
OURS = (
    OptionSpec(
        "parallel",
        OptionKind.INT,
        ("requests under way at the same time", "동시에 보내는 요청 수"),
        minimum=1,
        extension=True,
    ),
    OptionSpec(
        "cache",
        OptionKind.SPAN,
        ("how old an answer to an equal request may be", "같은 요청의 응답을 재사용하는 기간"),
        extension=True,
    ),
    OptionSpec(
        "retries",
        OptionKind.INT,
        ("how often a request is repeated that failed", "실패한 요청을 다시 보내는 횟수"),
        minimum=0,
        extension=True,
    ),
    OptionSpec(
        "rate",
        OptionKind.TEXT,
        ("requests to one host in a time, N/SPAN", "호스트당 요청 수의 한도. N/SPAN"),
        extension=True,
    ),
)


def no_words(reader: ArgReader, curl: Mapping[str, str]) -> None:
    """Refuse words behind a command that takes options alone: a bare URL, options of curl.

    ``curl``: how an option of it (a pattern for its name) is said here.
    """
    text = reader.text.strip()
    if not text:
        return
    found = _BARE_URL.search(text)
    url = found[0] if found is not None else "https://HOST/PATH"
    form = f'{reader.command} url="{url}"'
    instead = next((form for option, form in curl.items() if re.match(rf"--?{option}(?![a-z])", text)), None)
    if found is not None or instead is not None:
        word = reader.word()
        shown = text.split()[0]
        help = message("help-use", form=instead or form)
        reader.fail(REMAIN_TERMS, word.span if word is not None else None, term=f'"{shown}"', help=help)


def terms_of(stage: Stage, command: str) -> Terms:
    """The terms that the options of a command say."""
    names = {option.name for option in stage.spec.options}
    given = {name: stage.option(name) for name in ("timeout", "parallel", "retries", "cache") if name in names}
    cache = given.get("cache")
    return Terms(
        command,
        given.get("timeout"),
        given.get("parallel"),
        given.get("retries"),
        None if cache is None else float(cache.mean_seconds),
        _rate(stage) if "rate" in names else None,
    )


def _rate(stage: Stage) -> Rate | None:
    option = stage.command.option("rate")
    if option is None:
        return None
    text: str = stage.option("rate")
    found = _RATE.fullmatch(text)
    if found is None:
        stage.fail(RATE_FORM, option.value_span, value=text)
    return Rate(int(found[1]), float(parse_span(found[2], stage.refusing(option)).mean_seconds))


def check_reach(stage: Stage, url: str | None) -> None:
    """Refuse the query where safe mode lets none of its requests out, before it runs."""
    refused = stage.service(HTTP).refused(url)
    if refused is not None:
        option = stage.command.option("url")
        span = option.value_span if option is not None else stage.command.name_span
        raise PolicyError(diagnostic(NETWORK_NOT_ALLOWED, span, target=refused))


def told(answers: Sequence[Answer | None], command: str, runtime: StageRuntime) -> None:
    """Count the requests without a whole answer, by word and host."""
    failed = Counter((a.error, a.host) for a in answers if a is not None and a.error is not None)
    for (word, host), count in failed.items():
        runtime.loss.lost(f"{command} {host}".rstrip(), FAILED.name.format(word=word), count, sample=word)


def no_answer(answer: Answer, url: str) -> SourceError:
    """What is raised for a source without any answer."""
    word = answer.error or "protocol-error"
    return unanswered(answer.target or url, word)


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """How a row becomes a request: the names of the columns that hold its parts, None for parts that it has not."""

    method: str
    url: str
    header: str | None
    body: str | None
    fields: str | None
    format: str | None
    auth: str | None

    def asks(self, batch: pa.RecordBatch) -> Iterator[Ask | None]:
        """The requests of a batch, None for a row without a URL."""
        size = batch.num_rows
        urls = batch.column(self.url).to_pylist()
        headers = batch.column(self.header).to_pylist() if self.header else [None] * size
        bodies = batch.column(self.body or self.fields).to_pylist() if self.body or self.fields else [None] * size
        for url, header, body in zip(urls, headers, bodies, strict=True):
            yield None if url is None else self._ask(url, header, body)

    def _ask(self, url: str, header: str | None, body: str | bytes | None) -> Ask:
        pairs = headers_of(header)
        if self.method not in ("POST", "PUT"):
            return Ask(url, self.method, pairs or (), auth=self.auth, bad_header=pairs is None)
        data = self._form(body) if self.fields and self.format != "json" else body
        data = data.encode("utf-8", "replace") if isinstance(data, str) else data or b""
        bad = pairs is None
        pairs = pairs or ()
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs = (*pairs, ("Content-Type", CONTENT_TYPES[self.format or "form"]))
        return Ask(url, self.method, pairs, data, self.auth, bad)

    @staticmethod
    def _form(document: str | bytes | None) -> str:
        """A row, which is one JSON object, as a form: numbers keep their digits, lists and maps are JSON."""
        row: dict[str, object] = json.loads(document or "{}", parse_float=_Float)
        return urlencode([(name, _form_text(value)) for name, value in row.items() if value is not None])


CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json", "xml": "application/xml"}


class _Float(float):
    """A number of JSON that keeps its digits."""

    def __new__(cls, text: str) -> _Float:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def _form_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Float):
        return value.text
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def headers_of(document: str | None) -> tuple[tuple[str, str], ...] | None:
    """Headers of a row: a map of names, or a list of maps and of texts ``Name: value``. None for anything else.

    >>> headers_of('{"Accept":"a","X":["1","2"]}'), headers_of('["A: b"]'), headers_of(None), headers_of('"x"')
    ((('Accept', 'a'), ('X', '1'), ('X', '2')), (('A', 'b'),), (), None)
    """
    if document is None:
        return ()
    try:
        given = json.loads(document, parse_int=str, parse_float=str)
        if isinstance(given, str):
            given = json.loads(given, parse_int=str, parse_float=str)  # the text of a map
    except (ValueError, RecursionError):  # the latter of a hundred thousand brackets
        return None
    if given is None:
        return ()
    pairs: list[tuple[str, str]] = []
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, str) and ":" in item:
            name, _, value = item.partition(":")
            pairs.append((name.strip(), value.strip(" \t")))
        elif isinstance(item, dict):
            for name, value in item.items():
                several = value if isinstance(value, list) else [value]
                pairs += [(name, _form_text(one)) for one in several if one is not None]
        else:
            return None
    return tuple(pairs)


@dataclass(frozen=True)
class Asking:
    """Rows with their answers, in order. ``made``: the names of the fields that answers make."""

    request: Request
    terms: Terms
    made: tuple[str, ...]
    selector: Selector | None
    encoding: str | None

    def rows(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        """One request a row, and the rows with their answers as they come."""
        rows: deque[pa.RecordBatch] = deque()

        def asks() -> Iterator[Ask | None]:
            for batch in batches:
                if batch.num_rows:
                    rows.append(batch)
                    yield from self.request.asks(batch)

        with closing(service(runtime).answers(asks(), self.terms, runtime)) as answers:
            for group in answers:
                told(group, self.terms.command, runtime)
                yield from self._merged(rows, group, runtime)

    def source(self, ask: Ask, runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        """The one row of a query that begins with its request. Raises SourceError where no answer came."""
        with closing(service(runtime).answers([ask], self.terms, runtime)) as answers:
            for [answer] in answers:
                if answer is not None and answer.code is None:
                    raise no_answer(answer, self.terms.command)
                told([answer], self.terms.command, runtime)
                found = self._values([answer], runtime)
                yield pa.RecordBatch.from_arrays([found[name] for name in self.made], names=list(self.made))

    def _merged(self, rows: deque[pa.RecordBatch], group: list[Answer | None], runtime: StageRuntime) -> Slices:
        """The next rows with their answers, in slices of one batch and of bounded text."""
        place = 0
        while place < len(group):
            first = rows[0]
            count, size = 0, 0
            while count < first.num_rows and place + count < len(group) and (count == 0 or size < _MOST):
                answer = group[place + count]
                size += len(answer.body or b"") if answer is not None else 0
                count += 1
            yield first.slice(0, count), self._values(group[place : place + count], runtime)
            place += count
            rows[0] = first.slice(count)
            if not rows[0].num_rows:
                rows.popleft()

    def _values(self, answers: Sequence[Answer | None], runtime: StageRuntime) -> dict[str, pa.Array]:
        """The fields that answers make."""
        lines: list[str | None] = []
        answers = list(answers)
        undecodable, binary = Counter[str](), Counter[str]()
        for number, answer in enumerate(answers):
            text = None
            if answer is not None and answer.body is not None and answer.error is None:
                found = text_of(answer.body, answer.content_type, self.encoding)
                text = found.text
                undecodable[answer.host] += found.undecodable
                binary[answer.host] += text is None
            if answer is not None and text is not None and self.selector is not None:
                try:
                    text = self.selector.elements(text)
                except Unreadable as problem:
                    text, answers[number] = None, replace(answer, error=problem.word)
                    told([answers[number]], self.terms.command, runtime)
            lines.append(text)
        reasons = [(UNDECODABLE, undecodable)] + ([] if "body" in self.made else [(BINARY_BODY, binary)])
        for reason, counts in reasons:
            for host, count in counts.items():
                if count:
                    runtime.loss.lost(f"{self.terms.command} {host}", reason.name, count)
        made: dict[str, pa.Array] = {
            "line" if self.selector is None else "elements": pa.array(lines, pa.string()),
            "_wget_code": pa.array([None if a is None else a.code for a in answers], pa.int32()),
            "_wget_error": pa.array([None if a is None else a.error for a in answers], pa.string()),
        }
        if "body" in self.made:
            bodies = [a.body if a is not None and self._bytes(a) else None for a in answers]
            made["body"] = pa.array(bodies, pa.binary())
        return made

    def _bytes(self, answer: Answer) -> bool:
        return answer.error is None and self.encoding is None and is_binary(answer.content_type)


def service(runtime: StageRuntime) -> Http:
    """The service of a running query."""
    found = runtime.service(HTTP)
    assert found is not None, "the command was planned with the service"
    return found
