"""How many files one touches to add a registry view, a command or a function (one), a reader with its command (two).

A copy of the program gets the new files and nothing else; a query, the manual, completion, the list of commands, the
pages of reference and SQL must then know both. Taken away again, nothing of them is left.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_hive import SZ, Key, build, text
from tests.support import ROOT

VIEW = {
    "logsql/commands/forensic/reg_test_homes.py": '''
"""``reg-test-homes``: a view of this test."""

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, string


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a value."""
    for value in values:
        yield {"owner": value.name, "home": string(value.data), "last_written": value.written}


registry_view(
    "reg-test-homes",
    ("List the homes of this test.", "이 시험의 집을 조회합니다."),
    "One row a home.",
    keys=r"\\\\Homes$",
    fields=(("owner", "string"), ("home", "string"), ("last_written", "date")),
    rows=rows,
    hives=("SYSTEM",),
)
''',
}
READER = {
    "logsql/commands/forensic/words_file.py": '''
"""``words-file``: a command of this test."""

from logsql.commands.sources._files import evidence_command
from logsql.diagnostics.codes import define
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register

define("E9990", "words-not-read", ("the words cannot be read", "단어를 읽을 수 없습니다"))
register(
    evidence_command(
        "words-file",
        Group.FORENSIC,
        SourceSpec("udfs.readers.words:WordsReader", code="E9990"),
        ("Read words of this test.", "이 시험의 단어를 읽습니다."),
        "One row a word.",
    )
)
''',
    "udfs/readers/words.py": '''
"""Words of a file, one a row."""

import pyarrow as pa

from udfs.readers.base import batch_of
from udfs.readers.evidence import EvidenceReader, base_name
from udfs.readers.sources import open_random


class WordsReader(EvidenceReader):
    columns = pa.schema([("word", pa.string()), ("size", pa.int32()), ("_file", pa.string())])

    def scan_file(self, target, wanted, context):
        with open_random(target, context) as raw:
            words = raw.read().decode().split()
        made = {"word": pa.array(words), "size": pa.array([len(w) for w in words], pa.int32())}
        made["_file"] = pa.array([base_name(target)] * len(words))
        yield batch_of(wanted, made, len(words))
''',
}
COMMAND = {
    "logsql/commands/filter/only_first.py": '''
"""``only-first``: a command of this test."""

from logsql.planner import duties
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage


register(
    CommandSpec(
        name="only-first",
        group=Group.FILTER,
        summary=("Take the first row.", "첫 행만 남깁니다."),
        usage=("only-first",),
        parse=lambda reader: None,
        lower=lambda stage: stage.limit(stage.rel, 1),
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
    )
)
''',
}
#: A row stands in the file of its family; here it is the only one of a family of its own.
FUNCTION = {
    "logsql/functions/test_family.py": '''
"""A family of this test."""

from logsql.functions.lowering import example
from logsql.planner.duties import DUCKDB
from logsql.planner.function_spec import FunctionSpec, register
from logsql.values import sql, values
from logsql.values.types import STRING
from logsql.values.values import Typed

