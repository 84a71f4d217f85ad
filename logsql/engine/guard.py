"""SQL text in safe mode: what is not allowed here by name is refused, before DuckDB binds or runs anything.

DuckDB's own fence (``allowed_directories``, locked configuration, a database opened read-only) stands behind this and
is not enough alone: it cuts ``..`` out of a path as text while the system follows links first
(``case/link/../../other``), ``EXPLAIN ANALYZE`` runs what it explains, and a ``COPY ... TO`` may stand in a WITH.

A statement that only reads is judged by the tree that DuckDB's parser makes of it (``json_serialize_sql``). What fills
tables of a database in memory has no such tree; it is judged by DuckDB's own tokens, and stricter: a path that climbs
is refused wherever a text stands. Views and macros of a database file were written by somebody else: a statement that
names one whose definition would be refused is refused.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import duckdb

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.engine import (
    FUNCTION_NOT_ALLOWED,
    PATH_NOT_ALLOWED,
    PATH_NOT_WRITTEN_OUT,
    PRAGMA_NOT_ALLOWED,
    SETTING_NOT_ALLOWED,
    STATEMENT_NOT_ALLOWED,
    VIEW_NOT_ALLOWED,
)
from logsql.diagnostics.errors import PolicyError, diagnostic
from logsql.engine.sqlwords import READERS, Token, opens, words_of
from logsql.store.folders import MEMORY
from logsql.store.policy import Policy, read_refused


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Statements that fill and describe tables; run where the database is in memory and so nobody's evidence.
_TABLES = frozenset({"CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "MERGE_INTO", "CREATE_FUNC"})
#: What CREATE and DROP may name: no secrets, no triggers.
_MADE = _names("table view macro function sequence schema type index")
_BETWEEN = _names("create drop or replace temp temporary unique recursive if not exists")
#: Settings of one query's text, none of which opens, writes or lifts anything; ``connection`` leaves them unlocked.
SETTINGS = (
    "timezone",
    "calendar",
    "default_order",
    "default_null_order",
    "null_order",
    "default_collation",
    "integer_division",
    "ieee_floating_point_ops",
    "order_by_non_integer_literal",
    "pivot_limit",
    "explain_output",
    "schema",
    "search_path",
)
_PRAGMAS = _names("""table_info show_tables show_databases show database_list version functions collations""")
#: Further table functions that may be named: they make rows of their arguments, or describe this database.
_HARMLESS = _names(
    """range generate_series unnest repeat repeat_row json_each json_tree summary histogram histogram_values
    duckdb_columns duckdb_constraints duckdb_databases duckdb_functions duckdb_indexes duckdb_keywords
    duckdb_schemas duckdb_sequences duckdb_settings duckdb_tables duckdb_types duckdb_variables duckdb_views
    icu_calendar_names pg_timezone_names pragma_collations pragma_database_size pragma_platform pragma_show
    pragma_table_info pragma_version test_all_types test_vector_types"""
)
#: Scalar functions that do more than compute: ``lq_geoip`` opens the database that its argument names.
_REFUSED = frozenset({"write_log", "lq_geoip"})
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_WRITES = frozenset({"INSERT_QUERY_NODE", "UPDATE_QUERY_NODE", "DELETE_QUERY_NODE", "MERGE_QUERY_NODE"})
_SOURCES = _names("""BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT SHOW_REF CTE COLUMN_DATA""")
_QUERY_WORDS = _names("select with from values table ( describe show summarize pivot unpivot")


class Planning(Protocol):
    """Where a database plans: a connection of the calling thread."""

    @property
    def planning(self) -> duckdb.DuckDBPyConnection: ...


class Guard:
    """Judges statements for one database in safe mode. ``planner`` only parses and looks into the catalog."""

    def __init__(self, planner: Planning, policy: Policy, path: str, name: str) -> None:
        self._planner = planner
        self._policy = policy
        self._fills = path == MEMORY or policy.may_write(path)
        self._in_file = path != MEMORY
        self._name = name

    # --- what is asked ----------------------------------------------------------------------------

    def check(self, text: str) -> None:
        """Raise PolicyError when a statement of the text is not allowed; duckdb.Error when it cannot be parsed."""
        for statement in self._planner.planning.extract_statements(text):
            self._check(statement)

    def check_table(self, name: str) -> None:
        """Raise PolicyError for a view of the database file that reads what may not be read."""
        if name.lower() in self._views:
            raise refused(VIEW_NOT_ALLOWED, name=name)

    # --- statements -------------------------------------------------------------------------------

    def _check(self, statement: duckdb.Statement) -> None:
        words = words_of(statement.query)
        try:
            kind = statement.type.name
        except ValueError:  # a kind that this version of the client has no name for: UPDATE EXTENSIONS
            kind = " ".join(token.word for token in words[:2]).upper()
        first = words[0].word if words else ""
        if kind == "SELECT":
            self._select(statement.query)
        elif kind == "EXPLAIN":
            self._explain(statement.query, words)
        elif kind in ("SET", "VARIABLE_SET") or (kind == "PRAGMA" and first == "pragma"):
            self._setting(kind, words)
        elif kind in _TABLES and self._fills:
            self._table(kind, words)
        elif kind != "TRANSACTION":
            raise refused(STATEMENT_NOT_ALLOWED, kind=kind)

    def _explain(self, text: str, words: Sequence[Token]) -> None:
        """EXPLAIN of one SELECT; the options in front of it are words or a list in brackets."""
        raw, found = text.encode(), [(s, k) for s, k in duckdb.tokenize(text) if k.name != "comment"]
        position = 1
        if position < len(words) and words[position].word in ("analyze", "analyse"):
            position += 1
        if words[position].word == "(" and words[position + 1].word not in _QUERY_WORDS:
            position = next(i for i, token in enumerate(words) if token.word == ")") + 1
        rest = raw[found[position][0] :].decode()
        inner = self._planner.planning.extract_statements(rest)
        if len(inner) != 1 or inner[0].type.name != "SELECT":
            raise refused(STATEMENT_NOT_ALLOWED, kind="EXPLAIN " + words[position].word.upper())
        self._select(rest, reading=True)

    def _setting(self, kind: str, words: Sequence[Token]) -> None:
        names = [token.word for token in words[1:3] if token.word not in ("global", "session", "local", "persist")]
        if words[0].word == "use":
            return
        if words[0].word == "pragma":
            if names[0] not in _PRAGMAS:
                raise refused(PRAGMA_NOT_ALLOWED, name=names[0])
        elif names[0] not in SETTINGS and names[0] not in ("variable", "time"):
            raise refused(SETTING_NOT_ALLOWED, name=names[0])
        self._words(words)

    def _table(self, kind: str, words: Sequence[Token]) -> None:
        if kind in ("CREATE", "DROP", "CREATE_FUNC"):
            made = next((token.word for token in words if token.word not in _BETWEEN), "")
            if made not in _MADE:
                raise refused(STATEMENT_NOT_ALLOWED, kind=f"{kind} {made.upper()}")
        self._words(words)

    # --- by the parser's tree ---------------------------------------------------------------------

    def _select(self, text: str, reading: bool = False) -> None:
        row = self._planner.planning.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        tree = json.loads(row[0]) if row else {"error": True}
        if tree["error"]:
            raise refused(STATEMENT_NOT_ALLOWED, kind="SELECT")
        for node in nodes(tree):
            if "cte_map" in node:
                self._query(str(node["type"]), reading)
            elif "query_location" in node and "class" not in node and node.get("type") not in _SOURCES:
                raise refused(STATEMENT_NOT_ALLOWED, kind=str(node.get("type")))
            if node.get("type") == "TABLE_FUNCTION":
                self._function(node["function"])  # type: ignore[arg-type]  # the parser's own tree
            elif node.get("class") == "FUNCTION":
                self._named(str(node["function_name"]).lower())
            elif node.get("type") == "BASE_TABLE":
                self._base(node)

    def _query(self, kind: str, reading: bool) -> None:
        if kind in _QUERIES or (kind in _WRITES and self._fills and not reading):
            return
        raise refused(STATEMENT_NOT_ALLOWED, kind=kind.removesuffix("_NODE").removesuffix("_QUERY"))

    def _named(self, name: str) -> None:
        """A function called ``name``: none of DuckDB's table functions but the allowed ones, no refused macro."""
        if name in self._views:
            raise refused(VIEW_NOT_ALLOWED, name=name)
        if name in _REFUSED or (name in self._builtin and name not in _HARMLESS and name not in READERS):
            raise refused(FUNCTION_NOT_ALLOWED, name=name)

    def _function(self, call: Mapping[str, object]) -> None:
        name = str(call["function_name"]).lower()
        self._named(name)
        if name not in READERS:
            return
        arguments = call["arguments"]
        assert isinstance(arguments, list)
        paths = texts(arguments[0]["expression"]) if arguments else None
        if paths is None:
            raise refused(PATH_NOT_WRITTEN_OUT, name=name)
        for path in paths:
            self._path(path)

    def _base(self, node: Mapping[str, object]) -> None:
        """A table by its name; a name that looks like a path is one to DuckDB."""
        parts = [str(node.get(part) or "") for part in ("catalog_name", "schema_name", "table_name")]
        if parts[2].lower() in self._views:
            raise refused(VIEW_NOT_ALLOWED, name=parts[2])
        for part in parts:
            if re.search(r"[/\\~:]", part):
                self._path(part)

    # --- by tokens --------------------------------------------------------------------------------

    def _words(self, words: Sequence[Token]) -> None:
        for number, token in enumerate(words):
            if token.kind == "string_const" or token.text.startswith('"'):
                self._climbing(token)
            name = token.word
            if token.kind not in ("identifier", "keyword"):
                continue
            if name in self._views:
                raise refused(VIEW_NOT_ALLOWED, name=name)
            if number + 1 < len(words) and words[number + 1].text == "(":
                self._named(name)
                if name in READERS:
                    self._written(name, words[number + 2 :])
            if name == "copy" and number and words[number - 1].text == "(":
                raise refused(STATEMENT_NOT_ALLOWED, kind="COPY")

    def _climbing(self, token: Token) -> None:
        """Where a text may be a table (``FROM 'x.csv'``) no text may climb; escapes could hide that it does."""
        hidden = token.text[:1] in "eE" and "\\" in token.text
        if hidden or ".." in re.split(r"[/\\]", token.text.strip("'\"eE$")):
            raise refused(PATH_NOT_ALLOWED, path=token.text)

    def _written(self, name: str, words: Sequence[Token]) -> None:
        """The paths of a reading function: one text, or a list of texts in square brackets, and nothing computed."""
        position, listed = 0, bool(words) and words[0].text == "["
        paths: list[str] = []
        while (token := words[position + listed] if position + listed < len(words) else None) is not None:
            if token.kind != "string_const" or token.text[:1] != "'":
                break
            paths.append(token.text[1:-1].replace("''", "'"))
            position += 2
            if not listed or words[position - 1 + listed].text != ",":
                break
        ends = words[position - 1 + listed].text if position else ""
        if ends not in (("]",) if listed else (",", ")")):
            raise refused(PATH_NOT_WRITTEN_OUT, name=name)
        for path in paths:
            self._path(path)

    # --- paths, names -----------------------------------------------------------------------------

    def _path(self, path: str) -> None:
        """A path that DuckDB may open: plain, without ``..`` (it would be cut out before links are followed), and the
        part of it that holds no pattern below an allowed folder."""
        plain = os.path.expanduser(path)
        if ".." in re.split(r"[/\\]", plain) or re.match(r"[A-Za-z][\w+.-]+:", plain) or "\0" in plain:
            raise refused(PATH_NOT_ALLOWED, path=path)
        pattern = re.search(r"[*?\[{]", plain)
        if pattern is None:
            allowed = self._policy.may_read(plain)
        else:
            folder = os.path.dirname(plain[: pattern.start()])
            allowed = self._policy.may_match(folder or ".", plain[len(folder) :].strip("/").split("/"))
        if not allowed:
            raise read_refused(path)

    @cached_property
    def _builtin(self) -> frozenset[str]:
        """DuckDB's own functions that make tables or set something."""
        rows = self._planner.planning.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() "
            "WHERE function_type IN ('table', 'pragma', 'table_macro') AND internal"
        ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    @cached_property
    def _views(self) -> frozenset[str]:
        """Views and macros of the database file whose definition is refused, also through one another."""
        if not self._in_file:
            return frozenset()
        rows = self._planner.planning.execute(
            "SELECT lower(view_name), sql FROM duckdb_views() WHERE database_name = ? AND NOT internal UNION ALL "
            "SELECT lower(function_name), macro_definition FROM duckdb_functions() "
            "WHERE database_name = ? AND NOT internal AND macro_definition IS NOT NULL",
            [self._name, self._name],
        ).fetchall()
        known = {str(name): words_of(str(text)) for name, text in rows}
        bad = {name for name, words in known.items() if not self._sound(words)}
        while more := {n for n, words in known.items() if n not in bad and bad & {t.word for t in words}}:
            bad |= more
        return frozenset(bad)

    def _sound(self, words: Sequence[Token]) -> bool:
        judge = Guard(self._planner, self._policy, MEMORY, self._name)
        judge.__dict__["_builtin"] = self._builtin
        try:
            judge._words(words)
        except PolicyError:
            return False
        return not any(True for _ in opens(words))  # it would read by a path what nobody has opened and compared


def refused(said: Sentence, **facts: str) -> PolicyError:
    return PolicyError(diagnostic(said, None, help=None, notes=(), **facts))


def nodes(tree: object) -> Iterator[dict[str, object]]:
    """Every object of a JSON document, without recursion: SQL may be nested deeper than Python can follow."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def texts(node: Mapping[str, object]) -> list[str] | None:
    """The text constants that an argument is: one, or a list of them; None for anything computed."""
    if node.get("class") == "CONSTANT":
        literal = node["literal"]
        assert isinstance(literal, dict)
        return [str(literal["text"])] if literal.get("kind") == "STRING" else None
    if node.get("class") == "FUNCTION" and node.get("function_name") == "list_value":
        inner = node["arguments"]
        assert isinstance(inner, list)
        found = [texts(argument["expression"]) for argument in inner]
        return None if any(part is None or len(part) != 1 for part in found) else [p[0] for p in found if p]
    return None
