"""The text of lists and maps, however deep, from their JSON text (language.md 3.5)."""

from __future__ import annotations

import json

import pyarrow as pa

from udfs.columns import Column, map_distinct
from udfs.java.javaformat import java_double
from udfs.jsontext import loads


def text_array(documents: Column) -> pa.StringArray:
    """Texts of JSON documents: a list is ``[a, b]`` of the texts of its items, a map is compact JSON.

    Null and a JSON null give null; what is no JSON, or nested deeper than Python reads, stays as it is.

    >>> text_array(pa.array(['[1, "a", null, [1e20], {"b": 2}]', '{"b": [1, "x"]}', "null", None])).to_pylist()
    ['[1, a, null, [1.0E20], {"b":2}]', '{"b":[1,"x"]}', None, None]
    """
    return map_distinct(documents, _document, pa.string())


def _document(document: str) -> str | None:
    try:
        value = loads(document)
        text = None if value is None else _text(value)
        if text is not None:
            text.encode()  # half a character, as in "\\ud800", is no text
    except (ValueError, RecursionError):
        return document
    return text


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, float):
        return java_double(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
