"""One row an event: what its JSON, as the package ``evtx`` gives it, becomes in Arrow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.base import batch_of, field
from udfs.readers.evidence import Tally
from udfs.readers.evtx_system import KIND, OWN, PLACE, SYSTEM_COLUMNS, Facts, Table, facts_of, with_braces
from udfs.readers.evtx_whole import gathered, is_marked, whole

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
        *SYSTEM_COLUMNS,
        field("_file", pa.string()),
    ]
)
"""``event_id``: low 16 bits, without qualifiers. ``_time``: System/TimeCreated, when the event happened. ``record_id``:
EventRecordID, the number it got where it was logged; ``record_no``: its number in this file. They differ in a log that
a collector or an export wrote, whose record headers hold the times and numbers of arrival."""
_HEADER_TIME = "time-of-record"
# What ``_time`` and ``record_id`` need, without parsing the rest; the elements of System come first.
_TIME = ',"TimeCreated":{'
_CREATED = _TIME + '"#attributes":{"SystemTime":"'
_NUMBERED = '"}},"EventRecordID":'
# Where System goes on: quotes inside JSON strings are escaped, so a bare ,"Channel":" is the element and nothing else.
_NUMBER, _CHANNEL, _USER, _BEHIND = '"EventRecordID":', '"Channel":', '"Security":', '},"'
_MICROSECONDS_LONG = len("2021-03-31T23:51:45.018767Z")
_CREATED_LONG, _NUMBERED_LONG = len(_CREATED) + _MICROSECONDS_LONG, len(_NUMBERED)
_SOONEST = len('{"Event":{"System":{')
# An event that was rendered before it was collected: all values are texts, and the time has up to nine digits.
_WHEN = re.compile(
    r'"TimeCreated":\{"#attributes":\{"SystemTime":"([^"\\]{19}(?:\.[0-9]{1,6})?)[0-9]*Z"\}\},"EventRecordID":"?([0-9]{1,19})"?,'
)
_BEGIN_OF_1602 = -11_612_937_600_000_000
"""In microseconds since 1970: an earlier time is none (FILETIME 0 and what is counted from it)."""
_PARSED = json.JSONDecoder().raw_decode
"""The object that begins at a place of a text, and where it ends."""
_PLAIN, _ESCAPED = r'[^"\\\x00-\x1f]*+', r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_QUOTED = rf'"{_PLAIN}(?:{_ESCAPED}{_PLAIN})*+"'
_VALUE = rf"(?:{_QUOTED}|-?(?:0|[1-9][0-9]{{0,18}}+)|null|true|false)"
"""A text, number or nothing, as JSON has it; what else it has is left to its parser."""
# Classic events. All of the text has to be so: the package writes names as they are, a forged one may look like others.
_UNNAMED = re.compile(
    rf'\{{"Data":\{{"#text":(?P<texts>{_VALUE}|\[{_VALUE}(?:,{_VALUE})*+\])\}}(?P<binary>,"Binary":{_VALUE})?\}}'
)
# An Event of which the package knows more than its namespace, or with something before System, is parsed.
_USUAL_EVENT = re.compile(r'\{"Event":\{(?:"#attributes":\{"xmlns":"[^"\\]*"\},)?"System":\{')
_OWN_DATA = ',"EventData":'
_OWN_DATA_LONG = len(_OWN_DATA)
_KINDS = 16_384
"""Beginnings of events that are remembered."""
_OFTEN = 512
"""Events that are parsed before a pattern is made of their names: making it costs as much as parsing hundreds."""
_BESIDE_DATA = ("ComplexData", "Binary")
"""Elements that EventData may have beside Data."""
_AGAIN = frozenset(f"{name}_1" for name in _BESIDE_DATA)
_NO_DATA = ("#attributes", "System")


class Event(TypedDict):
    """A record as the parser gives it; ``data`` is its JSON."""

    event_record_id: int
    timestamp: str
    data: str


class EventRows:
    """Events on their way into a batch.

    What is wanted of an event is taken at once, and the event let go: its two thousand bytes of text are still in the
    processor's cache, and the next event gets the same memory. A batch holds the events of as many files as fill it:
    of a thousand small logs, making thirty columns of five events each took ten times as long as reading them.
    """

    def __init__(self, wanted: pa.Schema) -> None:
        self._wanted = wanted
        names = frozenset(wanted.names)
        self._timed = "_time" in names
        self._sources: list[_Source] = []
        self._occurrence = bool(names & {"_time", "record_id"})
        self._numbered = "record_no" in names
        self._tables = tuple(Table(part, names) for part in (KIND, OWN, PLACE))
        self._usual: dict[str, bool] = {}
        self._flat = _Flat()
        self._data = bool(names & {"event_data", "msg"})
        self.data_wanted = self._data
        self._looks = self._occurrence or self._data or any(table.wanted for table in self._tables)
        self._begin()

    def of_file(self, of_file: Mapping[str, str | None], tally: Tally) -> None:
        """The events that follow are of another file. ``of_file``: columns that have one value for all its events;
        ``tally`` counts those without a time of their own, at the latest when the batch is made.
        """
        while self._sources and self._sources[-1].first == self.held:
            self._sources.pop()  # it has no events
        self._sources.append(_Source(self.held, of_file, tally))

    def _begin(self) -> None:
        self.held = 0
        # The file whose events come next goes on in the next batch.
        self._sources = [source._replace(first=0) for source in self._sources[-1:]]
        self._created: list[str] = []
        self._headers: list[str] = []
        self._ids: list[str | None] = []
        self._numbers: list[int] = []
        self._own_data: list[str | None] = []
        self._messages: dict[int, str | None] = {}
        for table in self._tables:
            table.begin()

    def add(self, events: Sequence[Event]) -> None:
        """Take what is wanted of ``events``."""
        if self._numbered:
            self._numbers += [event["event_record_id"] for event in events]
        if self._occurrence:
            self._headers += [event["timestamp"] for event in events]
        if self._looks:
            self._look([event["data"] for event in events])
        self.held += len(events)

    def _look(self, texts: list[str]) -> None:
        """Take the wanted columns out of the JSON of events; nothing is looked for that nobody wants."""
        occurrence, own_data, (kinds, owns, places) = self._occurrence, self._data, self._tables
        kinds_wanted, owns_wanted, places_wanted = (table.wanted or own_data for table in self._tables)
        tally = self._sources[-1].tally
        for number, data in enumerate(texts, self.held):
            body: dict[str, object] | None = None
            time = data.find(_CREATED, _SOONEST)
            end = time + _CREATED_LONG
            behind = end + _NUMBERED_LONG
            usual = time > 0 and data[end:behind] == _NUMBERED
            if usual:
                comma = data.find(",", behind)
                if occurrence:
                    self._created.append(data[end - _MICROSECONDS_LONG : end])
                    self._ids.append(data[behind:comma])
            else:
                time = data.find(_TIME, _SOONEST)
                comma = data.find(",", data.find(_NUMBER, time))
                if occurrence:
                    moment, own_number = _stamp(data)
                    self._created.append(moment)
                    self._ids.append(own_number)
            if kinds_wanted:
                kind = data[: max(time, 0)]
                if kind in kinds.places:
                    kinds.taken.append(kinds.places[kind])
                else:
                    body = _learn(kinds, kind, data, body, tally)
            if not (owns_wanted or places_wanted):
                continue
            channel = data.find(_CHANNEL, comma)
            end = data.find(_BEHIND, data.find(_USER, channel)) + 1
            if not (0 < time < comma < channel < end):
                channel = end = comma = 0
            if owns_wanted:
                own = data[comma:channel]
                if own in owns.places:
                    owns.taken.append(owns.places[own])
                else:
                    body = _learn(owns, own, data, body, tally)
            if places_wanted:
                place = data[channel:end]
                if place in places.places:
                    places.taken.append(places.places[place])
                else:
                    body = _learn(places, place, data, body, tally)
            if own_data:
                text = None
                usual = usual and body is None and self._is_usual(kind)
                if usual and data.startswith(_OWN_DATA, end):
                    text = _own_data(data, kind, end + _OWN_DATA_LONG, self._flat)
                if text is None:
                    if body is None:
                        body = (_beside(data, end) if usual else None) or _body(data, tally)
                    text = _event_data(body)
                    if (message := _message(body)) is not None:
                        self._messages[number] = message
                self._own_data.append(None if text == "null" else text)

    def _is_usual(self, kind: str) -> bool:
        """Whether System is the first that an event tells which begins so.

        Where that is so and its three texts are as usual, its end is known, and with it what stands beside it.
        """
        found = self._usual.get(kind)
        if found is None:
            if len(self._usual) > _KINDS:
                self._usual.clear()
            found = self._usual[kind] = _USUAL_EVENT.match(kind) is not None
        return found

    def batch(self) -> pa.RecordBatch:
        """The wanted columns of the events held, which are let go."""
        rows = self.held
        made = self._of_files(rows)
        if self._occurrence:
            times = _instants(self._created)
            if times is None:
                times = pa.array(self._of_headers(), pa.int64())
            made["_time"] = times.cast(pa.timestamp("us", tz="UTC"))
            made["record_id"] = _whole_numbers(self._ids)
        if self._numbered:
            made["record_no"] = _record_numbers(self._numbers)
        if self._data:
            made["event_data"] = with_braces(pa.array(self._own_data, pa.string()))
            made["msg"] = _sparse(self._messages, rows)
        for table in self._tables:
            made |= table.arrays()
        self._begin()
        return batch_of(self._wanted, made, rows)

    def _of_files(self, rows: int) -> dict[str, pa.Array]:
        """The columns that tell of which file an event is."""
        names = [name for name in self._sources[0].of_file if name in self._wanted.names]
        if not names:
            return {}
        starts = [source.first for source in self._sources]
        counts = np.diff([*starts, rows])
        place = pa.array(np.repeat(np.arange(len(starts)), counts))
        return {
            name: pa.array([source.of_file[name] for source in self._sources], pa.string()).take(place)
            for name in names
        }

    def _of_headers(self) -> list[int | None]:
        """Times of the events, those of their records where they have none."""
        found: list[int | None] = []
        ends = [*(source.first for source in self._sources[1:]), self.held]
        for source, end in zip(self._sources, ends, strict=True):
            tally = source.tally if self._timed else Tally()
            pairs = zip(self._created[source.first : end], self._headers[source.first : end], strict=True)
            found += [_of_header(created, header, tally) for created, header in pairs]
        return found


class _Source(NamedTuple):
    """A file of which events are held: the first of them, and what all of them have in common."""

    first: int
    of_file: Mapping[str, str | None]
    tally: Tally


def _learn(
    table: Table, text: str, data: str, body: dict[str, object] | None, tally: Tally
) -> dict[str, object] | None:  # fmt: skip
    """Put down what a part of System says that is new to the batch; the parsed event where it had to be parsed."""
    place = table.learn(text)
    if place is None:
        body = _body(data, tally) if body is None else body
        place = table.place(_parsed_system(body))
    table.taken.append(place)
    return body


def _sparse(values: Mapping[int, str | None], rows: int) -> pa.Array:
    """A column of texts that few rows have."""
    return pa.array([values.get(row) for row in range(rows)], pa.string()) if values else pa.nulls(rows, pa.string())


def _stamp(data: str) -> tuple[str, str | None]:
    """The text of TimeCreated, empty where there is none, and that of EventRecordID; ``data`` is of any shape."""
    when = _WHEN.search(data)
    if when is not None:
        # Microseconds are what is kept; a rendered event has up to nine digits of the second.
        return when[1] + "Z", when[2]
    system = _mapping(_body(data).get("System"))
    created = _text(_mapping(_mapping(system.get("TimeCreated")).get("#attributes")).get("SystemTime"))
    return created or "", _text(system.get("EventRecordID"))


def _whole_numbers(texts: list[str | None]) -> pa.Array:
    """64-bit numbers, null where a text is none."""
    try:
        return pa.array(texts, pa.string()).cast(pa.int64())
    except pa.ArrowInvalid:
        # Those of an event that was rendered before it was collected stand between quotes.
        return pa.array([_integer(text and text.strip('"'), 63) for text in texts], pa.int64())


def _record_numbers(numbers: Sequence[int]) -> pa.Array:
    """Numbers of records, null where a damaged header has one of 64 bits."""
    try:
        return pa.array(numbers, pa.int64())
    except (OverflowError, pa.ArrowException):
        return pa.array([_integer(number, 63) for number in numbers], pa.int64())


def _instants(created: list[str]) -> pa.Array | None:
    """Microseconds since 1970, all at once; None where one of them is no time, or one of 1601."""
    try:
        times = pa.array(created, pa.string()).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    earliest = pc.min(times).as_py()
    return None if earliest is None or earliest < _BEGIN_OF_1602 else times


def _of_header(created: str, header: str, tally: Tally) -> int | None:
    """Microseconds since 1970 of an event; where it has no time of its own, those of its record's header."""
    time = _microseconds(created)
    if time is None or time < _BEGIN_OF_1602:
        # TimeCreated is absent, zero or the beginning of FILETIME: events that were rendered without a time.
        tally.add(_HEADER_TIME, 1, None, created[:60] or None)
        time = _microseconds(header[: header.find("Z") + 1])
        if time is None:
            tally.add("date-out-of-range", 1, None, header[:60])
    return time


