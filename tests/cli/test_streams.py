"""The command line where a stream is closed, a folder is a file, or Ctrl-C comes while it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from tests.cli.support import command, env, run
from tests.support import ROOT


def shell(words: list[str], redirection: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*words)],
        capture_output=True, check=False, timeout=90, env=env(), cwd=ROOT,
    )  # fmt: skip


def test_a_closed_stream_is_no_defect(tmp_path: Path) -> None:
    query = ["-q", "json \"{'a': 1}\""]
    # Rows that cannot be written are an error; a closed stdout is not the next file that is opened.
    done = shell(query, ">&-")
    assert (done.returncode, done.stderr[:13]) == (1, b"error[E2010 o")
    done = shell(["--version"], ">&-")
    assert (done.returncode, done.stderr[:13]) == (1, b"error[E2010 o")
    # What is said is lost, the rows are not.
    done = shell(query, "2>&-")
    assert (done.returncode, done.stdout) == (0, b'{"a":1}\n')
    assert shell(["-q", "nonsense"], "2>&-").returncode == 1
    done = shell([*query, "-o", str(tmp_path / "o.jsonl")], ">&- 2>&- <&-")
    assert (done.returncode, (tmp_path / "o.jsonl").read_bytes()) == (0, b'{"a":1}\n')


def test_a_state_folder_that_is_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "x.csv").write_text("a\n1\n")
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    with logsql.connect(tz="UTC") as session:
        result = session.query("json \"{'a': 1}\"")
        assert result.rows() == [{"a": 1}]
        with pytest.raises(LogsqlError) as caught:
            session.save(result, "x")
        assert (caught.value.code, str(tmp_path / "file") in str(caught.value)) == ("E2010", True)
        with pytest.raises(LogsqlError) as caught:
            session.add_lookup("x", str(tmp_path / "x.csv"), keep=True)
        assert caught.value.code == "E2010"
    done = run("ml", "addCsvInput", "n", str(tmp_path / "x.csv"))
    assert b"internal error" not in done.stderr


def test_nothing_is_imported_before_ctrl_c_is_quiet() -> None:
    # A KeyboardInterrupt among the imports of the package itself was a traceback that nothing could catch.
    code = (
        "import sys, signal, logsql.__main__ as m; early = [n for n in sys.modules if n.startswith('logsql.')]; "
        "sys.meta_path.insert(0, type('F', (), {'find_spec': staticmethod(lambda name, *rest: "
        "signal.raise_signal(signal.SIGINT) if name == 'logsql.cli' else None)})()); "
        "print(early, flush=True); m.start()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=90, env=env(), cwd=ROOT
    )
    assert done.stdout == b"['logsql.__main__']\n"
    assert (done.returncode, done.stderr) == (-2, b"")
