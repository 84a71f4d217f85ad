"""The vendor's own queries and the conformance cases, as far as the language room judges them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.formatter import format_query
from logsql.language.parser import parse_query
from logsql.language.tree import Command, Query, Subquery
from tests.language.grammar import LOOSE
from tests.support import ROOT, spec_file

CONFORMANCE = ROOT / "tests" / "conformance" / "language.jsonl"
#: Three lines of a shell configuration, run together without a separator: not a query.
NOT_A_QUERY = {"ex0246"}
#: Codes that the language room raises; the others belong to commands, functions and files.
OWN_CODES = ("9000", "9010", "9020", "20100", "21600", "21700", "20001", "20400", "10200", "10400")


def examples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in spec_file("examples.jsonl").read_text(encoding="utf-8").splitlines()]


def names(query: Query) -> list[str]:
    """Command names of a query and its subqueries, comments as ``#``, each once."""
    found = ["#"] if query.comments else []
    for command in query.commands:
        found.append(command.name)
        found += nested(command)
    return list(dict.fromkeys(found))


def nested(command: Command) -> list[str]:
    parts = command.args if isinstance(command.args, tuple) else (command.args,)
    return [name for part in parts if isinstance(part, Subquery) for name in names(part.query)]


@pytest.mark.evidence
def test_complete_examples_parse_and_format() -> None:
    complete = [row for row in examples() if row["kind"] == "complete" and row["id"] not in NOT_A_QUERY]
    assert len(complete) == 574
    for row in complete:
        for text in filter(None, (row["query"], row.get("query_flat"))):
            query = parse_query(text, LOOSE)
            formatted = format_query(text, LOOSE)
            assert parse_query(formatted, LOOSE) == query, row["id"]
            assert format_query(formatted, LOOSE) == formatted, row["id"]


@pytest.mark.evidence
def test_flat_form_is_the_same_query() -> None:
    rows = [row for row in examples() if row.get("seed") and row.get("query_flat")]
    assert len(rows) > 20
    for row in rows:
        assert parse_query(row["query_flat"], LOOSE) == parse_query(row["query"], LOOSE), row["id"]


@pytest.mark.evidence
def test_seed_queries_hold_the_commands_listed_for_them() -> None:
    rows = [row for row in examples() if row.get("seed") and row["kind"] == "complete"]
    assert len(rows) > 20
    for row in rows:
        assert set(names(parse_query(row["query"], LOOSE))) == set(row["commands"]), row["id"]


CASES = [json.loads(line) for line in CONFORMANCE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "query"], ids=lambda c: c["id"])
def test_conformance_queries_parse(case: dict[str, Any]) -> None:
    assert parse_query(format_query(case["query"], LOOSE), LOOSE) == parse_query(case["query"], LOOSE)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c["kind"] == "error" and c["expect"]["error_contains_any"][0].startswith(OWN_CODES)],
    ids=lambda c: c["id"],
)
def test_conformance_errors(case: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(case["query"], LOOSE)
    assert any(text in str(caught.value) for text in case["expect"]["error_contains_any"])
