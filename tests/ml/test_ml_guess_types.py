"""The type of a guess is the label's own, so that ``_guess == label`` is true where the guess is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logsql.engine.session import Session
from tests.ml.support import ml

pytestmark = pytest.mark.usefixtures("own_data_folder")


LABELS: dict[str, tuple[str, type]] = {
    "int(mod(n, 2))": ("int", int),
    "long(mod(n, 2)) + 9007199254740992": ("long", int),
    "mod(n, 2) + 0.5": ("double", float),
    "mod(n, 2) == 0": ("bool", bool),
    'if(mod(n, 2) == 0, date("2024-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss"), date("2025-01-02", "yyyy-MM-dd"))': (
        "date",
        object,
    ),
    'if(mod(n, 2) == 0, "007", "8")': ("string", str),
    'if(mod(n, 2) == 0, ip("10.0.0.1"), ip("10.0.0.2"))': ("ip", object),
    "if(mod(n, 4) == 3, null, mod(n, 2))": ("int", int),
}


@pytest.mark.parametrize("label", LABELS, ids=[f"{kind}{n}" for n, (kind, _) in enumerate(LABELS.values())])
def test_a_guess_has_the_type_of_the_label(session: Session, label: str) -> None:
    made = f'json "[{{}}]" | repeat count=200 | eval n = seq() | eval a = mod(n, 2), label = {label} | fields a, label'
    ml(
        session,
        f"ml.addQueryInput t {made}",
        'ml.createModel rforest m t fields="+label, a"',
        "ml.fit m wait=t",
    )
    for model in ("model=m", f"target=label a [ {made} ]"):
        query = f"{made} | rforest {model} | search isnotnull(label)"
        told = session.query(f"{query} | eval same = _guess == label, kinds = typeof(_guess) == typeof(label)").rows()
        assert told
        assert all(r["same"] is True and r["kinds"] is True for r in told), (model, told[0])
        blind = session.query(f"{made} | fields - label | rforest {model} | eval kind = typeof(_guess)").rows()
        assert [type(r["_guess"]) for r in blind[:2]] == [type(r["_guess"]) for r in told[:2]]
        if LABELS[label][1] is not object:
            assert {type(r["_guess"]) for r in blind} == {LABELS[label][1]}


def test_labels_of_documents(session: Session) -> None:
    """The type of a label of open rows is only told by its values."""
    rows = ", ".join(
        f"{{'a': {n % 2}, 'whole': {n % 2}, 'half': {n % 2 / 2}, 'flag': {['true', 'false'][n % 2]}}}"
        for n in range(20)
    )
    for field, kind in (("whole", int), ("half", float), ("flag", bool)):
        query = f"""json "[{rows}]" | rforest target={field} a [ json "[{rows}]" ] | eval same = _guess == {field}"""
        found = session.query(query).rows()
        assert all(r["same"] for r in found), (field, found[0])
        assert {type(r["_guess"]) for r in found} <= {kind, int}


def test_numeric_labels_of_a_csv_file(session: Session, tmp_path: Path) -> None:
    """The card says that the label is numeric, and so is the guess; where rows hold the label as text, it is text."""
    path = tmp_path / "t.csv"
    path.write_text("y,a\n" + "".join(f"{n % 2},{n % 2}.5\n" for n in range(100)))
    ml(session, f'ml.addCsvInput t "{path}"', 'ml.createModel rforest m t fields="+y, a"', "ml.fit m wait=t")
    assert session.query('json "{a: 1.5}" | rforest model=m | fields _guess').rows() == [{"_guess": 1}]
    for label in ("y", "long(y)", "double(y)"):
        query = f"csvfile {path} | eval a = double(a), y = {label} | rforest model=m | search _guess == y | stats count"
        assert session.query(query).rows() == [{"count": 100}]


def test_a_model_of_before_guesses_texts(session: Session, tmp_path: Path) -> None:
    """Its description says nothing of a label type."""
    from logsql.ml.model import Manifest

    path = tmp_path / "t.csv"
    path.write_text("y,a\n" + "".join(f"{n % 2},{n % 2}.5\n" for n in range(100)))
    ml(session, f'ml.addCsvInput t "{path}"', 'ml.createModel rforest m t fields="+y, a"', "ml.fit m wait=t")
    (file,) = (tmp_path / "case.duckdb.ml" / "models").glob("m.*.json")
    facts = json.loads(file.read_text())["manifest"]
    assert facts["training"].pop("label") == "BIGINT"
    training = Manifest.from_json(facts).training
    assert training is not None
    assert (training.label, training.classes) == ("VARCHAR", ("0", "1"))
