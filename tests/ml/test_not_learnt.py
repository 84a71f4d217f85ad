"""What a model is asked of and has not learnt: it is scored as a missing value, and the ledger tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logsql.engine.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(tz="Asia/Seoul") as opened:
        yield opened


@pytest.mark.parametrize(
    ("rows", "learnt", "expected"),
    [
        # models.md: an unseen category at scoring left no trace; NaN goes down one side of each split.
        (
            "[{'c': 'x'}, {'c': 'z'}, {'c': 'z'}, {'c': null}]",
            "[{'c': 'x', 'label': 'a'}, {'c': 'y', 'label': 'b'}]",
            [("rforest c", "unseen-category", 2, "z")],
        ),
        (
            "[{'c': '10.0.0.1'}, {'c': 'kim'}]",
            "[{'c': '10.0.0.1', 'label': 'a'}, {'c': '10.0.0.9', 'label': 'b'}]",
            [("rforest c", "not-the-type-of-the-model", 1, "kim")],
        ),
        (
            "[{'c': null}, {'c': null}]",
            "[{'c': 'x', 'label': 'a'}, {'c': 'y', 'label': 'b'}]",
            [("rforest c", "feature-without-value", 0, None)],
        ),
        (
            "[{'c': null, 'd': 1}, {'c': null, 'd': 5}]",
            "[{'c': 3, 'd': 1, 'label': 'a'}, {'c': 4, 'd': 2, 'label': 'b'}]",
            [("rforest c", "feature-without-value", 0, None)],
        ),
        ("[{'c': 'y'}, {'c': null}]", "[{'c': 'x', 'label': 'a'}, {'c': 'y', 'label': 'b'}]", []),
        ("[{'c': 1.0}, {'c': true}]", "[{'c': 'true', 'label': 'a'}, {'c': '1.0', 'label': 'b'}]", []),
    ],
)
def test_what_the_model_has_not_learnt_enters_the_ledger(
    session: Session, rows: str, learnt: str, expected: list[tuple[str, str, int, str | None]]
) -> None:
    fields = "c, d" if "'d'" in rows else "c"
    result = session.query(f'json "{rows}" | rforest target=label {fields} [ json "{learnt}" | repeat count=5 ]')
    assert all(row["_guess"] in ("a", "b") for row in result.rows())
    assert [(e.source, e.reason, e.count, e.sample) for e in result.ledger] == expected
