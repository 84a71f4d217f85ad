"""SQL that names files: in safe mode DuckDB gets what was opened and compared here, never the path that was checked.

Between a look at a path and DuckDB's opening it a program may turn a link. So the path constants of a statement that
the guard allowed become ``/proc/self/fd/N`` (as of ``jsonfile``, ``udfs/readers/files.py``): patterns are expanded
here, the packing that the name told is written out, and the columns that hold names of files get the names back. What
cannot be found in the text again is refused, and so are views and macros in a database file, which outlive the process.

In any mode a file that a writer is adding to, or was when it was killed, is refused: its note says where the whole rows
end, and DuckDB reads on behind that (docs/crash-safety.md).
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from logsql.diagnostics.engine import (
    FILE_NOT_WHOLE,
    MANY_FILES,
    MIXED_PACKING,
    NAME_NOT_FOUND,
    PATH_NOT_WRITTEN_OUT,
    VIEW_OF_FILES,
)
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.engine.guard import Planning, nodes, refused, texts
from logsql.engine.sourceerrors import source_error
from logsql.engine.sqlwords import ENDING, ENDINGS, READERS, Token, opens, words_of
from logsql.values import sql
from udfs.readers.errors import ReaderError
from udfs.readers.files import Files, noted_end, packing_of

#: Table functions whose packing DuckDB takes from the name, and those that say the name in a column.
_PACKED = re.compile(r"(read_csv|read_json|read_ndjson|sniff_csv)")
_NAMED = {"read_text": "filename", "read_blob": "filename", "sniff_csv": "Prompt"} | dict.fromkeys(
    ("parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata", "parquet_bloom_probe"),
    "file_name",
)
#: Words behind which only the name of a table may stand.
_NAMES_ONLY = ("table",)
_QUERY_WORDS = ("select", "with", "from", "values", "table", "(")
#: How many places of a statement that fills a table are tried as the beginning of its query.
_TRIED = 50
_NOWHERE = 1 << 63


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Call:
    """Where a table function with its arguments stands: places in bytes, numbers of its words."""

    name: str
    start: int
    end: int
    words: tuple[Token, ...]


class Handing:
    """Puts open files into the text of statements that the guard has allowed. ``for_view``: a door for the files of a
    view or macro, which stay open as long as the database; None where these may read none."""

    def __init__(self, planner: Planning, files: Files, for_view: Callable[[], Files | None]) -> None:
        self._planner = planner
        self._files = files
        self._for_view = for_view

    def text(self, text: str) -> str:
        """The text for DuckDB. PolicyError, SourceError: as the module says."""
        if not any(opens(words_of(text))):
            return text
        statements = self._planner.planning.extract_statements(text)
        made = [self._statement(s.query, _is_select(s)) for s in statements]
        return ";\n".join(new.rstrip().rstrip(";") for new in made)

    # --- statements -------------------------------------------------------------------------------

    def _statement(self, text: str, select: bool) -> str:
        if select:
            return self._select(text)
        words = words_of(text)
        if not any(opens(words)):
            return text
        if {word.word for word in words[:6]} & {"view", "macro", "function"} and words[0].word == "create":
            if (files := self._for_view()) is None:
                raise refused(VIEW_OF_FILES)
            return Handing(self._planner, files, self._for_view)._filled(text, words)
        return self._filled(text, words)

    def _filled(self, text: str, words: Sequence[Token]) -> str:
        """A statement that holds a query behind its first words."""
        raw = text.encode()
        for word in itertools.islice((word for word in words[1:] if word.word in _QUERY_WORDS), _TRIED):
            rest = raw[word.start :].decode()
            try:
                inner = self._planner.planning.extract_statements(rest)
            except duckdb.Error:
                continue
            if len(inner) == 1 and _is_select(inner[0]):
                head = raw[: word.start].decode()
                _closed(head)
                return head + self._select(rest)
        _closed(text)
        return text

    def _select(self, text: str) -> str:
        row = self._planner.planning.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        tree = json.loads(row[0]) if row else {"error": True}
        if tree["error"]:
            _closed(text)
            return text
        words, raw = words_of(text), text.encode()
        edits: list[_Edit] = []
        own = {str(entry["key"]).lower() for node in nodes(tree) for entry in _entries(node)}
        for node in nodes(tree):
            if node.get("type") == "TABLE_FUNCTION":
                edits += self._function(node, words)
            elif node.get("type") == "BASE_TABLE":
                edits += self._table(node, words, own)
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
            raw = raw[: edit.start] + edit.text.encode() + raw[edit.end :]
        return raw.decode()

    # --- sources ----------------------------------------------------------------------------------

    def _function(self, node: Mapping[str, object], words: Sequence[Token]) -> list[_Edit]:
        call = node["function"]
        assert isinstance(call, dict)
        name = str(call["function_name"]).lower()
        if name not in READERS or name == "glob":
            return []
        where = _call(name, _place(node), words)
        first = call["arguments"][0]["expression"]
        constants = [first] if first.get("class") == "CONSTANT" else [a["expression"] for a in first["arguments"]]
        listed = first.get("class") != "CONSTANT"
        edits: list[_Edit] = []
        given: dict[str, str] = {}
        last = None
        for constant in constants:
            (path,) = texts(constant) or ("",)
            last = _constant(_place(constant), path, words, name)
            opened = self._opened(path)
            given |= opened
            several = ", ".join(_text(handle) for handle in opened)
            edits.append(_Edit(last.start, last.end, several if listed or len(opened) == 1 else f"[{several}]"))
        packings = {packing_of(path) for path in given.values()} if _PACKED.match(name) else set()
        if packings - {"none"} and all(word.word != "compression" for word in where.words):
            if len(packings) > 1:
                raise refused(MIXED_PACKING, name=name)
            edits.append(_Edit(where.end - 1, where.end - 1, f", compression = {_text(packings.pop())}"))
        if (column := _column_of_names(name, where)) is not None:
            edits.append(_Edit(where.start, where.start, f"(SELECT * REPLACE ({_names(column, given)}) FROM "))
            alias = "" if node.get("alias") else f" AS {sql.ident(name).sql('duckdb')}"
            edits.append(_Edit(where.end, where.end, ")" + alias))
        return edits

    def _table(self, node: Mapping[str, object], words: Sequence[Token], own: set[str]) -> list[_Edit]:
        parts = [str(node.get(part) or "") for part in ("catalog_name", "schema_name", "table_name")]
        path = ".".join(part for part in parts if part)
        ending = ENDING.search(path)
        if ending is None or path.lower() in own or self._known(parts):
            return []
        if parts[0] or parts[1]:
            raise refused(NAME_NOT_FOUND, path=path)
        place = _place(node)
        found = [n for n, word in enumerate(words) if (word.start == place or place >= _NOWHERE) and word.value == path]
        if len(found) != 1:
            raise refused(NAME_NOT_FOUND, path=path)
        word, before = words[found[0]], words[found[0] - 1].word if found[0] else ""
        if before in _NAMES_ONLY:
            raise refused(NAME_NOT_FOUND, path=path)
        opened = self._opened(path)
        several = ", ".join(_text(handle) for handle in opened)
        packing = {packing_of(name) for name in opened.values()}
        if len(packing) > 1:
            raise refused(MIXED_PACKING, name=ENDINGS[ending[1].lower()])
        packed = f", compression = {_text(packing.pop())}" if ending[1].lower() != "parquet" else ""
        made = f"{ENDINGS[ending[1].lower()]}([{several}]{packed})"
        if before in ("describe", "desc", "summarize", "show"):
            made = f"FROM {made}"
        if not node.get("alias"):
            made += f" AS {sql.ident(os.path.basename(path).partition('.')[0]).sql('duckdb')}"
        return [_Edit(word.start, word.end, made)]

    def _known(self, parts: Sequence[str]) -> bool:
        """Whether the database, or what the session gave it, has such a table or view."""
        rows = self._planner.planning.execute(
            "SELECT 1 FROM information_schema.tables WHERE lower(table_name) = lower(?) AND (? = '' OR "
            "lower(table_schema) = lower(?)) LIMIT 1",
            [parts[2], parts[1], parts[1]],
        ).fetchall()
        return bool(rows)

    # --- files ------------------------------------------------------------------------------------

    def _opened(self, path: str) -> dict[str, str]:
        """What DuckDB is given, and the name of each: a pattern becomes the files that it means."""
        given: dict[str, str] = {}
        for name in matches(self._planner, path):
            try:
                whole(name, self._files.noted_end(name))
                given[self._files.for_duckdb(name).path] = name
            except ReaderError as problem:
                raise source_error(problem) from None
            if self._files.most_for_duckdb is not None and len(given) > self._files.most_for_duckdb:
                raise refused(MANY_FILES, most=str(self._files.most_for_duckdb))
        return given


def check_whole(planner: Planning, text: str) -> None:
    """Without safe mode: SourceError when SQL names a file whose last rows are not whole."""
    for path in dict.fromkeys(opens(words_of(text), sure=True)):
        for name in matches(planner, path, missing=True):
            whole(name, noted_end(name))


def whole(path: str, end: int | None) -> None:
    """SourceError where a note says that the file ends with rows that may be half-written."""
    if end is not None:
        raise SourceError(diagnostic(FILE_NOT_WHOLE, path=path))


def matches(planner: Planning, path: str, missing: bool = False) -> list[str]:
    """The files that DuckDB means by a path. ReaderError's error where a pattern means none, unless ``missing``."""
    plain = os.path.expanduser(path)
    if not re.search(r"[*?\[{]", plain):
        return [plain]
    try:
        found = planner.planning.execute("SELECT file FROM glob(?)", [plain]).fetchall()
    except duckdb.Error:
        found = []  # what DuckDB does not list it will say itself
    if not found and not missing:
        raise source_error(ReaderError("no file matches {path}", path, "no-match"))
    return [str(row[0]) for row in found]


