"""Evidence that does not fit into memory lies on the disk for a while: only its owner may read it there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import logsql
from udfs.temporary import PrivateFolder, here

pytestmark = pytest.mark.posix("permissions")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_does_not_fit_into_memory_is_private_and_goes(temporary: Path) -> None:
    """It lay in ``/tmp/logsql-PID``, which everybody could read and anybody could have made before."""
    with logsql.connect(tz="UTC", memory_limit="60MB", threads=2) as session:
        session.sql("create view big as select range a, md5(range::varchar) t from range(1500000)").rows()
        rows = iter(session.query("table big | sort t"))
        next(rows)
        spilled = [p for p in temporary.rglob("*") if p.is_file()]
        assert spilled
        folders = {p.parent for p in spilled} | {p.parent.parent for p in spilled}
        assert {f.stat().st_mode & 0o777 for f in folders if f != temporary} == {0o700}
        del rows
    assert list((temporary / f"logsql-{os.getuid()}").iterdir()) == []


def test_what_a_dead_process_left_goes_and_that_of_a_living_one_stays(temporary: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with PrivateFolder() as path:
        above = Path(path).parent
        left = [above / f"{here()}-{process}-{'0' * 16}" for process in (gone.pid, os.getppid())]
        for folder in (*left, above / "of somebody else"):
            folder.mkdir()
            (folder / "rows").write_text("x")
        with PrivateFolder() as other:
            assert sorted(above.iterdir()) == sorted([left[1], above / "of somebody else", Path(path), Path(other)])


@pytest.mark.parametrize("squatted", ["open", "link", "file"])
def test_a_folder_that_somebody_else_made_is_not_used(temporary: Path, squatted: str) -> None:
    place = temporary / f"logsql-{os.getuid()}"
    if squatted == "open":
        place.mkdir()
        place.chmod(0o777)
    elif squatted == "link":
        (temporary / "theirs").mkdir(0o700)
        place.symlink_to("theirs")
    else:
        place.write_text("")
    with PrivateFolder() as path:
        assert Path(path).parent != place
        assert os.stat(path).st_mode & 0o777 == 0o700
    with logsql.connect() as session:
        assert session.query('json "{}"').rows() == [{}]


def test_a_session_needs_no_temporary_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with logsql.connect() as session:
        assert session.query('json "{}" | eval a = 1').rows() == [{"a": 1}]
