"""Everything that has a name has a verdict of safe mode: a command, an option, a verb, a setting or a table function
that is new fails here until somebody has looked at what it does (``safe_verdicts.json`` says how)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine import guard, sqlwords
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.shell.invocation import OPTIONS, VERBS
from logsql.shell.metas import METAS

VERDICTS = json.loads((Path(__file__).parent / "safe_verdicts.json").read_text(encoding="utf-8"))
#: The functions that reach beyond their arguments: to lists of the state folder, which asks (test_safe_mode.py).
ASKING = {"matchblackip", "matchnet", "matchport", "matchfeed", "matchsig"}


def engine(text: str) -> set[str]:
    with duckdb.connect() as connection:
        return {str(row[0]) for row in connection.execute(text).fetchall()}


def of_kind(*kinds: str, effects: bool = False) -> set[str]:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    more = " AND has_side_effects" if effects else ""
    return engine(
        f"SELECT lower(function_name) FROM duckdb_functions() WHERE internal AND function_type IN ({listed}){more}"
    )


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(tmp_path_factory.mktemp("case"))]) as session:
        yield session


def test_settings() -> None:
    found = engine("SELECT lower(name) FROM duckdb_settings()")
    assert found - set(VERDICTS["settings"]) == set(), "new settings of DuckDB: open or locked?"
    assert {name for name, verdict in VERDICTS["settings"].items() if verdict == "open"} == set(guard.SETTINGS) & found


@pytest.mark.parametrize("name", [name for name, verdict in VERDICTS["settings"].items() if verdict == "locked"])
def test_a_locked_setting_cannot_be_set(safe: logsql.Session, name: str) -> None:
    for text in (f"SET {name} = '1'", f"SET GLOBAL {name} = '1'", f"RESET {name}", f"PRAGMA {name} = '1'"):
        with pytest.raises(LogsqlError) as caught:
            safe.sql(text).rows()
        assert caught.value.code == "E4001", text


def test_table_functions() -> None:
    found = of_kind("table", "table_macro")
    verdicts = VERDICTS["table functions"]
    assert found - set(verdicts) == set(), "new table functions of DuckDB: what do they do?"
    assert {name for name, verdict in verdicts.items() if verdict == "reads"} <= sqlwords.READERS
    assert {name for name, verdict in verdicts.items() if verdict == "makes"} <= guard._HARMLESS
    assert not {name for name, verdict in verdicts.items() if verdict == "refused"} & (
        sqlwords.READERS | guard._HARMLESS
    )


@pytest.mark.parametrize("name", [n for n, verdict in VERDICTS["table functions"].items() if verdict == "refused"])
def test_a_refused_table_function_is_not_called(safe: logsql.Session, name: str) -> None:
    for text in (f"SELECT * FROM {name}()", f"SELECT * FROM \"{name.upper()}\"('/etc/passwd')"):
        with pytest.raises(LogsqlError) as caught:
            safe.sql(text).rows()
        assert caught.value.code == "E4001", text


def test_pragmas_and_functions_with_effects() -> None:
    assert of_kind("pragma") - set(VERDICTS["pragmas"]) == set()
    assert of_kind("scalar", "aggregate", effects=True) - set(VERDICTS["functions with effects"]) == set()
    refused = {name for name, verdict in VERDICTS["functions with effects"].items() if verdict == "refused"}
    assert refused <= guard._REFUSED


@pytest.mark.parametrize("name", [name for name, verdict in VERDICTS["pragmas"].items() if verdict == "refused"])
def test_a_refused_pragma_is_not_run(safe: logsql.Session, name: str) -> None:
    for text in (f"PRAGMA {name}", f"PRAGMA {name}('x')"):
        with pytest.raises(LogsqlError):
            safe.sql(text).rows()


def test_statements() -> None:
    found = set(duckdb.StatementType.__members__)
    assert found - set(VERDICTS["statements"]) == set(), "a new kind of statement"
    assert {name for name, verdict in VERDICTS["statements"].items() if verdict == "tables"} == set(guard._TABLES)


def test_commands() -> None:
    """A command that reads a path says so in its declaration (``reads``); test_safe_paths.py tries all of those."""
    others = {name for name, spec in COMMANDS.items() if spec.reads is None}
    assert others - set(VERDICTS["commands"]) == set(), "new commands: what do they touch beside their rows?"


def test_functions() -> None:
    """Functions compute; the rooms that may reach further are few, and a new one is looked at."""
    rooms = {name: spec.lower.__module__ for name, spec in FUNCTIONS.items()}
    outside = {name for name, room in rooms.items() if not room.startswith("logsql.functions.")}
    assert outside == set()
    assert {name for name, room in rooms.items() if room == "logsql.functions.services"} == ASKING
    assert AGGREGATES


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("shell", [meta.name for meta in METAS]),
        ("verbs", list(VERBS)),
        ("options", [option.names[-1] for option in OPTIONS]),
    ],
)
def test_words_of_the_program(kind: str, names: list[str]) -> None:
    assert set(names) == set(VERDICTS[kind])
