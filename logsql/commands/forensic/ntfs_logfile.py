"""``ntfs-logfile``: read the transaction log of an NTFS volume ($LogFile)."""

from __future__ import annotations

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.unreadable import EMPTY_FILE, NOT_LOGFILE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register
from udfs.readers.artefacts import Artefact, Known, sure

register(
    evidence_command(
        "ntfs-logfile",
        Group.FORENSIC,
        SourceSpec(
            "udfs.readers.ntfs_logfile:LogFileReader",
            artefact=Artefact((Known("NTFS $LogFile", "LogFile", b"RSTR"), *sure("NTFS $LogFile"))),
        ),
        ("Read the transaction log of an NTFS volume ($LogFile).", "NTFS 볼륨의 트랜잭션 로그($LogFile)를 읽습니다."),
        """
One row per log record. The fields of the file record are there where the operation holds one.
""",
        errors=(
            NOT_LOGFILE,
            EMPTY_FILE,
        ),
    )
)
