"""``sqlite-tables``: list the tables of a SQLite database."""

from __future__ import annotations

from logsql.commands.sources._files import ADDED_ZIP_OPTIONS, evidence_command
from logsql.diagnostics.reasons import FILE_LEFT_OUT, rows
from logsql.diagnostics.unreadable import NOT_SQLITE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register
from udfs.readers.artefacts import Artefact, Known

ARTEFACT = Artefact((Known("SQLite database", mark=b"SQLite format 3\0"),))

register(
    evidence_command(
        "sqlite-tables",
        Group.SOURCE,
        SourceSpec(
            "udfs.readers.sqlite:SqliteTablesReader", suffixes=(".sqlite", ".sqlite3", ".db"), artefact=ARTEFACT
        ),
        ("List the tables of a SQLite database.", "SQLite 데이터베이스의 테이블 목록을 조회합니다."),
        """
One row per table, index, view and trigger. The file is opened read-only and never changed; a write-ahead log (`-wal`)
beside it is read with it, from a temporary copy of both.
""",
        ledger=(*rows("write-ahead-log-read", "write-ahead-log-not-read", "rollback-journal-not-read"), FILE_LEFT_OUT),
        errors=(NOT_SQLITE,),
        zip_options=ADDED_ZIP_OPTIONS,
    )
)
