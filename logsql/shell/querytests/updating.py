"""Writes what a query gives into the file of its test (``--update``); the rest of the file stays as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import tomlkit
from tomlkit.items import InlineTable, Item, String, StringType, Table, Trivia

from logsql.render.sinks import open_sink
from logsql.shell.querytests.form import Expected, Loss, QueryTest, Row
from logsql.shell.querytests.running import Got, place
from logsql.store.files import Files
from logsql.store.policy import Policy


def may_update(test: QueryTest, got: Got) -> bool:
    """Whether what came may be what is expected from now on: an error only where one was expected before."""
    return got.error is None or (test.expected is not None and test.expected.error is not None)


def update(test: QueryTest, got: Got, policy: Policy) -> bool:
    """Write the rows, notes, losses or the error that came; False where the file says the same already.

    What is told of how rows are compared (``ordered``, ``tolerance``, ``ignore``) is kept, and so is whether rows, only
    their number, or a file of rows is expected.
    """
    files = Files(policy)
    before = files.read_as_text(test.form) if files.has_file(test.form) else ""
    document = tomlkit.parse(before)
    expect = document.get("expect")
    if not isinstance(expect, Table):
        expect = tomlkit.table()
        document["expect"] = expect
    old = test.expected or Expected(rows=(), ordered=got.ordered)
    if test.expected is None and got.ordered:
        expect["ordered"] = True
    for key, value in _wanted(old, got).items():
        if value is None:
            expect.pop(key, None)
        else:
            expect[key] = value
    if old.rows_file is not None and got.error is None:
        _write(str(test.path.parent / old.rows_file), _lines(_left(got.rows, old.ignore)), policy)
    after = tomlkit.dumps(document)
    if after == before:
        return False
    _write(str(test.form), after, policy)
    return True


def _wanted(old: Expected, got: Got) -> dict[str, Item | str | int | None]:
    """The keys of ``[expect]`` as they should be; None for those that go."""
    if got.error is not None:
        gone: dict[str, None] = dict.fromkeys(("rows", "count", "columns", "notes", "ledger", "ordered"))
        return {"error": got.error.code, "at": place(got.error) if got.error.span is not None else None, **gone}
    rows = old.rows is not None and old.rows_file is None
    names = [name for name in got.columns if name not in old.ignore]
    columns = old.columns is not None or (old.rows is not None and not got.rows)
    return {
        "error": None,
        "at": None,
        "columns": _texts(names) if columns else None,
        "count": len(got.rows) if old.count is not None else None,
        "notes": _texts([note.code for note in got.notes]) if got.notes else None,
        "ledger": _ledger(got.losses) if got.losses else None,
        "rows": _block(_lines(_left(got.rows, old.ignore))) if rows or old.error is not None else None,
    }


def _left(rows: Sequence[Row], ignore: Sequence[str]) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in ignore} for row in rows]


def _lines(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def _block(text: str) -> Item:
    """Lines between quotes of three: as they are, or with escapes where they cannot stand so."""
    if "'''" in text or any(ord(char) < 32 and char not in "\t\n" for char in text):
        return tomlkit.string(text, multiline=True)
    return String(StringType.MLL, text, f"\n{text}", Trivia())


def _texts(values: Sequence[str]) -> Item:
    return tomlkit.item(list(values))


def _ledger(losses: Sequence[Loss]) -> Item:
    listed = tomlkit.array()
    for loss in losses:
        entry: InlineTable = tomlkit.inline_table()
        entry.update({"reason": loss.reason, "source": loss.source} | ({"count": loss.count} if loss.count else {}))
        listed.append(entry)
    return listed.multiline(len(losses) > 1)


def _write(path: str, text: str, policy: Policy) -> None:
    with open_sink(path, policy) as sink:
        sink.write(text.encode())
