"""An optional package that is missing is told when the query is planned, before a file is opened or a row is read."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.util import find_spec

import pytest

import logsql
from udfs import extras

QUERIES = [
    ('json "[{}]" | eval x = encrypt("AES", binary("k"), binary("x"))', "cryptography", "crypto"),
    ('json "[{}]" | search decrypt("AES", binary("k"), binary("x")) == null', "cryptography", "crypto"),
    ("evtx-file no-such-file.evtx", "evtx", "forensic"),
    ("xlsxfile no-such-file.xlsx", "python-calamine", "xlsx"),
    ('json "[{v:1}]" | stl v', "statsmodels", "timeseries"),
    ('json "[{v:1}]" | forecast v', "statsmodels", "timeseries"),
]


@pytest.mark.parametrize(("query", "package", "extra"), QUERIES)
def test_the_plan_names_the_extra(query: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = package.replace("python-calamine", "python_calamine")

    def without(name: str, folder: str | None = None) -> ModuleSpec | None:
        return None if name.split(".")[0] == module else find_spec(name, folder)

    monkeypatch.setattr(extras, "find_spec", without)
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.plan(query)
    assert (caught.value.code, caught.value.span is not None) == ("E3104", True)
    assert (caught.value.help or "").startswith(f"install it: pip install 'logsql[{extra}]'")
    assert package in str(caught.value)
