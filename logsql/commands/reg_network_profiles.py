"""``reg-network-profiles``: list the networks a machine was connected to (SOFTWARE hive)."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-network-profiles",
        "List the networks a machine was connected to (SOFTWARE hive).",
        """
One row per network profile.
""",
        fields=(
            "guid, profile_name, description, category, name_type, date_created, date_last_connected, managed, _file"
        ),
    )
)
