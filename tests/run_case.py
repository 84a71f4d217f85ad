"""The one runner of cases: real DuckDB tables, the public session, Python rows.

``python -m tests.run_case ID ...`` runs single cases of any home and shows query, SQL, what is expected and what comes.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, QueryError
from logsql.engine.result import Result
from logsql.engine.session import Session
from logsql.planner.services import CONTEXTS
from logsql.planner.spec import COMMANDS, Group
from tests import told
from tests.compare import rows_equal, values_equal
from tests.conformance_cases import Case, arrow_tables, error_matches, every

_SESSIONS: dict[str, Session] = {}
#: Tables of a zone's session that nobody but the last case can have made; asking takes as long as planning a query.
_KNOWN: dict[str, tuple[str, ...]] = {}
_MAKES_TABLES = re.compile("|".join(sorted(n for n, spec in COMMANDS.items() if spec.group is Group.OUTPUT)))
_CONTEXTS = re.compile("|".join(sorted(n for n, spec in COMMANDS.items() if spec.together is not None)))


def session(tz: str) -> Session:
    """One session per zone for the whole test process; whoever takes it by hand may make tables."""
    _KNOWN.pop(tz, None)
    if tz not in _SESSIONS:
        _SESSIONS[tz] = logsql.connect(tz=tz)
    return _SESSIONS[tz]


def load_tables(s: Session, tables: Mapping[str, pa.Table], known: Iterable[str] | None = None) -> None:
    """Replace the session's tables by these, as stored DuckDB tables; logical types become column comments.

    ``known``: the tables that are there, asked for where it is not given.
    """
    for name in s.tables() if known is None else known:
        s.drop(name)
    s.changed()
    for name, table in tables.items():
        if len({n.lower() for n in table.column_names}) < table.num_columns:
            # A stored table cannot hold two columns that differ in letter case only.
            s.register(name, _addresses(table, _logical(table)))
            continue
        if not table.column_names:
            s.planning.execute(f'CREATE TABLE "{name}" (none INTEGER)').fetchall()
            continue
        logical = _logical(table)
        s.planning.register("__load", _addresses(table, logical))
        casts = ", ".join(
            f'CAST("{n}" AS JSON) AS "{n}"' if logical.get(n) in ("json", "map", "any") else f'"{n}"'
            for n in table.schema.names
        )
        s.planning.execute(f'CREATE TABLE "{name}" AS SELECT {casts} FROM __load')
        s.planning.unregister("__load")
        for column, kind in logical.items():
            if kind == "ip":
                s.planning.execute(f"""COMMENT ON COLUMN "{name}"."{column}" IS 'logsql:ip'""")


def _logical(table: pa.Table) -> dict[str, str]:
    return {f.name: f.metadata[b"logsql.type"].decode() for f in table.schema if f.metadata}


def _addresses(table: pa.Table, logical: Mapping[str, str]) -> pa.Table:
    """Addresses as the language writes them: version 6 in eight groups (FUNCTIONS.md)."""
    for name in (n for n, kind in logical.items() if kind == "ip"):
        texts = [None if v is None else _host_text(v) for v in table.column(name).to_pylist()]
        field = table.schema.field(name)
        table = table.set_column(table.column_names.index(name), field, pa.array(texts, pa.string()))
    return table


def _host_text(value: str) -> str:
    address = ipaddress.ip_address(value)
    if address.version == 4:
        return str(address)
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":"))


def asked(query: str, tables: Mapping[str, pa.Table], tz: str, params: Mapping[str, Any] | None = None) -> Result:
    """The result of a query over these tables, not yet read."""
    known = _KNOWN.get(tz)
    s = session(tz)
    load_tables(s, tables, known)
    if _CONTEXTS.search(query):  # those that another test of this query has made live on for their minutes
        with s.service(CONTEXTS) as contexts:
            contexts.drop(None)
    if not _MAKES_TABLES.search(query):
        _KNOWN[tz] = tuple(tables)
    return s.query(query, params=params)


def run(
    query: str, tables: Mapping[str, pa.Table], tz: str, params: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query over these tables."""
    result = asked(query, tables, tz, params)
    try:
        return result.rows()
    finally:
        result.close()


def difference(case: Case, rows: list[dict[str, Any]]) -> str | None:
    """None if these are the rows that the case expects, else what differs."""
    assert case.expect is not None, f"{case.id} expects a refusal"
    if case.expect_len is not None:
        lengths = [len(row["v"]) for row in rows]
        return None if lengths == [case.expect_len] * len(case.expect) else f"lists of {lengths} items"
    if case.unordered_lists:
        if len(rows) != len(case.expect):
            return f"expected {len(case.expect)} rows, got {len(rows)}"
        pairs = zip(case.expect, rows, strict=True)
        found = (values_equal(want["v"], row["v"], case.tz, unordered=True) for want, row in pairs)
        return next((d for d in found if d is not None), None)
    if found := rows_equal(case.expect, rows, case.ordered, case.tz):
        return found
    if case.expect_columns is not None and rows and tuple(rows[0]) != case.expect_columns:
        return f"expected the columns {case.expect_columns}, got {tuple(rows[0])}"
    return None


def check(case: Case) -> None:
    """Fails with the difference between what is expected and what the product delivers, or says of it on stderr."""
    tables = arrow_tables(case)
    if case.errors:
        with pytest.raises(LogsqlError) as caught:
            run(case.query, tables, case.tz, case.params)
        assert error_matches(case, str(caught.value)), str(caught.value)
        assert not isinstance(caught.value, QueryError) or caught.value.span is not None, "it points at no place"
        return
    result = asked(case.query, tables, case.tz, case.params)
    found = difference(case, result.rows())
    said = told.difference(case.id, result)
    result.close()
    assert found is None, f"{case.note}\n{case.query}\n{found}"
    assert said is None, f"{case.note}\n{case.query}\n{said}"


def show(case: Case) -> bool:
    """Print a case and what the product gives for it; whether it passes."""
    print(f"{case.query}\n")
    try:
        rows = run(case.query, arrow_tables(case), case.tz, case.params)
    except LogsqlError as error:
        print(f"refused: {error}\nexpected: {' or '.join(case.errors) or case.expect}")
        return bool(case.errors) and error_matches(case, str(error))
    print(session(case.tz).translate(case.query, case.params))
    found = "it is not refused" if case.errors else difference(case, rows)
    print(f"\nrows: {rows}\n{found or 'as expected'}")
    return found is None


if __name__ == "__main__":
    wanted = sys.argv[1:]
    chosen = [case for cases in every().values() for case in cases if case.id in wanted]
    if not chosen:
        sys.exit(f"no case has the id {' or '.join(wanted) or '(none given)'}")
    passed = [show(case) for case in chosen]
    sys.exit(not all(passed))
