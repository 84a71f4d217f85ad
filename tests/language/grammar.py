"""A permissive grammar for the tests of the language room: each command of the vendor's examples gets a fitting shape.

It knows only how the text of a command is cut, nothing of its meaning; the product's declarations live elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from logsql.diagnostics.codes import Code
from logsql.diagnostics.messages import Text
from logsql.language.reader import ArgReader

Shape = Callable[[ArgReader], object]


@dataclass(frozen=True)
class Spec:
    name: str
    shape: Shape
    option_names: tuple[str, ...] = ()
    options_anywhere: bool = False
    takes_options: bool = True
    sql: bool = False
    usage: tuple[str, ...] = ()

    def parse(self, reader: ArgReader) -> object:
        return self.shape(reader)


def row(code: str, name: str, sentence: str = "") -> Code:
    """A row of the grammar's own, which is in no catalogue."""
    said = Text(sentence, sentence)
    return Code(code, name, said, meaning=said)


def rest(reader: ArgReader) -> object:
    return reader.rest()


def path(reader: ArgReader) -> object:
    return reader.path()


def search(reader: ArgReader) -> object:
    return None if reader.at_end() else reader.expr()


def names(reader: ArgReader) -> object:
    return tuple(reader.name_list())


def loose_names(reader: ArgReader) -> object:
    minus = reader.peek_word() == "-"
    if minus:
        reader.word()
    found = tuple(reader.name_list(blanks=True))
    if not found:
        reader.fail(row("20400", "no-field-args", "fields needs a field name"))
    return minus, found


def keyed_subquery(reader: ArgReader) -> object:
    return tuple(reader.name_list()), reader.subquery(required=False)


def join(reader: ArgReader) -> object:
    return tuple(reader.sort_list(stop=())), reader.subquery()


def sort(reader: ArgReader) -> object:
    keys = tuple(reader.sort_list())
    by = tuple(reader.name_list(trailing_comma=row("21601", "invalid-by-clause"))) if reader.keyword("by") else ()
    if not keys:
        reader.fail(row("21600", "need-column", "sort needs a field name"))
    return keys, by


def stats(reader: ArgReader) -> object:
    found = tuple(reader.aggregates())
    clauses: list[Any] = []
    while (word := reader.peek_word().lower()) in ("by", "rows", "cols", "for"):
        reader.word()
        clauses.append((word, tuple(reader.name_list(stop=("rows", "cols", "for", "by")))))
    return found, tuple(clauses)


def boxplot(reader: ArgReader) -> object:
    value = reader.expr_until("by", missing=row("20001", "missing-expr"))
    by = tuple(reader.name_list(trailing_comma=row("20000", "missing-clause"))) if reader.keyword("by") else ()
    return value, by


def rex(reader: ArgReader) -> object:
    return reader.quoted_raw(outer=True)


def json(reader: ArgReader) -> object:
    text = reader.quoted_json()
    if text is None and not reader.text.startswith("$("):
        reader.fail(row("10200", "missing-json-quotation", "json needs a quoted text"))
    return text or reader.call()


def rename(reader: ArgReader) -> object:
    return tuple(reader.words())


def lookup(reader: ArgReader) -> object:
    table = reader.word()
    keys = tuple(reader.name_list(stop=("output",)))
    outputs = tuple(reader.name_list()) if reader.keyword("output") else ()
    return table, keys, outputs


def parse(reader: ArgReader) -> object:
    rules: list[Any] = []
    while (anchor := reader.quoted_raw()) is not None:
        reader.keyword("as")
        rules.append((anchor, tuple(reader.name_list(stop=(), blanks=True)[:1])))
    return tuple(rules) or reader.word()


def outputs(reader: ArgReader) -> object:
    return reader.path_word(), tuple(reader.name_list())


def assignments(reader: ArgReader) -> object:
    return tuple(reader.assignments())


def set_(reader: ArgReader) -> object:
    return reader.assignment(
        row("10400", "assign-token-not-found"),
        row("10401", "field-name-not-found"),
        row("10402", "expression-not-found"),
    )


