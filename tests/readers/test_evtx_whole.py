"""All that stands beside System is in ``event_data``, also what the JSON of the package ``evtx`` leaves out.

The events are written byte by byte from XML; what must be found again are the texts of that XML, read by
``xml.etree``, and the package's own XML of the log holds the same.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.readers.evtx_support import HOW, SYSTEM, Chunk, Forged, log, log_of
from tests.readers.ntfs_support import table
from udfs.readers.base import ListLoss
from udfs.readers.evtx import EvtxReader
from udfs.readers.evtx_whole import letters

_CONTAINERS = ("EventData", "UserData")
_MIXED = '<EventData><Data Name="a">A</Data><Data>x</Data></EventData>'
_USUAL = '<EventData><Data Name="a">A</Data><Data Name="b">B</Data></EventData>'
_CLASSIC = "<EventData><Data>x</Data><Data>y</Data></EventData>"
_WHOLE: dict[str, object] = {
    _MIXED: {"a": "A", "Data": "x"},
    '<EventData><Data>x</Data><Data Name="a">A</Data><Data>y</Data></EventData>': {"Data": ["x", "y"], "a": "A"},
    '<EventData><Data Name="Data">A</Data><Data>x</Data></EventData>': {"Data": ["A", "x"]},
    '<EventData how="own"><Data Name="a">A</Data><Data>x</Data></EventData>': {"a": "A", "Data": "x"},
    '<UserData><Data Name="a">A</Data><Data>x</Data></UserData>': {"a": "A", "Data": "x"},
    '<UserData><E><EventData><Data Name="a">A</Data><Data>x</Data></EventData></E></UserData>':
        {"EventData": {"a": "A", "Data": "x"}},
    '<EventData><Data Name="a">A</Data><Data Name="a"></Data><Data>x</Data></EventData>':
        {"a": ["A", ""], "Data": "x"},
    '<EventData><Data Name="a"></Data><Data></Data></EventData>': {"a": "", "Data": ""},
    '<EventData><Data Name="a" how="list">p|q</Data><Data how="list">x|y</Data></EventData>':
        {"a": ["p", "q"], "Data": ["x", "y"]},
    '<EventData><Data Name="%a">A</Data><Data Name="%">x</Data></EventData>': {"a": "A", "Data": "x"},
    '<EventData><Data Name="a">A</Data><Data how="literal">x</Data></EventData>': {"a": "A", "Data": "x"},
    '<EventData><Data Name="a" Type="t">A</Data><Data Name="b">B</Data></EventData>':
        {"a": {"#attributes": {"Type": "t"}, "#text": "A"}, "b": "B"},
    '<EventData><Data Type="t" Name="a">A</Data></EventData>': {"a": {"#attributes": {"Type": "t"}, "#text": "A"}},
    '<EventData><Data Type="t">A</Data><Data>x</Data></EventData>':
        {"Data": [{"#attributes": {"Type": "t"}, "#text": "A"}, "x"]},
    '<EventData Name="n" how="own">loose<Data Name="a">A</Data>tail<Data>x</Data><Binary how="hex">00FF</Binary>'
    "</EventData>": {"Name": "n", "#text": "loosetail", "a": "A", "Data": "x", "Binary": "00FF"},
    '<EventData><Data Name="a"><x>1</x></Data><Data>t<y>2</y></Data></EventData>':
        {"a": {"x": "1"}, "Data": {"#text": "t", "y": "2"}},
    '<EventData><Data Name="a">A</Data><Data>x</Data></EventData><UserData><E><f>1</f></E></UserData>':
        {"a": "A", "Data": "x", "UserData": {"f": "1"}},
    '<EventData><Data how="own" Name="a">A</Data><Data how="own">x</Data></EventData>': {"a": "A", "Data": "x"},
    r'<EventData><Data Name="a\b">1</Data><Data Name="a\b">2</Data></EventData>': {"a\\b": ["1", "2"]},
    "<UserData>text</UserData>": "text",
    '<EventData><Binary how="hex">00FF</Binary><Binary how="hex">0011</Binary></EventData>':
        {"Binary": ["00FF", "0011"]},
    '<EventData><Data Name="a"><x>1</x><x>2</x></Data></EventData>': {"a": {"x": ["1", "2"]}},
    "<RenderingInfo>text</RenderingInfo>": "text",
    "<RenderingInfo><Message><b>m</b></Message></RenderingInfo>": {"Message": {"b": "m"}},
    f"{_USUAL}tail": {"a": "A", "b": "B", "#text": "tail"},
}  # fmt: skip
"""What JSON leaves out or another way hid; ``event_data``."""
_NEIGHBOURS = (
    _USUAL,
    "<EventData><Data>x</Data><Data>y</Data></EventData>",
    "<EventData><Data>x</Data></EventData>",
    "<EventData><Data></Data><Data>x</Data></EventData>",
    '<EventData><Data Name="a">A</Data><Data Name="a">B</Data><Data Name="a"></Data></EventData>',
    '<EventData><Data Name="a"></Data></EventData>',
    '<EventData><Data Name="">A</Data><Data Name="">B</Data></EventData>',
    '<EventData><Data Name="a">A</Data><Data Name="">x</Data></EventData>',
    '<EventData><Data Name="#text">A</Data><Data Name="b">B</Data></EventData>',
    '<EventData><Data Name="#attributes">A</Data><Data Name="b">B</Data></EventData>',
    '<EventData><Data Name="#text">A</Data><Data>B</Data></EventData>',
    '<EventData><Data Name="a">A</Data><Binary how="hex">00FF</Binary></EventData>',
    '<EventData><Data>A</Data><Binary how="hex">00FF</Binary></EventData>',
    '<EventData><Data Name="Binary">A</Data><Binary how="hex">00FF</Binary></EventData>',
    '<EventData><Data Name="a">A</Data><x>B</x><x>C</x><a>D</a></EventData>',
    '<EventData><ComplexData Name="c">t</ComplexData><ComplexData>u</ComplexData><Data Name="d">v</Data></EventData>',
    '<EventData Name="N"><Data Name="a">A</Data></EventData>',
    '<EventData Name="N">text</EventData>',
    "<EventData>text</EventData>",
    "<EventData>loose<Data>A</Data></EventData>",
    '<EventData><Data Name="a">t<x>1</x>u</Data></EventData>',
    '<EventData><Data Name="a" how="entity">amp</Data></EventData>',
    "<UserData><E>mixed<f>1</f>tail</E></UserData>",
    '<UserData><E><f a="1">t</f><f a="2"></f><f>u</f></E></UserData>',
    '<UserData><E a="1">t</E></UserData>',
    '<UserData><E><Data Name="a">A</Data><Data>B</Data><Data Name="a" Type="t">C</Data></E></UserData>',
    "<UserData><E>t</E><F>u</F><E>v</E></UserData>",
    '<UserData a="1"><E>t</E></UserData>',
    '<EventData><Data Name="a">A</Data></EventData><EventData><Data Name="b">B</Data></EventData>',
    '<EventData><Data Name="a">A</Data></EventData><Other q="1">t</Other>',
    '<EventData><Data Name="say &quot;a&quot;:">{&quot;a&quot;:1}</Data><Data Name="b">\\</Data></EventData>',
)


def _leaves(value: object) -> Counter[str]:
    """Texts of event data that are not blank, the text of an element as one."""
    if isinstance(value, dict | list):
        return sum(map(_leaves, value.values() if isinstance(value, dict) else value), Counter())
    return Counter() if value is None or not str(value).strip() else Counter([str(value)])


def _beside_system(event: ElementTree.Element) -> Counter[str]:
    """Texts and attributes of an event's XML but for System; the name of a Data is the name of its value."""
    found: list[str] = []
    for parent in event.iter():
        if parent.tag == "System" or any(parent in system.iter() for system in event.iter("System")):
            continue
        # The package's XML is indented.
        text = "".join(part.strip() for part in (parent.text or "", *(one.tail or "" for one in parent)))
        how = parent.get(HOW, "")
        found += text.split("|") if how == "list" else ["&"] if how == "entity" else [text]
        for one in parent:
            called = "Name" if parent.tag in _CONTAINERS and one.tag == "Data" else ""
            attributes = {name: value for name, value in one.attrib.items() if name not in (HOW, called)}
            found += [value.removeprefix("%") for value in attributes.values()] if one.tag != "System" else []
    return Counter(text for text in found if text.strip())