def _microseconds(stamp: str) -> int | None:
    """``2021-03-31T23:51:45.0187674Z`` as microseconds since 1970; None for other text."""
    try:
        return (datetime.fromisoformat(stamp) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):  # a time without a zone is no instant
        return None


class _Flat:
    """How EventData of each kind of event mostly are: which names they have, each once and none with a map.

    A pattern of these names matches nothing that is not JSON and takes half the time of parsing. What it does not match
    is parsed, so it need not hold for all events of its kind.
    """

    def __init__(self) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._parsed: dict[str, int] = {}

    def matches(self, data: str, kind: str, start: int) -> bool:
        """Whether all of the text from ``start`` to the two brackets at its end is as usual."""
        pattern = self._patterns.get(kind)
        return pattern is not None and pattern.fullmatch(data, start, len(data) - 2) is not None

    def learn(self, kind: str, fields: Mapping[str, object]) -> None:
        """These fields were parsed: of the 512th that had to be, the 1024th and so on, a pattern is made."""
        if len(self._parsed) > _KINDS:
            self._parsed.clear()
            self._patterns.clear()
        times = self._parsed[kind] = self._parsed.get(kind, 0) + 1
        if times >= _OFTEN and times & (times - 1) == 0:
            names = [re.escape(json.dumps(name, ensure_ascii=False)) for name in fields]
            values = [_QUOTED if isinstance(value, str) else _VALUE for value in fields.values()]
            pattern = ",".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))
            self._patterns[kind] = re.compile(rf"\{{{pattern}\}}")


