"""A registry view: a command that reads hives and tells what Windows keeps at one place of them.

A view is one file of this folder: name, manual text, the keys it reads, its fields with their types, and the pure
function that makes rows of values. It stands on this side and not in ``udfs/readers/regviews`` because a command is
one file of its chapter and ``udfs`` knows no commands; of ``udfs`` it uses what costs nothing at start-up (values and
shell items, plain Python). The reader, with Arrow and numpy, is imported by the first query or page that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from logsql.commands.forensic._hive_ledger import AS_HIVE_FILE, VIEW_LEDGER
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.diagnostics.codes import Pair
from logsql.diagnostics.losses import loss
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register
from udfs.readers.artefacts import Artefact, Known, TimeOf
from udfs.readers.regviews.view import Kind, Lost, RegValue, Row, View

#: How ``triage`` calls hives whose files have names of their own.
_KINDS = {"NTUSER.DAT": "user", "USRCLASS.DAT": "user classes", "Amcache.hve": "Amcache"}
WRONG_HIVE = loss(
    "wrong-hive",
    (
        "hives of another kind than this view reads: no rows",
        "이 명령이 읽는 종류가 아닌 하이브: 행이 없습니다",
    ),
)


def registry_view(
    name: str,
    summary: Pair,
    description: str,
    *,
    keys: str,
    fields: tuple[tuple[str, Kind], ...],
    rows: Callable[[list[RegValue], Lost], Iterable[Row]],
    hives: tuple[str, ...],
    known: tuple[Known, ...] = (),
    times: tuple[TimeOf, ...] = (),
    extension: bool = False,
    forms: Mapping[str, Callable[[str], str | None]] | None = None,
) -> None:
    """Register the command of a view; the arguments from ``keys`` on are those of :class:`View`.

    ``times``: what its columns mean in a timeline, which reads it from the hives that it names. ``known``: files that
    are this view's before all others' (Amcache.hve). ``extension``: the vendor has no such command. ``forms``: those of
    the source.
    """
    view = View(keys, fields, rows, hives)
    within = tuple(f"registry hive: {_KINDS.get(hive, hive)}" for hive in hives)
    register(
        evidence_command(
            name,
            Group.FORENSIC,
            SourceSpec(
                "udfs.readers.regviews.reader:ViewReader",
                given=view,
                artefact=Artefact(known, times, within),
                forms=forms or {},
            ),
            summary,
            f"{description.strip()}\n\n{AS_HIVE_FILE}",
            (REPLAY,),
            ledger=VIEW_LEDGER,
            extension=extension,
        )
    )
