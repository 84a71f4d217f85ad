"""``reg-user-assists``: list the programs a user started from the desktop (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-user-assists",
        "List the programs a user started from the desktop (NTUSER.DAT).",
        """
One row per program: how often and when last.
""",
        fields="key, session_num, exec_count, focus_time, last_execution, last_written, _file",
    )
)
