"""Every example of every command's manual page gives the rows that the page prints."""

from __future__ import annotations

import pytest

from tests.conformance_cases import Case, manual
from tests.run_case import check


@pytest.mark.parametrize("case", manual(), ids=lambda c: c.id)
def test_example(case: Case) -> None:
    check(case)
