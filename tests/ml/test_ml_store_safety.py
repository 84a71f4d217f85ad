"""The model store against hostile and damaged files: nothing runs, nothing crashes, every refusal is an MlError."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logsql.ml import safeload
from logsql.ml import store as store_module
from logsql.ml.errors import MlError
from logsql.ml.model import FitOptions, Manifest, ModelKind
from logsql.ml.safeload import load_forest
from logsql.ml.store import ModelStore, stem
from logsql.ml.train import Fitted, fit_iforest, fit_rforest
from tests.ml.bots import FIELDS, bot_table

ROOT = Path(__file__).resolve().parents[2]
BOT = Manifest("bot", ModelKind.RFOREST, "bot", tuple(FIELDS), "label", 2, FitOptions(trees=5))


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit_rforest(bot_table(400), "label", FIELDS, FitOptions(trees=5))


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "db.ml", key_file=tmp_path / "user" / "seal.key")


def put(store: ModelStore, fitted: Fitted) -> Manifest:
    return store.put(replace(BOT, training=fitted.training), fitted.estimator)


def load(payload: bytes, classes: tuple[str, ...] = ("BENIGN", "MALICIOUS")) -> Any:
    return load_forest(payload, ModelKind.RFOREST, len(FIELDS), classes, "model 'bot'")


def packed(value: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=3)
    return buffer.getvalue()


class Runs:
    """Pickles to a call of os.system that leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f'echo ran > "{self.trace}"',)


def hostile_values(trace: Path, estimator: Any) -> dict[str, bytes]:
    """Files whose plain joblib.load runs a command, in every place a value can stand."""
    run = Runs(trace)
    inside = copy.deepcopy(estimator)
    inside.random_state = run
    deep = copy.deepcopy(estimator)
    deep.estimators_[0].splitter = [{"x": (run,)}]
    objects = np.array([run], dtype=object)
    array = copy.deepcopy(estimator)
    array.classes_ = objects
    nested = copy.deepcopy(estimator)
    nested.extra = pickle.dumps(run)
    structured = np.zeros(1, dtype=[("a", object)])
    structured["a"][0] = run
    fields = copy.deepcopy(estimator)
    fields.extra = structured
    return {
        "command": packed(run),
        "attribute": packed(inside),
        "nested": packed(deep),
        "object array": packed(objects),
        "object array inside": packed(array),
        "structured objects": packed(fields),
    }


CASES = ["command", "attribute", "nested", "object array", "object array inside", "structured objects"]


@pytest.mark.parametrize("case", CASES)
def test_commands_in_files_never_run(case: str, tmp_path: Path, fitted: Fitted) -> None:
    trace = tmp_path / "trace"
    payload = hostile_values(trace, fitted.estimator)[case]
    joblib.load(io.BytesIO(payload))
    assert trace.exists(), "the file is not hostile: the test proves nothing"
    trace.unlink()
    with pytest.raises(MlError) as caught:
        load(payload)
    assert caught.value.code == "41120"
    assert not trace.exists()


def test_pickled_bytes_inside_are_only_bytes(tmp_path: Path, fitted: Fitted) -> None:
    carrier = copy.deepcopy(fitted.estimator)
    carrier.extra = pickle.dumps(Runs(tmp_path / "trace"))
    assert len(load(packed(carrier)).trees) == 5
    assert not (tmp_path / "trace").exists()


def opcodes(*parts: bytes) -> bytes:
    return zlib.compress(b"\x80\x04" + b"".join(parts) + b".")


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


WRAPPER = named("joblib.numpy_pickle", "NumpyArrayWrapper")

RAW = {
    "builtins.eval": opcodes(named("builtins", "eval"), text("1"), b"\x85R"),
    "dotted name": opcodes(named("sklearn.tree._tree", "Tree.__reduce__")),
    "module attribute": opcodes(named("joblib.numpy_pickle", "pickle.loads")),
    "old style global": opcodes(b"cos\nsystem\n"),
    "inst": opcodes(b"(ios\nsystem\n"),
    "extension": opcodes(b"\x82\x01"),
    "persistent id": opcodes(text("x"), b"Q"),
    "state of a class": opcodes(WRAPPER, b"N}", text("read"), text("x"), b"s\x86b"),
    "dtype of objects": opcodes(named("numpy", "dtype"), text("O"), b"\x85R"),
    "scalar of objects": opcodes(
        named("numpy._core.multiarray", "scalar"), named("numpy", "dtype"), text("f8"), b"\x85R", text("x"), b"\x86R"
    ),
    "call of ndarray": opcodes(named("numpy", "ndarray"), b"K\x01\x85R"),
    "no opcode": zlib.compress(b"\xff\xff"),
    "empty": zlib.compress(b""),
    "not compressed": b"\x80\x04N.",
    "nothing": b"",
    "a number": opcodes(b"K\x01"),
    "recursion": zlib.compress(b"\x80\x04" + b"(" * 100_000 + b"."),
}


