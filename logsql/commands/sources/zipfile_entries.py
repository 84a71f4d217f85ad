"""``zipfile-entries``: list the entries of ZIP archives."""

from __future__ import annotations

from logsql.commands.sources._files import ZIP_CHARSET, ZIP_NAMES, evidence_command
from logsql.diagnostics.reasons import FILE_LEFT_OUT, rows
from logsql.planner.catalog import SourceSpec
from logsql.planner.options import extensions
from logsql.planner.spec import Group, register
from udfs.readers.artefacts import Artefact, Known

register(
    evidence_command(
        "zipfile-entries",
        Group.SOURCE,
        SourceSpec(
            "udfs.readers.zipmembers:ZipEntriesReader", artefact=Artefact((Known("ZIP archive", r"\.zip$", b"PK"),))
        ),
        ("List the entries of ZIP archives.", "ZIP 압축 파일의 내용물 목록을 조회합니다."),
        f"""
One row per entry, folders included. ZIP keeps no time zone: `modified_at` is read as local time. {ZIP_NAMES}
""",
        extensions(ZIP_CHARSET),
        zip_options=(),
        ledger=(FILE_LEFT_OUT, *rows("entry-name-charset", "bad-date", "damaged-directory")),
    )
)
