"""Rows as the text of syslog messages: the field ``line``, a JSON object, or a message of RFC 5424 with its header."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from logsql.connectors.syslogframes import PRI
from logsql.render.instants import iso_text
from logsql.render.values import text_column
from logsql.streams.sinks.jsonrows import chosen, json_objects

#: Fields that are no part of the JSON of a row (the vendor's newest page).
LEFT_OUT = frozenset({"_id", "_table", "_time"})
#: Names of a header in their order, each with its length at most (RFC 5424, 6).
_NAMES = (("host", 255), ("app", 48), ("procid", 128), ("msgid", 32))
_NO_NAME = r"[^\x21-\x7e]"
_SD_NAME = r"[!#-<>-\\^-~]{1,32}"
#: Structured data by its grammar (RFC 5424, 6.3).
_SD = rf'^(?:\[{_SD_NAME}(?: {_SD_NAME}="(?:[^"\\\]]|\\.)*")*\])+$'
_NIL = pa.scalar("-", pa.string())


def texts(rows: pa.Table, form: str, zone: str, pri: int | None, fields: tuple[str, ...] = ()) -> pa.Array:
    """A text a row, null where the row has none. ``form``: ``json``, ``txt``, ``rfc5424``; ``pri`` stands where a row
    has neither facility nor severity."""
    if form == "txt":
        return _text(rows, "line")
    if form == "rfc5424":
        message, line = _text(rows, "message"), _text(rows, "line")
        return _rfc5424(rows, pc.coalesce(message, line), zone, PRI if pri is None else pri)
    objects = list(json_objects(chosen(rows, fields, LEFT_OUT), zone))
    return pa.concat_arrays([o.cast(pa.large_string()) for o in objects]) if objects else _array([], 0)


def _rfc5424(rows: pa.Table, body: pa.Array, zone: str, pri: int) -> pa.Array:
    facility, severity = (_number(rows, name, most) for name, most in (("facility", 23), ("severity", 7)))
    number = pc.add(pc.multiply(pc.fill_null(facility, pri // 8), 8), pc.fill_null(severity, pri % 8))
    begin = pc.binary_join_element_wise("<", number.cast(pa.string()), ">1", "")
    parts = [begin, _time(rows, zone)]
    for name, most in _NAMES:
        clean = pc.replace_substring_regex(_text(rows, name), _NO_NAME, "?")
        short = pc.utf8_slice_codeunits(clean, 0, most)
        parts.append(pc.fill_null(pc.if_else(pc.equal(short, ""), _NIL, short), "-"))
    data = _text(rows, "structured_data")
    valid = pc.fill_null(pc.match_substring_regex(data, _SD), False)
    parts.append(pc.if_else(valid, pc.fill_null(data, "-"), _NIL))
    head = pc.binary_join_element_wise(*parts, " ")
    return pc.if_else(body.is_valid(), pc.binary_join_element_wise(head, pc.fill_null(body, ""), " "), head)


def _time(rows: pa.Table, zone: str) -> pa.Array:
    if "_time" not in rows.column_names or not pa.types.is_timestamp(rows.schema.field("_time").type):
        return _array(["-"], rows.num_rows)
    time = rows.column("_time").combine_chunks()
    if time.type.tz is None:
        time = time.cast(pa.timestamp(time.type.unit, "UTC"))
    return pc.fill_null(iso_text(time, zone), "-")


def _text(rows: pa.Table, name: str) -> pa.Array:
    """The text of a field, null where the rows have none."""
    if name not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.string())
    return text_column(rows.column(name).combine_chunks(), rows.schema.field(name)).cast(pa.string())


def _number(rows: pa.Table, name: str, most: int) -> pa.Array:
    """A field as a number from 0 to ``most``, null for others."""
    if name not in rows.column_names or not pa.types.is_integer(rows.schema.field(name).type):
        return pa.nulls(rows.num_rows, pa.int64())
    found = rows.column(name).combine_chunks().cast(pa.int64())
    fits = pc.and_(pc.greater_equal(found, 0), pc.less_equal(found, most))
    return pc.if_else(fits, found, pa.scalar(None, pa.int64()))


def _array(values: list[str], count: int) -> pa.Array:
    return pa.array(values * count, pa.string())
