"""Event logs: counts, ids and fields three other readers agree on; damage counted; the package missing."""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.readers.ntfs_support import table, unpacked
from tests.support import SHARED, shared_data
from udfs.readers.base import LOGICAL_TYPE, ListLoss, NullProgress, ReadContext, ReaderError, null_context
from udfs.readers.evidence import Tally
from udfs.readers.evtx import EvtxReader
from udfs.readers.evtx_events import SCHEMA, Event, EventRows
from udfs.readers.evtx_system import KIND, with_braces
from udfs.readers.files import Files
from udfs.readers.request import Request

_ANSWERS = SHARED / "data" / "forensics" / "expected-evtx.json"
_FILES: dict[str, Any] = json.loads(_ANSWERS.read_text()) if _ANSWERS.exists() else {}


@pytest.mark.evidence
def test_answer_file_is_there() -> None:
    shared_data("forensics", "expected-evtx.json")
    assert len(_FILES) == 7


@pytest.fixture
def _package() -> None:
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize("name", sorted(_FILES))
def test_answers_of_other_readers(name: str, tmp_path: Path) -> None:
    expected = _FILES[name]
    loss = ListLoss()
    found = table(EvtxReader(str(unpacked(tmp_path, "evtx", name))), None, loss)
    ids, events = found.column("record_no").to_pylist(), found.column("event_id").to_pylist()
    digest = hashlib.sha256(json.dumps(sorted(zip(ids, events, strict=True))).encode()).hexdigest()
    assert digest == expected["evtx"]["sha_id_event"]
    assert found.num_rows == expected["evtx"]["records"]
    # Of two files the parser does not tell what it left out: test_evtx_layout.py.
    silent = name in ("plaso_System2.evtx", "Microsoft-Windows-LanguagePackSetup-Operational.evtx")
    # Chunks that the header counts and the cut file does not have are no error to the parser.
    lost = [entry.count for entry in loss.entries if entry.reason != "missing-chunk"]
    assert sum(lost) == expected["evtx"]["errors"] + silent
    assert {event: events.count(int(event)) for event in expected["event_ids"]} == expected["event_ids"]
    assert sorted(map(str, set(found.column("channel").to_pylist()))) == sorted(expected["channels"])
    assert len(set(found.column("provider").to_pylist())) == expected["providers"]
    first = found.slice(0, 1).to_pylist()[0]
    record, event, channel, provider, computer, level, task, stamp = expected["sample"]
    assert [first[key] for key in ("record_no", "event_id", "channel", "provider", "computer", "level", "task")] == [
        record, event, channel, provider, computer, level, task,
    ]  # fmt: skip
    # The answer has up to seven decimals, the column microseconds.
    assert first["_time"].strftime("%Y-%m-%dT%H:%M:%S.%f") == (stamp[:-5].ljust(20, ".") + "000000")[:26].replace(
        "..", "."
    )
    assert first["msg"] is None
    assert first["_file"] == name


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_event_data_is_the_named_values(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "evtx", "new-user-security.evtx")
    reader = EvtxReader(str(path))
    assert reader.schema.field("event_data").metadata[LOGICAL_TYPE] == b"json"
    rows = table(reader, ["event_id", "event_data"]).to_pylist()
    created = next(json.loads(row["event_data"]) for row in rows if row["event_id"] == 4720)
    # Microsoft's documentation of event 4720 names these; the values stand in the file as UTF-16.
    for name in ("TargetUserName", "TargetSid", "SubjectUserName", "SamAccountName", "UserAccountControl"):
        assert name in created
    for name in ("TargetUserName", "SubjectUserName"):
        assert created[name].encode("utf-16-le") in path.read_bytes()
    user = table(EvtxReader(str(unpacked(tmp_path, "evtx", "plaso_System.evtx"))), ["event_data"]).to_pylist()
    parsed = [json.loads(row["event_data"]) for row in user if row["event_data"]]
    # UserData/INFO_PNP_STATE: the element's own fields, without its namespaces.
    assert {"InstallSubsystemState": False, "CachingSubsystemState": False} in parsed


