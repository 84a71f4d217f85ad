"""``reg-recent-docs``: list recently opened documents (NTUSER.DAT)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-recent-docs",
        Group.FORENSIC,
        "List recently opened documents (NTUSER.DAT).",
        f"""
One row per entry of the most-recently-used lists; `order` 0 is the latest.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields="file_name, file_ext, last_written, order, _file",
        ledger=VIEW_LEDGER,
    )
)
