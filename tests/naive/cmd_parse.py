"""Commands that take fields out of text and maps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .aggregates import mask, split_top
from .cmd_sources import option_int
from .documents import csv_cells, flatten_json, read_json, read_xml
from .errors import NaiveError
from .lexer import is_true, take_options
from .regexes import compile_java
from .stream import Step, Stream, added, append, command
from .values import Row, text

_KEPT = ("_time", "_id", "_table")

#: extracted fields of a row; None: pass the row unchanged
Extract = Callable[[Row], Row | None]


def _dynamic(step: Step, extract: Extract, overlay: bool, keep: tuple[str, ...] = ()) -> Stream:
    """Output whose columns are known only after the rows: found fields replace the row, or are laid over it."""
    seen: dict[str, None] = {}

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            found = extract(row)
            if found is None:
                out = row
            elif overlay:
                if any(v is None and row.get(k) is not None for k, v in found.items()):
                    step.ctx.note("extracted null over an existing value")
                out = {**row, **found}
            else:
                out = {**{k: row[k] for k in keep if k in row}, **found}
            seen.update(dict.fromkeys(out))
            yield out

    def columns() -> list[str]:
        return append(step.input.columns(), list(seen)) if overlay else list(seen)

    return Stream(rows(), columns, step.input.ordered)


@command("rex")
def rex(step: Step) -> Stream:
    options, rest = take_options(step.args, ("field",), "rex")
    if "field" not in options:
        raise NaiveError("20900", "field-not-found", step.args)
    if len(rest) < 2 or rest[0] != '"' or rest[-1] != '"':
        raise NaiveError("20901", "invalid-regex", rest)
    try:
        pattern = compile_java(rest[1:-1], capture_unnamed=False)
    except ValueError as e:
        raise NaiveError("20901", "invalid-regex", str(e)) from e
    ctx, source = step.ctx, options["field"]

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            s = text(ctx, row.get(source))
            m = pattern.compiled.search(s) if s is not None else None
            out = dict(row)
            if m is not None:
                out.update({name: m.group(i) for name, i in pattern.names if m.group(i) is not None})
            yield out

    return added(step, rows(), [name for name, _ in pattern.names])


def _anchors(rest: str) -> list[tuple[str, str, str]]:
    rules: list[tuple[str, str, str]] = []
    for piece in split_top(rest):
        m = re.search(r"\s+as\s+", mask(piece), re.IGNORECASE)
        if m is None:
            raise NaiveError("21003", "syntax-error", piece)
        anchor, alias = piece[: m.start()].strip(), piece[m.end() :].strip()
        if len(anchor) < 2 or anchor[0] != '"' or anchor[-1] != '"':
            raise NaiveError("21004", "anchor-should-be-quoted", piece)
        if alias.startswith('"'):
            raise NaiveError("21005", "alias-should-not-be-quoted", piece)
        body = anchor[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if "*" not in body:
            raise NaiveError("21003", "syntax-error", piece)
        start, _, stop = body.partition("*")
        rules.append((start, stop[:1], alias))
    return rules


def _cut_anchors(step: Step, rules: list[tuple[str, str, str]], s: str) -> Row:
    found: Row = {}
    pos = 0
    while pos < len(s):
        hits = [(s.find(start, pos), k) for k, (start, _, _) in enumerate(rules) if s.find(start, pos) >= 0]
        if not hits:
            break
        at, k = min(hits)
        start, stop, alias = rules[k]
        begin = at + len(start)
        end = s.find(stop, begin) if stop else len(s)
        if end < 0:
            step.ctx.note("anchor rule without its end")
            end = len(s)
        found[alias] = s[begin:end]
        pos = max(end, at + 1)
    return found


@command("parse")
def parse(step: Step) -> Stream:
    options, rest = take_options(step.args, ("overlay", "field"), "parse")
    if not rest:
        raise NaiveError("21000", "missing-parser-name", step.args)
    if re.fullmatch(r"[\w.-]+", rest):
        raise NaiveError("21001", "parser-not-found", rest)
    rules = _anchors(rest)
    overlay, source, ctx = is_true(options, "overlay"), options.get("field", "line"), step.ctx
    names = [alias for _, _, alias in rules]

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            s = text(ctx, row.get(source))
            if s is None and not overlay:
                ctx.note("parse of a null field without overlay")
            found = _cut_anchors(step, rules, s) if s is not None else {}
            yield {**(row if overlay else {k: row[k] for k in _KEPT if k in row}), **found}

    if overlay:
        return added(step, rows(), names)
    return Stream(rows(), lambda: append([c for c in step.input.columns() if c in _KEPT], names), step.input.ordered)


@command("parsekv")
def parsekv(step: Step) -> Stream:
    options, _ = take_options(step.args, ("field", "pairdelim", "kvdelim", "overlay"), "parsekv")
    source, overlay = options.get("field", "line"), is_true(options, "overlay")
    pair, kv = options.get("pairdelim", " "), options.get("kvdelim", "=")
    ctx = step.ctx

    def extract(row: Row) -> Row | None:
        s = text(ctx, row.get(source))
        if s is None:
            return None
        found: Row = {}
        for piece in s.split(pair):
            piece = piece.strip()
            if not piece:
                continue
            key, sep, value = piece.partition(kv)
            if not key or key != key.strip() or value != value.strip():
                ctx.note("key-value pair without a key or with blanks around the delimiter")
            found[key] = value if sep else None
        return found

    if overlay:
        return _dynamic(step, extract, True)
    present = Step(ctx, step.args, Stream(
        (r for r in step.input.rows if r.get(source) is not None), step.input.columns, step.input.ordered
    ), step.build)  # fmt: skip
    return _dynamic(present, extract, False, _KEPT)


@command("parsejson")
def parsejson(step: Step) -> Stream:
    options, _ = take_options(step.args, ("field", "overlay", "flatten", "cutoff", "lenient"), "parsejson")
    source, flat = options.get("field", "line"), is_true(options, "flatten")
    cutoff = option_int(step, options, "cutoff", "90001", "invalid-option")
    cutoff = (5000 if flat else 0) if cutoff is None else cutoff
    ctx = step.ctx

    def extract(row: Row) -> Row | None:
        s = row.get(source)
        if not isinstance(s, str):
            return None
        if cutoff and len(s) > cutoff:
            ctx.note("parsejson cutoff")
            s = s[:cutoff]
        try:
            found = read_json(s)
        except ValueError:
            return None
        if isinstance(found, list):
            return {**row, source: found}
        return flatten_json(ctx, found) if flat else found

    return _dynamic(step, extract, is_true(options, "overlay"))


@command("parsemap")
def parsemap(step: Step) -> Stream:
    options, _ = take_options(step.args, ("field", "overlay"), "parsemap")
    if "field" not in options:
        raise NaiveError("22100", "missing-parsemap-field", step.args)

    def extract(row: Row) -> Row | None:
        value = row.get(options["field"])
        return dict(value) if isinstance(value, dict) else None

    return _dynamic(step, extract, is_true(options, "overlay"))


@command("parsexml")
def parsexml(step: Step) -> Stream:
    options, _ = take_options(step.args, ("field", "overlay"), "parsexml")

    def extract(row: Row) -> Row | None:
        s = row.get(options.get("field", "line"))
        return read_xml(step.ctx, s) if isinstance(s, str) else None

    return _dynamic(step, extract, is_true(options, "overlay"))


@command("parsecsv")
def parsecsv(step: Step) -> Stream:
    options, rest = take_options(step.args, ("field", "overlay", "strict", "tab"), "parsecsv")
    names = [n for n in re.split(r"[\s,]+", rest) if n]
    source, ctx = options.get("field", "line"), step.ctx
    delimiter = "\t" if is_true(options, "tab") else ","

    def extract(row: Row) -> Row | None:
        s = text(ctx, row.get(source))
        if s is None:
            return None
        cells = csv_cells(s, delimiter, is_true(options, "strict"))
        return {names[i] if i < len(names) else f"column{i}": c for i, c in enumerate(cells)}

    return _dynamic(step, extract, is_true(options, "overlay"))


@command("split")
def split(step: Step) -> Stream:
    options, rest = take_options(step.args, ("field", "sep"), "split")
    names = [n for n in re.split(r"[\s,]+", rest) if n]
    if not options.get("sep") or not names:
        raise NaiveError("90001", "invalid-option", "split needs sep= and field names")
    source, ctx = options.get("field", "line"), step.ctx

    def rows() -> Iterator[Row]:
        for row in step.input.rows:
            s = text(ctx, row.get(source))
            parts = s.split(options["sep"]) if s else []  # as split(): an empty text has no parts
            yield {**row, **{n: parts[i] if i < len(parts) else None for i, n in enumerate(names)}}

    return added(step, rows(), names)
