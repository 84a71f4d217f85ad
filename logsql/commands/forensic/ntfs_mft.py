"""``ntfs-mft``: read the file records of an NTFS volume ($MFT)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_MFT
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "ntfs-mft",
        Group.FORENSIC,
        SourceSpec("udfs.readers.ntfs_mft:MftReader"),
        "Read the file records of an NTFS volume ($MFT).",
        """
One row per record, deleted ones included (`in_use` is false). The times of $FILE_NAME are `created_at` and so on,
those of $STANDARD_INFORMATION `std_created_at` and so on. `file_name` and `file_path` are the long names,
`short_name` the 8.3 name. `is_orphan` (an extension) is true where the way up does not end at the root, because a
folder above is not in the file or its record was used again: `file_path` begins below it then.
""",
        errors=(
            NOT_MFT,
            EMPTY_FILE,
        ),
    )
)