def subquery(reader: ArgReader) -> object:
    return reader.subquery()


def transaction(reader: ArgReader) -> object:
    return tuple(reader.words())


_COMMON = ("limit", "offset", "from", "to", "duration", "window", "order", "field", "overlay", "parallel", "span",
           "type", "model", "profile", "filter")  # fmt: skip


@dataclass
class TestGrammar:
    """``strict`` names only the commands below; otherwise unknown names read their rest with any options."""

    strict: bool = True
    refused: Mapping[str, Text] = field(
        default_factory=lambda: {"kmeans": Text("it is not implemented", "없는 기능입니다")}
    )
    specs: dict[str, Spec] = field(default_factory=dict)
    __test__ = False

    def __post_init__(self) -> None:
        def add(name: str, shape: Shape, *options: str, **more: Any) -> None:
            self.specs[name] = Spec(name, shape, options or _COMMON, **more)

        for name in ("hive-file", "ntfs-mft", "ntfs-usnjrnl", "evtx-file", "jsonfile", "csvfile", "textfile"):
            add(
                name,
                path,
                "limit",
                "offset",
                "overlay",
                "cs",
                "tab",
                "strict",
                "maxcol",
                "rest",
                "brex",
                "erex",
                "dp",
                "df",
                "zippath",
            )
        for name in ("table", "logger", "result", "load", "-", "ldapsearch", "wget", "signature", "drop"):
            add(name, rest, *_COMMON, "forward", "url", "selector", "method", "auth", "encoding", "header", "body")
        add("search", search, "limit")
        for name in ("eval", "evalc"):
            add(name, assignments, "", takes_options=False)
        add("set", set_, "", takes_options=False)
        for name in ("order", "explode", "parsecsv", "tojson", "prev"):
            add(name, names, "field", "overlay", "strict", "tab", "output")
        add("fields", loose_names, "", takes_options=False)
        for name in ("parsejson", "parsemap", "parsekv", "parsexml"):
            add(name, rest, "field", "overlay", "flatten", "cutoff", "lenient", "pairdelim", "kvdelim")
        add("rename", rename, "", takes_options=False)
        add("limit", rename)
        add("sort", sort, "limit")
        for name in ("stats", "timechart", "pivot", "rollup", "cube"):
            add(name, stats, "parallel", "span", "offset", "label")
        add("boxplot", boxplot)
        add("rex", rex, "field")
        add("parse", parse, "field", "overlay")
        add("json", json)
        add("lookup", lookup, "")
        for name in ("join", "streamjoin"):
            add(name, join, "type", "timeout")
        for name in ("union", "setq"):
            add(name, subquery, "")
        for name in ("anomalies", "rforest"):
            add(name, keyed_subquery, "model", "trees", "sample", "target")
        for name in ("outputcsv", "outputjson", "outputtxt", "zipfile"):
            add(
                name,
                outputs,
                "overwrite",
                "append",
                "bom",
                "partition",
                "tab",
                "tmp",
                "delimiter",
                "gz",
                "limit",
                "offset",
            )
        add("lookuptable", transaction, "limit", "offset", options_anywhere=True)
        add("transaction", transaction, "maxspan", "maxpause", "startswith", "endswith", options_anywhere=True)
        add("proc", lambda reader: reader.call(), "", takes_options=False)
        add("repeat", rest, "count")
        for name in ("dbquery", "system", "confdb"):
            add(name, lambda reader: reader.raw(), "", takes_options=False)

    def command(self, name: str) -> Spec | None:
        found = self.specs.get(name)
        if found is None and not self.strict and re.fullmatch(r"[a-z][\w.-]*", name):
            return Spec(name, rest, takes_options=False)
        return found

    def command_names(self) -> Iterable[str]:
        return self.specs

    def computes(self, name: str) -> str | None:
        return None

    def reader_of(self, path: str) -> str | None:
        return None


GRAMMAR = TestGrammar()
LOOSE = TestGrammar(strict=False)
