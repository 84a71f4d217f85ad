"""The machine-learning room of a session: its model store and its ``ml.*`` shell.

Contract
- Models and inputs live in the session's state folder: beside the database, else in the user's data folder.
- Everything asks the session's policy first: reading a model, writing one, reading an input's file.
- Inputs are read by the language's own readers. The values of a CSV file are texts; a column whose values are all
  numbers or instants becomes one, as the cards of the bot-detection article show (NUMERIC, CATEGORICAL).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.ml import errors as codes
from logsql.ml.errors import MlError
from logsql.ml.inputs import InputKind, InputStore
from logsql.ml.model import Manifest, ModelKind, TrainedModel
from logsql.ml.store import ModelStore
from logsql.ml.tasks import TaskManager
from logsql.shell.ml_commands import MlShell

if TYPE_CHECKING:
    from logsql.engine.session import Session
    from logsql.store.policy import Policy


class SessionStore(ModelStore):
    """The model store of a session: every access asks the policy."""

    def __init__(self, folder: str | Path, policy: Policy, key_file: str | Path | None = None) -> None:
        super().__init__(folder, key_file)
        self._policy = policy

    def card(self, name: str, kind: ModelKind) -> Manifest:
        """The manifest of a model of this kind; nothing is loaded. Raises MlError 41100, 41101, 41102 and others."""
        manifest = self.manifest(name)
        if manifest.kind is not kind:
            raise MlError(
                codes.NO_HANDLER,
                f"model '{name}' is of the type {manifest.kind}, and this command needs {kind}",
                "choose another model, or the command of its type",
            )
        return manifest

    def manifest(self, name: str) -> Manifest:
        self._policy.check_read(str(self.folder))
        return super().manifest(name)

    def listings(self) -> list[Any]:
        self._policy.check_read(str(self.folder))
        return super().listings()

    def get(self, name: str, kind: ModelKind | None = None) -> TrainedModel:
        self._policy.check_read(str(self.folder))
        return super().get(name, kind)

    def create(self, manifest: Manifest) -> Manifest:
        self._policy.check_write(str(self.folder))
        return super().create(manifest)

    def put(self, manifest: Manifest, estimator: Any) -> Manifest:
        self._policy.check_write(str(self.folder))
        return super().put(manifest, estimator)

    def remove(self, name: str) -> None:
        self._policy.check_write(str(self.folder))
        super().remove(name)

    def export_file(self, name: str, target: str | Path) -> Path:
        self._policy.check_write(str(target))
        return super().export_file(name, target)

    def import_file(self, name: str, source: str | Path) -> Manifest:
        self._policy.check_read(str(source))
        self._policy.check_write(str(self.folder))
        return super().import_file(name, source)


class SessionInputs(InputStore):
    """The inputs of a session: every access asks the policy."""

    def __init__(self, folder: str | Path, policy: Policy, read: Callable[[str, str], pa.RecordBatchReader]) -> None:
        super().__init__(folder, read)
        self._policy, self._place = policy, str(folder)

    def add(self, name: str, kind: InputKind, target: str) -> Any:
        self._policy.check_write(self._place)
        return super().add(name, kind, target)

    def remove(self, name: str) -> None:
        self._policy.check_write(self._place)
        super().remove(name)


class SessionShell(MlShell):
    """The ``ml.*`` commands of a session. The shell that owns the terminal sets ``ask``, ``out`` and ``err``."""

    def run(self, line: str) -> int:
        return self._reported(lambda: super(SessionShell, self).run(line))

    def run_words(self, words: Sequence[str]) -> int:
        return self._reported(lambda: super(SessionShell, self).run_words(words))

    def _reported(self, work: Callable[[], int]) -> int:
        """An input's query may be wrong, and the policy may say no: that is said like every error of a query."""
        from logsql.language.spans import render

        try:
            return work()
        except LogsqlError as error:
            self.err(render(error.diagnostic))
            return error.exit_code

    def close(self) -> None:
        """Stop the trainings of this session."""
        self.tasks.cancel_all()


def model_store(session: Session) -> SessionStore:
    """The session's models (service "models")."""
    return SessionStore(session.state_folder, session.policy)


def ml_shell(session: Session) -> SessionShell:
    """The session's ``ml.*`` commands (service "ml"), sharing the models with ``rforest`` and ``anomalies``."""
    store: SessionStore = session.service("models")
    told: set[str] = set()

    def read(kind: str, target: str) -> pa.RecordBatchReader:
        rows, loss = read_input(session, kind, target)
        if loss and loss not in told:  # said when the input is added, not again by every training
            told.add(loss)
            shell.err(f"note: {loss}")
        return rows.to_reader()

    inputs = SessionInputs(session.state_folder, session.policy, read)
    shell = SessionShell(store, inputs, TaskManager(store, inputs), ask=_nobody)
    return shell


