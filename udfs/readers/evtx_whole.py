"""Event data that the package ``evtx`` hands on in part only, and how all of them are had.

Its JSON makes the ``Data`` elements of EventData and UserData a map of their names. Where one of them has a name, those
without are left out, and of every one the attributes beside ``Name``; nothing tells of it. Its XML holds them, but
making it costs as much again. So the names of these two elements are changed in the bytes that the parser sees, in
chunks that have such elements: it then writes them like any other element, with all that stands in them, and ``whole``
puts the map together. Of 291 chunks of public logs two are changed, whose events have no templates.

Layout (libyal's documentation of the event log format, [MS-EVEN6] 2.2.12): an element is a token, two bytes, its
length, the offset of its name; then the length of its attributes, and for each a token, the offset of its name and its
value. A name stands where it is first used, and the tables in the chunk's header lead to names and templates.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

_CHUNK_HEADER = 512
_UNUSED, _NOTHING = slice(56, 120), bytes(64)
"""Bytes of a chunk's header that the log service leaves zero."""
_NAMES_AT = 128
_NUMBER = struct.Struct("<I")
_PAIR = np.dtype("<u2")
_TEMPLATE_HEADER = 24
_FEW = 8192
"""Bytes that a regular expression looks through in less time than it takes to ask numpy."""
Letters = tuple[tuple[int, bytes], ...]
"""Places in a chunk, and the bytes that are to be there."""
_TOKENS = (b"\x01", b"\x41")
"""What begins an element without attributes, and one with them."""
_IN_TEMPLATE, _ELSEWHERE = 7, 5
"""Bytes of an element before the offset of its name: outside of templates it has no dependency."""
_FOLLOW = tuple(bytes([token]) for token in (2, 3, 5, 6, 9, 10, 11, 13, 14, 15, 0x45, 0x46, 0x49))
"""Tokens that the parser takes behind the name of an element, or behind the length of its attributes."""
_INLINE = 18
"""Bytes of the names ``Data`` and ``Name`` where they are defined: the next one's offset, hash, length, text, zero."""
_ALONE = 4 + _IN_TEMPLATE
"""Bytes of a template before the name of its outermost element."""
_CONTENT = (b"\x02", b"\x03")
"""What follows the name or the attributes of an element: its content, or its end."""
_LAST_ATTRIBUTE, _LITERAL = b"\x06", b"\x05\x01"
_INSTRUCTION = b"\x0a\x0b"
_BORDER = b"another template"


def _written(name: str) -> bytes:
    """A name as it is defined: its length and its text."""
    return struct.pack("<H", len(name)) + name.encode("utf-16-le")


def _list_of(name: str) -> int:
    """Where the list begins that has a name."""
    number = 0
    for character in name:
        number = (number * 65599 + ord(character)) & 0xFFFFFFFF
    return _NAMES_AT + 4 * ((number & 0xFFFF) % 64)


_DATA, _NAME = _written("Data"), _written("Name")
_DATA_LIST, _NAME_LIST = _list_of("Data"), _list_of("Name")
_DATA_TEXT = re.compile(re.escape(_DATA))
_MARKS = {"\ufdd0": "E", "\ufdd1": "U"}
"""Characters that no text has (Unicode: noncharacters), and the first letters they stand for."""
_CONTAINERS = [(mark, re.compile(re.escape(_written(letter + rest)))) for (mark, letter), rest in
               zip(_MARKS.items(), ("ventData", "serData"), strict=True)]  # fmt: skip
_MARKED = re.compile("([\ufdd0\ufdd1])((?:ventData|serData)(?:_[0-9]+)?)")
_AGAIN = re.compile("Data(?:_[0-9]+)?")


