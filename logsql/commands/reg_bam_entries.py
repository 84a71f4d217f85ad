"""``reg-bam-entries``: list the programs the Background Activity Moderator saw (SYSTEM hive)."""

from __future__ import annotations

from logsql.commands._files import REPLAY, evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-bam-entries",
        "List the programs the Background Activity Moderator saw (SYSTEM hive).",
        """
One row per program and user, with its last run.
""",
        (REPLAY,),
        fields="sid, file_name, file_path, last_execution, _file",
    )
)
