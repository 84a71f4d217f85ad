"""The life of a model: versions, comparison, description, drift, files for other machines and other libraries."""

from __future__ import annotations

import json
import math
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

import logsql.ml.store as store_module
from logsql.engine.session import Session as Engine
from logsql.ml import signing
from logsql.ml.drift import measured, profile, psi
from logsql.ml.errors import MlError
from logsql.ml.features import build_features
from logsql.ml.model import Manifest, ModelKind
from logsql.ml.store import ModelStore
from tests.ml.support import ml
from tests.ml.test_ml_commands import Session


def table(rows: int, seed: int, tilt: float = 1.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.4
    return pa.table(
        {
            "label": np.where(label, "mal", "ben"),
            "n": np.round(rng.normal(label * tilt, 1.0), 1),
            "agent": rng.choice(["curl", "chrome", "edge"], rows, p=[0.2, 0.5, 0.3]),
        }
    )


@pytest.fixture
def session(tmp_path: Path) -> Session:
    pacsv.write_csv(table(300, 1), tmp_path / "train.csv")
    pacsv.write_csv(table(200, 2), tmp_path / "later.csv")
    made = Session(tmp_path)
    made(f"ml.addCsvInput train {tmp_path / 'train.csv'}")
    made(f"ml.addCsvInput later {tmp_path / 'later.csv'}")
    made("ml.createModel rforest bot train fields=+label,n,agent trees=3")
    return made


def version_rows(session: Session, name: str = "bot") -> list[list[str]]:
    lines = session(f"ml.model {name}").splitlines()
    return [line.split() for line in lines[lines.index("Versions") + 3 :]]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_every_training_is_kept_and_the_newest_is_listed_first(session: Session) -> None:
    session("ml.fit bot")
    session("ml.fit bot trees=7 holdout=0.5")
    session("ml.fit bot trees=9")
    first, second, third = (session.store.get(f"bot@{n}") for n in (1, 2, 3))
    assert [len(m.forest.trees) for m in (first, second, third)] == [3, 7, 9]
    assert session.store.get("bot").manifest == third.manifest
    rows = version_rows(session)
    assert [row[:2] for row in rows] == [["*", "3"], ["2", rows[1][1]], ["1", rows[2][1]]]
    accuracies = [m.training.metrics.accuracy for m in (third, second, first) if m.training.metrics is not None]
    assert [row[-2:] for row in rows] == [
        [str(n), f"{a:.6f}"] for n, a in zip((150, 150, 240), accuracies, strict=True)
    ]
    assert [row[-3] for row in rows] == [m.training.finished for m in (third, second, first)]


def test_rollback_brings_the_same_answers_back(session: Session) -> None:
    session("ml.fit bot")
    rows = table(50, 3)
    before = session.store.get("bot").encode(rows), session.store.get("bot").training.sha256
    session("ml.fit bot trees=7")
    assert session.store.get("bot").training.sha256 != before[1]
    assert session("ml.rollback bot") == "version 1 is in use"
    assert session.store.get("bot").training.sha256 == before[1]
    assert [row[0] for row in version_rows(session)] == ["2", "*"]
    assert "has no earlier version" in session("ml.rollback bot", 1)
    assert session("ml.rollback bot 2") == "version 2 is in use"
    assert len(session.store.get("bot").forest.trees) == 7
    session("ml.rollback bot version=1")
    session("ml.fit bot trees=4")  # the number goes on; nothing is lost
    assert [session.store.get(f"bot@{n}").forest.trees.__len__() for n in (1, 2, 3)] == [3, 7, 4]
    assert "no version 9" in session("ml.rollback bot 9", 1)
    assert "whole number" in session("ml.rollback bot last", 2)


def test_a_version_can_be_removed_and_a_model_goes_with_all_of_them(session: Session) -> None:
    for trees in (3, 4, 5):
        session(f"ml.fit bot trees={trees}")
    folder = session.store.folder / "models"
    assert session("ml.removeModel bot@2") == "removed"
    assert [item.version for item in session.store.versions("bot")] == [3, 1]
    assert len(list(folder.glob("*.joblib"))) == 2
    assert "is in use" in session("ml.removeModel bot@3", 2)
    assert session("ml.removeModel bot") == "removed"
    assert [path for path in folder.rglob("*") if path.suffix in (".joblib", ".json")] == []


def test_a_changed_version_is_refused_and_not_listed(session: Session) -> None:
    session("ml.fit bot")
    session("ml.fit bot trees=7")
    (file,) = (session.store.folder / "models" / "versions").glob("*.json")
    data = json.loads(file.read_bytes())
    data["manifest"]["options"]["trees"] = 99
    file.write_text(json.dumps(data))
    assert "error[41124]" in session("ml.rollback bot", 1)
    assert session.store.get("bot").manifest.version == 2
    assert [item.version for item in session.store.versions("bot")] == [2]


@pytest.mark.usefixtures("own_data_folder")
def test_a_query_names_a_version(session: Session, tmp_path: Path) -> None:
    import logsql

    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as engine:
        assert isinstance(engine, Engine)
        ml(engine, f"ml.addCsvInput train {tmp_path / 'train.csv'}")
        ml(engine, "ml.createModel rforest bot train fields=+label,n,agent trees=3", "ml.fit bot wait=t")
        engine.register("t", table(100, 4))
        query = "table t | rforest model={} | stats count by _guess"
        old = engine.query(query.format("bot")).rows()
        ml(engine, "ml.fit bot wait=t depth=1")
        new = engine.query(query.format("bot")).rows()
        assert engine.query(query.format("bot@1")).rows() == old != new
        assert engine.query(query.format("bot@2")).rows() == new


# --- comparison -------------------------------------------------------------------------------------------------------


def test_two_models_are_compared_row_by_row(session: Session, tmp_path: Path) -> None:
    session("ml.fit bot")
    session("ml.fit bot depth=1")
    rows = session.inputs.rows("later")
    labels = rows.column("label").to_pylist()
    guesses = []
    for number in (1, 2):
        model = session.store.get(f"bot@{number}")
        chances = np.mean([tree.predict(model.encode(rows))[:, :2] for tree in model.forest.trees], axis=0)
        guesses.append([model.forest.classes[k] for k in chances.argmax(axis=1)])
    changed = [n for n, (a, b) in enumerate(zip(*guesses, strict=True)) if a != b]
    lines = session("ml.compare bot@1 bot later limit=4").splitlines()
    same = len(labels) - len(changed)
    assert 0 < same < len(labels)
    assert lines[2:4] == ["Rows: 200 (input later)", f"Agreement: {same / 200:.6f} ({same} of 200 rows)"]
    for name, found in (("bot@1", guesses[0]), ("bot", guesses[1])):
        start = lines.index(f"Confusion Matrix [{name}]")
        counts = Counter(zip(labels, found, strict=True))
        assert lines[start + 2] == f"Accuracy: {sum(a == b for a, b in zip(labels, found, strict=True)) / 200}"
        for line, label in zip(lines[start + 4 :], ("ben", "mal"), strict=False):
            assert line.split() == [label, str(counts[label, "ben"]), str(counts[label, "mal"])]
    start = lines.index(f"Changed Rows: {len(changed)}")
    assert lines[start + 2].split() == ["row", "label", "bot@1", "bot", "n", "agent"]
    for line, number in zip(lines[start + 3 : start + 7], changed, strict=False):
        values = [rows.column(f)[number].as_py() for f in ("n", "agent")]
        told = [str(number + 1), labels[number], guesses[0][number], guesses[1][number], *map(str, values)]
        assert line.split() == told
    assert lines[-1] == f"(the first 4 of {len(changed)}; limit=N shows more)"
    assert "Note: bot@1 was trained on this input" in session("ml.compare bot@1 bot")


def test_rows_without_the_label_are_compared_too(session: Session, tmp_path: Path) -> None:
    pacsv.write_csv(table(50, 5).drop_columns(["label"]), tmp_path / "new.csv")
    session(f"ml.addCsvInput new {tmp_path / 'new.csv'}")
    session("ml.fit bot")
    text = session("ml.compare bot bot new")
    assert "Agreement: 1.000000 (50 of 50 rows)" in text
    assert "Confusion Matrix" not in text
    assert "no row has the field label" in text


# --- description and drift --------------------------------------------------------------------------------------------


def test_the_description_says_what_was_trained_on(tmp_path: Path) -> None:
    rows = pa.table({"label": ["a", "b"] * 20, "n": [None, *range(39)], "word": ["x", "y", "z", "x"] * 10})
    session = Session(tmp_path, lambda kind, target: rows.to_reader())
    session('ml.addQueryInput q table web | search path == "*a b*" | fields label, n, word')
    session("ml.createModel rforest m q fields=+label,n,word trees=2 holdout=0 seed=7")
    assert "error[41116]" in session("ml.describe m", 1)
    session("ml.fit m")
    lines = session("ml.describe m").splitlines()
    for line in (
        "Version: 1",
        "Input: q (query)",
        'Query: table web | search path == "*a b*" | fields label, n, word',
        "Rows: 40",
        "Training rows: 40",
        "Hold-out rows: 0",
        "Seed: 7",
        "trees: 2",
        f"numpy: {np.__version__}",
    ):
        assert line in lines
    fields = [line.split() for line in lines[lines.index("Fields") + 2 :]]
    assert fields == [
        ["field", "kind", "lowest", "highest", "distinct", "nulls"],
        ["n", "NUMERIC", "0", "38", "39", "1"],
        ["word", "CATEGORICAL", "x", "z", "3", "0"],
    ]


def test_psi_worked_out_by_hand() -> None:
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5); a bin that is empty on both sides says nothing.
    assert psi((50, 50, 0), (6, 4, 0)) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    # Nothing in a bin counts as 0.0001 of the rows.
    assert psi((10, 0), (5, 5)) == pytest.approx(-0.5 * math.log(0.5) + (0.5 - 0.0001) * math.log(0.5 / 0.0001))
    assert psi((3, 7), (30, 70)) == pytest.approx(0.0)


