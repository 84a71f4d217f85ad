"""``ntfs-mft``: read the file records of an NTFS volume ($MFT)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "ntfs-mft",
        Group.FORENSIC,
        "Read the file records of an NTFS volume ($MFT).",
        """
One row per record, deleted ones included (`in_use` is false). The times of $FILE_NAME are `created_at` and so on,
those of $STANDARD_INFORMATION `std_created_at` and so on. `file_name` and `file_path` are the long names,
`short_name` the 8.3 name.
""",
        fields=(
            "no, file_name, file_path, file_size, alloc_size, in_use, is_dir, link_count, created_at, modified_at, "
            "access_at, mft_modified_at, std_created_at, std_modified_at, std_access_at, std_mft_modified_at, "
            "is_readonly and the other attributes, lsn, seq, file_ref, parent_file_ref, parent_no, short_name, _file"
        ),
    )
)
