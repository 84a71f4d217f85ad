"""What people write first in place of what is meant, as they type it: the line that says how it is written here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from tests.cli.support import run

#: Words of the command line, and the help for them; {} is the folder with ms.csv and with k.csv, which is CP949.
SLIPS = [
    (["-q", 'csvfile types=t {}/ms.csv | search status == "4xx"'], "write status >= 400 and status <= 499"),
    (["-q", 'csvfile types=t {}/ms.csv | search status != "4x"'], "write (status < 40 or status > 49)"),
    (["-q", 'csvfile types=t {}/ms.csv | search in(status, "4*")'], 'write status == "4*"'),
    (["-q", 'csvfile types=t {}/ms.csv | search status == "abc"'], "a number has digits only, and * stands for"),
    (["-q", "csvfile {}/ms.csv | search status == 4**"], 'text and patterns stand in double quotes: "4*"'),
    (["-q", "csvfile {}/ms.csv | lookup ms.csv a output x"], "a lookup table has a name: --lookup NAME=FILE.csv"),
    (["-q", "csvfile {}/ms.csv | limit 1,2"], "use limit 1 2"),
    (["-q", "csvfile {}/ms.csv | limit 1, 2"], "use limit 1 2"),
    (["-q", "csvfile {}/ms.csv | limit x"], "limit [OFFSET] COUNT"),
    (["-q", "csvfile {}/ms.csv | stats sum(x) total by a"], 'name the result with "as": sum(x) as name'),
    (["-q", 'csvfile {}/ms.csv | stats count, sum(x) "total"'], 'name the result with "as": sum(x) as name'),
    (["-q", 'csvfile "~/ms.csv"'], "~ is not expanded in a query"),
    (["{}/ms.csv"], "its rows: logsql -q 'csvfile {}/ms.csv'"),
    (["{}/k.csv"], "its rows: logsql -q 'csvfile {}/k.csv'"),
    (["-q", "csvfile", "{}/ms.csv"], "put the query in single quotes: logsql -q 'QUERY'"),
    (["-q", "csvfile {}/k.csv"], "cp949 reads '이름,상태': cs=cp949"),
    (["-q", "textfile {}/k.csv"], "cp949 reads '이름,상태': cs=cp949"),
]


@pytest.mark.parametrize(("words", "help"), SLIPS, ids=[words[-1] for words, _ in SLIPS])
def test_a_first_slip_has_a_help_line(tmp_path: Path, words: list[str], help: str) -> None:
    (tmp_path / "ms.csv").write_text("a,status,x\nq,404,1\n")
    (tmp_path / "k.csv").write_bytes("이름,상태\n김철수,404\n".encode("cp949"))
    done = run(*(word.replace("{}", str(tmp_path)) for word in words))
    assert f"help: {help.replace('{}', str(tmp_path))}" in done.stderr.decode()


def test_a_frame_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Result.df()` raised a bare ModuleNotFoundError."""
    with Session(tz="UTC") as session:
        for package, frame in (("pandas", "df"), ("polars", "pl")):
            monkeypatch.setitem(sys.modules, package, None)
            with pytest.raises(LogsqlError) as raised:
                getattr(session.query('json "[{a:1}]"'), frame)()
            assert raised.value.code == "E3104"
            assert "logsql[frames]" in (raised.value.diagnostic.help or "")