def letters(chunk: bytes | memoryview, templates: Sequence[int] | None) -> Letters:
    """Which bytes of a chunk are to be others, so that the parser hands on all its event data; mostly none.

    ``templates``: where those of its lists are; None where its lists of names and templates cannot be followed. What
    the chunk says of itself is not believed: a forged log may have a name, a template or an element anywhere, so all
    its bytes are looked through. What looks odd is taken for event data that the parser would leave out: that costs a
    little time and changes nothing of what is told.
    """
    seen = np.frombuffer(chunk, np.uint8)
    looked = bytes(chunk)
    listed = _place(looked, _DATA, _DATA_LIST) if templates is not None else 0
    others = [place for place in _defined(looked, seen) if place != listed]
    if others and _elements(looked, seen, others):
        return _changed(looked, seen)
    if listed and templates is not None and _partly(looked, listed, _place(looked, _NAME, _NAME_LIST), templates):
        return _changed(looked, seen)
    return ()


def _place(chunk: bytes, name: bytes, link: int) -> int:
    """Where a name is defined; 0 where its list does not have it."""
    (at,) = _NUMBER.unpack_from(chunk, link)
    while at and chunk[at + 6 : at + 6 + len(name)] != name:
        (at,) = _NUMBER.unpack_from(chunk, at)
    return int(at)


def _defined(chunk: bytes, seen: npt.NDArray[np.uint8]) -> list[int]:
    """All places where ``Data`` may be defined: where it stands, with its length before it."""
    if seen.size < _FEW:
        return [found.start() - 6 for found in _DATA_TEXT.finditer(chunk)]
    likely = seen[:-9] == _DATA[0]
    likely &= seen[2:-7] == _DATA[2]
    return [at - 6 for at in np.flatnonzero(likely).tolist() if chunk.startswith(_DATA, at)]


def _elements(chunk: bytes, seen: npt.NDArray[np.uint8], places: Sequence[int]) -> list[int]:
    """Where elements seem to refer to a name that is defined at one of ``places``."""
    if len(places) <= 2:
        return [at for place in places for at in _uses(chunk, place) if _is_element(chunk, at)]
    tokens = np.flatnonzero((seen == _TOKENS[0][0]) | (seen == _TOKENS[1][0]))
    wanted = np.array(places, np.uint16)
    found: list[int] = []
    for size in (_IN_TEMPLATE, _ELSEWHERE):
        at = tokens[: np.searchsorted(tokens, seen.size - size - 4)] + size
        at = at[(seen[at + 2] == 0) & (seen[at + 3] == 0)]
        found += at[np.isin(seen[at] + seen[at + 1].astype(np.uint16) * 256, wanted)].tolist()
    return [at for at in found if _is_element(chunk, at)]


def _is_element(chunk: bytes, at: int) -> bool:
    """Whether a number in the chunk may be the name of an element."""
    behind = at + 4
    number = int.from_bytes(chunk[at:behind], "little")
    if number > len(chunk):
        return False
    if number == behind:  # it is defined here
        behind += 10 + 2 * int.from_bytes(chunk[behind + 6 : behind + 8], "little")
    for size in (_IN_TEMPLATE, _ELSEWHERE):
        token = chunk[at - size : at - size + 1]
        if token in _TOKENS:
            follows = behind + 4 if token == _TOKENS[1] else behind  # the length of the attributes
            if chunk[follows : follows + 1] in _FOLLOW:
                return True
    return False


