"""``dbcall`` and ``dbscript``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.db_support import opened, settings
from tests.network.others_support import ran, refusal

if TYPE_CHECKING:
    from tests.network.db_support import Database

_ROUTINES = """
create table called(id int); grant all on called to app;
create procedure getline(i int, inout line varchar) language plpgsql as
  $$ begin insert into called values (i); line := 'line ' || i; end $$;
create function addup(a int, b int, out s int, out d int) language sql as 'select a + b, a - b';
create function several(n int) returns table(g int, t text) language sql as
  $$ select g, 'x' || g from generate_series(1, n) g $$;
"""


@pytest.fixture
def routines(emp: Database) -> Database:
    emp.psql(_ROUTINES)
    return emp


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("set id = 1000 | dbcall emp {call getline(:id, :line(varchar))}", [{"line": "line 1000"}]),
        ("set id = 7 | dbcall emp { CALL public.getline( :id , :other(varchar) ) }", [{"other": "line 7"}]),
        ("dbcall emp {call addup(5, 3, :sum(int), :rest(int))}", [{"sum": 8, "rest": 2}]),
        ("dbcall emp {call addup(\"5\", '3')}", [{"s": 8, "d": 2}]),
        ("dbcall emp {call several(2)}", [{"g": 1, "t": "x1"}, {"g": 2, "t": "x2"}]),
    ],
)
def test_calls(routines: Database, query: str, expected: list[dict[str, object]]) -> None:
    assert ran(routines.session, query) == (expected, {})


@pytest.mark.parametrize(
    "value",
    [
        "interval '1 mon 2 days 03:04:05.6'", "point(1,2)", "'NaN'::numeric", "1.50::numeric", "time '03:04:05.5'",
        "'03:04:05+02'::timetz", "array['a',null]", "array[inet '10.0.0.1']", "array[1.5,2]::numeric[]", "5.5::money",
        "int4range(1,5)", "'pg_class'::regclass", "'<a/>'::xml", "B'101'", "4000000000::oid", "array[1,2]",
        "repeat('9', 50)::numeric",
    ],
)  # fmt: skip
def test_what_a_function_gives_is_what_a_statement_gives(emp: Database, value: str) -> None:
    """Texts such as b'\\x00', 550 for 5.50, or the end of the query, as the driver alone knows these types."""
    type_ = emp.psql(f"select pg_typeof({value})")
    emp.psql(f"create function f() returns {type_} language sql as $q$ select {value} $q$")
    [found], lost = ran(emp.session, "dbcall emp {call f()}")
    [wanted], _ = ran(emp.session, f"dbquery emp select {value} as f")
    assert found["f"] == wanted["f"] or str(found["f"]) == wanted["f"], "numbers of 50 digits are text there"
    assert lost == {}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("array['a', null, 'b\"c']", ["a", None, 'b"c']),
        ("array[1,2]", [1, 2]),
        ("array[1.5,'NaN','-Infinity']::float8[]", [1.5, "NaN", "-Infinity"]),
        ("'NaN'::numeric", "NaN"),
        ("2.50::numeric", 2.5),
        ("4000000000::oid", 4000000000),
        ("time '03:04:05'", "03:04:05"),
        ("inet '10.0.0.1'", "10.0.0.1"),
    ],
)
def test_output_parameters(emp: Database, value: str, read: object) -> None:
    type_ = emp.psql(f"select pg_typeof({value})")
    emp.psql(f"create procedure p(inout o {type_}) language plpgsql as $q$ begin o := {value}; end $q$")
    found, _ = ran(emp.session, "dbcall emp {call p(:o(varchar))}")
    assert found == [{"o": read}]


@pytest.mark.parametrize("type_", ["point", "money", "interval", "timetz", "inet[]"])
def test_an_output_parameter_that_nobody_could_read_is_refused(routines: Database, type_: str) -> None:
    routines.psql(
        f"create procedure p(inout o {type_}) language plpgsql as $q$ begin insert into called values (1); end $q$"
    )
    assert "let the procedure give it as text" in refusal(routines.session, "dbcall emp {call p(:o(varchar))}")
    assert routines.psql("select count(*) from called") == "0"


@pytest.mark.parametrize("behind", ["limit 0", "stats count", "eval b = line | sort b | stats count by line"])
def test_a_call_runs_once_and_is_committed(routines: Database, behind: str) -> None:
    ran(routines.session, f"dbcall emp {{call getline(3, :line(varchar))}} | {behind}")
    assert routines.psql("select count(*) from called") == "1"


def test_looking_at_a_query_calls_nothing(routines: Database) -> None:
    routines.session.explain("dbcall emp {call getline(3, :line(varchar))}")
    assert routines.psql("select count(*) from called") == "0"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dbcall emp select 1", "E2078"),
        ("dbcall emp {call f(a b)}", "E2078"),
        ("dbcall emp {call f(:x(nosuch))}", "E2078"),
        ("dbcall emp {call f(:x)}", "E2073"),
        ("dbcall emp {call nosuch(1)}", "E3062"),
        ("dbcall emp {call addup(1); drop table called}", "E2078"),
    ],
)
def test_what_is_refused(routines: Database, query: str, code: str) -> None:
    assert refusal(routines.session, query).startswith(code)


# --- scripts ---------------------------------------------------------------------------------------------------------


def test_a_script_and_its_places(emp: Database, tmp_path: Path) -> None:
    path = tmp_path / "week.sql"
    path.write_text("-- what? not this ?\nselect ?::int + 1 as v, '?' as q, ? as t;\n", encoding="utf-8")
    query = f'set a = 2 | set b = "x" | dbscript emp {path} :a :b'
    assert ran(emp.session, query) == ([{"v": 3, "q": "?", "t": "x"}], {})
    assert refusal(emp.session, f"set a = 2 | dbscript emp {path} :a").startswith("E2077")
    assert refusal(emp.session, f"set a = 2 | dbscript emp {path} :a :nosuch").startswith("E2073")


def test_the_charset_of_a_script(emp: Database, tmp_path: Path) -> None:
    path = tmp_path / "k.sql"
    path.write_bytes("select '한글' as v".encode("euc-kr"))
    assert ran(emp.session, f"dbscript emp cs=euc-kr {path}")[0] == [{"v": "한글"}]
    assert refusal(emp.session, f"dbscript emp {path}").startswith("E3065")


def test_a_script_that_is_wrong(emp: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("select 1\n\nfrom nowhere")
    with pytest.raises(LogsqlError, match="line 3"):
        ran(emp.session, f"dbscript emp {path}")
    path.write_text("create table x(a int)")
    assert refusal(emp.session, f"dbscript emp {path}").startswith("E2074")
    path.write_text("select 1 -- " + "x" * 1_000_000)
    assert refusal(emp.session, f"dbscript emp {path}").startswith("E3065")
    assert refusal(emp.session, f"dbscript emp {tmp_path}/nosuch.sql").startswith("E3065")


def test_a_script_in_safe_mode(emp: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("select 1 as v")
    inside = tmp_path / "inside"
    inside.mkdir()
    text = f'[network]\nallow = ["localhost:{emp.server.port}"]\n{settings(emp.server, emp.tls)}'
    session = opened(tmp_path, text, safe=True, allow_dirs=[str(inside)])
    assert refusal(session, f"dbscript emp {path}").startswith("E4001")
    session.close()
    session = opened(tmp_path, text, safe=True, allow_dirs=[str(tmp_path)])
    assert session.query(f"dbscript emp {path}").rows() == [{"v": 1}]
    session.close()
