"""``jsonfile`` where DuckDB's own reader is not exact: every lost line is named, and the types come from a survey."""

from __future__ import annotations

import pyarrow as pa

from udfs.readers.evidence import Placing, files_of
from udfs.readers.jsonlines import JSON_TEXT, JsonLinesReader
from udfs.readers.jsonsurvey import REPEATED, SURVEYS, JsonSurvey, survey
from udfs.readers.request import Request
from udfs.readers.valuetypes import Found, types_kept

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
        """Options: ``limit``, ``offset``, ``overlay``, ``zippath``, ``host``, ``located``; ``dates``: look for dates in
        the text that ``demand`` wants.
        """
        files = files_of(request)
        known = survey(files, cache=SURVEYS, context=request.context)
        types: dict[str, pa.DataType | pa.Field] = {}
        if known.complete:
            for key, value in known.keys.items():
                types[key] = _ARROW.get(value.column, _MAP if value.kind == "object" else JSON_TEXT)
        window = (request.number("limit"), request.number("offset") or 0, request.flag("overlay"))
        repeating = frozenset(file.path for file in known.files if file.why == REPEATED)
        return cls(files, *window, types, date_keys(request, known), Placing.of(request), repeating)


def date_keys(request: Request, known: JsonSurvey) -> Found:
    """The keys of text that hold an ISO date in every row, of those that the query wants (``dates=t``)."""
    if not request.flag("dates"):
        return {}
    demand = request.options.get("demand")
    wanted = [key for key, value in known.keys.items() if value.kind == "string" and key not in ("_file", "line")]
    if isinstance(demand, frozenset):
        wanted = [key for key in wanted if key in demand]
    reader = JsonLinesReader(files_of(request), types=dict.fromkeys(wanted, pa.string()))
    return types_kept(reader, wanted, request, "jsonfile", ("date",)) if wanted else {}
