"""``ntfs-mft``: read the file records of an NTFS volume ($MFT)."""

from __future__ import annotations

from logsql.commands.forensic._spellings import below_root, last_name
from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_MFT
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register
from udfs.readers.artefacts import STEPS, Artefact, Known, TimeOf, sure

NAMES = OptionSpec(
    "names",
    OptionKind.BOOL,
    ("t gives each name (hard link) of a record a row", "t면 레코드의 이름(하드 링크)마다 한 행"),
    default=False,
    extension=True,
)
STREAMS = OptionSpec(
    "streams",
    OptionKind.BOOL,
    ("t gives each named stream a row instead", "t면 레코드 대신 이름 있는 스트림마다 한 행"),
    default=False,
    extension=True,
)
_COLUMNS = ("created_at", "modified_at", "access_at", "mft_modified_at")
ARTEFACT = Artefact(
    (
        Known("NTFS $MFT", r"(^|[/_])\$?MFT([_.-][^/]*)?$", b"FILE"),
        Known("NTFS $MFT", mark=b"FILE0"),
        *sure("NTFS $MFT"),
    ),
    tuple(
        TimeOf(source, prefix + column, action, path="file_path")
        for source, prefix in (("mft", "std_"), ("mft name", ""))
        for action, column in zip(STEPS, _COLUMNS, strict=True)
    ),
)

#: The names of MFTECmd's columns, and what other tools call a record.
_CALLED = {
    **dict.fromkeys(("inode", "entry", "entrynumber", "recordnumber", "mftentry"), "no"),
    "isdeleted": "in_use == false", "sequencenumber": "seq", "parententrynumber": "parent_no", "isdirectory": "is_dir",
    "fullpath": "file_path", "hasads": "isnotnull(ads)", "created0x10": "std_created_at", "created0x30": "created_at",
    "lastmodified0x10": "std_modified_at", "lastmodified0x30": "modified_at", "lastaccess0x10": "std_access_at",
    "lastaccess0x30": "access_at", "lastrecordchange0x10": "std_mft_modified_at",
    "lastrecordchange0x30": "mft_modified_at", "crtime": "std_created_at", "mtime": "std_modified_at",
    "atime": "std_access_at", "ctime": "std_mft_modified_at", "deleted": "in_use == false",
}  # fmt: skip
register(
    evidence_command(
        "ntfs-mft",
        Group.FORENSIC,
        SourceSpec(
            "udfs.readers.ntfs_mft:MftReader",
            artefact=ARTEFACT,
            items={"ads": "stream_name"},
            forms={"file_path": below_root, "file_name": last_name},
            called=_CALLED,
            adds=dict.fromkeys(("stream_name", "stream_size", "stream_content"), "streams=t"),
        ),
        ("Read the file records of an NTFS volume ($MFT).", "NTFS 볼륨의 파일 레코드($MFT)를 읽습니다."),
        """
One row per record, deleted ones included (`in_use` is false). The times of $FILE_NAME are `created_at` and so on,
those of $STANDARD_INFORMATION `std_created_at` and so on. `file_name` and `file_path` are the long names,
`short_name` the 8.3 name; Windows ignores their letter case, `==` does not: `lower(file_name) == "*.exe"`. `is_orphan`
(an extension) is true where the way up does not end at the root, because a folder above is not in the file or its
record was used again: `file_path` begins below it then.

Further extensions: `own_ref` is the reference of the record itself (number and sequence), `names` the paths of further
names (hard links) where a record has more than one, `ads` its named streams (alternate data streams), a list of maps
with `name`, `size` and `content`: the first 1,024 bytes in hexadecimal where the stream lies in the record, else null.
`names=t` gives each name a row, `file_name`, `file_path`, the parent and the times being those of that name.
`streams=t` gives each named stream a row, with `stream_name`, `stream_size` and `stream_content` (binary); records
without one have none.
""",
        (NAMES, STREAMS),
        errors=(
            NOT_MFT,
            EMPTY_FILE,
        ),
    )
)
