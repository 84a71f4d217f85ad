"""Windows event logs (.evtx) to Arrow: one row per event (command ``evtx-file``), over the package ``evtx``.

Contract: rows in file order. Events and chunks the parser refuses are counted in the ledger and the rest is read.
``event_data`` is JSON text: the named values of EventData, or the fields of the single element of UserData.
``msg`` is null: the text tables are in the providers' DLLs, not in the file. The package is an extra (``forensic``),
imported at the first scan. Constant memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Protocol, TypedDict, cast

import pyarrow as pa

from udfs.readers.base import ReadContext, ReaderError, batch_of, check_cancelled, field
from udfs.readers.errors import needs_package
from udfs.readers.evidence import (
    EvidenceReader,
    Tally,
    Target,
    base_name,
)
from udfs.readers.evtx_layout import mended
from udfs.readers.sources import label, open_random

BATCH_EVENTS = 16_384
"""Events per batch: an event is two thousand bytes of Python text before it is Arrow."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SCHEMA = pa.schema(
    [
        field("_time", pa.timestamp("us", tz="UTC")),
        field("computer", pa.string()),
        field("channel", pa.string()),
        field("provider", pa.string()),
        field("event_id", pa.int32()),
        field("task", pa.int32()),
        field("level", pa.int32()),
        field("record_id", pa.int64()),
        field("record_no", pa.int64()),
        field("msg", pa.string()),
        field("event_data", pa.string(), "json"),
        field("_file", pa.string()),
    ]
)
"""``event_id``: low 16 bits, without qualifiers. ``_time``: System/TimeCreated, when the event happened. ``record_id``:
EventRecordID, the number it got where it was logged; ``record_no``: its number in this file. They differ in a log that
a collector or an export wrote, whose record headers hold the times and numbers of arrival."""
_HEADER_TIME = "time-of-record"
_FACTS = {
    "provider": pa.string(), "event_id": pa.int32(), "level": pa.int32(), "task": pa.int32(),
    "channel": pa.string(), "computer": pa.string(), "event_data": pa.string(),
}  # fmt: skip
"""Columns taken out of an event's JSON, in the order of ``_facts``."""
# Quotes inside JSON strings are escaped, so a bare ,"Channel":" is the element and nothing else.
_USUAL = re.compile(
    r'\{"Event":\{(?:"#attributes":\{[^{}]*\},)?"System":\{'
    r'"Provider":\{"#attributes":\{"Name":"([^"\\]*)"(?:,"\w+":"[^"\\]*")*\}\},'
    r'"EventID":(?:([0-9]{1,18})|\{"#attributes":\{"Qualifiers":[0-9]+\},"#text":([0-9]{1,18})\}),'
    r'(?:"Version":[0-9]+,)?"Level":([0-9]{1,18}),"Task":([0-9]{1,18}),.*?'
    r',"Channel":"([^"\\]*)","Computer":"([^"\\]*)","Security":(?:null|\{[^{}]*\{[^{}]*\}\})\},"EventData":'
)


# What ``_time`` and ``record_id`` need, without parsing the rest; the elements of System come first.
_WHEN = re.compile(r'"TimeCreated":\{"#attributes":\{"SystemTime":"([^"\\]*)"\}\},"EventRecordID":([0-9]{1,19}),')


