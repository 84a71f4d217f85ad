"""``sqlite-records``: read a table of a SQLite database."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import OptionKind, OptionSpec, register

register(
    evidence_command(
        "sqlite-records",
        "Read a table of a SQLite database.",
        """
One row per record. A column has the type of its values; where they differ each value keeps its own. The file is opened
read-only and never changed.
""",
        (OptionSpec("table", OptionKind.TEXT, "the table to read", required=True, error=("E3004", "missing-table")),),
        "the columns of the table, _file",
        archive=False,
    )
)