def _own_data(data: str, kind: str, start: int, flat: _Flat) -> str | None:
    """The text of EventData, which begins at ``start`` and is the last element; None where it has to be parsed.

    Every event is looked at for itself: templates of one kind may differ, and a name may be anything in a forged log.
    """
    if flat.matches(data, kind, start):
        return data[start:-2]
    inside = data.find("}", start) != len(data) - 3
    if data.startswith('{"#', start) or (inside and data.find('"#', start) >= 0):
        return _unnamed(data[start:-2])
    try:
        fields, end = _PARSED(data, start)
    except (ValueError, RecursionError):
        return None
    if end != len(data) - 2:
        return None  # a further element follows
    if fields is None:
        return "null"
    # Behind each name stands a quote and a colon: those are at least as many as names, so none came twice.
    if not isinstance(fields, dict) or len(fields) < data.count('":', start):
        return None
    if not _AGAIN.isdisjoint(fields) or (inside and any(type(value) is dict for value in fields.values())):
        return None
    flat.learn(kind, fields)
    return data[start:end]


def _unnamed(text: str) -> str | None:
    """``{"Data":{"#text":["a","b"]},"Binary":null}``, as classic events have it, with the texts as Data."""
    found = _UNNAMED.fullmatch(text)
    return None if found is None else f'{{"Data":{found["texts"]}{found["binary"] or ""}}}'


