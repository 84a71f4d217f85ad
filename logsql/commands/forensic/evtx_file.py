"""``evtx-file``: read a Windows event log."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "evtx-file",
        Group.FORENSIC,
        "Read a Windows event log.",
        """
One row per event. `event_data` is a map of the event's own values. Damaged chunks and events are counted in the ledger.
""",
        fields="_time, computer, channel, provider, event_id, task, level, record_id, msg, event_data, _file",
        extra="forensic",
    )
)