@pytest.mark.parametrize("case", sorted(RAW))
def test_raw_pickles_are_refused(case: str) -> None:
    with pytest.raises(MlError) as caught:
        load(RAW[case])
    assert caught.value.code in ("41120", "41123")
    assert joblib.numpy_pickle.NumpyArrayWrapper.read.__name__ == "read"


def test_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logsql.ml.safeload.MAX_UNPACKED", 1 << 20)
    with pytest.raises(MlError, match="unpacks") as caught:
        load(zlib.compress(bytes(1 << 24)))
    assert caught.value.code == "41120"


class FakeTree:
    """Pickles as a scikit-learn tree with arguments and state of our choice."""

    def __init__(self, arguments: tuple[Any, ...], state: dict[str, Any]) -> None:
        self.arguments, self.state = arguments, state

    def __reduce__(self) -> tuple[Any, ...]:
        from sklearn.tree._tree import Tree

        return Tree, self.arguments, self.state


def with_tree(estimator: Any, change: dict[str, Any], arguments: tuple[Any, ...] | None = None) -> bytes:
    """The estimator's file with its first tree replaced; ``change``: node field -> value for the root, or a state
    key."""
    forged = copy.copy(estimator)
    forged.estimators_ = [copy.copy(member) for member in estimator.estimators_]
    tree = forged.estimators_[0].tree_
    _, given, state = tree.__reduce__()
    state = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in state.items()}
    for key, value in change.items():
        if key in state:
            state[key] = value(state[key]) if callable(value) else value
        else:
            state["nodes"][key][0] = value
    forged.estimators_[0].tree_ = FakeTree(arguments or given, state)
    return packed(forged)


