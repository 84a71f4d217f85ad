"""``jsonfile`` where DuckDB's own reader is not exact: every lost line is named, and the types come from a survey."""

from __future__ import annotations

import pyarrow as pa

from udfs.readers.jsonlines import JSON_TEXT, JsonLinesReader
from udfs.readers.jsonsurvey import SURVEYS, survey
from udfs.readers.request import Request

_ARROW = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
_MAP = pa.field("json", pa.string(), metadata={b"logsql.type": b"map"})


class JsonFileReader(JsonLinesReader):
    """JSON lines under the types of their values; without any key, or with thousands of them, ``line`` alone."""

    @classmethod
    def of(cls, request: Request) -> JsonFileReader:
        """Options: ``limit``, ``offset``, ``overlay``."""
        files = request.files()
        known = survey(files, cache=SURVEYS, context=request.context)
        types: dict[str, pa.DataType | pa.Field] = {}
        if known.complete:
            for key, value in known.keys.items():
                types[key] = _ARROW.get(value.column, _MAP if value.kind == "object" else JSON_TEXT)
        return cls(files, request.number("limit"), request.number("offset") or 0, request.flag("overlay"), types)
