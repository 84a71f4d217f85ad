"""``rss``: the entries of an RSS or Atom feed, fetched as ``wget`` fetches."""

from __future__ import annotations

import calendar
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from xml.sax import SAXException

import pyarrow as pa

from logsql.commands.network._answers import plain
from logsql.commands.network._requests import check_reach, no_answer, no_words, service
from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.network import NO_ANSWER
from logsql.planner import duties
from logsql.planner.connections.http import Answer, Ask, Terms
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import DATE, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

NO_FEED = define(
    "E3094",
    "not-a-feed",
    ("the answer is no RSS or Atom feed", "RSS나 Atom 피드가 아닙니다"),
    ("{target}: no feed came, the status is {status}", "{target}: 피드가 오지 않았습니다. 상태 코드 {status}"),
)
BROKEN_FEED = loss(
    "broken-feed",
    ("feeds whose XML is broken: entries behind that place are missing", "XML이 깨진 피드: 그 뒤의 항목이 없습니다"),
    fate=Fate.LEFT_OUT,
)
_TEXTS = ("guid", "author", "title", "content", "link", "source")
_DATES = ("created_at", "modified_at")


@dataclass(frozen=True)
class RssArgs:
    """Everything is said by options."""


def parse(reader: ArgReader) -> RssArgs:
    no_words(reader, {})
    return RssArgs()


def lower(stage: Stage) -> Rel:
    stage.needs_extra("rss", "feedparser", "net")
    stage.needs_extra("rss", "aiohttp", "net")
    url: str = stage.option("url")
    strip: bool = stage.option("strip")
    check_reach(stage, url)

    def rows(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        with closing(service(runtime).answers([Ask(url)], Terms("rss"), runtime)) as answers:
            for [answer] in answers:
                if answer is None or answer.body is None or answer.error is not None:
                    raise no_answer(answer or Answer("", ""), "rss")
                yield _batch(_entries(answer, strip, runtime))

    columns = [*(Column(n, n, STRING) for n in _TEXTS), *(Column(n, n, DATE) for n in _DATES)]
    return stage.stream(None, columns, rows, once=True)


def _batch(rows: list[dict[str, object]]) -> pa.RecordBatch:
    arrays = [pa.array([row[n] for row in rows], pa.string()) for n in _TEXTS]
    arrays += [pa.array([row[n] for row in rows], pa.timestamp("us", "UTC")) for n in _DATES]
    return pa.RecordBatch.from_arrays(arrays, names=[*_TEXTS, *_DATES])


def _entries(answer: Answer, strip: bool, runtime: StageRuntime) -> list[dict[str, object]]:
    """The entries of a feed. Raises SourceError for what is none."""
    import feedparser  # for cost: with it come modules of the network

    kind = {"content-type": answer.content_type} if answer.content_type else {}
    # As a stream: what is given as text may be taken for a URL or a path, and opened.
    feed = feedparser.parse(
        io.BytesIO(answer.body or b""), response_headers=kind, sanitize_html=False, resolve_relative_uris=False
    )
    broken = bool(feed.get("bozo")) and isinstance(feed.get("bozo_exception"), SAXException)
    if not feed.get("version") and not feed.entries:
        raise SourceError(diagnostic(NO_FEED, target=answer.target, status=answer.code))
    if broken:
        runtime.loss.lost(f"rss {answer.host}", BROKEN_FEED.name)
    title = feed.feed.get("title")
    return [_row(cast("dict[str, object]", entry), title, strip) for entry in feed.entries]


def _row(entry: dict[str, object], feed_title: object, strip: bool) -> dict[str, object]:
    """One entry; asked as a plain dict, because feedparser's own takes one field for another that is missing."""
    content = _content(entry)
    return {
        "guid": _text(dict.get(entry, "id")),
        "author": _text(_named(dict.get(entry, "author_detail"), "name")) or _text(dict.get(entry, "author")),
        "title": _text(dict.get(entry, "title"), strip),
        "content": _text(content, strip),
        "link": _text(dict.get(entry, "link")),
        "source": _text(_named(dict.get(entry, "source"), "title")) or _text(feed_title),
        "created_at": _date(entry, "published"),
        "modified_at": _date(entry, "updated"),
    }


def _named(part: object, name: str) -> object:
    """A field of a part of an entry."""
    return dict.get(part, name) if isinstance(part, dict) else None


def _content(entry: Mapping[str, object]) -> object:
    whole = dict.get(cast("dict[str, object]", entry), "content")
    if isinstance(whole, list) and whole:
        return whole[0].get("value")
    return dict.get(cast("dict[str, object]", entry), "summary")


def _text(value: object, strip: bool = False) -> str | None:
    if not isinstance(value, str):
        return None
    return plain(value) if strip else value


def _date(entry: dict[str, object], name: str) -> dt.datetime | None:
    """A date as it is written, with its fraction; feedparser's reading where it is of another form."""
    written = dict.get(entry, name)
    try:
        found = dt.datetime.fromisoformat(str(written).strip())
        if found.tzinfo is not None:
            return found
    except ValueError:
        pass
    parsed = dict.get(entry, f"{name}_parsed")
    return dt.datetime.fromtimestamp(calendar.timegm(parsed), dt.UTC) if isinstance(parsed, tuple) else None


register(
    CommandSpec(
        name="rss",
        group=Group.NETWORK,
        summary=("Read the entries of an RSS or Atom feed.", "RSS나 Atom 피드의 항목을 읽습니다."),
        usage=('rss url="URL" [strip=t]',),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        extra="net",
        options=(
            OptionSpec("url", OptionKind.TEXT, ("the URL of the feed", "피드의 URL"), required=True),
            OptionSpec(
                "strip",
                OptionKind.BOOL,
                ("take the HTML tags out of title and content", "제목과 본문에서 HTML 태그를 제거"),
                default=False,
            ),
        ),
        description="""\
One row an entry, in the order of the feed: `guid`, `author`, `title`, `content`, `link`, `source` (the feed that the
entry comes from) and the dates `created_at` and `modified_at`. The feed is fetched as `wget` fetches, under the same
rules and settings.
""",
        examples=(
            Example(
                "Titles of the last day",
                'rss url="https://example.com/feed" | search created_at > dateadd(now(), "day", -1) | fields title',
            ),
        ),
        errors=(NO_FEED, NO_ANSWER),
        ledger=(BROKEN_FEED,),
    )
)
