"""``ntfs-usnjrnl``: read the change journal of an NTFS volume ($UsnJrnl:$J)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "ntfs-usnjrnl",
        Group.FORENSIC,
        "Read the change journal of an NTFS volume ($UsnJrnl:$J).",
        """
One row per record, also from cut out or carved pieces. `reason` is the list of flag names in alphabetical order.
""",
        fields="_time, file_name, file_no, file_ref, parent_file_no, parent_file_ref, reason, usn, _file",
    )
)