def test_drift_of_numbers_texts_and_nulls() -> None:
    before = pa.table(
        {"flag": [0] * 95 + [1] * 5, "word": ["a"] * 60 + ["b"] * 40, "n": [float(i) for i in range(100)]}
    )
    specs = build_features(before, ["flag", "word", "n"])
    known = profile(specs, before)
    now = pa.table(
        {
            "flag": [0] * 50 + [1] * 50,
            "word": pa.array(["a"] * 50 + ["b"] * 30 + ["new"] * 10 + [None] * 10),
            "n": [float(i) for i in range(50)] * 2,
        }
    )
    flag, word, n = (measured(s, k, now.column(s.name)) for s, k in zip(specs, known, strict=True))
    assert flag.psi == pytest.approx((0.5 - 0.95) * math.log(0.5 / 0.95) + (0.5 - 0.05) * math.log(0.5 / 0.05))
    least = 0.0001
    texts = [(0.6, 0.5), (0.4, 0.3), (least, 0.1), (least, 0.1)]
    assert word.psi == pytest.approx(sum((q - p) * math.log(q / p) for p, q in texts))
    assert (word.unseen, word.nulls) == (0.1, (0.0, 0.1))
    # 0..99 falls into ten bins of ten; now the lower five hold 20 of 100 rows each.
    tens = [(0.1, 0.2)] * 5 + [(0.1, least)] * 5
    assert n.psi == pytest.approx(sum((q - p) * math.log(q / p) for p, q in tens))


