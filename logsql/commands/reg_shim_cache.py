"""``reg-shim-cache``: list the programs in the application compatibility cache (SYSTEM hive)."""

from __future__ import annotations

from logsql.commands._files import REPLAY, evidence_command
from logsql.commands._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.base import register

register(
    evidence_command(
        "reg-shim-cache",
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
