"""``zipfile-entries``: list the entries of ZIP archives."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "zipfile-entries",
        "List the entries of ZIP archives.",
        """
One row per entry, folders included. ZIP keeps no time zone: `modified_at` is read as local time.
""",
        fields="zip_path, entry, file_size, compressed_size, modified_at, comment",
        archive=False,
    )
)