class EvtxReader(EvidenceReader):
    """Reader of .evtx files.

    ``paths``, ``zippath``, ``zipcharset``: as for ``MftReader``. ReaderError codes: ``missing-extra``, ``empty-file``,
    ``not-an-evtx``. Ledger reasons: those of ``evtx_layout.mended`` (position = byte offset of the first),
    ``time-of-record`` (the event has no time of its own, or 1601: ``_time`` is that of the record's header),
    ``date-out-of-range`` (the row is kept, its ``_time`` null), ``parser-failed`` (the rest of the file is missing),
    ``damaged-list`` (of names or templates; no event is lost by it, position = byte offset of the
    first such chunk).
    """

    columns = SCHEMA

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file, in record order."""
        return _scan_file(target, wanted, context)


class Event(TypedDict):
    """A record as the parser gives it; ``data`` is its JSON."""

    event_record_id: int
    timestamp: str
    data: str


class Parser(Protocol):
    """What is used of the package."""

    def records_json(self) -> Iterator[Event]: ...


def _parser_class(path: str) -> Callable[[IO[bytes]], Parser]:
    needs_package("evtx-file", "evtx", "forensic", path)
    from evtx import PyEvtxParser

    return cast(Callable[[IO[bytes]], Parser], PyEvtxParser)


def _scan_file(target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
    name = label(target)
    parser_class = _parser_class(name)
    tally = Tally()
    with open_random(target, context) as stream:
        size = stream.seek(0, 2)
        if size == 0:
            raise ReaderError("{path} is empty", name, "empty-file")
        layout = mended(stream, size, tally)
        try:
            events = parser_class(layout.stream).records_json()
        except (RuntimeError, OSError, ValueError) as problem:
            raise ReaderError(
                "{path} is not a Windows event log: {reason}", name, "not-an-evtx", reason=_sentence(problem)
            ) from problem
        held: list[Event] = []
        done = 0
        try:
            for event in _surviving(events, size, layout.chunks, tally):
                held.append(event)
                done += 1
                if len(held) % 1024 == 0:
                    check_cancelled(context)
                    context.progress.advance(name, min(layout.stream.tell(), size), size)
                if len(held) == BATCH_EVENTS:
                    yield _batch(held, wanted, base_name(target), tally)
                    held = []
            if held:
                yield _batch(held, wanted, base_name(target), tally)
        finally:
            tally.report(context, name)
            if layout.first_cut is not None:
                context.loss.lost(name, "damaged-list", 0, layout.first_cut, "a list of names or templates was cut")


def _surviving(events: Iterator[Event], size: int, chunks: Sequence[int], tally: Tally) -> Iterator[Event]:
    """Events; what the parser raises for one of them is counted and the next one asked for."""
    # A file cannot hold more records than this; a parser that goes on failing must not keep the query for ever.
    patience = size // 24 + 64
    while patience:
        try:
            event = next(events)
        except StopIteration:
            return
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Exception as problem:
            patience -= 1
            _count(problem, chunks, tally)
            continue
        except BaseException as problem:
            # A panic of the Rust parser is no Exception; its iterator cannot be trusted after one.
            tally.add("parser-failed", 1, None, _sentence(problem))
            return
        yield event
    tally.add("parser-failed", 1, None, "too many damaged events")


def _count(problem: Exception, chunks: Sequence[int], tally: Tally) -> None:
    text = _sentence(problem)
    chunk = re.search(r"parse chunk (?:number (\d+)|containing)", text)
    if chunk is None:
        tally.add("damaged-event", 1, None, text)
    else:
        number = int(chunk[1] or -1)
        tally.add("damaged-chunk", 1, chunks[number] if 0 <= number < len(chunks) else None, text)


def _sentence(problem: BaseException) -> str:
    return str(problem).strip().splitlines()[0][:300] if str(problem).strip() else type(problem).__name__


def _batch(held: list[Event], wanted: pa.Schema, file: str, tally: Tally) -> pa.RecordBatch:
    rows = len(held)
    names = frozenset(wanted.names)
    made: dict[str, pa.Array] = {"msg": pa.nulls(rows, pa.string())}
    if "_time" in names or "record_id" in names:
        made |= _occurrences(held, tally if "_time" in names else Tally())
    if "record_no" in names:
        made["record_no"] = pa.array([_integer(event["event_record_id"], 63) for event in held], pa.int64())
    if "_file" in names:
        made["_file"] = pa.repeat(pa.scalar(file, pa.string()), rows)
    if names & _FACTS.keys():
        facts = [_facts(event["data"]) for event in held]
        for (column, type_), values in zip(_FACTS.items(), zip(*facts, strict=True), strict=True):
            made[column] = pa.array(values, type_)
    return batch_of(wanted, made, rows)


def _occurrences(held: list[Event], tally: Tally) -> dict[str, pa.Array]:
    """``_time`` and ``record_id`` of the events; a date Python cannot hold gives null and is counted."""
    times: list[int | None] = []
    numbers: list[int | None] = []
    for event in held:
        when = _WHEN.search(event["data"])
        if when is not None:
            created, number = when[1], _integer(when[2], 63)
        else:
            system = _mapping(_body(event["data"]).get("System"))
            created = _text(_mapping(_mapping(system.get("TimeCreated")).get("#attributes")).get("SystemTime")) or ""
            number = _integer(_plain(system.get("EventRecordID")), 63)
        time = _microseconds(created)
        if time is None or created.startswith("1601-"):
            # TimeCreated is absent, zero or the beginning of FILETIME: events that were rendered without a time.
            tally.add(_HEADER_TIME, 1, None, created[:60] or None)
            stamp = event["timestamp"]
            time = _microseconds(stamp[: stamp.find("Z") + 1])
            if time is None:
                tally.add("date-out-of-range", 1, None, stamp[:60])
        times.append(time)
        numbers.append(number)
    return {
        "_time": pa.array(times, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "record_id": pa.array(numbers, pa.int64()),
    }


def _microseconds(stamp: str) -> int | None:
    """``2021-03-31T23:51:45.0187674Z`` as microseconds since 1970; None for other text."""
    try:
        return (datetime.fromisoformat(stamp) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):  # a time without a zone is no instant
        return None


def _facts(data: str) -> tuple[object, ...]:
    """Provider, event, level, task, channel, computer and event data of one event's JSON.

    Nearly all events have the shape of ``_USUAL``, and their event data is the text behind it as it stands: three
    times as fast as parsing the JSON and writing part of it again.
    """
    usual = _USUAL.match(data)
    if usual is None or data.find('"#', usual.end()) >= 0:
        return _parsed_facts(data)
    provider, plain_id, qualified_id, level, task, channel, computer = usual.groups()
    text = data[usual.end() : -2]
    return (
        provider,
        int(plain_id or qualified_id) & 0xFFFF,
        _integer(level, 31),
        _integer(task, 31),
        channel,
        computer,
        None if text == "null" else text,
    )


def _parsed_facts(data: str) -> tuple[object, ...]:
    body = _body(data)
    system = _mapping(body.get("System"))
    return (
        _provider(system.get("Provider")),
        _event_id(system.get("EventID")),
        _integer(_plain(system.get("Level")), 31),
        _integer(_plain(system.get("Task")), 31),
        _text(system.get("Channel")),
        _text(system.get("Computer")),
        _event_data(body),
    )


def _body(data: str) -> dict[str, object]:
    """The element Event; a record whose JSON is broken gives a row of nulls."""
    try:
        return _mapping(_mapping(json.loads(data)).get("Event"))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> object:
    """The text of an element that also has attributes."""
    return value.get("#text") if isinstance(value, dict) else value


def _text(value: object) -> str | None:
    value = _plain(value)
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(value: object, bits: int) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << bits else None


def _event_id(value: object) -> int | None:
    number = _integer(_plain(value), 63)
    return None if number is None else number & 0xFFFF


def _provider(value: object) -> str | None:
    return _text(_mapping(_mapping(value).get("#attributes")).get("Name"))


def _event_data(body: dict[str, object]) -> str | None:
    data = body.get("EventData")
    if data is None:
        user = {key: value for key, value in _mapping(body.get("UserData")).items() if key != "#attributes"}
        data = next(iter(user.values())) if len(user) == 1 else user or None
        if isinstance(data, dict):
            data = {key: value for key, value in data.items() if key != "#attributes"}
    if data is None:
        return None
    if isinstance(data, dict):
        # An unnamed <Data> comes as {"Data": {"#text": ...}}; the text is the value.
        data = {
            key: value["#text"] if isinstance(value, dict) and value.keys() == {"#text"} else value
            for key, value in data.items()
        }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
