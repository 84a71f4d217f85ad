"""``reg-recent-docs``: list recently opened documents (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands._files import REPLAY, evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-recent-docs",
        "List recently opened documents (NTUSER.DAT).",
        """
One row per entry of the most-recently-used lists; `order` 0 is the latest.
""",
        (REPLAY,),
        fields="file_name, file_ext, last_written, order, _file",
    )
)