def test_drift_of_an_input_names_what_moved_and_what_is_missing(session: Session, tmp_path: Path) -> None:
    session("ml.fit bot")
    moved = table(200, 6).drop_columns(["n"])
    agents = ["wget"] * 60 + moved.column("agent").to_pylist()[60:]
    pacsv.write_csv(moved.set_column(1, "agent", pa.array(agents)), tmp_path / "moved.csv")
    session(f"ml.addCsvInput moved {tmp_path / 'moved.csv'}")
    lines = session("ml.drift bot moved").splitlines()
    agent = next(line.split() for line in lines if line.startswith("agent"))
    assert agent[3] == "30.0000%"
    assert " ".join(agent[6:]) == "another population"
    assert any(line.startswith("n: ") and "needs the field 'n'" in line for line in lines)
    same = session("ml.drift bot train").splitlines()
    assert [line.split()[-1] for line in same if line.startswith(("n ", "agent "))] == ["stable", "stable"]


def test_a_model_of_before_says_what_it_lacks(session: Session) -> None:
    session("ml.fit bot")
    manifest = session.store.manifest("bot")
    assert manifest.training is not None
    old = manifest.to_json()
    for name in ("evaluation", "calibration", "profile", "source", "probes"):
        del old["training"][name]
    for name in ("labels", "pr_auc", "roc_auc", "curves"):
        del old["training"]["metrics"][name]
    for name in ("group", "split", "time", "test", "folds", "calibrate", "class_weight"):
        del old["options"][name]
    del old["version"]
    (file,) = (session.store.folder / "models").glob("*.json")
    session.store._write(file, Manifest.from_json(old))
    assert "precision" in session("ml.model bot")
    assert "error[41126]" in session("ml.drift bot later", 1)
    assert "error[41126]" in session("ml.thresholds bot", 1)
    assert "Input: train (unknown)" in session("ml.describe bot")
    session("ml.fit bot")
    assert [item.version for item in session.store.versions("bot")] == [2, 1]


# --- files for other machines -----------------------------------------------------------------------------------------


def elsewhere(tmp_path: Path) -> ModelStore:
    """The store of another user, whose keys are others."""
    return ModelStore(tmp_path / "other.ml", key_file=tmp_path / "other" / "seal.key")


