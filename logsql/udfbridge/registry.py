"""Registry of the Arrow functions that SQL made here may call, and their lazy registration on a DuckDB connection.

A row names a vectorised Python function over Arrow arrays; it is imported when first called. Constants (patterns,
charsets, zones) travel as ordinary arguments, so the SQL of a query says everything the function needs. Functions are
shared by all cursors of a database instance, hence they keep no state of a session.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from logsql.udfbridge import counters
from udfs.failures import EndsQuery

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb.sqltypes import DuckDBPyType

    from udfs.columns import Column


@dataclass(frozen=True, slots=True)
class UdfSpec:
    """One function: SQL name, parameter types (None: any number of any type), return type, ``module:function``.

    ``side_effects`` marks functions that must run once per row (random values). ``plain`` functions take and give
    Python values: dear for columns, and cheap for single rows and where all arguments are one value, for which DuckDB
    calls them once a vector (2 microseconds, where a function over Arrow costs 110).
    """

    name: str
    parameters: tuple[str, ...] | None
    returns: str
    target: str
    side_effects: bool = False
    plain: bool = False


UDFS: dict[str, UdfSpec] = {}


def register_udf(*specs: UdfSpec) -> None:
    """Add functions to the registry."""
    for spec in specs:
        if spec.name in UDFS:
            raise ValueError(f"Python function {spec.name} is registered twice")
        UDFS[spec.name] = spec


_HERE = "logsql.udfbridge."
_DATE = "TIMESTAMP WITH TIME ZONE"
_TEXT = "VARCHAR"

register_udf(
    UdfSpec("lq_match", (_TEXT, _TEXT), "BOOLEAN", _HERE + "regexes:match"),
    UdfSpec("lq_replace", (_TEXT, _TEXT, _TEXT), _TEXT, _HERE + "regexes:replace"),
    UdfSpec("lq_groups", (_TEXT, _TEXT), "VARCHAR[]", _HERE + "regexes:groups"),
    UdfSpec("lq_rex", (_TEXT, _TEXT), "VARCHAR[]", _HERE + "parse:rex"),
    UdfSpec("lq_date", (_TEXT, _TEXT, _TEXT, _TEXT), _DATE, _HERE + "dates:date"),
    UdfSpec(
        "lq_date_told", (_TEXT, "BIGINT", _TEXT, _TEXT, _TEXT), _DATE, _HERE + "dates:date_told", side_effects=True
    ),
    UdfSpec("lq_date_text", (_DATE, _TEXT, _TEXT, _TEXT), _TEXT, _HERE + "dates:date_text"),
    UdfSpec("lq_document_text", (_TEXT,), _TEXT, "udfs.documenttext:text_array"),
    UdfSpec("lq_format", None, _TEXT, _HERE + "formats:format_text"),
    UdfSpec("lq_encode", (_TEXT, _TEXT), "BLOB", _HERE + "charsets:encode"),
    UdfSpec("lq_decode", ("BLOB", _TEXT), _TEXT, _HERE + "charsets:decode"),
    UdfSpec("lq_urldecode", (_TEXT, _TEXT), _TEXT, _HERE + "charsets:urldecode"),
    UdfSpec("lq_urlencode", (_TEXT, _TEXT), _TEXT, _HERE + "charsets:urlencode"),
    *(
        UdfSpec(
            f"lq_{name}_told",
            (taken, _TEXT, "INTEGER", _TEXT),
            given,
            f"{_HERE}charsets:{name}_told",
            side_effects=True,
        )
        for name, taken, given in (
            ("encode", _TEXT, "BLOB"),
            ("decode", "BLOB", _TEXT),
            ("urldecode", _TEXT, _TEXT),
            ("urlencode", _TEXT, _TEXT),
        )
    ),
    UdfSpec("lq_ip", (_TEXT,), _TEXT, "udfs.network:ip_array"),
    UdfSpec("lq_network", (_TEXT, "BIGINT"), _TEXT, "udfs.network:network_array"),
    UdfSpec("lq_hash", ("BLOB", _TEXT), "BLOB", _HERE + "ciphers:digest"),
    UdfSpec("lq_encrypt", None, "BLOB", _HERE + "ciphers:encrypt"),
    UdfSpec("lq_decrypt", None, "BLOB", _HERE + "ciphers:decrypt"),
    UdfSpec("lq_list_cut", ("BIGINT", _TEXT, _TEXT), "BIGINT", _HERE + "losses:list_cut", side_effects=True),
    UdfSpec("lq_lost", (_TEXT, "INTEGER", _TEXT), "BOOLEAN", _HERE + "losses:lost", side_effects=True, plain=True),
    UdfSpec(
        "lq_lost_at",
        (_TEXT, "BIGINT", "INTEGER", _TEXT),
        "BOOLEAN",
        _HERE + "losses:lost_at",
        side_effects=True,
        plain=True,
    ),
    UdfSpec("lq_lost_many", ("BIGINT", _TEXT), "BOOLEAN", _HERE + "losses:lost_many", side_effects=True),
    UdfSpec("lq_least", ("INTEGER", "UBIGINT"), "BIGINT", _HERE + "counters:least", plain=True),
    UdfSpec("lq_look", ("UBIGINT", "INTEGER"), "BOOLEAN", _HERE + "counters:looks", plain=True),
    UdfSpec("lq_repeats", (_TEXT, "INTEGER", _TEXT), "BOOLEAN", _HERE + "losses:repeated_keys_of", side_effects=True),
    UdfSpec("lq_came", (_TEXT, _TEXT), _TEXT, _HERE + "counters:came", plain=True),
    UdfSpec("lq_randbytes", ("DOUBLE", "INTEGER"), "BLOB", _HERE + "ciphers:randbytes", side_effects=True),
    UdfSpec("lq_rand", ("BIGINT", "BIGINT", "BIGINT"), "INTEGER", _HERE + "ciphers:seeded_random"),
    UdfSpec("lq_json", (_TEXT, "BIGINT", "BOOLEAN", "BOOLEAN"), _TEXT, _HERE + "parse:json_text"),
    UdfSpec("lq_xml", (_TEXT,), _TEXT, "udfs.documents:xml_array"),
    UdfSpec("lq_csv", (_TEXT, "BOOLEAN", "BOOLEAN"), "VARCHAR[]", _HERE + "parse:csv_cells"),
    UdfSpec("lq_anchors", (_TEXT, _TEXT), "VARCHAR[]", _HERE + "parse:anchored"),
)


def install(connection: duckdb.DuckDBPyConnection, names: Iterable[str], zone: str) -> None:
    """Register the named functions on a connection or cursor; a function that is there already is left alone.

    ``zone`` is the session's time zone. No function keeps it: those that need a zone get it as an argument.
    """
    create: Any = connection.create_function  # its stubs know neither the names of kinds nor returned arrays
    for name in sorted(set(names)):
        if (own := counters.function(name)) is not None:
            create(
                name,
                own.call,
                [_sql_type(p) for p in own.parameters],
                _sql_type(own.returns),
                side_effects=not own.parameters,
            )
            continue
        spec = UDFS[name]  # a name that is not in the registry is a bug of the caller
        try:
            create(
                name,
                _resolve(spec.target) if spec.plain else _callable(spec),
                None if spec.parameters is None else [_sql_type(p) for p in spec.parameters],
                _sql_type(spec.returns),
                type="native" if spec.plain else "arrow",
                null_handling="special",
                side_effects=spec.side_effects,
            )
        except (duckdb.CatalogException, duckdb.NotImplementedException) as error:
            if "already" not in str(error):
                raise


def _sql_type(name: str) -> DuckDBPyType:
    return duckdb.sqltype(name)


def _callable(spec: UdfSpec) -> Callable[..., Column]:
    """The guarded function with as many parameters as its row declares (DuckDB counts them)."""
    import pyarrow as pa

    returns = _arrow_type(spec.returns)

    def run(*arrays: Column) -> pa.Array:
        function = _resolve(spec.target)
        try:
            result = function(*arrays)
        except EndsQuery:
            raise
        except Exception:
            result = pa.array(_row_by_row(function, arrays), returns)
        if isinstance(result, pa.ChunkedArray):
            result = result.combine_chunks()
        return result if result.type == returns else result.cast(returns)

    # Lambdas, because DuckDB evaluates the annotations of what it is given, and ``Column`` is no name at run time.
    shapes: dict[int, Callable[..., Column]] = {
        1: lambda a: run(a),
        2: lambda a, b: run(a, b),
        3: lambda a, b, c: run(a, b, c),
        4: lambda a, b, c, d: run(a, b, c, d),
        5: lambda a, b, c, d, e: run(a, b, c, d, e),
    }
    return (lambda *arrays: run(*arrays)) if spec.parameters is None else shapes[len(spec.parameters)]


def _arrow_type(sql_type: str) -> pa.DataType:
    import pyarrow as pa

    if sql_type.endswith("[]"):
        return pa.list_(_arrow_type(sql_type[:-2]))
    return {
        "VARCHAR": pa.string(),
        "BLOB": pa.binary(),
        "BOOLEAN": pa.bool_(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        _DATE: pa.timestamp("us", tz="UTC"),
    }[sql_type]


def _resolve(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _row_by_row(function: Callable[..., Column], arrays: tuple[Column, ...]) -> list[object]:
    """One call per row after a batch failed: the bad rows become null, the others keep their value."""
    out: list[object] = []
    for i in range(len(arrays[0])):
        try:
            value = function(*(array.slice(i, 1) for array in arrays))
            out.append(value.to_pylist()[0])
        except EndsQuery:
            raise
        except Exception:
            out.append(None)
    return out
