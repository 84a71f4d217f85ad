"""``reg-shellbags``: list the folders a user opened (NTUSER.DAT, UsrClass.dat)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-shellbags",
        Group.FORENSIC,
        "List the folders a user opened (NTUSER.DAT, UsrClass.dat).",
        f"""
One row per folder; `file_path` is the path from the desktop down, `order` 0 the latest of its folder.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields="file_name, file_ext, last_written, order, file_path, created_at, modified_at, access_at, _file",
        ledger=VIEW_LEDGER,
    )
)
