"""proc and schema: stored queries with typed parameters, schema files; object lists for the match functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session

OVER = """\
# proc over(threshold int = 90, host string = null): hosts whose load stays "above" a threshold
| table cpu
| search load >= $("threshold") and (isnull($("host")) or host == $("host"))
| fields host
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "over.lq").write_text(OVER, encoding="utf-8")
    (tmp_path / "plain.lq").write_text('table cpu | stats count | eval outer = $("outer")', encoding="utf-8")
    (tmp_path / "loop.lq").write_text("# one step\n| proc plain() | union [ proc loop() ]", encoding="utf-8")
    (tmp_path / "twice.lq").write_text("proc over(95) | union [ proc over(1) ]", encoding="utf-8")
    (tmp_path / "broken.lq").write_text("# proc broken(a nothing)\n| table cpu", encoding="utf-8")
    (tmp_path / "wrong.lq").write_text("# proc wrong()\n| table cpu\n| serch a == 1", encoding="utf-8")
    (tmp_path / "kinds.lq").write_text(
        '# proc kinds(s string, l long, d double, b bool, t date, i ip, a any = "x,)y")\n'
        '| json "{}" | eval s = typeof($("s")), l = typeof($("l")), d = typeof($("d")), b = typeof($("b")), '
        't = typeof($("t")), i = typeof($("i")), a = $("a")',
        encoding="utf-8",
    )
    with logsql.connect(tz="UTC", procs=[str(tmp_path)]) as made:
        made.register("cpu", pa.table({"host": ["a", "b", "c"], "load": [50, 92, 97]}))
        yield made


def rows(session: Session, text: str) -> list[dict[str, Any]]:
    return session.query(text).rows()


def failure(session: Session, text: str) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        rows(session, text)
    return caught.value


def test_arguments_by_place_by_name_and_by_default(session: Session) -> None:
    assert rows(session, "proc over()") == [{"host": "b"}, {"host": "c"}]
    assert rows(session, "proc over(95)") == [{"host": "c"}]
    assert rows(session, 'proc over(1, "a") | eval x = 1') == [{"host": "a", "x": 1}]
    assert rows(session, 'proc over(host = "b")') == [{"host": "b"}]
    assert rows(session, "proc over(90 + 6)") == [{"host": "c"}]


def test_the_body_sees_its_own_parameters_only(session: Session) -> None:
    assert rows(session, "set outer = 1 | proc plain()") == [{"count": 3, "outer": None}]
    assert rows(session, 'set threshold = 1 | proc over(95) | eval t = $("threshold")') == [{"host": "c", "t": 1}]
    assert rows(session, "proc twice()") == [{"host": "c"}, {"host": "a"}, {"host": "b"}, {"host": "c"}]


def test_declared_types_reach_the_query(session: Session) -> None:
    text = 'proc kinds("1", 2, 3, true, date("2024", "yyyy"), "10.0.0.1")'
    assert rows(session, text) == [
        {"s": "string", "l": "long", "d": "double", "b": "bool", "t": "date", "i": "ipv4", "a": "x,)y"}
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("proc nope()", "11000"),
        ('proc over("90")', "11001"),
        ("proc over(3000000000)", "11001"),
        ("proc over(true)", "11001"),
        ('proc over(1, "a", 2)', "11003"),
        ("proc over(depth = 1)", "11003"),
        ("proc plain(1)", "11003"),
        ("proc broken(1)", "11003"),
        ("proc kinds()", "11003"),
        ("proc loop()", "11005"),
        ("proc over(load)", "90904"),
        ("proc over", "90100"),
        ("proc ../over(1)", "90100"),
    ],
)
def test_wrong_calls_are_refused(session: Session, text: str, code: str) -> None:
    assert failure(session, text).code == code


def test_an_error_inside_points_into_the_file(session: Session) -> None:
    error = failure(session, "proc wrong()")
    assert error.code == "92000"
    assert error.diagnostic.origin is not None
    assert error.diagnostic.origin.endswith("wrong.lq")
    assert error.diagnostic.text is not None
    assert error.span is not None
    assert error.diagnostic.text[error.span.start : error.span.end] == "serch"


def test_safe_sessions_read_stored_queries_in_allowed_folders_only(tmp_path: Path) -> None:
    (tmp_path / "one.lq").write_text('json "{}"', encoding="utf-8")
    with logsql.connect(safe=True, procs=[str(tmp_path)]) as session:
        assert failure(session, "proc one()").exit_code == 3
    with logsql.connect(safe=True, directories=[str(tmp_path)], procs=[str(tmp_path)]) as session:
        assert rows(session, "proc one()") == [{}]


def test_schema_renames_orders_and_closes(session: Session, tmp_path: Path) -> None:
    fields = ["load", {"name": "machine", "from": "host"}, "missing"]
    (tmp_path / "s.json").write_text(json.dumps({"fields": fields}), encoding="utf-8")
    (tmp_path / "all.json").write_text(json.dumps({"fields": fields[:2], "others": True}), encoding="utf-8")
    (tmp_path / "swap.json").write_text(
        json.dumps({"fields": [{"name": "host", "from": "load"}, {"name": "load", "from": "host"}]}), encoding="utf-8"
    )
    found = rows(session, "table cpu | schema s | limit 1")
    assert found == [{"load": 50, "machine": "a", "missing": None}]
    assert list(found[0]) == ["load", "machine", "missing"]
    found = rows(session, "table cpu | eval z = 1 | schema all | limit 1")
    assert list(found[0].items()) == [("load", 50), ("machine", "a"), ("z", 1)]
    assert rows(session, "table cpu | schema swap | limit 1") == [{"host": 50, "load": "a"}]


def test_wrong_schemas_are_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "double.json").write_text('{"fields": ["a", "a"]}', encoding="utf-8")
    assert failure(session, "table cpu | schema nope").code == "E3304"
    assert failure(session, "table cpu | schema bad").code == "E3305"
    assert failure(session, "table cpu | schema double").code == "E3305"


def test_object_lists_of_the_state_folder_and_of_the_session(tmp_path: Path) -> None:
    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as session:
        folder = Path(session.state_folder) / "objects"
        for kind, name, text in (
            ("ip", "watch.txt", "# known bad\n10.0.0.0/24\n\n192.0.2.7\n"),
            ("text", "words.csv", 'evil,"why"\n"a,b",because\n'),
        ):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            (folder / kind / name).write_text(text, encoding="utf-8")
        session.service("objects").add("port", "web", ["80", "8000-8080"])
        text = (
            "json \"[{ip: '10.0.0.9', w: 'a,b', p: 8001}, {ip: '10.0.1.9', w: 'a', p: 81}]\" "
            '| eval i = matchblackip("watch", ip), f = matchfeed("words", w), p = matchport("web", p) | fields i, f, p'
        )
        assert rows(session, text) == [{"i": True, "f": True, "p": True}, {"i": False, "f": False, "p": False}]
        assert session.service("objects").names("ip") == ["watch"]
        assert failure(session, 'json "{}" | eval x = matchblackip("../ip/watch", ip)').code == "90931"
