"""``reg-shim-cache``: list the programs in the application compatibility cache (SYSTEM hive)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-shim-cache",
        Group.FORENSIC,
        "List the programs in the application compatibility cache (SYSTEM hive).",
        f"""
One row per entry, in the order of the cache. `modified_at` is the modification time of the file, not the time it ran.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields="file_path, modified_at, _file",
        ledger=VIEW_LEDGER,
    )
)
