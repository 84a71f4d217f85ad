"""Defects that were found once: one file per case in ``tests/cases/regressions``, named after what went wrong.

Beside the keys of every case, ``why`` says what the product did and ``rule`` where the right answer is written.
"""

from __future__ import annotations

import pytest

from tests.conformance_cases import Case, regressions
from tests.run_case import check


@pytest.mark.parametrize("case", regressions(), ids=lambda c: c.id)
def test_regression(case: Case) -> None:
    check(case)