def _told(path: Path) -> list[object]:
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    loss = ListLoss()
    rows = table(EvtxReader(str(path)), ["record_id", "event_data", "msg"], loss).to_pylist()
    assert not loss.entries
    assert {row["record_id"] for row in rows} == {9}
    assert {row["msg"] for row in rows} == {None}
    return [json.loads(row["event_data"] or "null") for row in rows]


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("body", [*_WHOLE, *_NEIGHBOURS])
def test_every_text_beside_system_is_found_again(body: str, lists: bool, tmp_path: Path) -> None:
    package = pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    path = tmp_path / "log.evtx"
    path.write_bytes(log(body, lists=lists))
    expected = _beside_system(ElementTree.fromstring(f"<Event>{SYSTEM}{body}</Event>"))
    (event,) = package.PyEvtxParser(str(path)).records()
    assert _beside_system(ElementTree.fromstring(event["data"])) == expected
    (told,) = _told(path)
    assert _leaves(told) == expected
    if body in _WHOLE:
        assert told == _WHOLE[body]


def test_one_among_usual_events(tmp_path: Path) -> None:
    """One event of a chunk is of such a template: those of its chunk and of the others are told as they were."""
    path = tmp_path / "log.evtx"
    usual = ["<EventData><Data>x</Data><Data>y</Data></EventData>", _USUAL, "<UserData><E><f>1</f></E></UserData>"]
    path.write_bytes(log(*usual))
    alone = _told(path)
    for chunks in (3, 20):  # a small log is held, of a large one the parts that are looked at
        made = [Chunk() for _ in range(chunks)]
        for number, chunk in enumerate(made):
            for body in [*usual, *([_MIXED] if number == 1 else []), *usual]:
                chunk.event(f"<Event>{SYSTEM}{body}</Event>")
        path.write_bytes(log_of([chunk.bytes() for chunk in made]))
        assert _told(path) == [*alone * 3, {"a": "A", "Data": "x"}, *alone * (2 * chunks - 3)]


