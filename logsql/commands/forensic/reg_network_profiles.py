"""``reg-network-profiles``: list the networks a machine was connected to (SOFTWARE hive)."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "reg-network-profiles",
        Group.FORENSIC,
        "List the networks a machine was connected to (SOFTWARE hive).",
        f"""
One row per network profile. The dates are stored without a zone and read as local time.

{AS_HIVE_FILE}
""",
        (REPLAY,),
        fields=(
            "guid, profile_name, description, category, category_id, name_type, name_type_id, date_created, "
            "date_last_connected, managed, _file"
        ),
        ledger=VIEW_LEDGER,
    )
)
