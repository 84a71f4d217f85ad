"""``sqlite-tables``: list the tables of a SQLite database."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "sqlite-tables",
        "List the tables of a SQLite database.",
        """
One row per table, index, view and trigger. The file is opened read-only and never changed.
""",
        fields="type, name, table_name, root_page, sql, _file",
        archive=False,
    )
)
