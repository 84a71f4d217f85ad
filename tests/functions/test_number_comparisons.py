"""A value of any type against a constant number: as the comparator of the naive evaluator says (language.md 3.3)."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

import logsql
from logsql import Session
from tests.naive.values import Ctx, compare

VALUES: list[object] = [
    None, True, False, 0, -0.0, 1, 1.0, -1, 0.5, 1.5, 2**31, -(2**31), 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63),
    1e300, -1e-300, 0.1, 0.30000000000000004, "", "1", "1.0", "-1", " 1", "x", "true", "null", "f", "t", "NaN", "1e0",
    [], [1], ["1"], [[1]], {}, {"v": 1},
]  # fmt: skip
CONSTANTS = ["0", "1", "-1", "1.0", "0.5", "0.1", "0.3", "2147483648", "9007199254740991", "9007199254740992",
             "9007199254740993", "9223372036854775807", "1.5"]  # fmt: skip
TESTS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with logsql.connect(threads=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "values.json"
    path.write_text("".join(json.dumps({"n": n, "d": {"v": v}, "v": v}) + "\n" for n, v in enumerate(VALUES)))
    return path


def expected(op: str, value: object, constant: str, turned: bool) -> bool:
    """Null is kept by no comparison; an equality with a list holds for an item where a path leads to it."""
    number = float(constant) if "." in constant else int(constant)
    found = compare(Ctx(UTC), value, number)  # type: ignore[arg-type]
    return value is not None and TESTS[op](-found if turned else found, 0)


@pytest.mark.parametrize("constant", CONSTANTS)
@pytest.mark.parametrize("op", TESTS)
def test_a_value_against_a_number_is_as_the_comparator_says(session: Session, values: Path, op: str, constant: str):
    plain = [n for n, v in enumerate(VALUES) if not isinstance(v, list)]
    for form, field in (("search d.v", "d.v"), ("search v", "v"), ('eval w = valueof(d, "v") | search w', "w")):
        for turned in (False, True):
            if turned and op in ("==", "!="):
                continue
            condition = f"{constant} {op} {field}" if turned else f"{field} {op} {constant}"
            query = f"jsonfile {values} | {form.rpartition('search')[0]} search {condition} | fields n"
            found = set(session.query(query).arrow().column("n").to_pylist())
            rows = plain if field == "d.v" and op in ("==", "!=") else range(len(VALUES))
            right = {n for n in rows if expected(op, VALUES[n], constant, turned)}
            assert found & set(rows) == right, condition
