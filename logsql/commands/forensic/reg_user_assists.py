"""``reg-user-assists``: list the programs a user started from the desktop (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-user-assists",
        Group.FORENSIC,
        "List the programs a user started from the desktop (NTUSER.DAT).",
        f"""
One row per program or shortcut: `key` is its path or name, `exec_count` how often it ran, `focus_time` the milliseconds
in the foreground, `last_execution` null when it never ran.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields="key, session_num, exec_count, focus_time, last_execution, last_written, _file",
        ledger=VIEW_LEDGER,
    )
)