def test_another_machine_verifies_who_made_a_file(session: Session, tmp_path: Path) -> None:
    session("ml.fit bot")
    file = tmp_path / "bot.model"
    assert session(f"ml.exportModel bot {file}") == "exported"
    (note,) = session.errors
    signer = session.store.signer()
    assert signer is not None
    assert f"signed by {signer}" in note
    other = elsewhere(tmp_path)
    assert other.signer() != signer
    assert other.import_file("sure", file, signer).version == 1
    assert other.get("sure").training.sha256 == session.store.get("bot").training.sha256
    with pytest.raises(MlError, match="not by SHA256:somebody") as caught:
        other.import_file("unsure", file, "SHA256:somebody")
    assert caught.value.code == "41127"
    assert other.names() == ["sure"]
    session("ml.removeModel bot")
    assert session(f"ml.importModel bot {file} signer={signer}") == "imported"
    assert session.errors == []
    assert session(f"ml.importModel again {file}") == "imported"
    assert f"signed by {signer}" in session.errors[0]


def test_a_file_that_was_changed_after_signing_is_refused(session: Session, tmp_path: Path) -> None:
    session("ml.fit bot")
    good = session.store.export_file("bot", tmp_path / "bot.model")
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changed = json.loads(parts["manifest.json"])
    changed["training"]["metrics"]["accuracy"] = 1.0
    signer = session.store.signer()
    for name, members, wanted in (
        ("changed", {**parts, "manifest.json": json.dumps(changed).encode()}, "changed after it was signed"),
        ("no signature", {k: v for k, v in parts.items() if k != "signature.json"}, "signed by nobody"),
        ("odd signature", {**parts, "signature.json": b"{}"}, "no exported model"),
    ):
        file = tmp_path / f"{name}.model"
        with zipfile.ZipFile(file, "w") as archive:
            for member, body in members.items():
                archive.writestr(member, body)
        with pytest.raises(MlError, match=wanted):
            elsewhere(tmp_path).import_file("bot", file, signer)
    # Without a wanted signer an unsigned file is taken, as before, and that is told.
    session("ml.removeModel bot")
    unsigned = tmp_path / "no signature.model"
    assert session(f'ml.importModel bot "{unsigned}"') == "imported"
    assert session.errors == ["note: the file is not signed"]


def test_without_the_package_that_signs(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session("ml.fit bot")
    signed = session.store.export_file("bot", tmp_path / "signed.model")
    signer = session.store.signer()
    monkeypatch.setattr(signing, "possible", lambda: False)
    session(f"ml.exportModel bot {tmp_path / 'plain.model'}")
    assert "not signed" in session.errors[0]
    assert "signature.json" not in zipfile.ZipFile(tmp_path / "plain.model").namelist()
    with pytest.raises(MlError, match="cannot be checked here"):
        elsewhere(tmp_path).import_file("bot", signed, signer)


def test_a_copied_model_is_refused_with_the_place_of_the_key(session: Session, tmp_path: Path) -> None:
    session("ml.fit bot")
    key = tmp_path / "another" / "seal.key"
    with pytest.raises(MlError) as caught:
        ModelStore(session.store.folder, key_file=key).get("bot")
    assert caught.value.code == "41124"
    assert [str(key) in note for note in caught.value.diagnostic.notes] == [True]


# --- other versions of the library ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own_data_folder")
def test_a_model_of_another_library_is_tried_and_told(session: Session, tmp_path: Path) -> None:
    import logsql

    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as engine:
        ml(engine, f"ml.addCsvInput train {tmp_path / 'train.csv'}")
        ml(engine, "ml.createModel rforest bot train fields=+label,n,agent trees=3", "ml.fit bot wait=t")
        engine.register("t", table(60, 4))
        query = "table t | rforest model=bot | stats count by _guess"
        wanted = engine.query(query).rows()
        store: ModelStore = engine.service("ml").store
        manifest = store.manifest("bot")
        assert manifest.training is not None
        older = replace(manifest.training, versions=(("scikit-learn", "1.6.0"),))
        (file,) = (store.folder / "models").glob("*.json")
        store._write(file, replace(manifest, training=older))
        result = engine.query(query)
        assert result.rows() == wanted
        assert any("1.6.0" in note.sentence for note in result.notes)
        assert "1.6.0" in ml(engine, "ml.model bot")
        lying = replace(older, probes=tuple((vector, (0.125, 0.875)) for vector, _ in older.probes))
        store._write(file, replace(manifest, training=lying))
        with pytest.raises(logsql.LogsqlError, match="answers to 32 stored rows") as caught:
            engine.query(query).rows()
        assert caught.value.code == "41122"


def test_an_isolation_forest_of_another_library_is_tried_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session("ml.createModel iforest odd train fields=n trees=5")
    session("ml.fit odd")
    monkeypatch.setattr(store_module, "library_versions", lambda: {"scikit-learn": "99.0"})
    assert len(session.store.get("odd", ModelKind.IFOREST).forest.trees) == 5
