"""What the element System of an event says beside its time, number, provider and place.

Version, opcode, keywords, process and thread, user, activity and the provider's GUID. An event that was rendered before
it was collected has texts for numbers; an element that is absent gives null. GUIDs have their braces, which the package
``evtx`` leaves out where a value is stored as a GUID (all 19,897 such values of 581 public logs have them in libevtx).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.base import field

SYSTEM_COLUMNS = (
    field("version", pa.int32()),
    field("opcode", pa.int32()),
    field("keywords", pa.string()),
    field("process_id", pa.int64()),
    field("thread_id", pa.int64()),
    field("user_sid", pa.string()),
    field("activity_id", pa.string()),
    field("related_activity_id", pa.string()),
    field("provider_guid", pa.string()),
)
"""Types of the columns; ``keywords`` is a mask of 64 bits, written in hexadecimal as the event viewer does."""
_NUMBERS = frozenset({"version", "opcode", "process_id", "thread_id"})
_GUIDS = frozenset({"activity_id", "related_activity_id", "provider_guid"})
_BARE = "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
# Attributes of one element: texts and numbers; braces are those of GUIDs.
_ATTRIBUTES = r'\{"#attributes":\{((?:"\w+":(?:"[^"\\]*"|[0-9]+|null),?)*)\}\}'
# System in three parts: what an event's kind says, what each event says, where it was logged.
_KIND = re.compile(
    r'\{"Event":\{(?:"#attributes":\{[^{}]*\},)?"System":\{"Provider":' + _ATTRIBUTES + ","
    r'"EventID":(?:"?[0-9]+"?|\{[^{}]*\{[^{}]*\}[^{}]*\}),'
    r'(?:"Version":"?(?P<version>[0-9]*)"?,)?"Level":"?[0-9]*"?,"Task":"?[0-9]*"?,'
    r'(?:"Opcode":"?(?P<opcode>[0-9]*)"?,)?"Keywords":"(?P<keywords>[^"\\]*)"'
)
_OWN = re.compile(r'(?:,"Correlation":(?:null|' + _ATTRIBUTES + r'))?(?:,"Execution":(?:null|' + _ATTRIBUTES + r"))?,")
_PLACE = re.compile(r'"Channel":"[^"\\]*","Computer":"[^"\\]*","Security":(?:null|' + _ATTRIBUTES + r")\}")
_TIME, _NUMBER, _CHANNEL, _USER, _BEHIND = ',"TimeCreated":{', '"EventRecordID":', '"Channel":', '"Security":', '},"'
_REMEMBERED = 16_384
_ATTRIBUTE = re.compile(r'"(\w+)":(?:"([^"]*)"|([0-9]+))')
#: The attributes of the elements that ``_USUAL`` takes out, and the columns they become.
_COLUMN_OF = {
    "Guid": "provider_guid", "ActivityID": "activity_id", "RelatedActivityID": "related_activity_id",
    "ProcessID": "process_id", "ThreadID": "thread_id", "UserID": "user_sid",
}  # fmt: skip
#: In which part of System a column stands; the others are in the first, what an event's kind says.
_PART_OF = {"process_id": 1, "thread_id": 1, "activity_id": 1, "related_activity_id": 1, "user_sid": 2}
Facts = dict[str, str]


class SystemReader:
    """Takes the columns out of events. What one event says another says too, but for processes and activities: the
    parts of System are looked at once each and remembered by their text.

    ``parsed`` gives System of an event of any other shape.
    """

    def __init__(self, parsed: Callable[[str], Mapping[str, object]]) -> None:
        self._parsed = parsed
        self._known: dict[str, Facts | None] = {}

    def facts(self, data: str) -> tuple[Facts, ...]:
        """The columns as texts in three parts, those that the event does not have left out."""
        time = data.find(_TIME)
        behind_number = data.find(",", data.find(_NUMBER, time))
        channel = data.find(_CHANNEL, behind_number)
        end = data.find(_BEHIND, data.find(_USER, channel)) + 1
        # Where one of the elements is not there, or is elsewhere, the part is none and the event is parsed.
        known = self._known
        parts: list[Facts] = []
        for part, shape in ((data[:time], _KIND), (data[behind_number:channel], _OWN), (data[channel:end], _PLACE)):
            if part in known:
                found = known[part]
            else:
                if len(known) > _REMEMBERED:
                    known.clear()
                found = known[part] = _of_part(shape, part)
            if found is None:
                return (_of_mapping(self._parsed(data)),) * 3
            parts.append(found)
        return tuple(parts)


_NAMED = re.compile(
    r'\{"Event":\{(?:"#attributes":\{[^{}]*\},)?"System":\{'
    r'"Provider":\{"#attributes":\{"Name":"([^"\\]*)"(?:,"\w+":"[^"\\]*")*\}\},'
    r'"EventID":(?:([0-9]{1,9})|\{"#attributes":\{"Qualifiers":[0-9]+\},"#text":([0-9]{1,18})\}),'
    r'(?:"Version":[0-9]+,)?"Level":([0-9]{1,9}),"Task":([0-9]{1,9}),(?:"Opcode":[0-9]+,)?"Keywords":"[^"\\]*"'
)
_LOGGED = re.compile(r'"Channel":"([^"\\]*)","Computer":"([^"\\]*)","Security":(?:null|\{[^{}]*\{[^{}]*\}\})\}')
Named = tuple[str, int, int, int]
Logged = tuple[str, str]


class NameReader:
    """Takes provider, event, level, task, channel and computer out of events of the usual shape, as ``SystemReader``
    does the rest: by remembering the parts, without a look at the event's own data.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, Named | None] = {}
        self._usual: dict[str, bool] = {}
        self._places: dict[str, Logged | None] = {}

    def facts(self, data: str) -> tuple[tuple[object, ...], str, int] | None:
        """The six values, what the event's kind says, and where System ends; None for an event of any other shape."""
        time = data.find(_TIME)
        behind_number = data.find(",", data.find(_NUMBER, time))
        channel = data.find(_CHANNEL, behind_number)
        end = data.find(_BEHIND, data.find(_USER, channel)) + 1
        if min(time, behind_number, channel, end - 1) < 0:
            return None
        kind, own, place = data[:time], data[behind_number:channel], data[channel:end]
        if kind not in self._kinds or own not in self._usual or place not in self._places:
            self._learn(kind, own, place)
        named, logged = self._kinds[kind], self._places[place]
        return ((*named, *logged), kind, end) if named is not None and logged is not None and self._usual[own] else None

    def _learn(self, kind: str, own: str, place: str) -> None:
        for known in (self._kinds, self._usual, self._places):
            if len(known) > _REMEMBERED:
                known.clear()
        named, logged = _NAMED.fullmatch(kind), _LOGGED.fullmatch(place)
        self._kinds[kind] = self._places[place] = None
        if named is not None:
            number = int(named[2] or named[3]) & 0xFFFF
            self._kinds[kind] = (named[1], number, int(named[4]), int(named[5]))
        if logged is not None:
            self._places[place] = (logged[1], logged[2])
        self._usual[own] = _OWN.fullmatch(own) is not None