def _partly(chunk: bytes, data: int, name: int, templates: Sequence[int]) -> bool:
    """Whether the parser may leave out something of the ``Data`` elements of a chunk, whose name is at ``data``.

    It leaves out nothing where all have a name and nothing else. Where some have none, all are to be in templates, and
    each of these is to have them either all with names or all without, below an element of its own.
    """
    contents: list[bytes] = []
    areas: list[tuple[int, int]] = []
    before = _CHUNK_HEADER
    for at in sorted(templates):
        begin = at + _TEMPLATE_HEADER
        end = begin + int.from_bytes(chunk[begin - 4 : begin], "little")
        if at < before:
            return True  # it lies in another one
        content = chunk[begin:end]
        if begin <= data < end:  # the name is defined behind the first number that refers to it
            content = content[: data - begin] + content[data - begin + _INLINE :]
        contents.append(content)
        areas.append((begin, end))
        before = end
    number = _NUMBER.pack(data)
    first, *elements = (number + _BORDER).join(contents).split(number)
    borders = max(len(contents) - 1, 0)
    usual = _LAST_ATTRIBUTE + _NUMBER.pack(name) + _LITERAL
    regular = _named(elements, usual)
    odd_ones = len(elements) - borders - regular.count(True)
    for at in _uses(chunk, data, len(elements) - borders):
        hidden = _is_element(chunk, at) and not any(begin <= at < end for begin, end in areas)
        if hidden and (odd_ones or not _is_named(chunk, at + 8, usual)):
            return True
    return chunk[_UNUSED] != _NOTHING or (odd_ones > 0 and _mixed(first, elements, regular, usual, borders))