def test_in_a_chunk_whose_header_or_lists_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    sound = log(_USUAL, _MIXED, _USUAL)
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    for place, damage in ((4096, b"\xff" * 128), (4096 + 128, struct.pack("<I", 0x7FFFFFFF)), (0, bytes(64))):
        path.write_bytes(sound[:place] + damage + sound[place + len(damage) :])
        rows = table(EvtxReader(str(path)), ["event_data"]).to_pylist()
        usual = {"a": "A", "b": "B"}
        assert [json.loads(row["event_data"]) for row in rows] == [usual, {"a": "A", "Data": "x"}, usual]


@pytest.mark.parametrize("first", [_USUAL, _CLASSIC, ""])
@pytest.mark.parametrize(
    "forged",
    [
        Forged(unlisted=True),
        Forged(bare=True),
        Forged(again=("Data",)),
        Forged(again=("Name",)),
        Forged(again=("EventData",)),
        Forged(again=("Data", "EventData"), unlisted=True),
        Forged(again=("Data",), bare=True),
    ],
    ids=str,
)
def test_a_forged_log_hides_nothing(forged: Forged, first: str, tmp_path: Path) -> None:
    """Names, templates and elements where the log service has none: the parser reads them, wherever they stand."""
    chunk = Chunk()
    for body in (first, _USUAL) if first else ():
        chunk.event(f"<Event>{SYSTEM}{body}</Event>")
    chunk.event(f"<Event>{SYSTEM}{_MIXED}</Event>", forged)
    path = tmp_path / "log.evtx"
    path.write_bytes(log_of([chunk.bytes()]))
    assert _told(path)[-1] == {"a": "A", "Data": "x"}


def test_a_template_that_says_it_is_another_one(tmp_path: Path) -> None:
    """GUID, size and first bytes of a template that hides nothing, in an earlier chunk: what counts is what it is."""
    usual, other = Chunk(), Chunk()
    forged = Forged(number=bytes(range(16)), size=4096)
    usual.event(f"<Event>{SYSTEM}{_USUAL}</Event>", forged)
    other.event(f"<Event>{SYSTEM}{_MIXED}</Event>", forged)
    path = tmp_path / "log.evtx"
    path.write_bytes(log_of([usual.bytes(), other.bytes()]))
    assert _told(path) == [{"a": "A", "b": "B"}, {"a": "A", "Data": "x"}]


def test_what_earlier_events_have_left_behind_is_nobodys(tmp_path: Path) -> None:
    """Room behind the events holds what an earlier use of the chunk had there, often the same elements."""
    earlier, chunk = Chunk(), Chunk()
    for _ in range(9):
        earlier.event(f"<Event>{SYSTEM}{_MIXED}</Event>")
    chunk.event(f"<Event>{SYSTEM}{_CLASSIC}</Event>")
    made = chunk.bytes()
    path = tmp_path / "log.evtx"
    end = int.from_bytes(made[48:52], "little")
    path.write_bytes(log_of([made[:end] + earlier.bytes()[end:]]))
    assert _told(path) == [{"Data": ["x", "y"]}]


