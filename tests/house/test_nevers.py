"""Imports that a room must never make, and circles of files. What is broken today is listed, and may only shrink."""

from __future__ import annotations

from bench import house

#: Broken today. An entry leaves this list with the commit that mends it; none is added.
BROKEN: frozenset[str] = frozenset()

#: Circles of today, each by its members.
RINGS: frozenset[tuple[str, ...]] = frozenset()


def test_no_room_imports_what_it_never_may() -> None:
    broken = {str(found) for found in house.broken_nevers(house.imports())}
    assert not broken - BROKEN, 'a room imports one above it (docs/architecture.md, "Nevers")'
    assert not BROKEN - broken, "mended: take it off the list BROKEN"


def test_no_circle_of_files() -> None:
    rings = set(house.circles(house.imports()))
    assert not rings - RINGS, "these files import each other: move what both need into a file below them"
    assert not RINGS - rings, "mended or smaller: take it off the list RINGS"
