"""``reg-bam-entries``: list the programs the Background Activity Moderator saw (SYSTEM hive)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-bam-entries",
        Group.FORENSIC,
        "List the programs the Background Activity Moderator saw (SYSTEM hive).",
        f"""
One row per program and user, with its last run.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields="sid, file_name, file_path, last_execution, _file",
        ledger=VIEW_LEDGER,
    )
)