# --- the text ---------------------------------------------------------------------------------------------------------


def _closed(text: str) -> None:
    """Where no tree says what is read nothing may be."""
    for path in opens(words_of(text)):
        raise refused(NAME_NOT_FOUND, path=path or "read_csv(...)")


def _call(name: str, place: int, words: Sequence[Token]) -> _Call:
    """The words of a call whose name (perhaps behind a schema's) begins at a place."""
    at = next((n for n, word in enumerate(words) if word.start >= place and word.word == name), None)
    if at is None or place >= _NOWHERE or at + 1 >= len(words) or words[at + 1].text != "(":
        raise refused(PATH_NOT_WRITTEN_OUT, name=name)
    depth = 0
    for number in range(at + 1, len(words)):
        depth += (words[number].text in "([{") - (words[number].text in ")]}")
        if depth == 0:
            return _Call(name, place, words[number].end, tuple(words[at + 2 : number]))
    raise refused(PATH_NOT_WRITTEN_OUT, name=name)


def _constant(place: int, text: str, words: Sequence[Token], name: str) -> Token:
    """The word of a constant, which must be the plain text itself: two of them, one behind the other, are one."""
    for word in words:
        if word.start == place and word.kind == "string_const" and word.value == text and word.text[0] == "'":
            return word
    raise refused(PATH_NOT_WRITTEN_OUT, name=name)


