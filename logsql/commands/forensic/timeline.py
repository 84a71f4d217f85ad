"""``timeline``: one timeline of a collection of evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logsql.commands.forensic._artefacts import artefacts
from logsql.commands.sources._files import ZIP_CHARSET, all_options, evidence_command, open_files, scan_source, told
from logsql.diagnostics.unreadable import NO_SOURCE
from logsql.planner.catalog import SourceSpec
from logsql.planner.ordering import field_keys
from logsql.planner.spec import Group, OptionKind, OptionSpec, register

if TYPE_CHECKING:
    from logsql.planner.relation import Rel
    from logsql.planner.stage import Stage

SOURCES = OptionSpec(
    "sources",
    OptionKind.TEXT,
    ("only these sources, separated by commas", "읽을 원본(쉼표로 구분)"),
)
ZIP_PATH = OptionSpec("zippath", OptionKind.PATH, ("look into this ZIP archive", "이 ZIP 파일 안을 봄"))


def _source(text: str) -> str | None:
    """A source as its command declares it: ``$MFT`` and ``EVTX`` are none, ``mft`` and ``evtx`` are."""
    known = {event.source for one in artefacts() for event in one.artefact.times}
    plain = text.lower().strip("$").removesuffix(".evtx")
    plain = {"reg": "registry", "usnjrnl": "usn", "j": "usn", "winevtx": "evtx"}.get(plain, plain)
    return plain if text not in known and plain in known else None


def lower(stage: Stage) -> Rel:
    info = open_files(stage, {**all_options(stage), "artefacts": artefacts()})
    rel = told(stage, scan_source(stage, info), info)
    if not stage.order_needed:
        return rel
    rel, keys = field_keys(stage, rel, [("_time", False)])
    return stage.reordered(rel, keys)


register(
    replace(
        evidence_command(
            "timeline",
            Group.FORENSIC,
            SourceSpec("udfs.readers.timeline:TimelineReader", forms={"source": _source}),
            (
                "Put the times of a collection of evidence into one timeline.",
                "수집한 증거의 시각 정보를 하나의 타임라인으로 합칩니다.",
            ),
            """
One row per time, sorted: `source` is where it comes from, `action` what happened, `path` of what, `detail` the text of
an event, `_path` the file that says so. Files are told apart as `triage` does; one that cannot be read is counted and
stops no other.

Sources: `mft` ($STANDARD_INFORMATION; `mft name`: $FILE_NAME), `usn`, `evtx`, `registry` (keys), and those of further
commands that say what their times mean, such as `amcache`; a source that is none is refused with the list of all.

For other tools: `timeline case | outputcsv form=bodyfile case.body`, or `form=l2tcsv`.
""",
            (SOURCES, ZIP_PATH, ZIP_CHARSET),
            extra="forensic",
            zip_options=(),
            extension=True,
            errors=(NO_SOURCE,),
        ),
        lower=lower,
    )
)