def test_a_value_that_is_called_like_an_element_is_told_as_it_stands(tmp_path: Path) -> None:
    """The names of elements are changed for the parser, never a text of the same bytes."""
    path = tmp_path / "log.evtx"
    literal = '<EventData><Data Name="EventData">UserData</Data><Data how="literal">EventData</Data></EventData>'
    path.write_bytes(log(literal, '<UserData><E UserData="EventData">Data</E></UserData>'))
    assert _told(path) == [{"EventData": "UserData", "Data": "EventData"}, {"UserData": "EventData", "#text": "Data"}]


def test_a_chunk_of_usual_templates_is_left_alone() -> None:
    """What costs time is done for suspicious templates alone: with lists as the log service writes them, none is."""
    usual = ["<EventData><Data>x</Data><Data>y</Data></EventData>", _USUAL, "<UserData><E><f>1</f></E></UserData>"]
    for bodies, changed in (([*usual, *usual], False), ([*usual, _MIXED], True)):
        chunk = Chunk()
        for body in bodies:
            chunk.event(f"<Event>{SYSTEM}{body}</Event>")
        made = chunk.bytes()
        templates = [at for at in struct.unpack_from("<32I", made, 384) if at]
        while follows := [n for at in templates if (n := struct.unpack_from("<I", made, at)[0]) not in (0, *templates)]:
            templates += follows
        assert bool(letters(made, templates)) == changed


def test_what_the_parser_does_not_read_is_counted(tmp_path: Path) -> None:
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    path = tmp_path / "log.evtx"
    for how in ("cdata", "character"):
        path.write_bytes(log(_USUAL, f'<EventData><Data Name="a" how="{how}">A</Data></EventData>', _USUAL))
        loss = ListLoss()
        assert table(EvtxReader(str(path)), ["event_data"], loss).num_rows == 2
        assert [(entry.reason, entry.count) for entry in loss.entries] == [("damaged-event", 1)]


@pytest.mark.parametrize("columns", [["event_data"], ["event_id", "user_sid"], ["record_id", "event_data"]])
def test_an_event_whose_json_is_broken_is_counted(columns: list[str], tmp_path: Path) -> None:
    """The package writes the name of an element as it is, also a quote in it."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    path = tmp_path / "log.evtx"
    for broken in ("<EventData><q>A</q></EventData>", "<UserData><E><q>A</q></E></UserData>", "<q>A</q>"):
        made = log(_USUAL, broken, _USUAL).replace(b"q\0\0\0", b'"\0\0\0')
        path.write_bytes(made)
        loss = ListLoss()
        rows = table(EvtxReader(str(path)), columns, loss).to_pylist()
        assert len(rows) == 3
        if "event_data" in columns:
            assert [row["event_data"] for row in rows] == ['{"a":"A","b":"B"}', None, '{"a":"A","b":"B"}']
            assert [(entry.reason, entry.count) for entry in loss.entries] == [("damaged-event", 1)]


@pytest.fixture(params=[1, 512])
def _after(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After how many events of a kind a pattern stands for them."""
    monkeypatch.setattr("udfs.readers.evtx_events._OFTEN", request.param)


@pytest.mark.usefixtures("_after")
def test_templates_of_one_kind_and_as_many_names_are_each_looked_at(tmp_path: Path) -> None:
    """Machines of one collector have other versions of a template; a forged log has any. Before, one spoke for all."""
    path = tmp_path / "log.evtx"
    path.write_bytes(log(_USUAL, '<EventData><Data Name="a">A</Data><Data Name="a">B</Data></EventData>', _USUAL))
    assert _told(path) == [{"a": "A", "b": "B"}, {"a": ["A", "B"]}, {"a": "A", "b": "B"}]


