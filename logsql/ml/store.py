"""The model store: one folder, two files per model, safe against crashes, other processes and foreign files.

Contract
- ``<stem>.json`` is the manifest with its seal; it names the payload ``<stem>-<hash>.joblib``. The payload is written
  first, then the manifest is replaced atomically: after kill -9 at any moment the old model is whole.
- Each training is a version: the sealed manifest of an older one is kept below ``versions`` under its number and the
  hash of its payload, and ``NAME@2`` names it wherever a model is named. ``rollback`` makes one the model in use.
- Writers hold the folder's lock; readers never wait. Models of different processes never overwrite each other.
- The seal is an HMAC with a key of this user: a model copied into the folder has none that fits and is refused until
  ``import_file`` has verified it.
- Before a payload is unpickled: seal, SHA-256; then the restricted reader of ``safeload``. A model of another version
  of scikit-learn is tried: it must give the answers that are stored with it.
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
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np

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
from logsql.diagnostics.modeltests import (
    CANNOT_CHECK,
    CURRENT_VERSION,
    KEY_IS,
    NO_EARLIER,
    NO_PROBES,
    NO_VERSION,
    NOBODY,
    OTHER_ANSWERS,
    OTHER_LIBRARY,
    OTHER_SIGNER,
    WRONG_SIGNATURE,
)
from logsql.ml import signing
from logsql.ml.features import width_of
from logsql.ml.model import Manifest, ModelKind, Task, TrainedModel, Training, canonical
from logsql.ml.quiet import quiet
from logsql.ml.safeload import dump_forest, load_forest
from logsql.store.files import Files
from logsql.store.folders import BadName, file_stem, user_folder
from udfs.forests import Forest
from udfs.inference import answers as given_answers
from udfs.inference import isolation_scores

# A manifest holds the dictionaries of text fields; a million texts of 100 characters stay below this.
MAX_MANIFEST = 256 << 20
MAX_PAYLOAD = 2 << 30
SIGNATURE, MAX_SIGNATURE = "signature.json", 1 << 12


def library_versions() -> dict[str, str]:
    """Versions stored with a model. Trees of a different scikit-learn may be laid out differently: they are tried."""
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
        self.files = files if files is not None else Files()
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
        for path in self.files.matching(self._models, ".json"):
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
        if not self.files.has_file(path):
            owner, version = self._of_version(name)
            if owner is not None:
                return self._version(owner, version)
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
                payload = self.files.read(self._models / manifest.training.payload)
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

    # -- versions --

    def versions(self, name: str) -> list[Manifest]:
        """The trainings of a model, newest first, that in use among them; those that cannot be read are left out."""
        current = self.manifest(name)
        found = {} if current.training is None else {current.version: current}
        for version, path in self._version_files(self._path(current.name)).items():
            with contextlib.suppress(MlError):
                found.setdefault(version, self._read(path, current.name))
        return [found[version] for version in sorted(found, reverse=True)]

    def rollback(self, name: str, version: int | None = None) -> Manifest:
        """Make an older version (by default the one before) the model in use; what was in use stays a version.

        Raises MlError: no such model or version, not trained.
        """
        path = self._path(name)
        with self.files.lock(self._models):
            current = self.manifest(name)
            if current.training is None:
                raise MlError(NOT_FITTED, name=name)
            kept = self._version_files(path)
            if version is None:
                earlier = [number for number in kept if number < current.version]
                if not earlier:
                    raise MlError(NO_EARLIER, name=name)
                version = max(earlier)
            if version == current.version:
                return current
            wanted = self._version(name, version)
            self._keep(path)
            self.files.write(path, self.files.read(kept[version], MAX_MANIFEST))
        return wanted

    def _of_version(self, name: str) -> tuple[str | None, int]:
        """The model and the number of ``NAME@2``; None when the name is none of an older training."""
        owner, _, number = name.rpartition("@")
        if owner.strip() and number.isdecimal() and number.isascii() and self.files.has_file(self._path(owner)):
            return owner, int(number)
        return None, 0

    def _version(self, name: str, version: int) -> Manifest:
        path = self._path(name)
        current = self._read(path)
        if current.training is not None and current.version == version:
            return current
        kept = self._version_files(path).get(version)
        if kept is None:
            raise MlError(NO_VERSION, name=name, version=version)
        return self._read(kept, name)

    def _version_files(self, path: Path) -> dict[int, Path]:
        """The files of the kept versions of the model whose manifest is ``path``, by number."""
        out: dict[int, Path] = {}
        for file in self.files.matching(self._models / "versions", ".json"):
            owner, number, _ = [*file.stem.rsplit("-", 2), "", ""][:3]
            if owner == path.stem and number.isdecimal():
                out[int(number)] = file
        return out

    def _keep(self, path: Path) -> int:
        """Keep the trained model in use as a version; returns the number of the next. The caller holds the lock."""
        numbers = list(self._version_files(path))
        if self.files.has_file(path):
            with contextlib.suppress(MlError):  # one that cannot be used is no version to go back to
                current = self._read(path)
                if current.training is not None:
                    digest = current.training.payload.rpartition("-")[2].removesuffix(".joblib")
                    kept = self._models / "versions" / f"{path.stem}-{current.version}-{digest}.json"
                    self.files.write(kept, self.files.read(path, MAX_MANIFEST))
                    numbers.append(current.version)
        return max(numbers, default=0) + 1

    # -- writing --

    def create(self, manifest: Manifest) -> Manifest:
        """Store an untrained model. Raises MlError when the name is taken."""
        with self.files.lock(self._models):
            path = self._path(manifest.name)
            if self.files.has_file(path):
                raise MlError(MODEL_EXISTS, name=manifest.name)
            self._write(path, manifest)
        return manifest

    def put(self, manifest: Manifest, estimator: object) -> Manifest:
        """Store a trained model as the next version, which is in use from now on. Returns the manifest with payload,
        hash and number."""
        return self._put(manifest, dump_forest(estimator))

    def _put(self, manifest: Manifest, payload: bytes) -> Manifest:
        if manifest.training is None:
            raise ValueError("a payload without a training")
        digest = hashlib.sha256(payload).hexdigest()
        path = self._path(manifest.name)
        name = f"{path.stem}-{digest[:16]}.joblib"
        done = replace(manifest, training=replace(manifest.training, payload=name, sha256=digest))
        with self.files.lock(self._models):
            self.files.write(self._models / name, payload)
            done = replace(done, version=self._keep(path))
            self._write(path, done)
            self._sweep(path, keep=name)
        return done

    def remove(self, name: str) -> None:
        """Remove a model with its versions, or one version that is not in use. A damaged or foreign one can be removed
        too. Raises MlError when there is none."""
        path = self._path(name)
        if not self.files.has_file(path):
            self.manifest(name)
            return self._remove_version(name)
        with self.files.lock(self._models):
            self.files.remove(path)
            for file in self._version_files(path).values():
                self.files.remove(file)
            self._sweep(path, keep=None)

    def _remove_version(self, name: str) -> None:
        owner, version = self._of_version(name)
        path = self._path(owner or name)
        with self.files.lock(self._models):
            current = self._read(path)
            if current.version == version:
                raise MlError(CURRENT_VERSION, name=owner, version=version)
            self.files.remove(self._version_files(path)[version])
            self._sweep(path, keep=current.training.payload if current.training is not None else None)

    def export_file(self, name: str, target: str | Path) -> Path:
        """Write a trained model to one file (a ZIP of manifest, payload and, where that is possible, the signature of
        this user). Raises MlError like ``get``, or when it cannot be written."""
        path = Path(target)
        self.files.policy.check_write(str(path))
        if self.files.has(path):
            raise MlError(FILE_EXISTS, file=path)
        manifest = self.get(name).manifest
        assert manifest.training is not None
        payload = self.files.read(self._models / manifest.training.payload)
        if hashlib.sha256(payload).hexdigest() != manifest.training.sha256:
            raise _wrong_hash(manifest.name)
        buffer = io.BytesIO()
        description = canonical(manifest.to_json())
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("manifest.json", description)
            archive.writestr("forest.joblib", payload)
            if signing.possible():
                archive.writestr("signature.json", self._signed(description).to_bytes())
        try:
            self.files.write(path, buffer.getvalue())
        except OSError as error:
            raise MlError(CANNOT_WRITE, file=path, reason=error.strerror) from None
        return path

    def signer(self) -> str | None:
        """The fingerprint of the key that signs this user's exports; None where nothing can be signed."""
        return self._signed(b"").signer if signing.possible() else None

    def _signed(self, description: bytes) -> signing.Signed:
        try:
            return signing.signed(description, self._key_file.with_name("sign.key"))
        except (OSError, ValueError) as error:
            raise MlError(CANNOT_READ, file=self._key_file.with_name("sign.key"), reason=error) from None

    def import_file(self, name: str, source: str | Path, signer: str | None = None) -> Manifest:
        """Take over a model file made by ``export_file`` under ``name``, after full verification. signer: the
        fingerprint of the key that must have signed it.

        Raises MlError: unreadable, damaged, unsafe, wrong hash or signature, another signer, or the name is taken.
        """
        manifest, payload = _read_export(Path(source), self.files, signer)
        manifest = manifest.renamed(name)
        if self.files.has_file(self._path(name)):
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
        self.files.write(path, text.encode())

    def _read(self, path: Path, name: str | None = None) -> Manifest:
        """A sealed manifest; name: of the model whose older version it is."""
        try:
            data = json.loads(self.files.read(path, MAX_MANIFEST))
            seal, body = data["seal"], data["manifest"]
            manifest = Manifest.from_json(body)
            expected = path.name if name is None else self._path(name).name
            if self._path(manifest.name).name != expected or not isinstance(seal, str):
                raise ValueError("name")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            raise MlError(DAMAGED_DESCRIPTION, help=REMOVE_AND_TRAIN.fill(), file=path.name) from None
        wanted = hmac.new(self._key(create=False), canonical(body), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(seal.encode(), wanted.encode()):
            notes = [KEY_IS.fill(file=self._key_file)]
            raise MlError(NOT_IMPORTED, notes=notes, name=manifest.name)
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
        kept = {file.stem.rpartition("-")[2] for file in self._version_files(path).values()}
        for old in self.files.matching(self._models, ".joblib"):
            owner = self._models / f"{old.stem.rpartition('-')[0]}.json"
            named = old.name == keep or old.stem.rpartition("-")[2] in kept
            left = not named if owner == path else not self.files.has_file(owner)
            if left:
                with contextlib.suppress(OSError):  # Windows: still open in another process; the next write sweeps it
                    self.files.remove(old)


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
    wanted = {Task.CLASSIFY, Task.REGRESS} if manifest.kind.supervised else {Task.SCORE}
    if training.task not in wanted or (training.task is Task.CLASSIFY) != bool(training.classes):
        raise MlError(DAMAGED_CLASSES, name=manifest.name)
    owner = MODEL_QUOTED.fill(name=manifest.name)
    stored, here = dict(training.versions).get("scikit-learn", "unknown"), library_versions()["scikit-learn"]
    try:
        with quiet():  # of another version: told in our own words, where the model is used
            forest = load_forest(payload, manifest.kind, width_of(training.features), training.classes, owner)
    except MlError as error:
        if stored == here:
            raise
        raise MlError(WRONG_VERSION, name=manifest.name, stored=stored, here=here, reason=error.message) from None
    forest = replace(forest, calibration=training.calibration)
    if stored != here and (reason := _differs(training, forest)):
        raise MlError(WRONG_VERSION, name=manifest.name, stored=stored, here=here, reason=reason)
    return TrainedModel(manifest, training, forest)


def other_library(manifest: Manifest) -> str | None:
    """What is said of a model of another scikit-learn, which was tried and found to give its answers; else None."""
    training = manifest.training
    stored = dict(training.versions).get("scikit-learn") if training is not None else None
    if training is None or stored is None or stored == (here := metadata.version("scikit-learn")):
        return None
    return OTHER_LIBRARY.fill(name=manifest.name, stored=stored, here=here, count=len(training.probes))


def _differs(training: Training, forest: Forest) -> str:
    """Why a forest of another version of the library cannot be trusted: empty when it gives the stored answers."""
    if not training.probes:
        return NO_PROBES.fill()
    vectors = np.array([[np.nan if v is None else v for v in vector] for vector, _ in training.probes], np.float32)
    answers = np.array([answer for _, answer in training.probes])
    alone = training.task is Task.SCORE
    found = isolation_scores(forest, vectors)[:, None] if alone else given_answers(forest, vectors)
    same = found.shape == answers.shape and bool(np.allclose(found, answers, rtol=1e-9, atol=1e-12))
    return "" if same else OTHER_ANSWERS.fill(count=len(answers))


def _wrong_hash(name: str) -> MlError:
    return MlError(WRONG_HASH, name=name)


def signature_of(source: str | Path, files: Files) -> signing.Signed | None:
    """The signature in an exported file, unchecked; None where there is none. Raises MlError like an import."""
    with _opened(Path(source), files) as archive:
        if SIGNATURE not in archive.namelist():
            return None
        return signing.Signed.from_bytes(_member(archive, SIGNATURE, MAX_SIGNATURE))


def _read_export(source: Path, files: Files, signer: str | None) -> tuple[Manifest, bytes]:
    found = signature_of(source, files)
    if signer is not None and (found is None or found.signer != signer):
        raise MlError(OTHER_SIGNER, file=source, found=NOBODY.fill() if found is None else found.signer, wanted=signer)
    if signer is not None and not signing.possible():
        raise MlError(CANNOT_CHECK, file=source)
    with _opened(source, files) as archive:
        text = _member(archive, "manifest.json", MAX_MANIFEST)
        if found is not None and signing.possible() and not found.fits(text):
            raise MlError(WRONG_SIGNATURE, file=source)
        return Manifest.from_json(json.loads(text)), _member(archive, "forest.joblib", MAX_PAYLOAD)


@contextlib.contextmanager
def _opened(source: Path, files: Files) -> Iterator[zipfile.ZipFile]:
    """The archive of an export. Raises MlError when it is none, also for what goes wrong inside the block."""
    try:
        with files.open(source) as file, zipfile.ZipFile(file) as archive:
            if sorted({*archive.namelist()} | {SIGNATURE}) != ["forest.joblib", "manifest.json", SIGNATURE]:
                raise ValueError("members")
            yield archive
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
