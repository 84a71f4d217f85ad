"""Training inputs from text: the type of a CSV column.

Expected types follow from the texts alone: a column is of a type when every value that is there is written as one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logsql.engine.session import Session
from tests.ml.support import ml

pytestmark = pytest.mark.usefixtures("own_data_folder")


def read(session: Session, name: str) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = session.service("ml").inputs.rows(name).to_pydict()
    return rows


#: column -> (its texts, its values as the training sees them)
COLUMNS: dict[str, tuple[list[str], list[Any]]] = {
    "decimals": (["0.31", "0.5", "2"], [0.31, 0.5, 2.0]),  # as BIGINT these were 0, 1 and 2
    "small": (["0.1", "0.2", "0.4"], [0.1, 0.2, 0.4]),
    "exponents": (["1e3", "2.5E-1", "-1e0"], [1000.0, 0.25, -1.0]),
    "whole": (["1", "-2", "+3"], [1, -2, 3]),
    "mixed": (["1", "2.25", "3"], [1.0, 2.25, 3.0]),
    "bare": ([".5", "5.", "-.25"], [0.5, 5.0, -0.25]),
    "large": (["9007199254740993", "1", "2"], [9007199254740993, 1, 2]),
    "huge": (["18446744073709551616", "1", "2"], [18446744073709551616.0, 1.0, 2.0]),
    "codes": (["007", "08", "1"], ["007", "08", "1"]),
    "zeros": (["0", "0.0", "-0.5"], [0.0, 0.0, -0.5]),
    "blank": (["", "1.5", "  "], [None, 1.5, None]),
    "spaced": ([" 1", "2 ", " 3 "], [1, 2, 3]),
    "nothing": (["", "", ""], ["", "", ""]),
    "nans": (["nan", "0.5", "-inf"], [None, 0.5, None]),
    "names": (["nan", "Inf", "x"], ["nan", "Inf", "x"]),
    "onlynan": (["nan", "nan", "NaN"], ["nan", "nan", "NaN"]),
    "thousands": (["1,000", "2,500", "3"], ["1,000", "2,500", "3"]),
    "underscores": (["1_000", "2", "3"], ["1_000", "2", "3"]),
    "hexes": (["0x10", "0x20", "1"], ["0x10", "0x20", "1"]),
    "flags": (["true", "False", "TRUE"], [True, False, True]),
    "flagged": (["true", "1", "0"], ["true", "1", "0"]),
    "almost": (["1", "2", "-"], ["1", "2", "-"]),
    "words": (["1.2.3", "4", "5"], ["1.2.3", "4", "5"]),
}


def csv_text(columns: dict[str, list[str]]) -> str:
    lines = [",".join(columns), *(",".join(f'"{v}"' for v in row) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines) + "\n"


def test_a_csv_column_is_of_a_type_when_all_its_values_are_written_as_one(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text({name: texts for name, (texts, _) in COLUMNS.items()}))
    said = ml(session, f'ml.addCsvInput t "{path}"')
    found = read(session, "t")
    assert {n: found[n] for n in COLUMNS} == {n: values for n, (_, values) in COLUMNS.items()}
    for name, (_, values) in COLUMNS.items():
        assert [type(v) for v in found[name]] == [type(v) for v in values], name
    count = sum(text in ("nan", "inf", "-inf") for text, value in zip(*COLUMNS["nans"], strict=True) if value is None)
    assert f"{count} not-finite in {path} nans" in said


def test_dates_of_a_csv_file(session: Session, tmp_path: Path) -> None:
    days = {"day": ["2024-01-05", "2024-02-30", ""], "time": ["2024-01-05 10:00:00+09", "2024-01-05T01:00:00Z", ""]}
    days["other"] = ["01/02/2024", "01/03/2024", ""]
    path = tmp_path / "t.csv"
    path.write_text(csv_text(days))
    ml(session, f'ml.addCsvInput t "{path}"')
    found = read(session, "t")
    assert found["day"] == days["day"]  # 30 February is no day: text
    assert found["other"] == days["other"]
    assert [None if v is None else v.timestamp() for v in found["time"]] == [1704416400, 1704416400, None]


def test_decimals_train_from_csv_as_they_do_from_a_query(session: Session, tmp_path: Path) -> None:
    ratios = [((n * 37) % 100) / 250 for n in range(400)]  # all below 0.5: as whole numbers they were all 0
    lines = [f"{'mal' if ratio > 0.2 else 'ben'},{ratio}" for ratio in ratios]
    path = tmp_path / "ratio.csv"
    path.write_text("label,ratio\n" + "\n".join(lines) + "\n")
    query = f"csvfile {path} | eval ratio = double(ratio) | fields label, ratio"
    cards = []
    for name, add in (
        ("csv", f'ml.addCsvInput csv "{path}"'),
        ("query", f"ml.addQueryInput query {query}"),
    ):
        made = f'ml.createModel rforest {name} {name} fields="+label, ratio"'
        card = ml(session, add, made, f"ml.fit {name} wait=t", f"ml.model {name}")
        cards.append([line for line in card.splitlines() if line.startswith(("Accuracy", "ben ", "mal "))])
        scored = (
            f"csvfile {path} | eval ratio = double(ratio) | rforest model={name} | search _guess == label | stats count"
        )
        assert session.query(scored).rows() == [{"count": 400}]
        far = f"ml.createModel iforest {name}_far {name} fields=ratio"
        ml(session, far, f"ml.fit {name}_far wait=t")
    assert cards[0] == cards[1]
    assert cards[0][0] == "Accuracy: 1.0"
    scores = [
        session.query(f"csvfile {path} | eval ratio = double(ratio) | anomalies model={n}_far | fields _score").rows()
        for n in ("csv", "query")
    ]
    assert scores[0] == scores[1]
    assert len({r["_score"] for r in scores[0]}) > 50
