"""``ntfs-usnjrnl``: read the change journal of an NTFS volume ($UsnJrnl:$J)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_JOURNAL
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "ntfs-usnjrnl",
        Group.FORENSIC,
        SourceSpec("udfs.readers.ntfs_usnjrnl:UsnJrnlReader"),
        "Read the change journal of an NTFS volume ($UsnJrnl:$J).",
        """
One row per record, also from cut out or carved pieces. `reason` is the list of flag names in alphabetical order,
a flag without a name is its number. Records of version 4 (ranges of a file that changed) have no name and no time.
""",
        errors=(
            NOT_JOURNAL,
            EMPTY_FILE,
        ),
    )
)