def _of_part(shape: re.Pattern[str], text: str) -> Facts | None:
    match = shape.fullmatch(text)
    if match is None:
        return None
    found = {name: value for name, value in match.groupdict().items() if value}
    for attributes in match.groups():
        for name, value, number in _ATTRIBUTE.findall(attributes or ""):
            if name in _COLUMN_OF:
                found[_COLUMN_OF[name]] = value or number
    return found


def _of_mapping(system: Mapping[str, object]) -> Facts:
    found: Facts = {}
    for element, column in (("Version", "version"), ("Opcode", "opcode"), ("Keywords", "keywords")):
        value = system.get(element)
        if isinstance(value, str | int):
            found[column] = str(value)
    for element in ("Provider", "Correlation", "Execution", "Security"):
        inside = system.get(element)
        attributes = inside.get("#attributes") if isinstance(inside, dict) else None
        for name, value in attributes.items() if isinstance(attributes, dict) else ():
            if name in _COLUMN_OF and isinstance(value, str | int):
                found[_COLUMN_OF[name]] = str(value)
    return found


def system_arrays(found: list[tuple[Facts, ...]], names: frozenset[str]) -> dict[str, pa.Array]:
    """The wanted columns of events."""
    made: dict[str, pa.Array] = {}
    for column in SYSTEM_COLUMNS:
        if column.name not in names:
            continue
        name = column.name
        part = _PART_OF.get(name, 0)
        texts = pa.array([parts[part].get(name) for parts in found], pa.string())
        if column.name in _NUMBERS:
            made[column.name] = _numbers(texts, column.type)
        else:
            made[column.name] = braced(texts) if column.name in _GUIDS else texts
    return made


def _numbers(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    fits = pc.match_substring_regex(texts, "^[0-9]{1,9}$" if kind == pa.int32() else "^[0-9]{1,18}$")
    return pc.if_else(fits, texts, pa.scalar(None, pa.string())).cast(kind)


def braced(texts: pa.Array) -> pa.Array:
    """Texts that are a GUID without braces, with them."""
    return pc.replace_substring_regex(texts, f"^({_BARE})$", r"{\1}")


def with_braces(documents: pa.Array) -> pa.Array:
    """JSON texts whose values that are a GUID without braces have them."""
    bare = pc.match_substring_regex(documents, f'"{_BARE}"')
    if not pc.any(bare).as_py():
        return documents
    return pc.replace_with_mask(
        documents, bare, pc.replace_substring_regex(documents.filter(bare), f'"({_BARE})"', r'"{\1}"')
    )