BROKEN = {
    "child beyond the tree": {"left_child": 10_000_000},
    "negative child": {"left_child": -7},
    "child is its parent": {"right_child": 0},
    "one child": {"right_child": -1},
    "feature beyond": {"feature": 21},
    "feature negative": {"feature": -3},
    "more nodes than the array": {"node_count": lambda n: n + 1_000_000},
    "fewer nodes than the array": {"node_count": lambda n: n - 1},
    "negative count": {"node_count": -1},
    "values too short": {"values": lambda v: v[:-1]},
    "values of another class count": {"values": lambda v: np.concatenate([v, v], axis=2)},
    "values not numbers": {"values": lambda v: v * np.nan},
    "values of another type": {"values": lambda v: v.astype(np.float32)},
    "nodes of another type": {"nodes": lambda v: v["threshold"].copy()},
    "two-dimensional nodes": {"nodes": lambda v: v[None, :]},
    "no samples": {"n_node_samples": 0},
    "depth": {"max_depth": -5},
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_trees_that_would_crash_the_interpreter(case: str, fitted: Fitted) -> None:
    with pytest.raises(MlError) as caught:
        load(with_tree(fitted.estimator, BROKEN[case]))
    assert caught.value.code == "41123"


def test_tree_arguments(fitted: Fitted) -> None:
    for arguments in (
        (21, np.array([2]), 50_000_000),  # reads past the class counts in the constructor
        (21, np.array([2, 2]), 2),
        (20, np.array([2]), 1),
        (-1, np.array([2]), 1),
        (21, np.array([2.0]), 1),
        (21, np.array([3]), 1),
        ("x", np.array([2]), 1),
    ):
        with pytest.raises(MlError) as caught:
            load(with_tree(fitted.estimator, {}, arguments))
        assert caught.value.code in ("41123", "41120")


def test_an_unchanged_forgery_loads(fitted: Fitted) -> None:
    """The control: the forging helper makes a good file when it changes nothing."""
    assert len(load(with_tree(fitted.estimator, {})).trees) == 5


def test_files_of_another_kind(fitted: Fitted) -> None:
    with pytest.raises(MlError):
        load(packed(fitted.estimator), classes=("A", "B", "C"))
    other = fit_iforest(bot_table(100), FIELDS, FitOptions(trees=2))
    with pytest.raises(MlError):
        load(packed(other.estimator))
    shuffled = copy.copy(fitted.estimator)
    shuffled.classes_ = np.array([1, 0])
    with pytest.raises(MlError):
        load(packed(shuffled))
    empty = copy.copy(fitted.estimator)
    empty.estimators_ = []
    with pytest.raises(MlError):
        load(packed(empty))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_never_crash(data: st.DataObject) -> None:
    """Flip bytes of the unpacked stream: the reader answers with a forest or an MlError, never with anything else."""
    plain = bytearray(zlib.decompress(_small_payload()))
    for _ in range(data.draw(st.integers(1, 4))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    try:
        forest = load(zlib.compress(bytes(plain)))
        refused = ""
    except MlError as error:
        refused = error.code
    from udfs.inference import class_probabilities

    assert refused or len(class_probabilities(forest, np.zeros((3, len(FIELDS)), dtype=np.float32))) == 3


_PAYLOAD: list[bytes] = []


def _small_payload() -> bytes:
    if not _PAYLOAD:
        _PAYLOAD.append(packed(fit_rforest(bot_table(60), "label", FIELDS, FitOptions(trees=2)).estimator))
    return _PAYLOAD[0]


# --- the store around the file
# -----------------------------------------------------------------------------------------


def files(store: ModelStore) -> tuple[Path, Path]:
    (side,) = store.folder.joinpath("models").glob("*.json")
    (payload,) = store.folder.joinpath("models").glob("*.joblib")
    return side, payload


def reloaded(store: ModelStore) -> ModelStore:
    return ModelStore(store.folder, key_file=store._key_file)


def test_round_trip_and_cache(store: ModelStore, fitted: Fitted) -> None:
    put(store, fitted)
    model = store.get("bot")
    assert model is store.get("bot")
    assert reloaded(store).get("bot").manifest == store.manifest("bot")
    assert model.field_names == tuple(FIELDS)
    put(store, fit_rforest(bot_table(300, seed=9), "label", FIELDS, FitOptions(trees=3)))
    assert len(store.get("bot").forest.trees) == 3
    assert len(list(store.folder.joinpath("models").glob("*.joblib"))) == 2  # the older one is a version
    assert len(store.get("bot@1").forest.trees) == 5


def test_changed_payload(store: ModelStore, fitted: Fitted) -> None:
    put(store, fitted)
    _, payload = files(store)
    payload.write_bytes(payload.read_bytes()[:-1] + b"\x00")
    with pytest.raises(MlError) as caught:
        reloaded(store).get("bot")
    assert caught.value.code == "41121"


def test_changed_manifest_and_copied_model(store: ModelStore, fitted: Fitted, tmp_path: Path) -> None:
    put(store, fitted)
    other = ModelStore(tmp_path / "other.ml", key_file=tmp_path / "other" / "seal.key")
    shutil.copytree(store.folder, other.folder)
    with pytest.raises(MlError, match="copied") as caught:
        other.get("bot")
    assert caught.value.code == "41124"
    assert caught.value.help is not None
    assert "ml.importModel bot" in caught.value.help
    side, _ = files(store)
    data = json.loads(side.read_text())
    data["manifest"]["training"]["versions"]["scikit-learn"] = "0.1"
    side.write_text(json.dumps(data))
    with pytest.raises(MlError) as caught:
        store.get("bot")
    assert caught.value.code == "41124"
    assert store.listings()[0].problem is not None
    store.remove("bot")
    assert store.listings() == []


def test_payload_with_a_fitting_hash_is_still_read_with_restrictions(
    store: ModelStore, tmp_path: Path, fitted: Fitted
) -> None:
    """Whoever holds the key can seal anything: the file itself must still be harmless."""
    done = put(store, fitted)
    assert done.training is not None
    evil = packed(Runs(tmp_path / "trace"))
    forged = replace(done, training=replace(done.training, sha256=hashlib.sha256(evil).hexdigest()))
    side, payload = files(store)
    payload.write_bytes(evil)
    store._write(side, forged)
    with pytest.raises(MlError) as caught:
        store.get("bot")
    assert caught.value.code == "41120"
    assert not (tmp_path / "trace").exists()


def test_wrong_version(store: ModelStore, fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, fitted)
    monkeypatch.setattr(store_module, "library_versions", lambda: {"scikit-learn": "99.0"})
    assert len(store.get("bot").forest.trees) == 5  # tried: it gives the answers that are stored with it
    assert fitted.training.probes
    vector, answer = fitted.training.probes[0]
    other = replace(fitted.training, probes=((vector, (answer[1], answer[0])),))
    store.put(replace(store.manifest("bot"), training=other), fitted.estimator)
    with pytest.raises(MlError, match=r"99\.0") as caught:
        store.get("bot")
    assert caught.value.code == "41122"
    assert "ml.fit bot" in (caught.value.help or "")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"seal": 1, "manifest": {}}', '{"seal": "x"}', "[" * 100_000])
def test_damaged_manifest(store: ModelStore, fitted: Fitted, body: str) -> None:
    put(store, fitted)
    files(store)[0].write_text(body)
    with pytest.raises(MlError) as caught:
        store.get("bot")
    assert caught.value.code == "41123"


def test_manifest_that_points_outside(store: ModelStore, fitted: Fitted, tmp_path: Path) -> None:
    done = put(store, fitted)
    assert done.training is not None
    side, payload = files(store)
    shutil.copy(payload, tmp_path / "outside.joblib")
    store._write(side, replace(done, training=replace(done.training, payload="../../outside.joblib")))
    with pytest.raises(MlError) as caught:
        store.get("bot")
    assert caught.value.code == "41123"


def test_export_and_import(store: ModelStore, fitted: Fitted, tmp_path: Path) -> None:
    put(store, fitted)
    file = store.export_file("bot", tmp_path / "bot.model")
    other = ModelStore(tmp_path / "other.ml", key_file=tmp_path / "other" / "seal.key")
    assert other.import_file("봇 2", file).name == "봇 2"
    assert other.names() == ["봇 2"]
    assert len(other.get("봇 2").forest.trees) == 5
    with pytest.raises(MlError) as caught:
        other.import_file("봇 2", file)
    assert caught.value.code == "41117"
    with pytest.raises(MlError) as caught:
        store.export_file("bot", file)
    assert caught.value.code == "41125"


def test_import_of_bad_files(store: ModelStore, fitted: Fitted, tmp_path: Path) -> None:
    put(store, fitted)
    good = store.export_file("bot", tmp_path / "bot.model")
    with zipfile.ZipFile(good) as archive:
        manifest, payload = archive.read("manifest.json"), archive.read("forest.joblib")
    evil = packed(Runs(tmp_path / "trace"))
    rehashed = json.loads(manifest)
    rehashed["training"]["sha256"] = hashlib.sha256(evil).hexdigest()
    old = json.loads(manifest)
    old["training"]["versions"]["scikit-learn"] = "0.1"
    old["training"]["probes"] = []
    cases = {
        "wrong hash": ({"manifest.json": manifest, "forest.joblib": evil}, "41121"),
        "command": ({"manifest.json": json.dumps(rehashed).encode(), "forest.joblib": evil}, "41120"),
        "version": ({"manifest.json": json.dumps(old).encode(), "forest.joblib": payload}, "41122"),
        "members": ({"manifest.json": manifest, "forest.joblib": payload, "../x": b""}, "41123"),
        "manifest": ({"manifest.json": b"{}", "forest.joblib": payload}, "41123"),
        "plain joblib": (None, "41123"),
    }
    for name, (members, code) in cases.items():
        file = tmp_path / f"{name}.model"
        if members is None:
            file.write_bytes(payload)
        else:
            with zipfile.ZipFile(file, "w") as archive:
                for member, body in members.items():
                    archive.writestr(member, body)
        with pytest.raises(MlError) as caught:
            store.import_file("fresh", file)
        assert caught.value.code == code, name
        assert store.names() == ["bot"]
    assert not (tmp_path / "trace").exists()
    with pytest.raises(MlError) as caught:
        store.import_file("fresh", tmp_path / "absent")
    assert caught.value.code == "41125"


def test_unknown_empty_untrained_and_wrong_kind(store: ModelStore, fitted: Fitted) -> None:
    put(store, fitted)
    store.create(Manifest("fresh", ModelKind.IFOREST, "x", ("a",)))
    for name, kind, code in (
        ("", None, "41100"),
        ("bott", None, "41101"),
        ("bot", ModelKind.IFOREST, "41102"),
        ("fresh", None, "41116"),
    ):
        with pytest.raises(MlError) as caught:
            store.get(name, kind)
        assert caught.value.code == code
    with pytest.raises(MlError, match="bott") as caught:
        store.get("bott")
    assert caught.value.help == "did you mean bot?"
    with pytest.raises(MlError) as caught:
        store.create(BOT)
    assert caught.value.code == "41117"


def test_names_stay_apart_and_inside(store: ModelStore) -> None:
    names = ["bot", "Bot", "../bot", "a/b", "봇 모델", "..", "con", "x" * 100]
    for name in names:
        store.create(Manifest(name, ModelKind.IFOREST, "x", ("a",)))
    assert store.names() == sorted(names)
    assert len({path.name.lower() for path in store.folder.joinpath("models").glob("*.json")}) == len(names)
    for name in ("", " ", "x" * 101):
        with pytest.raises(MlError):
            store.create(Manifest(name, ModelKind.IFOREST, "x", ("a",)))


def test_reading_creates_nothing(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "db.ml", key_file=tmp_path / "user" / "seal.key")
    assert store.listings() == []
    with pytest.raises(MlError):
        store.get("bot")
    assert list(tmp_path.iterdir()) == []


def test_crash_between_payload_and_manifest_keeps_the_old_model(
    store: ModelStore, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, fitted)
    before = store.manifest("bot")

    def dies(path: Path, manifest: Manifest) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_write", dies)
    with pytest.raises(KeyboardInterrupt):
        put(store, fit_rforest(bot_table(300, seed=9), "label", FIELDS, FitOptions(trees=3)))
    fresh = reloaded(store)
    assert fresh.manifest("bot") == before
    assert len(fresh.get("bot").forest.trees) == 5


@pytest.mark.posix("pipes, devices")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to itself"])
@pytest.mark.parametrize("which", ["import", "description", "payload", "key"])
def test_only_regular_files_are_read(
    store: ModelStore, fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, which: str
) -> None:
    """A pipe that nobody writes to was waited for without end, an endless device was read into memory."""
    put(store, fitted)
    manifest, payload = files(store)
    place = {
        "import": tmp_path / "model.zip",
        "description": manifest,
        "payload": payload,
        "key": tmp_path / "user" / "seal.key",
    }[which]
    place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero" if kind == "device" else place.name)
    fresh = reloaded(store)
    with pytest.raises(MlError):
        fresh.import_file("other", place) if which == "import" else fresh.get("bot")
    assert [item.name for item in fresh.listings()] in ([], ["bot"])


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e99999"])
def test_numbers_that_no_computer_holds(store: ModelStore, fitted: Fitted, tmp_path: Path, number: str) -> None:
    put(store, fitted)
    manifest = files(store)[0]
    text = manifest.read_text()
    changed = re.sub(r"(\": )\d+(?=[,}\n])", rf"\g<1>{number}", text)
    assert changed != text
    manifest.write_text(changed)
    with pytest.raises(MlError):
        reloaded(store).get("bot")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        body = json.dumps(json.loads(text)["manifest"])
        archive.writestr("manifest.json", re.sub(r"(\": )\d+(?=[,}])", rf"\g<1>{number}", body))
        archive.writestr("forest.joblib", b"")
    with pytest.raises(MlError):
        store.import_file("other", tmp_path / "m.zip")


def test_a_payload_without_manifest_goes_with_the_next_model(store: ModelStore, fitted: Fitted) -> None:
    """A process that was killed while it stored a new model left its payload, which nothing swept."""
    put(store, fitted)
    _, payload = files(store)
    left = payload.with_name(f"{stem('never')}-{'0' * 16}.joblib")
    left.write_bytes(b"half")
    put(store, fitted)
    assert not left.exists()
    assert payload.exists()


def test_a_payload_that_unpacks_to_too_much_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 MB that unpack to 3 GB took 2 GB of memory before they were refused."""
    monkeypatch.setattr(safeload, "MAX_UNPACKED", 256 << 20)
    engine = zlib.compressobj(1)
    block = bytes(16 << 20)
    payload = b"".join([*(engine.compress(block) for _ in range(24)), engine.flush()])
    tracemalloc.start()
    try:
        with pytest.raises(safeload._Refused):
            safeload._unpack(payload)
        assert tracemalloc.get_traced_memory()[1] < 160 << 20
    finally:
        tracemalloc.stop()
    assert safeload._unpack(zlib.compress(block)) == block