def _parsed_system(body: Mapping[str, object]) -> Facts:
    """What System of an event of any shape says."""
    system = _mapping(body.get("System"))
    named = {
        "provider": _provider(system.get("Provider")),
        "event_id": _event_id(system.get("EventID")),
        "level": _integer(_plain(system.get("Level")), 31),
        "task": _integer(_plain(system.get("Task")), 31),
        "channel": _text(system.get("Channel")),
        "computer": _text(system.get("Computer")),
    }
    return facts_of(system) | {name: value for name, value in named.items() if value is not None}


def _body(data: str, tally: Tally | None = None) -> dict[str, object]:
    """The element Event; empty and counted where the record's JSON is broken: the package writes names of elements as
    they are.
    """
    try:
        hook = whole if is_marked(data) else gathered
        return _mapping(_mapping(json.loads(data, object_pairs_hook=hook)).get("Event"))
    except (ValueError, RecursionError):
        if tally is not None:
            tally.add("damaged-event", 1, None, data[:60])
        return {}


def _beside(data: str, end: int) -> dict[str, object] | None:
    """What stands in an event behind System, which ends at ``end`` and is the larger half of its text; None where
    that may not be all.
    """
    if not data.startswith(',"', end) or is_marked(data):
        return None
    try:
        found = _mapping(json.loads("{" + data[end + 1 : -1], object_pairs_hook=gathered))
    except (ValueError, RecursionError):
        return None
    return None if any(name in found for name in _NO_DATA) else found


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


