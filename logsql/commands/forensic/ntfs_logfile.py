"""``ntfs-logfile``: read the transaction log of an NTFS volume ($LogFile)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "ntfs-logfile",
        Group.FORENSIC,
        "Read the transaction log of an NTFS volume ($LogFile).",
        """
One row per log record. The fields of the file record are there where the operation holds one.
""",
        fields=(
            "lsn, prev_lsn, record_type, redo_op, undo_op, file_name, created_at, modified_at, access_at, ..., _file"
        ),
    )
)
