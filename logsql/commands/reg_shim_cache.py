"""``reg-shim-cache``: list the programs in the application compatibility cache (SYSTEM hive)."""

from __future__ import annotations

from logsql.commands._files import REPLAY, evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-shim-cache",
        "List the programs in the application compatibility cache (SYSTEM hive).",
        """
One row per entry, in the order of the cache. `modified_at` is the modification time of the file, not the time it ran.
""",
        (REPLAY,),
        fields="file_path, modified_at, _file",
    )
)
