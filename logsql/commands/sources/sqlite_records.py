"""``sqlite-records``: read a table of a SQLite database."""

from __future__ import annotations

from logsql.commands.sources._files import ADDED_ZIP_OPTIONS, evidence_command
from logsql.diagnostics.codes import define
from logsql.diagnostics.reasons import FILE_LEFT_OUT, rows
from logsql.diagnostics.unreadable import NO_TABLE, NOT_SQLITE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register

MISSING_TABLE = define("E3004", "missing-table", ("table= is missing", "table= 옵션이 없습니다"))


register(
    evidence_command(
        "sqlite-records",
        Group.SOURCE,
        SourceSpec("udfs.readers.sqlite:SqliteRecordsReader"),
        ("Read a table of a SQLite database.", "SQLite 데이터베이스의 테이블을 읽습니다."),
        """
One row per record, generated columns included. A column has the type of its values; where they differ each value keeps
its own. The file is opened read-only and never changed; a write-ahead log (`-wal`) beside it is read with it, from a
temporary copy of both.
""",
        (
            OptionSpec(
                "table", OptionKind.TEXT, ("the table to read", "읽을 테이블"), required=True, error=MISSING_TABLE
            ),
        ),
        "the columns of the table, _file",
        ledger=(
            *rows("write-ahead-log-read", "write-ahead-log-not-read", "rollback-journal-not-read"),
            FILE_LEFT_OUT,
            *rows("damaged-database", "generated-column-failed", "invalid-{charset}"),
        ),
        zip_options=ADDED_ZIP_OPTIONS,
        errors=(
            NOT_SQLITE,
            NO_TABLE,
        ),
    )
)
