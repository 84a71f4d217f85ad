"""The model store: one folder, two files per model, safe against crashes, other processes and foreign files.

Contract
- ``<stem>.json`` is the manifest with its seal; it names the payload ``<stem>-<hash>.joblib``. The payload is written
  first, then the manifest is replaced atomically: after kill -9 at any moment the old model is whole.
- Writers hold the folder's lock; readers never wait. Models of different processes never overwrite each other.
- The seal is an HMAC with a key of this user: a model copied into the folder has none that fits and is refused until
  ``import_file`` has verified it.
- Before a payload is unpickled: seal, SHA-256, scikit-learn version; then the restricted reader of ``safeload``.
- Reading creates nothing on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import json
import os
import secrets
import threading
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

from logsql.diagnostics.modelfiles import (
    CANNOT_READ,
    CANNOT_WRITE,
    DAMAGED_CLASSES,
    DAMAGED_DESCRIPTION,
    FILE_EXISTS,
    FILE_MISSING,
    FOREST_MISSING,
    NO_EXPORT,
    NOT_IMPORTED,
    REMOVE_AND_TRAIN,
    WRONG_HASH,
    WRONG_VERSION,
)
from logsql.diagnostics.models import (
    BAD_NAME,
    MODEL_EMPTY,
    MODEL_EXISTS,
    MODEL_NOT_FOUND,
    MODEL_QUOTED,
    MODELS_ARE,
    NO_HANDLER,
    NO_MODELS,
    NOT_FITTED,
    MlError,
    did_you_mean_one,
)
from logsql.ml.features import width_of
from logsql.ml.model import Manifest, ModelKind, Task, TrainedModel, canonical
from logsql.ml.safeload import dump_forest, load_forest
from logsql.store.files import Files
from logsql.store.folders import BadName, file_stem, user_folder

# A manifest holds the dictionaries of text fields; a million texts of 100 characters stay below this.
MAX_MANIFEST = 256 << 20
MAX_PAYLOAD = 2 << 30


def library_versions() -> dict[str, str]:
    """Versions stored with a model. A different scikit-learn is refused: its trees may be laid out differently."""
    import joblib
    import numpy
    import sklearn

    return {"scikit-learn": sklearn.__version__, "joblib": joblib.__version__, "numpy": numpy.__version__}


@dataclass(frozen=True)
class Listing:
    """One row of the list of models; ``problem`` says why a model cannot be used (its manifest is None then)."""

    name: str
    manifest: Manifest | None
    problem: str | None = None


class ModelStore:
    """Models in ``folder``. ``key_file``: the sealing key, by default in the user's data folder; ``cache``: loaded
    models kept; ``files``: the door that says what may be read and written (the key is the program's own)."""

    def __init__(
        self, folder: str | Path, key_file: str | Path | None = None, cache: int = 8, files: Files | None = None
    ) -> None:
        self.folder = Path(folder)
        self._files = files if files is not None else Files()
        self._own = Files()
        self._models = self.folder / "models"
        self._key_file = Path(key_file) if key_file is not None else user_folder() / "seal.key"
        self._cache: OrderedDict[tuple[str, str], TrainedModel] = OrderedDict()
        self._cache_size = cache
        self._guard = threading.Lock()

    # -- reading --

    def listings(self) -> list[Listing]:
        """All models by name; damaged or foreign ones are listed with their problem, not hidden."""
        found = []
        for path in self._files.matching(self._models, ".json"):
            try:
                manifest = self._read(path)
                found.append(Listing(manifest.name, manifest))
            except MlError as error:
                found.append(Listing(path.name.rsplit(".", 2)[0], None, error.message))
        return sorted(found, key=lambda item: item.name)

    def names(self) -> list[str]:
        return [item.name for item in self.listings() if item.manifest is not None]

    def manifest(self, name: str) -> Manifest:
        """Manifest of a model. Raises MlError: no such model, damaged, or not imported here."""
        if not name:
            raise MlError(MODEL_EMPTY, notes=[self._known()])
        path = self._path(name)
        if not self._files.has_file(path):
            known = self.names()
            near = did_you_mean_one(name, known)
            raise MlError(MODEL_NOT_FOUND, help=near, notes=[self._known(known)], name=name)
        return self._read(path)

    def card(self, name: str, kind: ModelKind) -> Manifest:
        """The manifest of a model of this kind; nothing is loaded. Raises MlError 41100, 41101, 41102 and others."""
        manifest = self.manifest(name)
        if manifest.kind is not kind:
            raise MlError(NO_HANDLER, name=name, type=manifest.kind, wanted=kind)
        return manifest

    def get(self, name: str, kind: ModelKind | None = None) -> TrainedModel:
        """A verified model, from the cache when its payload has not changed.

        kind: refuse another kind of model. Raises MlError: unknown, not trained, wrong kind, or refused by
        verification.
        """
        for attempt in range(3):
            manifest = self.manifest(name) if kind is None else self.card(name, kind)
            if manifest.training is None:
                raise MlError(NOT_FITTED, name=name)
            key = (name, hashlib.sha256(canonical(manifest.to_json())).hexdigest())
            with self._guard:
                if key in self._cache:
                    self._cache.move_to_end(key)
                    return self._cache[key]
            try:
                payload = self._files.read(self._models / manifest.training.payload)
            except FileNotFoundError:
                if attempt < 2:  # another process replaced the model between the two reads
                    continue
                raise MlError(FOREST_MISSING, name=name) from None
            except OSError as error:  # a folder or a pipe of its name, a bad sector
                raise MlError(CANNOT_READ, file=manifest.training.payload, reason=error.strerror) from None
            model = verified(manifest, payload)
            with self._guard:
                self._cache[key] = model
                while len(self._cache) > self._cache_size:
                    self._cache.popitem(last=False)
            return model
        raise AssertionError("unreachable")

    # -- writing --

    def create(self, manifest: Manifest) -> Manifest:
        """Store an untrained model. Raises MlError when the name is taken."""
        with self._files.lock(self._models):
            path = self._path(manifest.name)
            if self._files.has_file(path):
                raise MlError(MODEL_EXISTS, name=manifest.name)
            self._write(path, manifest)
        return manifest

    def put(self, manifest: Manifest, estimator: object) -> Manifest:
        """Store a trained model, replacing an older version of it as a whole. Returns the manifest with payload and
        hash."""
        return self._put(manifest, dump_forest(estimator))

    def _put(self, manifest: Manifest, payload: bytes) -> Manifest:
        if manifest.training is None:
            raise ValueError("a payload without a training")
        digest = hashlib.sha256(payload).hexdigest()
        path = self._path(manifest.name)
        name = f"{path.stem}-{digest[:16]}.joblib"
        done = replace(manifest, training=replace(manifest.training, payload=name, sha256=digest))
        with self._files.lock(self._models):
            self._files.write(self._models / name, payload)
            self._write(path, done)
            self._sweep(path, keep=name)
        return done

    def remove(self, name: str) -> None:
        """Remove a model. A damaged or foreign one can be removed too. Raises MlError when there is none."""
        path = self._path(name)
        if not self._files.has_file(path):
            self.manifest(name)
        with self._files.lock(self._models):
            self._files.remove(path)
            self._sweep(path, keep=None)

    def export_file(self, name: str, target: str | Path) -> Path:
        """Write a trained model to one file (a ZIP of manifest and payload). Raises MlError like ``get``, or when it
        cannot be written."""
        manifest = self.get(name).manifest
        assert manifest.training is not None
        payload = self._files.read(self._models / manifest.training.payload)
        if hashlib.sha256(payload).hexdigest() != manifest.training.sha256:
            raise _wrong_hash(manifest.name)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("manifest.json", canonical(manifest.to_json()))
            archive.writestr("forest.joblib", payload)
        path = Path(target)
        self._files.policy.check_write(str(path))
        if self._files.has(path):
            raise MlError(FILE_EXISTS, file=path)
        try:
            self._files.write(path, buffer.getvalue())
        except OSError as error:
            raise MlError(CANNOT_WRITE, file=path, reason=error.strerror) from None
        return path

    def import_file(self, name: str, source: str | Path) -> Manifest:
        """Take over a model file made by ``export_file`` under ``name``, after full verification.

        Raises MlError: unreadable, damaged, unsafe, wrong version or hash, or the name is taken.
        """
        manifest, payload = _read_export(Path(source), self._files)
        manifest = manifest.renamed(name)
        if self._files.has_file(self._path(name)):
            raise MlError(MODEL_EXISTS, name=name)
        verified(manifest, payload)
        return self._put(manifest, payload)

    # -- inside --

    def _path(self, name: str) -> Path:
        return self._models / f"{stem(name)}.json"

    def _known(self, names: list[str] | None = None) -> str:
        names = self.names() if names is None else names
        return MODELS_ARE.fill(names=", ".join(names)) if names else NO_MODELS.fill()

    def _write(self, path: Path, manifest: Manifest) -> None:
        body = manifest.to_json()
        seal = hmac.new(self._key(create=True), canonical(body), hashlib.sha256).hexdigest()
        text = json.dumps({"seal": seal, "manifest": body}, ensure_ascii=False, indent=1)
        self._files.write(path, text.encode())

    def _read(self, path: Path) -> Manifest:
        try:
            data = json.loads(self._files.read(path, MAX_MANIFEST))
            seal, body = data["seal"], data["manifest"]
            manifest = Manifest.from_json(body)
            if self._path(manifest.name).name != path.name or not isinstance(seal, str):
                raise ValueError("name")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            raise MlError(DAMAGED_DESCRIPTION, help=REMOVE_AND_TRAIN.fill(), file=path.name) from None
        expected = hmac.new(self._key(create=False), canonical(body), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(seal.encode(), expected.encode()):
            raise MlError(NOT_IMPORTED, name=manifest.name)
        if manifest.training is not None and "/" in manifest.training.payload.replace(os.sep, "/"):
            raise MlError(DAMAGED_DESCRIPTION, file=path.name)
        return manifest

    def _key(self, create: bool) -> bytes:
        try:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return self._own.read(self._key_file)
            if not create:
                return b"no key yet: nothing was sealed by this user"
            with self._own.lock(self._key_file.parent):
                if not self._own.has(self._key_file):
                    self._own.write(self._key_file, secrets.token_bytes(32), private=True)
            return self._own.read(self._key_file)
        except OSError as error:
            raise MlError(CANNOT_READ, file=self._key_file, reason=error.strerror) from None

    def _sweep(self, path: Path, keep: str | None) -> None:
        """Delete payloads that no manifest names any more: older versions of this model, and what a killed process
        stored of one whose manifest it did not come to write. The caller holds the lock."""
        for old in self._files.matching(self._models, ".joblib"):
            owner = self._models / f"{old.stem.rpartition('-')[0]}.json"
            left = old.name != keep if owner == path else not self._files.has_file(owner)
            if left:
                with contextlib.suppress(OSError):  # Windows: still open in another process; the next write sweeps it
                    self._files.remove(old)


def stem(name: str) -> str:
    """The file name for a model or an input. Raises MlError for a text that is no name."""
    try:
        return file_stem(name)
    except BadName as error:
        raise MlError(BAD_NAME, name=error.name) from None


def verified(manifest: Manifest, payload: bytes) -> TrainedModel:
    """The model in ``payload`` after all checks. Raises MlError: wrong hash, wrong version, unsafe or damaged."""
    training = manifest.training
    if training is None:
        raise MlError(NOT_FITTED, name=manifest.name)
    if not hmac.compare_digest(hashlib.sha256(payload).hexdigest(), training.sha256):
        raise _wrong_hash(manifest.name)
    stored, here = dict(training.versions).get("scikit-learn", "unknown"), library_versions()["scikit-learn"]
    if stored != here:
        raise MlError(WRONG_VERSION, name=manifest.name, stored=stored, here=here)
    wanted = {Task.CLASSIFY, Task.REGRESS} if manifest.kind.supervised else {Task.SCORE}
    if training.task not in wanted or (training.task is Task.CLASSIFY) != bool(training.classes):
        raise MlError(DAMAGED_CLASSES, name=manifest.name)
    owner = MODEL_QUOTED.fill(name=manifest.name)
    forest = load_forest(payload, manifest.kind, width_of(training.features), training.classes, owner)
    return TrainedModel(manifest, training, replace(forest, calibration=training.calibration))


def _wrong_hash(name: str) -> MlError:
    return MlError(WRONG_HASH, name=name)


def _read_export(source: Path, files: Files) -> tuple[Manifest, bytes]:
    try:
        with files.open(source) as file, zipfile.ZipFile(file) as archive:
            if sorted(archive.namelist()) != ["forest.joblib", "manifest.json"]:
                raise ValueError("members")
            text = _member(archive, "manifest.json", MAX_MANIFEST)
            return Manifest.from_json(json.loads(text)), _member(archive, "forest.joblib", MAX_PAYLOAD)
    except FileNotFoundError:
        raise MlError(FILE_MISSING, file=source) from None
    except OSError as error:
        raise MlError(CANNOT_READ, file=source, reason=error.strerror) from None
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
        NotImplementedError,
        EOFError,
    ):
        raise MlError(NO_EXPORT, file=source) from None


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError("too large")
    return data
