"""Text formats inside fields: lenient JSON, CSV cells, key-value pairs and XML."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime

from .values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, Ctx, Ip, Long, Row, Value, java_double, text

_STOP = set(',:]}/\\"[{;=#')


class JsonReader:
    """The lenient JSON dialect of section 8.1; anything unreadable is a ``ValueError``."""

    def __init__(self, source: str) -> None:
        self.s = source
        self.i = 0

    def peek(self) -> str:
        while self.i < len(self.s) and self.s[self.i] in " \t\r\n":
            self.i += 1
        return self.s[self.i : self.i + 1]

    def value(self) -> Value:
        c = self.peek()
        if c in ("'", '"'):
            return self.string()
        if c == "{":
            return self.object()
        if c == "[":
            return self.array()
        start = self.i
        while self.i < len(self.s) and self.s[self.i] >= " " and self.s[self.i] not in _STOP:
            self.i += 1
        word = self.s[start : self.i].strip()
        if not word:
            raise ValueError("value expected")
        return self.scalar(word)

    def scalar(self, word: str) -> Value:
        if word.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word.lower()]
        if re.fullmatch(r"[+-]?\d+", word):
            n = int(word)
            if LONG_MIN <= n <= LONG_MAX:
                return n if INT_MIN <= n <= INT_MAX else Long(n)
            return float(n)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", word):
            return float(word)
        return word

    def string(self) -> str:
        quote = self.s[self.i]
        self.i += 1
        out: list[str] = []
        simple = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", '"': '"', "'": "'"}
        while self.i < len(self.s):
            c = self.s[self.i]
            if c == quote:
                self.i += 1
                return "".join(out)
            if c == "\\":
                e = self.s[self.i + 1 : self.i + 2]
                if e == "u":
                    out.append(chr(int(self.s[self.i + 2 : self.i + 6], 16)))
                    self.i += 6
                    continue
                if e not in simple or not e:
                    raise ValueError("bad escape")
                out.append(simple[e])
                self.i += 2
                continue
            out.append(c)
            self.i += 1
        raise ValueError("unterminated string")

    def object(self) -> dict[str, Value]:
        self.i += 1
        out: dict[str, Value] = {}
        while True:
            c = self.peek()
            if c == "}":
                self.i += 1
                return out
            key = self.value()
            if self.peek() not in (":", "="):
                raise ValueError("colon expected")
            self.i += 1
            if self.s[self.i - 1] == "=" and self.s[self.i : self.i + 1] == ">":
                self.i += 1
            name = key if isinstance(key, str) else "null" if key is None else str(key)
            out[name] = self.value()
            c = self.peek()
            if c in (",", ";"):
                self.i += 1
            elif c != "}":
                raise ValueError("comma expected")

    def array(self) -> list[Value]:
        self.i += 1
        out: list[Value] = []
        while True:
            c = self.peek()
            if c == "]":
                self.i += 1
                return out
            out.append(self.value())
            c = self.peek()
            if c in (",", ";"):
                self.i += 1
            elif c != "]":
                raise ValueError("comma expected")


def read_json(source: str) -> Value:
    """Object or array of a text; ``ValueError`` for anything else or for text after it."""
    reader = JsonReader(source)
    if reader.peek() not in ("{", "["):
        raise ValueError("neither object nor array")
    value = reader.value()
    if reader.peek():
        raise ValueError("text after the value")
    return value


def write_json(ctx: Ctx, v: Value) -> str:
    """JSON text of a value: dates as text in the session zone, binary as hex, integers exact."""
    if v is None or isinstance(v, (bool, str)):
        return json.dumps(v, ensure_ascii=False)
    if isinstance(v, int):
        return str(int(v))
    if isinstance(v, float):
        return java_double(v) if 1e-3 <= abs(v) < 1e7 or v == 0 else repr(float(v))
    if isinstance(v, (datetime, Ip)):
        return json.dumps(text(ctx, v))
    if isinstance(v, bytes):
        return json.dumps(v.hex())
    if isinstance(v, list):
        return "[" + ",".join(write_json(ctx, x) for x in v) + "]"
    return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{write_json(ctx, x)}" for k, x in v.items()) + "}"


def flatten_json(ctx: Ctx, v: dict[str, Value]) -> Row:
    """Nested keys joined by ``_``, list elements numbered from 0."""
    out: Row = {}

    def walk(prefix: str, x: Value) -> None:
        if isinstance(x, (dict, list)):
            if not x:
                ctx.note("flatten of an empty list or map")
            for k, y in x.items() if isinstance(x, dict) else enumerate(x):
                walk(f"{prefix}_{k}" if prefix else str(k), y)
            return
        if prefix in out:
            ctx.note("flatten with two equal names")
        out[prefix] = x

    walk("", v)
    return out


def csv_cells(line: str, delimiter: str, strict: bool) -> list[str]:
    """Cells of one line; ``strict`` is RFC 4180, otherwise a backslash also escapes a quote."""
    cells: list[str] = []
    i = 0
    while True:
        j = i
        while not strict and j < len(line) and line[j] == " ":
            j += 1
        if line[j : j + 1] == '"':
            cell, i = _quoted(line, j + 1, strict)
            end = line.find(delimiter, i)
            i = len(line) if end < 0 else end
        else:
            end = line.find(delimiter, i)
            end = len(line) if end < 0 else end
            cell, i = line[i:end], end
        cells.append(cell)
        if i >= len(line):
            return cells
        i += 1


def _quoted(line: str, i: int, strict: bool) -> tuple[str, int]:
    out: list[str] = []
    while i < len(line):
        if line.startswith('""', i) or (not strict and line.startswith('\\"', i)):
            out.append('"')
            i += 2
        elif line[i] == '"':
            return "".join(out), i + 1
        else:
            out.append(line[i])
            i += 1
    return "".join(out), i


def read_xml(ctx: Ctx, source: str) -> Row | None:
    """Children of the root as fields; None when the text is no document."""
    try:
        root = ET.fromstring(source.strip())
    except (ET.ParseError, ValueError):
        return None
    out = _children(root)
    return out


def _children(element: ET.Element) -> Row:
    out: Row = {}
    repeated: set[str] = set()
    for child in element:
        value = _element(child)
        if child.tag not in out:
            out[child.tag] = value
        elif child.tag in repeated:
            out[child.tag].append(value)
        else:
            repeated.add(child.tag)
            out[child.tag] = [out[child.tag], value]
    return out


def _element(e: ET.Element) -> Value:
    content = (e.text or "").strip()
    if not len(e) and not e.attrib:
        return content or None
    out: Row = dict(e.attrib)
    out.update(_children(e))
    if e.attrib and not len(e):
        out["_text"] = content or None
    return out
