"""Answers of SQL to what operations ask while rows go through: each question once for what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from logsql.operators.contexts.program import Program, Question
from logsql.values.arrow import arrow_type

if TYPE_CHECKING:
    from logsql.planner.runtime import Asking, StageRuntime

#: Answers that depend on no row are kept from batch to batch, at most so many for a question.
MOST_KEPT = 100_000
ASKED, NUMBER = "__asked", "__number"

Answer = Sequence[object]
Key = tuple[object, ...]


class Later:
    """The text of a row that will be known: it goes into a context now, and no operation but one looks at it."""

    __slots__ = ("key", "question", "text")

    def __init__(self, question: Question, key: Key) -> None:
        self.question = question
        self.key = key
        self.text: str | None = None

    def __str__(self) -> str:
        return "{}" if self.text is None else self.text


class Answers:
    """The answers of one run of a query, and the connection on which it asks."""

    def __init__(self, program: Program, runtime: StageRuntime) -> None:
        self._runtime = runtime
        self._asking: Asking | None = None
        self.types = {ident: arrow_type(physical) for ident, physical in program.results.items()}
        self._kept: dict[str, dict[Key, Answer]] = {}

    def of(self, batch: pa.RecordBatch, results: dict[str, list[object]]) -> BatchAnswers:
        """Answers for the rows of one batch, whose results grow while it goes through."""
        return BatchAnswers(self, batch, results)

    def kept(self, question: Question) -> dict[Key, Answer]:
        """What is known from earlier rows; a question about rows begins anew with each batch."""
        if question.rows:
            return {}
        found = self._kept.setdefault(question.text, {})
        if len(found) > MOST_KEPT:
            found.clear()
        return found

    def asked(self, question: Question, table: pa.Table) -> list[Answer]:
        """The answers for the rows of ``table``, in their order."""
        if self._asking is None:
            self._asking = self._runtime.asking()
        numbered = table.append_column(NUMBER, pa.array(range(table.num_rows), pa.int64()))
        found = self._asking.asked(question.text, question.query, ASKED, numbered)
        columns = [_plain(found.column(n + 1)) for n in range(len(question.gives))]
        answers: list[Answer] = [()] * table.num_rows
        for number, *values in zip(found.column(0).to_pylist(), *columns, strict=True):
            answers[number] = values
        return answers

    def close(self) -> None:
        """Give the connection back."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None


def _plain(column: pa.ChunkedArray) -> list[object]:
    values: list[object] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return values


class BatchAnswers:
    """What is known and what is asked for the rows of one batch."""

    def __init__(self, answers: Answers, batch: pa.RecordBatch, results: dict[str, list[object]]) -> None:
        self._answers = answers
        self._batch = batch
        self._results = results
        self._known: dict[str, tuple[Question, dict[Key, Answer]]] = {}
        self._missing: dict[str, dict[Key, None]] = {}
        self._later: list[Later] = []

    def _answered(self, question: Question) -> dict[Key, Answer]:
        if question.text not in self._known:
            self._known[question.text] = question, self._answers.kept(question)
        return self._known[question.text][1]

    def _key(self, question: Question) -> Callable[[int], Key]:
        """What an answer depends on: the results that are read, and the row where one of its own columns is."""
        cells = [self._results[ident] for ident in question.results]
        types = [self._answers.types[ident] for ident in question.results]
        if any(pa.types.is_floating(type_) for type_ in types):  # 0.0 and -0.0 are equal and have two texts
            here = bool(question.rows)
            return lambda row: (row if here else None, *[c[row] for c in cells], *[str(c[row]) for c in cells])
        if question.rows:
            return lambda row: (row, *[one[row] for one in cells])
        return lambda row: (None, *[one[row] for one in cells])

    def reader(self, question: Question) -> Callable[[int], Answer | None]:
        """The answer for a row; None where it is not known, and is asked for with the next ones."""
        known, key_of = self._answered(question), self._key(question)
        missing = self._missing.setdefault(question.text, {})

        def read(row: int) -> Answer | None:
            key = key_of(row)
            found = known.get(key)
            if found is None:
                missing[key] = None
            return found

        return read

    def later(self, question: Question) -> Callable[[int], Later]:
        """The text of a row, which will be asked for when all rows are through."""
        self._answered(question)
        self._missing.setdefault(question.text, {})
        key_of = self._key(question)

        def make(row: int) -> Later:
            made = Later(question, key_of(row))
            self._later.append(made)
            return made

        return make

    def known(self, rows: Iterable[object]) -> bool:
        """Whether the texts of all these rows are known; those that are not are asked for."""
        whole = True
        for row in rows:
            if isinstance(row, Later) and row.text is None:
                whole = self._fill(row) and whole
        return whole

    def _fill(self, row: Later) -> bool:
        question, known = self._known[row.question.text]
        answer = known.get(row.key)
        if answer is None:
            self._missing[question.text][row.key] = None
            return False
        row.text = "{}" if answer[0] is None else str(answer[0])
        return True

    def ask(self) -> int:
        """Have all that is missing answered; returns how many."""
        count = 0
        for text, missing in self._missing.items():
            if missing:
                question, known = self._known[text]
                keys = list(missing)
                missing.clear()
                known.update(zip(keys, self._answers.asked(question, self._table(question, keys)), strict=True))
                count += len(keys)
        return count

    def settle(self) -> None:
        """All rows are through: texts that are still missing are asked for."""
        self.known(self._later)
        self.ask()
        self.known(self._later)
        self._later.clear()

    def _table(self, question: Question, keys: Sequence[Key]) -> pa.Table:
        columns: dict[str, pa.Array] = {}
        if question.rows:
            places = pa.array([key[0] for key in keys], pa.int64())
            columns = {ident: self._batch.column(ident).take(places) for ident in question.rows}
        for n, ident in enumerate(question.results):
            cells = [key[n + 1] for key in keys]
            type_ = self._answers.types[ident]
            if pa.types.is_timestamp(type_):
                columns[ident] = pa.array(cells, pa.int64()).cast(type_)
            else:
                columns[ident] = pa.array(cells, type_)
        if not columns:
            return pa.table({"__row": pa.nulls(len(keys), pa.bool_())})
        return pa.table(columns)
