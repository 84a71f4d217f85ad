"""Texts that hold a row: JSON, key-value, XML and CSV text as Arrow columns of JSON objects or cell lists.

These are the parts of ``parsejson``, ``parsexml``, ``parsecsv`` and ``rex`` that DuckDB's own functions cannot do; the
commands call them only for the rows that need them. A text that cannot be read gives null, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.parsers import expat

import pyarrow as pa

from udfs.columns import Column, as_list, map_distinct
from udfs.java.javaregex import DEFAULT_TIMEOUT, Regex
from udfs.lenientjson import Json, LenientError, dump, parse
from udfs.readers.base import ReaderError
from udfs.readers.csvparse import Dialect, cells_of
from udfs.readers.xmlrows import Step, _Builder


def json_array(texts: Column, cutoff: int = 0, recover: bool = False, flat: bool = False) -> pa.StringArray:
    """Strict JSON of every text that holds an object or array in the lenient dialect, null for others.

    ``cutoff``: characters kept before parsing (0: all); ``recover``: close what the cut left open; ``flat``: nested
    keys of objects joined by ``_`` (an array stays as it is).

    >>> json_array(pa.array(["{a:{b:1, c:[x]}}", "[1,]", "nothing", None]), flat=True).to_pylist()
    ['{"a_b":1,"a_c_0":"x"}', '[1]', None, None]
    """

    def one(text: str) -> str | None:
        if cutoff > 0:
            text = text[:cutoff]
        if not text.lstrip().startswith(("{", "[")):
            return None
        try:
            value = parse(text, recover)
        except (LenientError, RecursionError):
            return None
        return dump(flattened(value) if flat and isinstance(value, dict) else value)

    return map_distinct(texts, one, pa.string())


def flattened(value: dict[str, Json]) -> dict[str, Json]:
    """Nested keys joined by ``_``, list items numbered from 0; an empty map or list is null under its own name.

    >>> flattened({"x": ["a", {"y": 1}], "z": {}})
    {'x_0': 'a', 'x_1_y': 1, 'z': None}
    """
    out: dict[str, Json] = {}
    pending: list[tuple[str, Json]] = [(key, item) for key, item in reversed(value.items())]
    while pending:
        name, item = pending.pop()
        if isinstance(item, dict) and item:
            pending += [(f"{name}_{key}", below) for key, below in reversed(item.items())]
        elif isinstance(item, list) and item:
            pending += [(f"{name}_{at}", below) for at, below in reversed(list(enumerate(item)))]
        else:
            out[name] = None if isinstance(item, (dict, list)) else item
    return out


def xml_array(texts: Column) -> pa.StringArray:
    """The children of the root element as a JSON object (commands.md, parsexml); null for a text that is no document.

    >>> xml_array(pa.array(["<e><id>7</id><src t='ip'>10.0.0.9</src><none/></e>", "<e>", "text"])).to_pylist()
    ['{"id":"7","src":{"t":"ip","_text":"10.0.0.9"},"none":null}', None, None]
    """

    def one(text: str) -> str | None:
        builder = _Builder((Step(False, "*"),), "text")
        try:
            builder.parser.Parse(text.strip().encode("utf-8", "replace"), True)
        except (expat.ExpatError, ReaderError):
            return None
        rows = builder.taken()
        return dump(rows[0]) if rows else None

    return map_distinct(texts, one, pa.string())


def csv_cells(texts: Column, tab: bool = False, strict: bool = False) -> pa.ListArray:
    """Cells of every text, read as one record; null stays null, line breaks inside quotes are text.

    >>> csv_cells(pa.array(['"a, b",c,', ""])).to_pylist()
    [['a, b', 'c', ''], ['']]
    """
    dialect = Dialect("\t" if tab else ",", strict)

    def one(text: str) -> list[str]:
        # A quote that nothing closes runs to the end of the text.
        found = cells_of(text, dialect) or cells_of(text + '"', dialect)
        return found[0] if found is not None else text.split(dialect.delimiter)

    return map_distinct(texts, one, pa.list_(pa.string()))


def anchored(texts: Column, rules: Sequence[tuple[str, str]]) -> pa.ListArray:
    """The text behind each start anchor up to its stop character (empty: to the end), one per rule; null: never seen.

    The rules are alternatives tried at every position from left to right; of repeated hits the last one stays.

    >>> anchored(pa.array(["Proto:17, Policy:pass"]), [("Policy:", ","), ("Proto:", ",")]).to_pylist()
    [['pass', '17']]
    """

    def one(text: str) -> list[str | None]:
        found: list[str | None] = [None] * len(rules)
        position = 0
        while position < len(text):
            hits = [(text.find(start, position), number) for number, (start, _) in enumerate(rules)]
            hits = [hit for hit in hits if hit[0] >= 0]
            if not hits:
                break
            at, number = min(hits)
            begin = at + len(rules[number][0])
            end = text.find(rules[number][1], begin) if rules[number][1] else -1
            end = len(text) if end < 0 else end
            found[number] = text[begin:end]
            position = max(end, at + 1)
        return found

    return map_distinct(texts, one, pa.list_(pa.string()))


def rex_lists(texts: Column, extract: Callable[[Column], pa.StructArray]) -> pa.ListArray:
    """The result of ``javaregex.rex_extract`` as one list per text: a string per name, null where nothing matched."""
    struct = extract(texts)
    names = [f.name for f in struct.type if f.name != "matched"]
    columns = [as_list(struct.field(name)) for name in names]
    matched = as_list(struct.field("matched"))
    rows = zip(matched, *columns, strict=True)
    return pa.array([list(row) if hit else None for hit, *row in rows], pa.list_(pa.string()))


def first_match(texts: Column, spec: Regex) -> pa.StringArray:
    """Groups of the first match joined, the whole match when the pattern has none; null where nothing matches.

    ``spec`` comes from ``javaregex.classify(pattern, named_only=False)``.
    """
    import regex

    compiled = regex.compile(spec.python)

    def one(text: str) -> str | None:
        found = compiled.search(text, timeout=DEFAULT_TIMEOUT)
        if found is None:
            return None
        return "".join(group or "" for group in found.groups()) if found.re.groups else str(found.group())

    return map_distinct(texts, one, pa.string())