def _uses(chunk: bytes, place: int, known: int = 0) -> list[int]:
    """Where a place stands in the chunk, if more often than ``known``; what follows may make it another number."""
    if len(chunk) < _FEW and chunk.count(_NUMBER.pack(place), _CHUNK_HEADER) <= known:
        return []
    size = len(chunk) - _CHUNK_HEADER
    even = np.frombuffer(chunk, _PAIR, size // 2, _CHUNK_HEADER) == place
    odd = np.frombuffer(chunk, _PAIR, (size - 1) // 2, _CHUNK_HEADER + 1) == place
    if np.count_nonzero(even) + np.count_nonzero(odd) <= known:
        return []
    found: list[int] = (np.flatnonzero(even) * 2 + _CHUNK_HEADER).tolist()
    return found + (np.flatnonzero(odd) * 2 + _CHUNK_HEADER + 1).tolist()


def _named(elements: Sequence[bytes], usual: bytes) -> list[bool]:
    """Which elements have a name and nothing else: ``_is_named`` for all of them, in half the time."""
    try:
        return [
            one[4:11] == usual and one[11] > 0 and not one[12] and one[13 + 2 * one[11]] in (2, 3) for one in elements
        ]
    except IndexError:  # one is cut off
        return [_is_named(one, 4, usual) for one in elements]


def _is_named(element: bytes, at: int, usual: bytes) -> bool:
    """Whether an element has one attribute, its name, which is a text of the template; ``at``: where it begins."""
    if element[at : at + 7] != usual or len(element) < at + 9:
        return False
    letters = element[at + 7] + 256 * element[at + 8]
    return letters > 0 and element[at + 9 + 2 * letters : at + 10 + 2 * letters] in _CONTENT


def _mixed(
    before: bytes, elements: Sequence[bytes], regular: Sequence[bool], usual: bytes, borders: int
) -> bool:  # fmt: skip
    """Whether a template has ``Data`` both with and without a name, or one that is not as usual.

    ``before``: what stands before the first of them; ``elements``: what follows the number of each; ``regular``: which
    of them ``_named`` knows; ``borders``: how many are no elements, but begin another template.
    """
    named = unnamed = False
    outermost = len(before) <= _ALONE
    for element, usual_one in zip(elements, regular, strict=True):
        if usual_one:
            if unnamed or outermost or before[-_ELSEWHERE:][:1] in _TOKENS:
                return True
            named, before = True, element
            continue
        if element.startswith(_BORDER):
            borders -= 1
            named = unnamed = False
            before = element[len(_BORDER) :]
            outermost = len(before) <= _ALONE
            continue
        token, elsewhere = before[-_IN_TEMPLATE:][:1], before[-_ELSEWHERE:][:1]
        if elsewhere in _TOKENS or (outermost and token in _TOKENS):
            return True
        if token == _TOKENS[0]:
            unnamed |= element[:1] == _CONTENT[0]
            if element[:1] not in _CONTENT:
                return True
        elif token == _TOKENS[1]:
            inline = element[4:9] == usual[:5] and element[27:29] == _LITERAL  # where ``Name`` is used first
            if not (_is_named(element, 4, usual) or (inline and _is_named(usual[:5] + element[27:], 0, usual))):
                return True
            named = True
        if named and unnamed:
            return True
        before, outermost = element, False
    return borders != 0


def _changed(chunk: bytes, seen: npt.NDArray[np.uint8]) -> Letters:
    """The first letters of EventData and UserData where they are defined, and what they are to be."""
    found = [(one.start(), mark) for mark, text in _CONTAINERS for one in text.finditer(chunk)]
    # The same bytes may be a value.
    used = {_NUMBER.unpack_from(chunk, at)[0] for at in _elements(chunk, seen, [place - 6 for place, _ in found])}
    return tuple((place + 2, mark.encode("utf-16-le")) for place, mark in found if place - 6 in used)


def instructions(chunk: bytes | memoryview) -> list[int]:
    """Where processing instructions stand: the parser hands on none of them, the log service writes none.

    A token, the offset of a name, and the text (tokens 10 and 11). The name is looked at with its hash, as any bytes
    of a value may look like the rest.
    """
    seen = np.frombuffer(chunk, np.uint8)
    likely = seen[:-8] == _INSTRUCTION[0]
    likely &= seen[3:-5] == 0
    likely &= seen[4:-4] == 0
    return [at for at in np.flatnonzero(likely).tolist() if _is_instruction(chunk, at)]


def _is_instruction(chunk: bytes | memoryview, at: int) -> bool:
    behind = at + 5
    name = int.from_bytes(chunk[at + 1 : behind], "little")
    count = int.from_bytes(chunk[name + 6 : name + 8], "little")
    end = name + 10 + 2 * count
    if name == behind:  # it is defined here
        behind = end
    if chunk[behind : behind + 1] != _INSTRUCTION[1:] or end > len(chunk):
        return False
    number = 0
    for low, high in zip(chunk[name + 8 : end - 2 : 2], chunk[name + 9 : end - 2 : 2], strict=True):
        number = (number * 65599 + low + 256 * high) & 0xFFFFFFFF
    return number & 0xFFFF == int.from_bytes(chunk[name + 4 : name + 6], "little")


def is_marked(text: str) -> bool:
    """Whether the JSON of an event may have a name that was changed."""
    return "\ufdd0" in text or "\ufdd1" in text


def whole(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of the JSON of an event whose names were changed, with its own name, and its Data as a map."""
    return gathered([_restored(name, value) for name, value in pairs])


def gathered(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON; the values of a name that comes again are a list (event 4648 has two ``LogonGuid``)."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    several: dict[str, list[object]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in several.items()}


def _restored(name: str, value: object) -> tuple[str, object]:
    marked = _MARKED.fullmatch(name)
    if marked is None:
        return name, value
    if isinstance(value, dict):
        value = gathered([_data(inside) if _AGAIN.fullmatch(own) else (own, inside) for own, inside in value.items()])
    return _MARKS[marked[1]] + marked[2], value


def _data(element: object) -> tuple[str, object]:
    """The name that a Data element gives its value, ``Data`` where it has none, and the value."""
    if not isinstance(element, Mapping):
        return "Data", "" if element is None else element
    attributes = element.get("#attributes")
    named = attributes if isinstance(attributes, Mapping) else {}
    name = str(named.get("Name", ""))
    if not name:
        return "Data", element
    others = {attribute: value for attribute, value in named.items() if attribute != "Name"}
    inside = {own: value for own, value in element.items() if own != "#attributes"}
    if others:
        return name, {"#attributes": others, **inside}
    return name, inside["#text"] if inside.keys() == {"#text"} else inside or ""
