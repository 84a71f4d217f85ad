"""The planner's catalog, implemented over a session's database for one query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.engine import CONSTANT_FAILED, INTERRUPTED
from logsql.diagnostics.errors import Interrupted, QueryError, diagnostic
from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.engineerrors import engine_error
from logsql.engine.result import python_values
from logsql.engine.runstate import RunState
from logsql.engine.saved import past_table, saved_table
from logsql.engine.sources import SourceOpener
from logsql.engine.workspace import Workspace
from logsql.loading import at
from logsql.planner.catalog import NoData, SourceColumn, SourceInfo, SourceSpec, TableInfo
from logsql.planner.connections.live import LIVE
from logsql.planner.services import LookupTable, Service
from logsql.udfbridge.counters import MOST
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.sqltext import written
from logsql.values.texts import DOCUMENT_TEXT
from udfs.readers.base import NullLoss, NullProgress, ReadContext, Reader

T = TypeVar("T")
#: Rows of tables of which a column is not read for the ledger alone (20 ns a text, two milliseconds here; the sum of
#: that column is null for every row and needs none of it).
MANY_ROWS = 100_000
#: Names that DuckDB takes for a file, with the names of database and schema before them.
_LIKE_A_FILE = re.compile(
    r"\.|^(?:csv|tsv|txt|json|jsonl|ndjson|geojson|parquet|gz|zst|xlsx?|avro|arrow|db|duckdb|sqlite|shp)$", re.I
)


#: Characters of a value that rules about texts look at.
LONGEST_SAMPLE = 1_000_000


class SessionCatalog:
    """Answers the planner's questions and collects what the plan's SQL will read: registered objects by name."""

    def __init__(self, workspace: Workspace, state: RunState, data: bool = True) -> None:
        self.state = state
        self.data = data
        self.zone = workspace.database.zone
        self._database = workspace.database
        self._workspace = workspace
        self.run_id = state.ledger.run_id if state.counting else None
        self.shared = state.shares is not None
        self.bindings: dict[str, object] = {}
        self._stored_names: list[str] = []
        self._opener = SourceOpener(self.bindings.__setitem__, state.read_context, workspace.given)

    def check_time(self) -> None:
        """Raise TimeoutError_, RunError, Interrupted where the query is to end now."""
        self.state.check_bounds()
        if self.state.cancel.is_set():
            raise Interrupted(diagnostic(INTERRUPTED))

    def lost(self, source: str, reason: str, count: int, sample: str) -> None:
        """Count what is lost while a query is planned."""
        if self.run_id is not None:
            self.state.ledger.lost(source, reason, count, sample=sample[:80])

    def counter(self, source: str, reason: str, identity: tuple[object, ...] | None, branch: int) -> tuple[str, int]:
        """A counter of the run's ledger."""
        return self.state.ledger.counter(source, reason, identity, branch)

    def uncounted(self, source: str, reason: str) -> bool:
        """Tables of columns are dear to count in, files have to be read for their lines anyway."""
        ledger = self.state.ledger
        if self.run_id is None or ledger.exact or self._rows_of_tables() < MANY_ROWS:
            return False
        ledger.uncounted(source, reason)
        return True

    @property
    def most_counted(self) -> int | None:
        """As many as a place of SQL counts in any case."""
        return None if self.state.ledger.exact else MOST

    def _rows_of_tables(self) -> int:
        """Rows of the tables that were named so far; 0 where something else is read too."""
        if not all(isinstance(thing, pa.Table) for thing in self.bindings.values()):
            return 0
        rows: int = sum(thing.num_rows for thing in self.bindings.values() if isinstance(thing, pa.Table))
        if rows >= MANY_ROWS or not self._stored_names:
            return rows
        ((stored,),) = self._database.ask(
            "SELECT sum(estimated_size) FROM duckdb_tables() WHERE database_name = ? AND list_contains(?, table_name)",
            [self._database.name, self._stored_names],
        )
        return rows + int(stored or 0)

    def tally(self, source: str, step: int) -> tuple[str, str, str] | None:
        """Counters of the rows of a command."""
        return None if self.state.shares is None else self.state.shares.tally(source, step)

    # --- tables -----------------------------------------------------------------------------------

    def table(self, name: str) -> TableInfo | None:
        """A registered object, else a table or view of the database."""
        for known, thing in self._database.registered.items():
            if known.lower() == name.lower():
                self.bindings[known] = thing
                return TableInfo(known, (known,), arrow_columns(thing.schema))
        return self._stored(name)

    def _stored(self, name: str) -> TableInfo | None:
        """A table or view: binding a SELECT is ten times cheaper than asking DuckDB's catalog views.

        Those are asked for a name that may be taken for a file, which DuckDB reads where no table has the name:
        ``main."x.csv"``, ``main.json``.
        """
        if not name:
            return None
        if _LIKE_A_FILE.search(name) and name.lower() not in {table.lower() for table in self.tables()}:
            return None
        target = exp.Table(this=sql.ident(name), db=sql.ident("main"), catalog=sql.ident(self._database.name))
        if self._database.guard is not None:
            self._database.guard.check_table(name)
        has_rowid = True
        try:
            relation = self._bound(target, [sql.col("rowid"), exp.Star()])
        except duckdb.CatalogException:
            return None
        except duckdb.BinderException:  # a view has none
            has_rowid = False
            relation = self._bound(target, [exp.Star()])
        except duckdb.PermissionException as error:  # a view of the file, a name that is a path
            raise engine_error(error) from None
        logical = self._database.logical_types()
        columns = tuple(
            SourceColumn(str(n), str(t), logical.get((name.lower(), str(n))))
            for n, t in zip(relation.columns[has_rowid:], relation.types[has_rowid:], strict=True)
        )
        self._stored_names.append(name)
        # A column of that name hides the row number.
        return TableInfo(name, (name,), columns, has_rowid and "rowid" not in {c.name.lower() for c in columns})

    def _bound(self, target: exp.Table, items: list[Sql]) -> duckdb.DuckDBPyRelation:
        """SELECT of the items from the table, bound but not run."""
        return self._database.planning.sql(written(sql.select(items, target)))

    def tables(self) -> Sequence[str]:
        return self._database.tables()

    def server_table(self, name: str) -> TableInfo | None:
        """A table of the live server: its schema is asked for, its rows when the query reads them."""
        server = self.service(LIVE) if self.data else None
        if server is None:
            return None
        for known, schema in server.tables().items():
            if known.lower() == name.lower():
                dataset = cast("Callable[[Reader, ReadContext], object]", at("udfs.readers.dataset:ReaderDataset"))
                self.bindings[known] = dataset(server.table(known, schema), self.state.read_context())
                return TableInfo(known, (known,), arrow_columns(schema))
        return None

    def server_tables(self) -> Sequence[str]:
        server = self.service(LIVE) if self.data else None
        return [] if server is None else list(server.tables())

    def has_file(self, path: str) -> bool:
        return self._database.files.has_file(path) if self._database.files.may_read(path) else False

    # --- constants, binding -----------------------------------------------------------------------

    def evaluate(self, expression: Sql) -> Any:
        """Value of a constant expression."""
        text = written(expression)
        self._database.install(
            str(f.this) for f in sql.below(expression, exp.Anonymous) if str(f.this).startswith("lq_")
        )
        try:
            table = self._database.planning.sql(f"SELECT {text} AS v").to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(diagnostic(CONSTANT_FAILED, reason=str(error).splitlines()[0])) from None
        return python_values(table.column(0).combine_chunks(), ZoneInfo(self.zone))[0]

    def describe(self, query: Sql) -> tuple[SourceColumn, ...]:
        """Columns of a query, bound but not run."""
        self._database.install([DOCUMENT_TEXT])
        relation = self._database.planning.sql(written(query))
        return tuple(SourceColumn(n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True))

    def sample(self, query: Sql) -> tuple[str, ...]:
        """The texts of a query over the first rows of a source. What is lost on the way is counted when the query runs.

        None where the files cannot be read now: the query itself will say why. None of what can be read once
        (standard input), which the query would not find any more, and which may not have come yet. Texts longer than a
        million characters are left out: rules cut them into pieces, and of 60 MB that took a gigabyte.
        """
        sources = {t.name: self.bindings[t.name] for t in sql.below(query, exp.Table) if t.name in self.bindings}
        if not all(self._again(thing) for thing in sources.values()):
            return ()
        if (column := _column_of(query, sources)) is not None:  # no engine is asked: 30 microseconds instead of 1,500
            return tuple(text for text in column if len(text) <= LONGEST_SAMPLE)
        cursor = self._database.planning.cursor()
        try:
            for name, thing in sources.items():
                cursor.register(name, self._quiet(thing))
            texts = (str(row[0]) for row in cursor.execute(written(query)).fetchall() if row[0] is not None)
            return tuple(text for text in texts if len(text) <= LONGEST_SAMPLE)
        except (duckdb.Error, pa.ArrowException, OSError):
            return ()
        finally:
            cursor.close()

    @staticmethod
    def _again(thing: object) -> bool:
        """Whether a source can be read now and once more later: a table in memory, files, not standard input."""
        from udfs.readers.dataset import ReaderDataset  # for cost: pyarrow.dataset

        if isinstance(thing, ReaderDataset):
            return not getattr(thing.reader, "once", False)
        return isinstance(thing, pa.Table)

    @staticmethod
    def _quiet(thing: object) -> object:
        """A source that reports no loss and no progress; other objects as they are."""
        from udfs.readers.dataset import ReaderDataset  # for cost: pyarrow.dataset

        if not isinstance(thing, ReaderDataset):
            return thing
        return ReaderDataset(thing.reader, replace(thing.context, loss=NullLoss(), progress=NullProgress()))

    # --- files ------------------------------------------------------------------------------------

    def open_source(
        self, command: str, source: SourceSpec, paths: Sequence[str], options: Mapping[str, object]
    ) -> SourceInfo:
        if not self.data:
            return self._opener.described(command, source)
        return self._opener.open(command, source, paths, options)

    # --- results, lookups, services ---------------------------------------------------------------

    def saved(self, name: str) -> TableInfo | None:
        return self._or_unknown(saved_table(self._workspace, name, self.bindings))

    def result(self, query_id: str) -> TableInfo | None:
        return self._or_unknown(past_table(self._workspace, query_id, self.bindings, self.state.ledger))

    def _or_unknown(self, found: TableInfo | None) -> TableInfo | None:
        """A result that is not there may be there where the query will run."""
        if found is None and not self.data:
            raise NoData
        return found

    def lookup(self, name: str) -> LookupTable | None:
        return self._workspace.services.lookups.find(name)

    def bind(self, label: str, table: pa.Table) -> TableInfo:
        """Make an Arrow table readable in this query under a name of its own."""
        name = f"__{label}_{len(self.bindings) + 1}"
        self.bindings[name] = table
        return TableInfo(name, (name,), arrow_columns(table.schema))

    def service(self, key: Service[T]) -> T | None:
        return self._workspace.services.get(key)


def _column_of(query: Sql, sources: Mapping[str, object]) -> list[str] | None:
    """The first texts or integers of a query that is one column of a table in memory, as it stands; else None."""
    if not isinstance(query, exp.Select) or len(sources) != 1 or query.args.get("where") is not None:
        return None
    read = query.args.get("from_") or query.args.get("from")
    value, limit = query.selects[0].unalias(), query.args.get("limit")
    if read is None or limit is None or not isinstance(value, exp.Column) or query.args.get("with_"):
        return None
    table = sources.get(read.this.name) if isinstance(read.this, exp.Table) else None
    if not isinstance(table, pa.Table) or table.column_names.count(value.name) != 1:
        return None
    column = table.column(value.name)
    if not (
        pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_integer(column.type)
    ):
        return None
    rows = column.slice(0, int(limit.expression.name))
    return [str(found) for found in rows.to_pylist() if found is not None]
