"""``sqlite-records``: read a table of a SQLite database."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.codes import define
from logsql.diagnostics.unreadable import NO_TABLE, NOT_SQLITE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register

MISSING_TABLE = define("E3004", "missing-table", ("table= is missing", "table= 옵션이 없습니다"))


register(
    evidence_command(
        "sqlite-records",
        Group.SOURCE,
        SourceSpec("udfs.readers.sqlite:SqliteRecordsReader"),
        "Read a table of a SQLite database.",
        """
One row per record, generated columns included. A column has the type of its values; where they differ each value keeps
its own. The file is opened read-only and never changed; a write-ahead log (`-wal`) beside it is read with it, from a
temporary copy of both.
""",
        (OptionSpec("table", OptionKind.TEXT, "the table to read", required=True, error=MISSING_TABLE),),
        "the columns of the table, _file",
        archive=False,
        ledger=(
            ("write-ahead-log-read", "not damage: the rows hold what the `-wal` file beside the database adds"),
            ("write-ahead-log-not-read", "the `-wal` file may not be read, or is too large to copy: rows may be old"),
            (
                "rollback-journal-not-read",
                "the database was being written to: a transaction may be there in part",
            ),
            ("not-a-sqlite-database", "one of several files is no database and is left out"),
            ("no-such-table", "one of several databases does not have the table and is left out"),
            ("damaged-database", "the database is damaged: rows behind the damage are missing"),
            ("generated-column-failed", "a generated column cannot be computed for a row: null from there on"),
            ("invalid-utf-8", "texts with bytes that are no UTF-8, which became U+FFFD"),
        ),
        errors=(
            NOT_SQLITE,
            NO_TABLE,
        ),
    )
)
