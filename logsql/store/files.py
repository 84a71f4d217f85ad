"""Files that several processes share: atomic replacement, a folder lock, and file names for any model name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from logsql.ml import errors as codes
from logsql.ml.errors import MlError


def user_folder() -> Path:
    """The user's data folder for models that belong to no database."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "logsql" / "ml"


def default_folder(database: str | Path | None) -> Path:
    """Where models live: beside the database file (``case.duckdb`` -> ``case.duckdb.ml``), else in the user's data
    folder."""
    if database is None or str(database) in ("", ":memory:"):
        return user_folder()
    path = Path(database)
    return path.with_name(path.name + ".ml")


def file_stem(name: str) -> str:
    """A file name for any name: word characters stay, others become %XX; a hash keeps "Bot" and "bot" apart
    everywhere."""
    if not name.strip() or len(name) > 100:
        raise MlError(codes.USAGE, f"'{name[:120]}' cannot be a name", "use 1 to 100 characters")
    safe = re.sub(r"[^\w-]", lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), name)
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe[:60]}.{digest}"


def write_atomic(path: Path, data: bytes, private: bool = False) -> None:
    """Replace ``path`` as a whole: readers see the old or the new bytes, also after kill -9 or a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable (a no-op where folders cannot be opened)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one writer at a time over all processes. Released by the system when a process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)