def _nobody(prompt: str) -> str:
    raise MlError(codes.USAGE, "the fields of the model are not given", 'add fields="+target, field, ..."')


# --- reading inputs ---------------------------------------------------------------------------------------------------


def read_input(session: Session, kind: str, target: str) -> tuple[pa.Table, str]:
    """Rows of an input, and what was lost while reading (empty: nothing): files by the language's readers, queries as
    written. Safe to call from a training thread.

    Raises MlError (unreadable) for a file, and what the query raises for a query.
    """
    if kind == InputKind.QUERY:
        return _queried(session, target, {})
    session.policy.check_read(target)
    if not Path(target).is_file():
        raise MlError(codes.INPUT_UNREADABLE, f"file {target} does not exist", "check the path")
    if kind == InputKind.CSV:
        return _csv(session, target)
    if kind == InputKind.JSON:
        return _queried(session, 'jsonfile $("file") | fields - _file', {"file": target})
    with session.sibling() as own, own.cursor() as cursor:
        try:
            return cursor.sql("SELECT * FROM read_parquet(?)", params=[target]).to_arrow_table(), ""
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise MlError(codes.INPUT_UNREADABLE, f"cannot read {target}: {first}", "check the file") from None


def _queried(session: Session, query: str, params: dict[str, str]) -> tuple[pa.Table, str]:
    with session.sibling() as own:
        result = own.query(query, params)
        rows = plain_columns(result.arrow())
        return rows, result.ledger.summary()


def _csv(session: Session, target: str) -> tuple[pa.Table, str]:
    """A CSV file as ``csvfile`` reads it, its columns typed by their values."""
    from logsql.engine.runstate import RunState
    from udfs.readers.base import ReaderError
    from udfs.readers.csvrows import CsvReader

    state = RunState(session.policy, session.zone)
    try:
        context = state.read_context()
        reader = CsvReader((target,), context=context)
        names = [n for n in reader.schema.names if n != "_file"]
        batches = list(reader.scan(names, context))
    except ReaderError as error:
        raise MlError(codes.INPUT_UNREADABLE, f"cannot read {target}: {error}", "check the file") from None
    schema = pa.schema([reader.schema.field(n) for n in names])
    with session.sibling() as own:
        return typed_texts(own, pa.Table.from_batches(batches, schema)), state.ledger.summary()


def plain_columns(rows: pa.Table) -> pa.Table:
    """Columns of mixed values arrive as JSON text: numbers where every value is one, else the values as text."""
    for number, field in enumerate(rows.schema):
        if (field.metadata or {}).get(b"logsql.type") == b"any":
            rows = rows.set_column(number, field.name, _plain(rows.column(number).to_pylist()))
    return rows


def _plain(texts: list[str | None]) -> pa.Array:
    found = [None if t is None else json.loads(t) for t in texts]
    given = [v for v in found if v is not None]
    if given and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given):
        return pa.array([None if v is None else float(v) for v in found], pa.float64())
    texts_ = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in found]
    return pa.array(texts_, pa.string())


#: Types a column of a CSV file may get, narrowest first: all its values are of the type, or it stays text.
_TYPES = ("BIGINT", "DOUBLE", "TIMESTAMP WITH TIME ZONE")


def typed_texts(session: Session, rows: pa.Table) -> pa.Table:
    """Text columns whose values are all numbers or all instants, as such; an empty text is no value in them."""
    texts = [f.name for f in rows.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if not texts or not rows.num_rows:
        return rows
    positions = [rows.column_names.index(name) for name in texts]
    cursor = session.cursor()
    try:
        plain = pa.table([rows.column(p) for p in positions], names=[f"c{p}" for p in positions])
        cursor.register("__texts", plain)
        tests = [f"count(nullif(c{p}, ''))" for p in positions]
        tests += [f"count(TRY_CAST(nullif(c{p}, '') AS {t}))" for p in positions for t in _TYPES]
        counts = list(cursor.sql(f"SELECT {', '.join(tests)} FROM __texts").to_arrow_table().to_pylist()[0].values())
        given, fits = counts[: len(positions)], counts[len(positions) :]
        for number, position in enumerate(positions):
            mine = fits[number * len(_TYPES) : (number + 1) * len(_TYPES)]
            type_ = next((t for t, count in zip(_TYPES, mine, strict=True) if count == given[number]), None)
            if type_ is not None and given[number]:
                query = f"SELECT TRY_CAST(nullif(c{position}, '') AS {type_}) AS v FROM __texts"
                column = cursor.sql(query).to_arrow_table().column("v")
                rows = rows.set_column(position, rows.column_names[position], column)
    finally:
        cursor.close()
    return rows
