"""Imports that a room must never make, and circles of files. What is broken today is listed, and may only shrink."""

from __future__ import annotations

from bench import house

#: Broken today. An entry leaves this list with the commit that mends it; none is added.
BROKEN: frozenset[str] = frozenset(
    {
        "logsql.commands._outputs -> logsql.engine.outputfiles",
        "logsql.commands._outputs -> logsql.engine.outputs",
        "logsql.commands.lookup -> logsql.engine.geoip",
        "logsql.commands.memlookup -> logsql.engine.lookups",
        "logsql.commands.mpsearch -> logsql.engine.keywords",
        "logsql.commands.outputcsv -> logsql.engine.outputs",
        "logsql.commands.outputjson -> logsql.engine.outputs",
        "logsql.commands.outputtxt -> logsql.engine.outputs",
        "logsql.commands.proc -> logsql.engine.procedures",
        "logsql.commands.system -> logsql.engine.streams",
        "logsql.commands.transaction -> logsql.engine.transactions",
        "logsql.engine.outputs -> logsql.render.pieces",
        "logsql.engine.outputs -> logsql.render.texts",
        "logsql.engine.outputs -> logsql.render.values",
        "logsql.engine.passthrough -> logsql.commands",
        "logsql.engine.session -> logsql.commands",
        "logsql.engine.sources -> logsql.commands._files",
        "logsql.ml.service -> logsql.engine.policy",
        "logsql.ml.service -> logsql.engine.runstate",
        "logsql.ml.service -> logsql.engine.session",
        "logsql.planner.calls -> logsql.functions.base",
        "logsql.planner.expressions -> logsql.functions.base",
        "logsql.planner.grouping -> logsql.functions.base",
        "logsql.planner.modelling -> logsql.ml.errors",
        "logsql.planner.modelling -> logsql.ml.features",
        "logsql.planner.modelling -> logsql.ml.forms",
        "logsql.planner.planner -> logsql.commands",
        "logsql.planner.planner -> logsql.commands.base",
        "logsql.planner.stage -> logsql.commands.base",
        "logsql.planner.stage -> logsql.functions.spans",
        "logsql.render.chart_cli -> logsql.engine.session",
    }
)

#: Circles of today, each by its members.
RINGS: frozenset[tuple[str, ...]] = frozenset(
    {
        (
            "logsql.commands",
            "logsql.commands.base",
            "logsql.planner.planner",
            "logsql.planner.running",
            "logsql.planner.stage",
        ),
        (
            "logsql.engine.catalog",
            "logsql.engine.execution",
            "logsql.engine.lookups",
            "logsql.engine.passthrough",
            "logsql.engine.result",
            "logsql.engine.runner",
            "logsql.engine.saved",
            "logsql.engine.services",
            "logsql.engine.session",
            "logsql.engine.sources",
        ),
        ("logsql.functions.base", "logsql.planner.calls", "logsql.planner.expressions"),
        ("logsql.language.lists", "logsql.language.parser", "logsql.language.reader"),
        ("logsql.shell.repl", "logsql.shell.terminal"),
        ("udfs.readers.base", "udfs.readers.dataset", "udfs.readers.sources"),
    }
)


def test_no_room_imports_what_it_never_may() -> None:
    broken = {str(found) for found in house.broken_nevers(house.imports())}
    assert not broken - BROKEN, 'a room imports one above it (docs/architecture.md, "Nevers")'
    assert not BROKEN - broken, "mended: take it off the list BROKEN"


def test_no_circle_of_files() -> None:
    rings = set(house.circles(house.imports()))
    assert not rings - RINGS, "these files import each other: move what both need into a file below them"
    assert not RINGS - rings, "mended or smaller: take it off the list RINGS"