def _message(body: dict[str, object]) -> str | None:
    """The text of an event that was rendered before it was collected."""
    return _text(_mapping(body.get("RenderingInfo")).get("Message"))


def _event_data(body: dict[str, object]) -> str | None:
    """All that stands in the event beside System, as JSON: the fields of EventData or of the element in UserData.

    Other elements are there instead of EventData where an event could not be written as meant (ProcessingErrorData,
    DebugData, BinaryEventData): their fields; beside it they have their name.
    """
    parts = {name: value for name, value in body.items() if name not in _NO_DATA and value is not None}
    if isinstance(parts.get("UserData"), dict):
        elements = _kept_attributes(parts["UserData"])
        parts["UserData"] = next(iter(elements.values())) if len(elements) == 1 else elements
    rendered = parts.get("RenderingInfo")
    if isinstance(rendered, dict):
        told = () if isinstance(rendered.get("Message"), dict | list) else ("Message",)
        kept = {name: value for name, value in _kept_attributes(rendered).items() if name not in told}
        parts = {name: kept if name == "RenderingInfo" else value for name, value in parts.items()}
        if not kept:
            del parts["RenderingInfo"]
    parts |= _mapping(_kept_attributes(body).get("#attributes"))
    if not parts:
        return None
    first = next(name for name in ("EventData", "UserData", *parts) if name in parts)
    data = _opened(parts.pop(first))
    if parts:
        data = gathered([*(data.items() if isinstance(data, dict) else [(first, data)]), *parts.items()])
    return json.dumps(_plainer(data, first != "EventData"), ensure_ascii=False, separators=(",", ":"))


def _opened(element: object) -> object:
    """The fields of an element: its attributes, then what stands in it; its text where it has nothing else."""
    if not isinstance(element, dict):
        return element
    inside = _kept_attributes(element)
    attributes = inside.get("#attributes")
    if not isinstance(attributes, dict):
        return inside
    return gathered([*attributes.items(), *((name, value) for name, value in inside.items() if name != "#attributes")])


def _kept_attributes(element: object) -> dict[str, object]:
    """An element without the attributes that only name a namespace."""
    found = _mapping(element)
    attributes = found.get("#attributes")
    if not isinstance(attributes, dict):
        return found  # it has none, or a Data that is called so
    kept = {name: value for name, value in attributes.items() if name.partition(":")[0] != "xmlns"}
    inside = {name: value for name, value in found.items() if name != "#attributes"}
    return {"#attributes": kept, **inside} if kept else inside


def _plainer(value: object, elements: bool = True) -> object:
    """An element that is only text (an unnamed ``<Data>`` comes as ``{"#text": ...}``) is that text.

    ``elements``: the names in ``value`` are those of elements; in EventData they are what its providers call its Data.
    """
    if isinstance(value, list):
        return [_plainer(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = _one_name({name: _plainer(item) for name, item in _kept_attributes(value).items()}, elements)
    return kept["#text"] if kept.keys() == {"#text"} else kept


def _one_name(fields: dict[str, object], elements: bool) -> dict[str, object]:
    """The values of elements of one name as a list: the parser calls them ``Keyword``, ``Keyword_1``, ``Keyword_2``."""
    if not any(name.endswith("_1") for name in fields):
        return fields
    found: dict[str, list[object]] = {}
    for name, value in fields.items():
        first, _, number = name.rpartition("_")
        again = (elements or first in _BESIDE_DATA) and first in found and number == str(len(found[first]))
        found.setdefault(first if again else name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}
