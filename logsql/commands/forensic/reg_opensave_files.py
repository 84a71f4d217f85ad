"""``reg-opensave-files``: list files chosen in open and save dialogs (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-opensave-files",
        Group.FORENSIC,
        "List files chosen in open and save dialogs (NTUSER.DAT).",
        f"""
One row per entry of the most-recently-used lists; `order` 0 is the latest.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields=(
            "file_path, file_ext, file_size, access_at, created_at, modified_at, mft_entry_index, "
            "ntfs_seq, last_written, order, _file"
        ),
        ledger=VIEW_LEDGER,
    )
)
