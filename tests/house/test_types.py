"""What is typed loosely stays little, and an import inside a function says on its line what it saves."""

from __future__ import annotations

from bench import house

#: How often ``Any`` may be written: lower it when you need fewer.
MOST_ANY = 225
#: First-party imports inside functions must stay below this number.
MOST_INNER_IMPORTS = 120


def test_any_is_written_no_more_than_it_was() -> None:
    assert house.any_count() <= MOST_ANY


def test_imports_inside_functions_are_few() -> None:
    places = house.imports_in_functions()
    assert places, "the measure finds none at all, so it no longer measures"
    assert len(places) < MOST_INNER_IMPORTS


def test_an_import_inside_a_function_says_its_cost() -> None:
    silent = []
    for place in house.imports_in_functions():
        path, _, line = place.rpartition(":")
        text = (house.ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        _, mark, cost = text.partition("# for cost: ")
        if not (mark and cost.strip()):
            silent.append(place)
    assert silent == [], "say the cost on the line: '# for cost: numpy'"