def _rows(texts: Sequence[str], columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows that events of these JSON texts give."""
    rows = EventRows(SCHEMA if columns is None else pa.schema([SCHEMA.field(name) for name in columns]))
    rows.of_file({"_file": "log.evtx"}, Tally())
    rows.add(
        [Event(event_record_id=n, timestamp="2020-01-02T03:04:05Z UTC", data=text) for n, text in enumerate(texts)]
    )
    found: list[dict[str, Any]] = rows.batch().to_pylist()
    return found


def _long_way(text: str) -> str:
    """The same event in a shape that is never taken apart without parsing it."""
    return text.replace('"System":{', '"System": {', 1).replace(',"TimeCreated"', ', "TimeCreated"', 1)


def _event(system: str, rest: str) -> str:
    return '{"Event":{"#attributes":{"xmlns":"x"},"System":{' + system + "}," + rest + "}}"


_SYSTEM = (
    '"Provider":{"#attributes":{"Name":"P","Guid":"{1}"}},"EventID":%s,"Version":0,"Level":4,"Task":7,"Opcode":0,'
    '"Keywords":"0x0","TimeCreated":{"#attributes":{"SystemTime":"2021-03-31T23:51:45Z"}},"EventRecordID":9,'
    '"Correlation":null,"Execution":{"#attributes":{"ProcessID":1,"ThreadID":2}},'
    '"Channel":"C","Computer":"H","Security":null'
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_event(_SYSTEM % "5", '"EventData":{"a":1}'), ("P", 5, 4, 7, "C", "H", '{"a":1}')),
        (_event(_SYSTEM % '{"#attributes":{"Qualifiers":16384},"#text":1073742890}', '"EventData":null'),
         ("P", 1066, 4, 7, "C", "H", None)),
        (_event(_SYSTEM % "5", '"EventData":{"Data":{"#text":["x","y"]}}'), ("P", 5, 4, 7, "C", "H",
                                                                           '{"Data":["x","y"]}')),
        (_event(_SYSTEM % "5", '"EventData":{"q":"say \\",\\"EventData\\":1"}'),
         ("P", 5, 4, 7, "C", "H", '{"q":"say \\",\\"EventData\\":1"}')),
        (_event(_SYSTEM.replace('"P"', '"a\\"b"') % "5", '"EventData":null'), ('a"b', 5, 4, 7, "C", "H", None)),
        ("no json", (None, None, None, None, None, None, None)),
        ('{"Event":{"System":{"EventID":"x","Channel":null}}}', (None, None, None, None, None, None, None)),
    ],
)  # fmt: skip
def test_shapes_of_events(data: str, expected: tuple[Any, ...]) -> None:
    names = ("provider", "event_id", "level", "task", "channel", "computer", "event_data", "msg")
    (row,) = _rows([data])
    assert tuple(row[name] for name in names) == (*expected, None)


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_the_short_way_gives_what_parsing_gives(tmp_path: Path) -> None:
    from evtx import PyEvtxParser

    texts = []
    for name in sorted(_FILES):
        events = PyEvtxParser(str(unpacked(tmp_path, "evtx", name))).records_json()
        while True:
            try:
                texts.append(next(events)["data"])
            except StopIteration:
                break
            except RuntimeError:
                continue
    assert len(texts) > 1000
    for short, parsed in zip(_rows(texts), _rows([_long_way(text) for text in texts]), strict=True):
        for row in (short, parsed):
            row["event_data"] = row["event_data"] and json.loads(row["event_data"])
        assert short == parsed


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_damaged_chunks_are_counted_with_their_offset(tmp_path: Path) -> None:
    loss = ListLoss()
    table(EvtxReader(str(unpacked(tmp_path, "evtx", "sysmon.evtx"))), ["record_id"], loss)
    assert [(entry.reason, entry.count, entry.position) for entry in loss.entries] == [
        ("damaged-chunk", 8, 4096 + 9 * 65536)
    ]
    assert "Invalid EVTX chunk header magic" in (loss.entries[0].sample or "")


@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty-file"), (bytes(99_999), "not-an-evtx"), (b"hello", "not-an-evtx")]
)
def test_files_that_are_no_event_log(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "x.evtx").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        table(EvtxReader(str(tmp_path / "x.evtx")))
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evtx", None)
    (tmp_path / "x.evtx").write_bytes(b"ElfFile\0")
    with pytest.raises(ReaderError, match=r"logsql\[forensic\]") as caught:
        table(EvtxReader(str(tmp_path / "x.evtx")))
    assert caught.value.code == "missing-extra"


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_time_and_number_of_an_event_are_its_own(tmp_path: Path) -> None:
    """Values of libevtx's XML, python-evtx and the Rust parser's JSON, which agree; the headers tell of the export."""
    made = {}
    for name in ("d01a-UACME_59_Sysmon.evtx.xz", "d01b-MSExchange_Management_wec.evtx.xz"):
        path = tmp_path / name.removesuffix(".xz")
        path.write_bytes(lzma.decompress(shared_data("evidence2", name).read_bytes()))
        loss = ListLoss()
        made[name[:4]] = table(EvtxReader(str(path)), ["_time", "record_id", "record_no"], loss).to_pylist()
        assert not loss.entries
    assert [r["record_no"] for r in made["d01a"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [r["record_id"] for r in made["d01a"]] == list(range(2164886, 2164893))
    assert made["d01a"][6]["_time"].isoformat() == "2020-10-05T20:43:58.451314+00:00"  # its header says 1601
    assert made["d01a"][0]["_time"].isoformat() == "2020-10-05T20:43:58.351744+00:00"
    (event,) = made["d01b"]
    assert (event["record_id"], event["record_no"]) == (3229, 1)
    assert event["_time"].isoformat() == "2021-11-19T16:52:33.833733+00:00"  # its header has the time of arrival


def _packed_logs() -> Iterator[bytes]:
    """Every event log of the private data, the packed ones unpacked."""
    for path in sorted(shared_data().rglob("*.evtx.xz")):
        yield lzma.decompress(path.read_bytes())
    for path in sorted(shared_data().rglob("*.tar.xz")):
        with tarfile.open(path) as packed:
            for member in packed:
                if member.name.endswith(".evtx"):
                    yield packed.extractfile(member).read()  # type: ignore[union-attr]


#: Behind it there are zeros, and libevtx takes it for no record of the chunk: number, EventRecordID, time.
_ONLY_OURS = (17, 17, 1533278646418533)


def _leaves(value: object) -> int:
    """Texts and numbers of event data that are not blank."""
    if isinstance(value, dict | list):
        return sum(_leaves(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is not None and str(value).strip() != ""


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_every_event_is_told_as_another_reader_tells_it(tmp_path: Path) -> None:
    """Times and numbers of each event, and how much its data hold: what stands beside System is in ``event_data``."""
    answers = {}
    for line in (Path(__file__).parent / "evtx_answers.txt").read_text().splitlines()[3:]:
        log, count, digest, leaves = line.split()
        answers[log] = (int(count), digest, leaves)
    different = []
    for data in _packed_logs():
        path = tmp_path / "log.evtx"
        path.write_bytes(data)
        found = table(EvtxReader(str(path)), ["_time", "record_id", "record_no", "event_data", "msg"])
        columns = [found.column(name).cast("int64").to_pylist() for name in ("record_no", "record_id", "_time")]
        texts = zip(found.column("event_data").to_pylist(), found.column("msg").to_pylist(), strict=True)
        rows = [(*row, text) for *row, text in zip(*columns, texts, strict=True) if tuple(row) != _ONLY_OURS]
        lines = sorted(f"{number} {own} {time}" for number, own, time, _ in rows)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        leaves = sum(_leaves(json.loads(text or "null")) + _leaves(message) for *_, (text, message) in rows)
        log = hashlib.sha256(data).hexdigest()[:16]
        expected = answers.pop(log, None)
        told = expected is not None and expected[2] != "-"
        if expected != (len(rows), digest, str(leaves) if told else "-"):
            different.append((log, len(rows), leaves, expected))
    assert not different
    assert not answers


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_names_that_come_again_and_bodies_that_are_no_event_data(tmp_path: Path) -> None:
    """libevtx and python-evtx show both Data elements of event 4648; the other event could not be written as meant."""
    made = {}
    for name in ("d02-repeated-names.evtx", "d03-processing-error.evtx"):
        path = tmp_path / name
        path.write_bytes(lzma.decompress(shared_data("evidence2", f"{name}.xz").read_bytes()))
        made[name[:3]] = table(EvtxReader(str(path)), ["record_no", "event_data"]).to_pylist()
    (again,) = (json.loads(row["event_data"]) for row in made["d02"] if row["record_no"] == 4)
    guid = "{{{0}-{1}-{1}-{1}-{2}}}".format
    assert again["LogonGuid"] == [guid(c * 8, c * 4, c * 12) for c in "AB"]
    assert (again["SubjectUserSid"], again["TargetServerName"]) == ("S-1-5-18", "localhost")
    error = json.loads(made["d03"][0]["event_data"])
    assert (error["ErrorCode"], error["DataItemName"]) == (15005, "shellId")
    assert error["EventPayload"].startswith("6800")


@pytest.mark.evidence
def test_the_device_that_arrived_is_told() -> None:
    """Attributes of the element in UserData: the USB device of event 2003."""
    (row,) = _rows([shared_data("evidence2", "d04-userdata-attributes.json").read_text()])
    data = json.loads(row["event_data"])
    assert sorted(data) == ["instance", "lifetime"]
    assert data["lifetime"] == "{7E0E3B5C-0000-4000-8000-000000000001}"
    assert "USBSTOR#DISK&VEN_ACME&PROD_STICK" in data["instance"]


@pytest.mark.parametrize(
    ("rest", "data", "message"),
    [
        ('"EventData":{"a":1,"b":2,"a":3}', {"a": [1, 3], "b": 2}, None),
        ('"EventData":{"a":["x"],"a":["y"]}', {"a": [["x"], ["y"]]}, None),
        ('"EventData":{"#attributes":{"Name":"N"},"a":1}', {"Name": "N", "a": 1}, None),
        ('"UserData":{"E":{"#attributes":{"xmlns":"u","xmlns:x":"v","id":7},"f":{"#text":"t"}}}',
         {"id": 7, "f": "t"}, None),
        ('"UserData":{"E":{"id":1,"#attributes":{"id":7}}}', {"id": [7, 1]}, None),
        ('"UserData":{"E":{"#attributes":{"xmlns":"u"}}}', {}, None),
        ('"UserData":{"E":{"f":{"#attributes":{"xmlns":"u","n":"x"},"#text":"t"}}}',
         {"f": {"#attributes": {"n": "x"}, "#text": "t"}}, None),
        ('"DebugData":{"SequenceNumber":5,"LevelName":"l"}', {"SequenceNumber": 5, "LevelName": "l"}, None),
        ('"BinaryEventData":"00FF"', "00FF", None),
        ('"SubscriptionBookmarkEvent":{"SubscriptionId":"s"}', {"SubscriptionId": "s"}, None),
        ('"EventData":{"a":1},"RenderingInfo":{"#attributes":{"Culture":"de-DE"},"Message":"Hallo","Task":"Anmelden"}',
         {"a": 1, "RenderingInfo": {"#attributes": {"Culture": "de-DE"}, "Task": "Anmelden"}}, "Hallo"),
        ('"EventData":null,"RenderingInfo":{"Message":"Hallo"}', None, "Hallo"),
        ('"EventData":{"Data":{"#text":["x","}},\\"Binary\\":"]},"Binary":"0A"}',
         {"Data": ["x", '}},"Binary":'], "Binary": "0A"}, None),
        ('"EventData":{"Data":{"#text":"x"},"y":{"z":"w"}}', {"Data": "x", "y": {"z": "w"}}, None),
        ('"EventData":{"ip":"::1","k":":","m":"a\\":1"}', {"ip": "::1", "k": ":", "m": 'a":1'}, None),
    ],
)  # fmt: skip
def test_everything_beside_system_is_event_data(rest: str, data: object, message: str | None) -> None:
    for text in (_event(_SYSTEM % "5", rest), _long_way(_event(_SYSTEM % "5", rest))):
        (row,) = _rows([text])
        assert (json.loads(row["event_data"]) if row["event_data"] is not None else None, row["msg"]) == (data, message)


@pytest.mark.parametrize(
    ("created", "time", "counted"),
    [
        ('"TimeCreated":{"#attributes":{"SystemTime":"2021-03-31T23:51:45.0187674Z"}},', 1617234705018767, 0),
        # Rendered before it was collected: nine digits, and all values are texts (the logs of a collector).
        ('"TimeCreated":{"#attributes":{"SystemTime":"2021-11-19T16:52:33.833733500Z"}},', 1637340753833733, 0),
        ('"TimeCreated":{"#attributes":{"SystemTime":"2021-11-19T16:52:33Z"}},', 1637340753000000, 0),
        ('"TimeCreated":{"#attributes":{"SystemTime":"2021-11-19T18:52:33.5+02:00"}},', 1637340753500000, 0),
        ('"TimeCreated":{"#attributes":{"SystemTime":"1601-01-01T00:00:00Z"}},', 1577934245000000, 1),
        ('"TimeCreated":{"#attributes":{"SystemTime":"0"}},', 1577934245000000, 1),
        ('"TimeCreated":null,', 1577934245000000, 1),
        ("", 1577934245000000, 1),
    ],
)
def test_the_header_dates_an_event_without_a_time(created: str, time: int, counted: int) -> None:
    data = '{"Event":{"System":{"EventID":1,' + created + '"EventRecordID":77,"Channel":"c","Computer":"h"}}}'
    tally = Tally()
    rows = EventRows(pa.schema([SCHEMA.field("_time"), SCHEMA.field("record_id")]))
    rows.of_file({"_file": "log.evtx"}, tally)
    rows.add([{"event_record_id": 5, "timestamp": "2020-01-02T03:04:05Z UTC", "data": data}])
    made = rows.batch()
    assert made["_time"].cast("int64").to_pylist() == [time]
    assert made["record_id"].to_pylist() == [77]
    loss = ListLoss()
    tally.report(ReadContext(loss, NullProgress(), lambda: False, Files()), "log.evtx")
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("time-of-record", 1)] * counted


_SYSTEM_COLUMNS = ("version", "opcode", "keywords", "process_id", "thread_id", "user_sid", "activity_id",
                   "related_activity_id", "provider_guid")  # fmt: skip


def _said(column: str, value: object) -> str:
    """A value of System as the answers write it."""
    if value is None:
        return ""
    return str(int(str(value), 16)) if column == "keywords" else str(value).upper()


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_system_as_another_reader_tells_it(tmp_path: Path) -> None:
    answers = {}
    for line in (Path(__file__).parent / "evtx_system_answers.txt").read_text().splitlines()[3:]:
        log, count, digest = line.split()
        answers[log] = (int(count), digest)
    different = []
    for data in _packed_logs():
        path = tmp_path / "log.evtx"
        path.write_bytes(data)
        found = table(EvtxReader(str(path)), ["_time", "record_id", "record_no", *_SYSTEM_COLUMNS])
        numbers = [found.column(name).cast("int64").to_pylist() for name in ("record_no", "record_id", "_time")]
        only_ours = list(zip(*numbers, strict=True)).index(_ONLY_OURS) if 1533278646418533 in numbers[2] else -1
        rows = [row for place, row in enumerate(found.to_pylist()) if place != only_ours]
        lines = sorted("|".join([str(row["record_no"])] + [_said(c, row[c]) for c in _SYSTEM_COLUMNS]) for row in rows)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        expected = answers.pop(hashlib.sha256(data).hexdigest()[:16], None)
        if expected != (len(rows), digest):
            different.append((len(rows), expected))
    assert not different
    assert not answers


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (_SYSTEM % "5", {"version": 0, "opcode": 0, "keywords": "0x0", "process_id": 1, "thread_id": 2,
                         "provider_guid": "{1}"}),
        # Rendered before it was collected: texts for numbers.
        (_SYSTEM.replace('"Version":0', '"Version":"3"') % '"5"', {"version": 3, "opcode": 0, "keywords": "0x0",
                                                                   "process_id": 1, "thread_id": 2,
                                                                   "provider_guid": "{1}"}),
        (_SYSTEM.replace('"Correlation":null',
                         '"Correlation":{"#attributes":{"ActivityID":"A","RelatedActivityID":"B"}}')
         .replace('"Security":null', '"Security":{"#attributes":{"UserID":"S-1-5-18"}}')
         .replace('"Name":"P","Guid":"{1}"', '"Name":"P"') % "5",
         {"version": 0, "opcode": 0, "keywords": "0x0", "process_id": 1, "thread_id": 2, "user_sid": "S-1-5-18",
          "activity_id": "A", "related_activity_id": "B"}),
        ('"EventID":5,"Execution":{"#attributes":{"ThreadID":4}},"Keywords":"0x1"', {"thread_id": 4,
                                                                                   "keywords": "0x1"}),
        ('"EventID":5,"Keywords":{"a":1},"Security":"x"', {}),
    ],
)  # fmt: skip
def test_what_system_says(system: str, expected: dict[str, object]) -> None:
    """The short way gives what parsing gives; a text of the event that looks like System is none."""
    data = _event(system, '"EventData":{"q":"\\"Version\\":9,\\"Opcode\\":9"}')
    texts = [data, data, _long_way(data)]
    assert _rows(texts, _SYSTEM_COLUMNS) == [{name: expected.get(name) for name in _SYSTEM_COLUMNS}] * 3
    for columns in [[name] for name in _SYSTEM_COLUMNS]:
        assert _rows(texts, columns) == [{name: expected.get(name) for name in columns}] * 3


def test_a_batch_remembers_no_place_of_the_one_before() -> None:
    """Each batch has a table of its own; numbers too long for a column are none, whichever way an event goes."""
    rows = EventRows(pa.schema([SCHEMA.field(name) for name in ("provider", "event_id", "process_id", "computer")]))
    rows.of_file({"_file": "log.evtx"}, Tally())
    long = _SYSTEM.replace('"ProcessID":1', '"ProcessID":1234567890123456789') % "70000"
    usual = _event(_SYSTEM % "5", '"EventData":null')
    for texts in (
        [usual, _event(long, '"EventData":null'), usual],
        [_long_way(_event(long, '"EventData":null')), usual],
    ):
        rows.add([Event(event_record_id=1, timestamp="", data=text) for text in texts])
        assert rows.batch().to_pylist() == [
            {"provider": "P", "event_id": 5 if text is usual else 4464, "process_id": 1 if text is usual else None,
             "computer": "H"}
            for text in texts
        ]  # fmt: skip


def test_a_quoted_number_of_an_event_is_its_number() -> None:
    quoted = (_SYSTEM % "5").replace('"EventRecordID":9', '"EventRecordID":"9"')
    six_digits = quoted.replace("51:45Z", "51:45.123456Z")
    assert [row["record_id"] for row in _rows([_event(text, '"EventData":null') for text in (quoted, six_digits)])] == [
        9,
        9,
    ]


def test_usual_events_are_not_parsed() -> None:
    """The kind of an event is its text up to Keywords: quoted numbers, as rendered events have them, are parsed."""
    kind = '{"Event":{"System":{' + (_SYSTEM % "5").partition(',"TimeCreated"')[0]
    assert KIND.facts(kind) == {"provider": "P", "provider_guid": "{1}", "event_id": 5, "version": 0, "level": 4,
                                "task": 7, "opcode": 0, "keywords": "0x0"}  # fmt: skip
    assert KIND.facts(kind.replace('"Version":0', '"Version":"0"')) is None


def test_guids_have_braces() -> None:
    """Windows and libevtx write them so; a GUID inside a text and one in small letters are texts as they stand."""
    guid = "5770385F-C22A-43E0-BF4C-06F5698FFBD9"
    texts = [
        f'{{"a":"{guid}","b":["{guid}","x {guid}"],"c":"\\"{guid}\\"","d":"{guid.lower()}","e":"{{{guid}}}"}}',
        None,
    ]
    assert with_braces(pa.array(texts, pa.string())).to_pylist() == [
        f'{{"a":"{{{guid}}}","b":["{{{guid}}}","x {guid}"],"c":"\\"{guid}\\"","d":"{guid.lower()}","e":"{{{guid}}}"}}',
        None,
    ]
    assert with_braces(pa.array(['{"a":1}'])).to_pylist() == ['{"a":1}']


@pytest.mark.usefixtures("_package")
def test_logs_of_windows_xp_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "SecEvent.Evt"
    path.write_bytes(bytes.fromhex("300000004c664c6501000000010000003000000030000000") + bytes(200))
    with pytest.raises(ReaderError, match="wevtutil export-log") as caught:
        table(EvtxReader(str(path)), ["event_id"])
    assert caught.value.code == "not-an-evtx"
    # In a folder it stops no other, and is told; a folder of nothing else is refused with the same words.
    with pytest.raises(ReaderError, match="wevtutil export-log"):
        table(EvtxReader.of(Request([str(tmp_path)], null_context())), ["event_id"])
    (tmp_path / "b.evtx").write_bytes(b"ElfFile\0".ljust(4096, b"\0"))
    loss = ListLoss()
    table(EvtxReader.of(Request([str(tmp_path)], null_context())), ["event_id"], loss)
    assert {(Path(entry.source).name, entry.reason) for entry in loss.entries} >= {("SecEvent.Evt", "not-an-evtx")}


@pytest.mark.evidence
@pytest.mark.usefixtures("_package")
def test_small_logs_share_a_batch_and_keep_their_own_names_and_losses(tmp_path: Path) -> None:
    """A batch a log made 870 logs cost ten times one of their size; a damaged one stops none of the others."""
    small = unpacked(tmp_path, "evtx", "new-user-security.evtx").read_bytes()
    damaged = unpacked(tmp_path, "evtx", "sysmon.evtx").read_bytes()
    held = {"a": small, "b": b"ElfFile\0 and nothing else", "c": damaged, "d": small, "e": small[: len(small) // 2]}
    for host, data in held.items():
        (tmp_path / "hosts" / host).mkdir(parents=True)
        (tmp_path / "hosts" / host / "Security.evtx").write_bytes(data)
    loss = ListLoss()
    request = Request([str(tmp_path / "hosts")], null_context(), {"host": "hosts/([^/]+)/"})
    batches = list(EvtxReader.of(request).scan(None, null_context(loss)))
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert len(batches) == 1
    for host in "acde":
        alone = EvtxReader(str(tmp_path / "hosts" / host / "Security.evtx"))
        own = [row for batch in alone.scan(None, null_context()) for row in batch.to_pylist()]
        together = [row for row in rows if row["host"] == host]
        assert [{**row, "host": host} for row in own] == together
        assert len(together) > 0 or host == "e"
    assert {row["host"] for row in rows} >= {"a", "c", "d"}
    told = {(Path(entry.source).parent.name, entry.reason) for entry in loss.entries}
    assert ("c", "damaged-chunk") in told
    assert any(host == "b" for host, _ in told)
    assert not any(host in "ad" for host, _ in told)
