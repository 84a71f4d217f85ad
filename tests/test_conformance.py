"""The conformance suite of the language through the product: every case, in its own time zone.

``tests/conformance`` is a copy of the suite, byte for byte: nobody edits it here. Cases of our own: test_cases.py.
"""

from __future__ import annotations

import pytest

from tests.conformance_cases import NAMES, Case, load
from tests.run_case import check


@pytest.mark.parametrize("case", [case for name in NAMES for case in load(name)], ids=lambda c: c.id)
def test_case(case: Case) -> None:
    check(case)
