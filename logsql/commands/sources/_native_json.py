"""``jsonfile``: which way a file is read. A survey of every value gives the types (udfs.readers.jsonsurvey).

A clean file goes through DuckDB's ``read_json`` with explicit columns: the fastest way, and exact because the survey
has seen every value. Files with broken lines, byte order marks, keys that differ only in case and the like go through
the exact reader, which tells every lost line. Surveys are kept by path, size and modification time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.planner.catalog import SourceColumn, SourceInfo
from logsql.values import sql
from logsql.values.sql import Sql
from udfs.readers.files import HANDLES, Place, file_name, packing_of

if TYPE_CHECKING:
    from udfs.readers.jsonsurvey import JsonSurvey
    from udfs.readers.request import Request

_PATH = "__path"
#: Read where no key is wanted (``stats count``): no file has it, so that its rows are counted and nothing else.
_NO_KEY = "__no_key"


def clean_source(request: Request) -> SourceInfo | None:
    """The files through ``read_json``, or None when they need the exact reader. Options: ``overlay``, ``demand``."""
    from udfs.readers.evidence import files_of  # for cost: Arrow and numpy
    from udfs.readers.jsonfile import date_keys  # for cost: Arrow and numpy
    from udfs.readers.jsonsurvey import SURVEYS, KeySurvey, first_keys, repeats, survey  # for cost: Arrow and numpy

    if request.flag("overlay") or request.flag("located") or request.text("host") is not None:
        return None
    found = files_of(request)
    files = [target for target in found if isinstance(target, str)]
    if len(files) < len(found):
        return None  # DuckDB opens files by itself, and no entries of archives
    most = request.context.files.most_for_duckdb
    if most is not None and (len(files) > most or len({packing_of(file) for file in files}) > 1):
        return None  # of files that DuckDB knows as numbers it cannot see how each is packed
    keys = _wanted(request.options.get("demand"))
    known = survey(files, keys, cache=SURVEYS, context=request.context)
    if request.context.every_loss and any(repeats(file, request.context) for file in files):
        return None
    if not known.clean or (keys is None and not known.complete) or "" in known.keys or not known.keys:
        return None
    if keys is not None:
        known = replace(known, keys={k: s for k, s in known.keys.items() if s.present or k == _NO_KEY})
        if not known.keys:
            known = replace(known, keys={_NO_KEY: KeySurvey(frozenset(), 0)})
    columns = tuple(_column(key, known) for key in known.keys if key not in ("_file", _NO_KEY))
    columns = (*columns, SourceColumn("_file", "VARCHAR"))
    call = f"jsonfile({', '.join(map(repr, request.paths))})"
    places = [request.context.files.for_duckdb(path) for path in files]
    meta: dict[str, object] = {"typed": date_keys(request, known)} if request.flag("dates") else {}
    if keys is not None:
        meta["others"] = partial(first_keys, files[0], request.context)
    return SourceInfo("", columns, call, _read_json(places, [file_name(file) for file in files], known), meta)


def _wanted(demand: object) -> list[str] | None:
    """The keys that the query reads; None when it may read all."""
    if not isinstance(demand, frozenset):
        return None
    return sorted(demand - {"_file", ""}) or [_NO_KEY]


def _column(key: str, known: JsonSurvey) -> SourceColumn:
    kind = known.keys[key].kind
    type_ = known.keys[key].column
    if kind == "null":
        return SourceColumn(key, "VARCHAR")
    return SourceColumn(key, type_, ("map" if kind == "object" else "json") if type_ == "JSON" else None)


def _read_json(places: Sequence[Place], names: Sequence[str], known: JsonSurvey) -> Sql:
    """``(SELECT key, ..., name AS "_file" FROM read_json(...))``. ``names``: those of the files."""
    columns = {key: type_ for key, type_ in known.columns().items() if key != "_file"}
    path = _PATH
    while path in {key.lower() for key in columns}:
        path += "_"
    options: list[tuple[str, Sql]] = [
        ("columns", sql.struct([(key, sql.string(type_)) for key, type_ in columns.items()])),
        ("format", sql.string("newline_delimited")),
        ("records", sql.boolean(True)),
        ("ignore_errors", sql.boolean(True)),
        *([("compression", sql.string(places[0].packing))] if places[0].path.startswith(HANDLES) else []),
    ]
    if len(places) > 1:
        options.append(("filename", sql.string(path)))
        paths: Sql = sql.array([sql.string(place.path) for place in places])
        name: Sql = sql.func("parse_filename", sql.col(path))
        if places[0].path.startswith(HANDLES):  # the name that DuckDB knows is a number
            shown = sql.array([sql.string(each) for each in names])
            name = sql.func("list_extract", shown, sql.func("list_position", paths.copy(), sql.col(path)))
    else:
        paths = sql.string(places[0].path)
        name = sql.string(names[0])
    named = [exp.EQ(this=exp.Column(this=exp.Identifier(this=key, quoted=False)), expression=v) for key, v in options]
    source = exp.Table(this=sql.func("read_json", paths, *named))
    items = [sql.col(key) for key in columns if key != _NO_KEY] + [sql.alias(name, "_file")]
    return exp.Subquery(this=sql.select(items, source), alias=exp.TableAlias(this=sql.ident("lines")))