def _column_of_names(name: str, call: _Call) -> str | None:
    """The column in which a function says the name of the file."""
    if name in _NAMED:
        return _NAMED[name]
    for number, word in enumerate(call.words[:-2]):
        if word.word == "filename" and word.kind == "identifier":
            given = next((w for w in call.words[number + 1 :] if w.kind != "operator"), None)
            if given is not None and given.kind == "string_const":
                return given.value
            return "filename" if given is not None and given.word in ("true", "t", "1") else None
    return None


def _names(column: str, given: Mapping[str, str]) -> str:
    """The item of REPLACE that gives the names back."""
    node: sql.Sql = sql.col(column)
    if column == "Prompt":
        for handle, name in given.items():
            node = sql.func(
                "replace", node, sql.string(f"'{handle}'"), sql.string(f"'{name.replace(chr(39), chr(39) * 2)}'")
            )
    else:
        tests = [(sql.eq(sql.col(column), sql.string(handle)), sql.string(name)) for handle, name in given.items()]
        node = sql.case(tests, node)
    return f"{node.sql('duckdb')} AS {sql.ident(column).sql('duckdb')}"


def _text(value: str) -> str:
    return sql.string(value).sql("duckdb")


def _place(node: Mapping[str, object]) -> int:
    place = node.get("query_location")
    return place if isinstance(place, int) else _NOWHERE


def _entries(node: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Names that WITH gives."""
    ctes = node.get("cte_map")
    return list(ctes.get("map", ())) if isinstance(ctes, dict) else []


def _is_select(statement: duckdb.Statement) -> bool:
    try:
        return statement.type.name == "SELECT"
    except ValueError:
        return False
