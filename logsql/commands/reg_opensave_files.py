"""``reg-opensave-files``: list files chosen in open and save dialogs (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands._files import REPLAY, evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-opensave-files",
        "List files chosen in open and save dialogs (NTUSER.DAT).",
        """
One row per entry of the most-recently-used lists; `order` 0 is the latest.
""",
        (REPLAY,),
        fields=(
            "file_path, file_ext, file_size, access_at, created_at, modified_at, mft_entry_index, "
            "ntfs_seq, last_written, order, _file"
        ),
    )
)
