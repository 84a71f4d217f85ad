"""A name that is given twice: the error points at the second place and names the first."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import QueryError
from tests.run_case import run


def test_duplicate_names_show_both_places() -> None:
    query = 'json "{a:1}" | stats sum(a) as x, max(a) as x'
    with pytest.raises(QueryError) as caught:
        run(query, {}, "UTC")
    span = caught.value.span
    assert span is not None
    assert query[span.start : span.end] == "x"
    assert span.start == query.rindex("x")
    assert str(query.index(" as x") + 5) in caught.value.notes[0]
