"""``triage``: what a collection of evidence holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logsql.commands.forensic._artefacts import artefacts
from logsql.commands.sources._files import ZIP_CHARSET, evidence_command, open_files, scan_source
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register

if TYPE_CHECKING:
    from logsql.planner.relation import Rel
    from logsql.planner.stage import Stage

ZIP_PATH = OptionSpec("zippath", OptionKind.PATH, ("look into this ZIP archive", "이 ZIP 파일 안을 봄"))


def lower(stage: Stage) -> Rel:
    options = {name: stage.option(name) for name in ("zippath", "zipcharset")}
    return scan_source(stage, open_files(stage, {**options, "artefacts": artefacts()}))


register(
    replace(
        evidence_command(
            "triage",
            Group.FORENSIC,
            SourceSpec("udfs.readers.triage:TriageReader"),
            (
                "List what a collection of evidence holds, and which command reads it.",
                "수집한 증거의 내용물과 각각을 읽는 명령을 보여 줍니다.",
            ),
            """
One row per file below a folder, or of a ZIP archive (`triage case.zip`): `_path` as a query names it, `kind`, the
`command` that reads such a file, and `size` in bytes. Kinds are told by the first bytes, else by the
names that KAPE, Velociraptor and UAC write.
""",
            (ZIP_PATH, ZIP_CHARSET),
            zip_options=(),
            extension=True,
        ),
        lower=lower,
    )
)
