"""``jsonfile``: which way a file is read. A survey of every value gives the types (udfs.readers.jsonsurvey).

A clean file goes through DuckDB's ``read_json`` with explicit columns: the fastest way, and exact because the survey
has seen every value. Files with broken lines, byte order marks, keys that differ only in case and the like go through
the exact reader, which tells every lost line. Surveys are kept by path, size and modification time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from logsql.planner.catalog import SourceColumn, SourceInfo
from logsql.values import sql
from logsql.values.sql import Sql
from udfs.readers.cache import StateCache
from udfs.readers.jsonsurvey import JsonSurvey, KeySurvey, SurveyCache, duckdb_path, survey

if TYPE_CHECKING:
    from udfs.readers.base import ReadContext, Reader
    from udfs.readers.csvrows import Plan

SURVEYS = SurveyCache()
CSV_PLANS: StateCache[Plan] = StateCache()
_PATH = "__path"
#: Read where no key is wanted (``stats count``): no file has it, so that its rows are counted and nothing else.
_NO_KEY = "__no_key"


def clean_source(paths: Sequence[str], options: Mapping[str, Any], context: ReadContext) -> SourceInfo | None:
    """The files through ``read_json``, or None when they need the exact reader."""
    from udfs.readers.base import expand_paths

    if options.get("overlay"):
        return None
    files = [found for path in paths for found in expand_paths(path)]
    demand = options.get("demand")
    keys = None if demand is None else sorted(demand - {"_file", ""}) or [_NO_KEY]
    known = survey(files, keys, cache=SURVEYS, context=context)
    if not known.clean or (keys is None and not known.complete) or "" in known.keys or not known.keys:
        return None
    if keys is not None:
        known = replace(known, keys={k: s for k, s in known.keys.items() if s.present or k == _NO_KEY})
        if not known.keys:
            known = replace(known, keys={_NO_KEY: KeySurvey(frozenset(), 0)})
    columns = tuple(_column(key, known) for key in known.keys if key not in ("_file", _NO_KEY))
    columns = (*columns, SourceColumn("_file", "VARCHAR"))
    call = f"jsonfile({', '.join(map(repr, paths))})"
    return SourceInfo("", columns, call, native=_read_json(files, known))


def _column(key: str, known: JsonSurvey) -> SourceColumn:
    kind = known.keys[key].kind
    type_ = known.keys[key].column
    if kind == "null":
        return SourceColumn(key, "VARCHAR")
    return SourceColumn(key, type_, ("map" if kind == "object" else "json") if type_ == "JSON" else None)


def _read_json(files: Sequence[str], known: JsonSurvey) -> Sql:
    """``(SELECT key, ..., name AS "_file" FROM read_json(...))``."""
    from udfs.readers.base import file_name

    columns = {key: type_ for key, type_ in known.columns().items() if key != "_file"}
    path = _PATH
    while path in {key.lower() for key in columns}:
        path += "_"
    options: list[tuple[str, Sql]] = [
        ("columns", sql.struct([(key, sql.string(type_)) for key, type_ in columns.items()])),
        ("format", sql.string("newline_delimited")),
        ("records", sql.boolean(True)),
        ("ignore_errors", sql.boolean(True)),
    ]
    if len(files) > 1:
        options.append(("filename", sql.string(path)))
        paths: Sql = sql.array([sql.string(duckdb_path(f)) for f in files])
        name: Sql = sql.func("parse_filename", sql.col(path))
    else:
        paths = sql.string(duckdb_path(files[0]))
        name = sql.string(file_name(files[0]))
    named = [exp.EQ(this=exp.Column(this=exp.Identifier(this=key, quoted=False)), expression=v) for key, v in options]
    source = exp.Table(this=sql.func("read_json", paths, *named))
    items = [sql.col(key) for key in columns if key != _NO_KEY] + [sql.alias(name, "_file")]
    return exp.Subquery(this=sql.select(items, source), alias=exp.TableAlias(this=sql.ident("lines")))


def exact_reader(files: Sequence[str], options: Mapping[str, Any], context: ReadContext) -> Reader:
    """The reader that names every lost line, with the survey's types; ``line`` is there when asked for."""
    import pyarrow as pa

    from udfs.readers.jsonlines import JSON_TEXT, JsonLinesReader

    known = survey(files, cache=SURVEYS, context=context)
    arrow: dict[str, pa.DataType | pa.Field] = {
        "VARCHAR": pa.string(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
    }
    json_map = pa.field("json", pa.string(), metadata={b"logsql.type": b"map"})
    types: dict[str, Any] = {}
    if known.complete:
        for key, value in known.keys.items():
            types[key] = arrow.get(value.column, json_map if value.kind == "object" else JSON_TEXT)
    return JsonLinesReader(files, options.get("limit"), options.get("offset") or 0, bool(options.get("overlay")), types)
