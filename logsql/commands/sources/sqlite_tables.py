"""``sqlite-tables``: list the tables of a SQLite database."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import NOT_SQLITE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register

register(
    evidence_command(
        "sqlite-tables",
        Group.SOURCE,
        SourceSpec("udfs.readers.sqlite:SqliteTablesReader", suffixes=(".sqlite", ".sqlite3", ".db")),
        "List the tables of a SQLite database.",
        """
One row per table, index, view and trigger. The file is opened read-only and never changed; a write-ahead log (`-wal`)
beside it is read with it, from a temporary copy of both.
""",
        archive=False,
        ledger=(
            ("write-ahead-log-read", "not damage: the rows hold what the `-wal` file beside the database adds"),
            ("write-ahead-log-not-read", "the `-wal` file may not be read, or is too large to copy: rows may be old"),
            (
                "rollback-journal-not-read",
                "the database was being written to: a transaction may be there in part",
            ),
            ("not-a-sqlite-database", "one of several files is no database and is left out"),
        ),
        errors=(NOT_SQLITE,),
    )
)
