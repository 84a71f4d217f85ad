"""``evtx-file``: read a Windows event log."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_EVTX
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register
from udfs.readers.artefacts import Artefact, Known, TimeOf

TIME_OF_RECORD = loss(
    "time-of-record",
    (
        "events without a time of their own: _time is that of the record's header",
        "자체 시각이 없는 이벤트: _time은 레코드 헤더의 시각입니다",
    ),
    fate=Fate.DOUBTFUL,
)
LEFT_OUT_INSTRUCTION = loss(
    "left-out-instruction",
    ("processing instructions in events: in no column", "이벤트 안의 처리 명령: 어느 열에도 없음"),
)
ARTEFACT = Artefact(
    (Known("event log", mark=b"ElfFile\0"), Known("event log", r"\.evtx$")),
    (TimeOf("evtx", "_time", words=("provider", "event_id"), path="channel", detail=("msg", "event_data")),),
)
#: How the event viewer shows numbers of System ([MS-EVEN6] and winmeta.xml of the Windows SDK): level 0 as Information.
_WORDS: dict[str, dict[str, tuple[str | int, ...]]] = {
    "level": {"Critical": (1,), "Error": (2,), "Warning": (3,), "Information": (0, 4), "Verbose": (5,)},
    "opcode": {"Info": (0,), "Start": (1,), "Stop": (2,)},
    "keywords": {"Audit Failure": ("0x8010000000000000",), "Audit Success": ("0x8020000000000000",)},
}
#: The names of the event's XML, of PowerShell's Get-WinEvent and of EvtxECmd's columns.
_CALLED = {
    "timecreated": "_time", "systemtime": "_time", "eventid": "event_id", "id": "event_id", "source": "provider",
    "providername": "provider", "logname": "channel", "machinename": "computer", "leveldisplayname": "level",
    "recordnumber": "record_id", "eventrecordid": "record_id", "userid": "user_sid", "securityuserid": "user_sid",
    "message": "msg", "executionprocessid": "process_id", "executionthreadid": "thread_id", "payload": "event_data",
    "sourcefile": "_path", "timestamp": "_time", "timegenerated": "_time", "taskcategory": "task",
    "eventcode": "event_id", "computername": "computer", "sourcename": "provider", "keywordsdisplaynames": "keywords",
}  # fmt: skip
register(
    evidence_command(
        "evtx-file",
        Group.FORENSIC,
        SourceSpec(
            "udfs.readers.evtx:EvtxReader",
            suffixes=(".evtx",),
            artefact=ARTEFACT,
            inner="event_data",
            words=_WORDS,
            called=_CALLED,
        ),
        ("Read a Windows event log.", "Windows 이벤트 로그 파일을 읽습니다."),
        """
One row per event. `event_data` is a map of the event's own values, all that it has beside System; a name that comes
again has a list of its values. `msg` is the text of events that were rendered before they were collected, else null:
the texts are in the providers' DLLs, not in the log. `_time` (TimeCreated) and `record_id` (EventRecordID) are those of
the event; `record_no` is the number of the record in this file, another one in logs that a collector or an export
wrote. Of the element System there are further `version`, `opcode`, `keywords`, `process_id`, `thread_id`, `user_sid`,
`activity_id`, `related_activity_id` and `provider_guid` (extensions); GUIDs stand in braces, `keywords` is the number
as text (an audit failure of Security is "0x8010000000000000", a success "0x8020000000000000"). An event without a time
of its own has the time of its record and is counted in the ledger, as are damaged chunks and events.

Where only some `Data` elements of an event have a name, those without one are under `Data`, as a list where they are
several. An attribute of such an element beside `Name` is kept: `{"#attributes":{"Type":"t"},"#text":"A"}`.
""",
        extra="forensic",
        package="evtx",
        errors=(
            NOT_EVTX,
            EMPTY_FILE,
            PACKAGE_MISSING,
        ),
    )
)
