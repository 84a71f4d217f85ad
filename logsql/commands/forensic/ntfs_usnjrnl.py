"""``ntfs-usnjrnl``: read the change journal of an NTFS volume ($UsnJrnl:$J)."""

from __future__ import annotations

from typing import cast

from logsql.commands.forensic._spellings import below_root, constant, last_name
from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_JOURNAL
from logsql.loading import at
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register
from udfs.readers.artefacts import Artefact, Known, TimeOf

MFT_PATH = OptionSpec(
    "path",
    OptionKind.PATH,
    ("$MFT of the same volume, for the field file_path", "file_path 필드를 만들 같은 볼륨의 $MFT"),
    extension=True,
)
ARTEFACT = Artefact(
    (Known("NTFS change journal", r"(^|[/:_])\$J([_.-][^/]*)?$|UsnJrnl[^/]*$"),),
    (TimeOf("usn", "_time", words=("reason",), path="file_name"),),
)
#: The names of MFTECmd's columns.
_CALLED = {
    "updatetimestamp": "_time", "updatereasons": "reason", "updatesequencenumber": "usn", "fileattributes":
    "file_attributes", "entrynumber": "file_no", "parententrynumber": "parent_file_no",
}  # fmt: skip


def _names(flags: str) -> frozenset[str]:
    # By name, for cost: with every command Arrow would be imported.
    return frozenset(cast("dict[int, str]", at(f"udfs.readers.ntfs_usnjrnl:{flags}")).values())


register(
    evidence_command(
        "ntfs-usnjrnl",
        Group.FORENSIC,
        SourceSpec(
            "udfs.readers.ntfs_usnjrnl:UsnJrnlReader",
            artefact=ARTEFACT,
            adds={"file_path": "path=MFT"},
            forms={
                "file_path": below_root,
                "file_name": last_name,
                "reason": constant("USN_REASON_", lambda: _names("REASONS")),
                "file_attributes": constant("FILE_ATTRIBUTE_", lambda: _names("ATTRIBUTES")),
                "source_info": constant("USN_SOURCE_", lambda: _names("SOURCES")),
            },
            called=_CALLED,
        ),
        ("Read the change journal of an NTFS volume ($UsnJrnl:$J).", "NTFS 볼륨의 변경 저널($UsnJrnl:$J)을 읽습니다."),
        """
One row per record, also from cut out or carved pieces. `reason` is the list of flag names in alphabetical order,
a flag without a name is its number. Records of version 4 (ranges of a file that changed) have no name and no time.
`file_attributes` and `source_info` (extensions) are lists of flags too, in the row where the query names them.

`path=MFT` adds `file_path`: the folder is looked up in that $MFT by its number and its sequence, null
where the record was used again since.
""",
        (MFT_PATH,),
        quiet=("file_attributes", "source_info"),
        errors=(
            NOT_JOURNAL,
            EMPTY_FILE,
        ),
    )
)