register(
    FunctionSpec(
        "backwards", "string", "backwards(text)", ("The characters in the other order.", "글자를 거꾸로 늘어놓습니다."),
        lambda call: Typed(sql.func("reverse", values.text_sql(call.arg(0))), STRING), 1, 1, "string", DUCKDB,
        (example('backwards("abc")', "cba"),),
    )
)
''',
}
#: Run inside the copy: what the program says about the new names.
ASK = r"""
import contextlib, io, json
import logsql
from docs import reference
from logsql import cli
from logsql.diagnostics.errors import LogsqlError
from logsql.shell.catalog import SessionCatalog
from logsql.shell.complete import complete

def said(*words):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        cli.main(list(words))
    return out.getvalue()

def rows(run, text):
    try:
        return [{k: v for k, v in row.items() if k != "last_written"} for row in run(text).rows()]
    except LogsqlError as error:
        return error.code

found = {"from": logsql.__file__}
PAGES = reference.pages()
with logsql.connect(tz="UTC") as s:
    for name, path in (("reg-test-homes", "hive"), ("words-file", "words.txt")):
        found[name] = {
            "query": rows(s.query, f"{name} {path}"),
            "one field": rows(s.query, f"{name} {path} | stats count"),
            "sql": rows(s.sql, f"SELECT * FROM {name.replace('-', '_')}('{path}')"),
            "missing": rows(s.query, f"{name} no-such-file"),
            "manual": said("help", name),
            "listed": name in said("commands"),
            "completed": [c.text for c in complete(name[:6], 6, SessionCatalog(s, {})) if c.text == name],
            "page": PAGES.get(f"commands/{name}.md", ""),
        }
    text = "json \"[{a: 'xy'}, {a: 'z'}]\" | "
    found["command"] = {
        "query": rows(s.query, text + "only-first"),
        "manual": said("help", "only-first"),
        "listed": "only-first" in said("commands"),
        "completed": [c.text for c in complete(text + "only", len(text) + 4, SessionCatalog(s, {}))],
        "page": "commands/only-first.md" in PAGES,
    }
    found["function"] = {
        "query": rows(s.query, text + "eval b = backwards(a)"),
        "manual": said("help", "backwards"),
        "listed": "backwards" in said("functions"),
        "completed": [c.text for c in complete(text + "eval b = backw", len(text) + 14, SessionCatalog(s, {}))],
        "page": "functions/backwards.md" in PAGES,
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program without its tests, a hive and a text."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("logsql", "udfs", "docs"):
        shutil.copytree(ROOT / folder, root / folder)  # with what is compiled: two runs would compile 700 files
    hive = Key("ROOT", 0)
    hive.child("Software\\Homes").set("kim", SZ, text("/home/kim"))
    (root / "hive").write_bytes(build(hive))
    (root / "words.txt").write_text("two words", encoding="utf-8")
    (root / "ask.py").write_text(ASK, encoding="utf-8")
    return root


def _answers(root: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "ask.py"], cwd=root, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert Path(found["from"]).is_relative_to(root.resolve()), "not the copy was asked"
    return found


def test_one_file_is_a_view_and_two_are_a_reader(copy: Path) -> None:
    new = {**VIEW, **READER, **COMMAND, **FUNCTION}
    assert [len(files) for files in (VIEW, READER, COMMAND, FUNCTION)] == [1, 2, 1, 1]
    for name, content in new.items():
        assert not (copy / name).exists()
        (copy / name).write_text(content.lstrip(), encoding="utf-8")
    found = _answers(copy)
    view, reader = found["reg-test-homes"], found["words-file"]
    assert view["query"] == [{"owner": "kim", "home": "/home/kim", "_file": "hive"}]
    assert reader["query"] == [
        {"word": "two", "size": 3, "_file": "words.txt"},
        {"word": "words", "size": 5, "_file": "words.txt"},
    ]
    assert (view["one field"], reader["one field"]) == ([{"count": 1}], [{"count": 2}])
    assert (view["missing"], reader["missing"]) == ("E3002", "E9990")
    fields = {"reg-test-homes": "owner, home, last_written, _file, _path", "words-file": "word, size, _file, _path"}
    for name, named in fields.items():
        assert found[name]["sql"] == found[name]["query"]
        assert f"Fields: {named}." in found[name]["manual"]
        assert f"Fields: {named}." in found[name]["page"]
        assert found[name]["listed"]
        assert found[name]["completed"] == [name]
    command, function = found["command"], found["function"]
    assert command["query"] == [{"a": "xy"}]
    assert function["query"] == [{"a": "xy", "b": "yx"}, {"a": "z", "b": "z"}]
    assert (command["completed"], function["completed"]) == (["only-first"], ["backwards("])
    for one in (command, function):
        assert one["listed"]
        assert one["page"]
    assert "Take the first row." in command["manual"]
    assert "The characters in the other order." in function["manual"]
    for name in new:
        (copy / name).unlink()
    without = _answers(copy)
    assert (without["command"]["query"], without["function"]["query"]) == ("92000", "90900")
    for gone in (without[name] for name in fields):
        assert isinstance(gone["query"], str)
        assert isinstance(gone["sql"], str)
        assert (gone["listed"], gone["completed"], gone["page"]) == (False, [], "")
