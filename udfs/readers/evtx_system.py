"""What the element System of an event says: its kind, its activity and process, and where it was logged.

What one event says another says too, but for processes and activities: System is taken apart into three texts, each is
looked at once and remembered, and a batch holds for every event the place of each in a table of those that it has seen.
An event that was rendered before it was collected has texts for numbers; an element that is absent gives null. GUIDs
have their braces, which the package ``evtx`` leaves out where a value is stored as a GUID (all 19,897 such values of
581 public logs have them in libevtx).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
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
_GUIDS = frozenset({"activity_id", "related_activity_id", "provider_guid"})
_BARE = "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
Facts = dict[str, str | int]
"""Values by column; those that the event does not have are left out."""
# Attributes of one element: texts and numbers; braces are those of GUIDs.
_ATTRIBUTES = r'\{"#attributes":\{((?:"\w+":(?:"[^"\\]*"|[0-9]+|null),?)*)\}\}'
_ATTRIBUTE = re.compile(r'"(\w+)":(?:"([^"]*)"|([0-9]+))')
#: The attributes of the elements, and the columns they become; ``Name`` is that of Provider.
_COLUMN_OF = {
    "Guid": "provider_guid", "ActivityID": "activity_id", "RelatedActivityID": "related_activity_id",
    "ProcessID": "process_id", "ThreadID": "thread_id", "UserID": "user_sid", "Name": "provider",
}  # fmt: skip
_DIGITS = {"version": 9, "opcode": 9, "level": 9, "task": 9, "process_id": 18, "thread_id": 18}
"""Columns of numbers, and how many digits a number of theirs may have."""


class Part:
    """One of the three texts of System, and the columns that come from it."""

    def __init__(self, columns: Mapping[str, pa.DataType], shape: str) -> None:
        self.columns = columns
        self._shape = re.compile(shape)
        self._attributes = sorted(set(range(1, self._shape.groups + 1)) - set(self._shape.groupindex.values()))

    def facts(self, text: str) -> Facts | None:
        """The columns that the text tells; None for one that is not as usual: then the event is parsed."""
        match = self._shape.fullmatch(text)
        if match is None:
            return None
        named = match.groupdict()
        found = {name: named[name] for name in self.columns if named.get(name) is not None}
        if "qualified_id" in named:
            found.setdefault("event_id", named["qualified_id"])
        for attributes in (match[group] for group in self._attributes):
            for name, value, number in _ATTRIBUTE.findall(attributes or ""):
                if name in _COLUMN_OF:
                    found[_COLUMN_OF[name]] = value or number
        return _typed(found)


KIND = Part(
    {
        "provider": pa.string(), "event_id": pa.int32(), "task": pa.int32(), "level": pa.int32(), "version": pa.int32(),
        "opcode": pa.int32(), "keywords": pa.string(), "provider_guid": pa.string(),
    },
    r'\{"Event":\{(?:"#attributes":\{[^{}]*\},)?"System":\{"Provider":' + _ATTRIBUTES + ","
    r'"EventID":(?:(?P<event_id>[0-9]{1,18})|\{"#attributes":\{"Qualifiers":[0-9]+\},"#text":(?P<qualified_id>[0-9]{1,18})\}),'
    r'(?:"Version":(?P<version>[0-9]*),)?"Level":(?P<level>[0-9]{1,9}),"Task":(?P<task>[0-9]{1,9}),'
    r'(?:"Opcode":(?P<opcode>[0-9]*),)?"Keywords":"(?P<keywords>[^"\\]+)"',
)  # fmt: skip
OWN = Part(
    {
        "process_id": pa.int64(), "thread_id": pa.int64(), "activity_id": pa.string(),
        "related_activity_id": pa.string(),
    },
    r'(?:,"Correlation":(?:null|' + _ATTRIBUTES + r'))?(?:,"Execution":(?:null|' + _ATTRIBUTES + r"))?,",
)  # fmt: skip
PLACE = Part(
    {"channel": pa.string(), "computer": pa.string(), "user_sid": pa.string()},
    r'"Channel":"(?P<channel>[^"\\]*)","Computer":"(?P<computer>[^"\\]*)","Security":(?:null|' + _ATTRIBUTES + r")\}",
)
PARTS = (KIND, OWN, PLACE)
_REMEMBERED = 16_384


class Table:
    """The texts of one part that the events of a batch have, each once, and which of them every event has."""

    def __init__(self, part: Part, wanted: Iterable[str]) -> None:
        self._part = part
        self._wanted = [name for name in part.columns if name in wanted]
        self.wanted = bool(self._wanted)
        self._known: dict[str, Facts | None] = {}
        self.begin()

    def begin(self) -> None:
        """The events that follow are of another batch."""
        self.places: dict[str, int] = {}
        self.taken: list[int] = []
        self._rows: list[Facts] = []

    def learn(self, text: str) -> int | None:
        """The place of a text that this batch has not seen; None where the event has to be parsed."""
        if text in self._known:
            found = self._known[text]
        else:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[text] = self._part.facts(text)
        if found is None:
            return None
        place = self.places[text] = self.place(found)
        return place

    def place(self, facts: Facts) -> int:
        """The place of what one event says."""
        self._rows.append(facts)
        return len(self._rows) - 1

    def arrays(self) -> dict[str, pa.Array]:
        """The wanted columns of the events."""
        if not self._wanted:
            return {}
        taken = pa.array(np.array(self.taken, np.int32))
        return {name: self._column(name).take(taken) for name in self._wanted}

    def _column(self, name: str) -> pa.Array:
        values = pa.array([facts.get(name) for facts in self._rows], self._part.columns[name])
        return braced(values) if name in _GUIDS else values


def facts_of(system: Mapping[str, object]) -> Facts:
    """What a System of any shape says beside its kind's and place's names."""
    found: dict[str, str] = {}
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
    return _typed(found)


def _typed(texts: Mapping[str, str]) -> Facts:
    """Texts of numbers as numbers; what is no number, or too long a one, is left out."""
    found: Facts = dict(texts)
    for name in texts.keys() & _DIGITS.keys():
        text = texts[name]
        if text.isdecimal() and text.isascii() and len(text) <= _DIGITS[name]:
            found[name] = int(text)
        else:
            del found[name]
    if "event_id" in texts:
        found["event_id"] = int(texts["event_id"]) & 0xFFFF
    return found


def braced(texts: pa.Array) -> pa.Array:
    """Texts that are a GUID without braces, with them."""
    return pc.replace_substring_regex(texts, f"^({_BARE})$", r"{\1}")


_GUID_LENGTH = 36
_DASHES = np.array([8, 13, 18, 23])
_HEX = np.zeros(256, bool)
_HEX[np.frombuffer(b"0123456789ABCDEF", np.uint8)] = True
_HEX_PLACES = np.setdiff1d(np.arange(_GUID_LENGTH), _DASHES)


def with_braces(documents: pa.Array) -> pa.Array:
    """JSON texts whose values that are a GUID without braces have them.

    Such a value is 36 characters between quotes; they are found and written by numpy over the bytes of all texts: four
    times as fast as a regular expression over each.
    """
    rows = len(documents)
    if not rows or documents.offset:
        documents = pa.concat_arrays([documents, pa.array([], pa.string())])
    _, places, characters = documents.buffers()
    if characters is None:
        return documents
    offsets = np.frombuffer(places, np.int32, rows + 1)
    text = np.frombuffer(characters, np.uint8, int(offsets[-1]))
    begin = _bare_guids(text)
    if not begin.size:
        return documents
    quotes = np.stack((begin, begin + _GUID_LENGTH), axis=1).ravel()
    written = np.insert(text, quotes, np.tile(np.frombuffer(b"{}", np.uint8), begin.size))
    moved = offsets + np.searchsorted(quotes, offsets).astype(np.int32)
    return pa.StringArray.from_buffers(
        rows, pa.py_buffer(moved.astype(np.int32)), pa.py_buffer(written), documents.buffers()[0], documents.null_count
    )


def _bare_guids(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Where a GUID begins that stands alone between quotes."""
    begin = np.flatnonzero(text == ord("-")) - _DASHES[0]
    begin = begin[(begin > 0) & (begin + _GUID_LENGTH < text.size)]
    for place, sign in ((-1, '"'), (_GUID_LENGTH, '"'), *((int(dash), "-") for dash in _DASHES[1:])):
        begin = begin[text[begin + place] == ord(sign)]
    found: npt.NDArray[np.int64] = begin[_HEX[text[begin[:, None] + _HEX_PLACES]].all(axis=1)]
    return found