@pytest.mark.usefixtures("_after")
@pytest.mark.parametrize(
    ("sound", "broken", "forged"),
    [
        (_USUAL, '<EventData><Data Name="a">A</Data><q>B</q></EventData>', (b"q\0\0\0", b'"\0\0\0')),
        (_USUAL, '<EventData><Data Name="a">A</Data><b_c>B</b_c></EventData>', (b"b\0_\0c\0", b"b\0\\\0c\0")),
        (_CLASSIC, "<EventData><Data>x</Data><b_c>y</b_c></EventData>", (b"b\0_\0c\0", b"b\0\\\0c\0")),
        (_CLASSIC, '<EventData><Data>x</Data><Binary how="hex">00FF</Binary><b_c>y</b_c></EventData>',
         (b"b\0_\0c\0", b"b\0\\\0c\0")),
    ],
)  # fmt: skip
def test_broken_json_is_no_event_data_wherever_it_stands(
    sound: str, broken: str, forged: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """A forged name with a quote or a backslash, behind an event of the same kind that is as it should be."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    path = tmp_path / "log.evtx"
    made = log(sound, broken, sound)
    assert forged[0] in made
    path.write_bytes(made.replace(*forged))
    loss = ListLoss()
    rows = table(EvtxReader(str(path)), ["event_data"], loss).to_pylist()
    assert [row["event_data"] is None for row in rows] == [False, True, False]
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("damaged-event", 1)]


@pytest.mark.parametrize("columns", [["event_data"], ["event_id", "process_id", "channel", "event_data"]])
@pytest.mark.parametrize("body", [_USUAL, _CLASSIC, "<UserData><E><f>1</f></E></UserData>"])
def test_an_element_that_looks_like_the_rest_of_system_is_told(
    body: str, columns: list[str], tmp_path: Path
) -> None:  # fmt: skip
    """System ends early, and another element goes on with what it has elsewhere, up to Channel and Security."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    parts = [ElementTree.tostring(part, "unicode") for part in ElementTree.fromstring(SYSTEM)]
    path = tmp_path / "log.evtx"
    for number in range(1, len(parts)):
        first, other = "".join(parts[:number]), "".join(parts[number:])
        event = f"<Event><System>{first}</System><Other>{other}</Other>{body}</Event>"
        chunk = Chunk()
        chunk.event(event)
        path.write_bytes(log_of([chunk.bytes()]))
        (row,) = table(EvtxReader(str(path)), columns).to_pylist()
        assert _leaves(json.loads(row["event_data"])) == _beside_system(ElementTree.fromstring(event)), number


def test_a_pattern_for_many_events_hides_none(tmp_path: Path) -> None:
    """Of 1,200 events of one kind each tells its own: texts with quotes, backslashes and names in them, other names,
    lists, maps, and none at all."""
    path = tmp_path / "log.evtx"
    bodies = []
    for text in ("A", 'say "b":', "\\", "C:\\", '\\"', ",", '","b":"', "보고서", "\t", "}", "{}"):
        event = ElementTree.Element("EventData")
        ElementTree.SubElement(event, "Data", Name="a").text = text
        ElementTree.SubElement(event, "Data", Name="b").text = text[::-1]
        bodies.append((ElementTree.tostring(event, "unicode"), {"a": text, "b": text[::-1]}))
    odd: list[tuple[str, object]] = list(_WHOLE.items())
    odd += [('<EventData><Data Name="b">B</Data><Data Name="a">A</Data></EventData>', {"b": "B", "a": "A"}), ("", None)]
    chunks, expected = [], []
    for number in range(12):
        chunk = Chunk()
        for place in range(100):
            body, told = (
                bodies[(number + place) % len(bodies)] if place % 10 else odd[(number * 10 + place // 10) % len(odd)]
            )
            chunk.event(f"<Event>{SYSTEM}{body}</Event>")
            expected.append(told)
        chunks.append(chunk.bytes())
    path.write_bytes(log_of(chunks))
    assert _told(path) == expected


@pytest.mark.parametrize("chunks", [1, 20])
@pytest.mark.parametrize(
    "body",
    [
        '<EventData><Data Name="a">A</Data><hidden how="instruction">text</hidden></EventData>',
        '<hidden how="instruction">text</hidden><EventData><Data Name="a">A</Data></EventData>',
        '<UserData><E><Data how="instruction">text</Data><a>A</a></E></UserData>',
        '<EventData how="own"><Data Name="a">A</Data><hidden how="instruction">text</hidden></EventData>',
    ],
)
def test_processing_instructions_are_counted(body: str, chunks: int, tmp_path: Path) -> None:
    """The package's JSON leaves them out, its XML has them; the log service writes none."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    path = tmp_path / "log.evtx"
    made = [Chunk() for _ in range(chunks)]
    for number, chunk in enumerate(made):
        for one in (_USUAL, *([body, _USUAL, body] if number == chunks // 2 else [])):
            chunk.event(f"<Event>{SYSTEM}{one}</Event>")
    path.write_bytes(log_of([chunk.bytes() for chunk in made]))
    loss = ListLoss()
    rows = table(EvtxReader(str(path)), ["event_data"], loss).to_pylist()
    assert [row["event_data"] for row in rows].count('{"a":"A"}') == 2
    assert len(rows) == chunks + 3
    # Two events of one template, where it stands once; an element of a template of its own likewise.
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("left-out-instruction", 1)]
    loss = ListLoss()
    assert table(EvtxReader(str(path)), ["event_id"], loss).num_rows == len(rows)
    assert not loss.entries
