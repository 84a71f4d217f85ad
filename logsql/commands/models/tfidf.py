"""``tfidf``: the words of text fields and how telling each is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logsql.commands.models._shared_ml import field_list
from logsql.diagnostics.modeldata import NO_FIELDS, UNKNOWN_FIELD
from logsql.diagnostics.models import THE_ROWS, THE_SUBQUERY, USAGE
from logsql.language.tree import Name, Subquery
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import DOUBLE, LONG, STRING

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.ml.forms import FieldForms
    from logsql.ml.unsupervised import Result
    from logsql.operators.models import Feature
    from logsql.planner.runtime import StageRuntime

POSITION = "__word"


BUILD_SUBQUERY = USAGE.says(
    (
        "op=build counts the words of the input and takes no subquery",
        "op=build는 입력의 단어를 세며 서브쿼리를 쓰지 않습니다",
    ),
    help=("remove the subquery or op=build", "서브쿼리나 op=build를 지우세요"),
)


@dataclass(frozen=True)
class TfidfArgs:
    """The text fields and the subquery with ``term`` and ``_idf`` of an earlier build."""

    fields: tuple[Name, ...]
    subquery: Subquery | None


def parse(reader: ArgReader) -> TfidfArgs:
    fields = field_list(reader)
    subquery = reader.subquery(required=False)
    op = reader.option("op")
    if subquery is not None and op is not None and op.value == "build":
        reader.fail(BUILD_SUBQUERY, subquery.span)
    return TfidfArgs(fields, subquery)


def lower(stage: Stage) -> Rel:
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(TfidfArgs)
    rel, found = m.features(stage, stage.rel, args.fields, THE_ROWS.fill())
    found = [replace(f, name=f"text{i}") for i, f in enumerate(found)]
    return _build(stage, rel, found) if stage.option("op") == "build" else _query(stage, rel, found)


def _settings(stage: Stage) -> tuple[str, bool, int]:
    return stage.option("delimiter"), stage.option("numeric"), stage.option("threshold")


def _build(stage: Stage, rel: Rel, found: list[Feature]) -> Rel:
    """One row per word."""
    from logsql.operators import models as m  # for cost: pyarrow.compute

    wide, fields, columns = m.with_forms(stage, rel, [(f, m.text_form) for f in found])
    settings = _settings(stage)

    def transform(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Any:
        from logsql.ml.forms import assemble, collected  # for cost: pyarrow.compute
        from logsql.ml.unsupervised import tfidf_build  # for cost: few queries need it

        rows = assemble(collected(list(batches), [c.ident for c in columns]), fields)
        yield from tfidf_build(rows, [f.name for f in fields], *settings).to_batches()

    made = [Column("term", "term", STRING), Column("_idf", "_idf", DOUBLE)]
    return stage.stream(replace(wide, columns=tuple(columns), carried=(), rest=None), made, transform)


def _query(stage: Stage, rel: Rel, found: list[Feature]) -> Rel:
    """One row per input row and word."""
    from logsql.ml.transforms import Tabled  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(TfidfArgs)
    rows = m.numbered_rows(stage, rel, [(f, m.text_form) for f in found])
    names, settings = [f.name for f in found], _settings(stage)
    known: list[FieldForms] = []
    training: list[Rel] = []
    if args.subquery is not None:
        sub, built = m.features(stage, stage.subquery(args.subquery), ["term", "_idf"], THE_SUBQUERY.fill())
        m.check_numeric(built[1:], "tfidf", sub.names)
        sub, known, columns = m.with_forms(stage, sub, [(built[0], m.text_form), (built[1], m.number_form)])
        training.append(replace(sub, columns=tuple(columns), carried=(), rest=None))

    def compute(table: pa.Table, runtime: StageRuntime) -> Result:
        import numpy as np
        import pyarrow as pa

        from logsql.ml.transforms import training_rows  # for cost: pyarrow.compute
        from logsql.ml.unsupervised import Result, tfidf_query  # for cost: few queries need it

        built = training_rows(runtime, known) if training else None
        result = tfidf_query(table, names, *settings, built=built)
        return Result(result.append_column(POSITION, pa.array(np.arange(result.num_rows), pa.int64())), {})

    shown = [m.Answer("term", STRING), m.Answer("_idf", DOUBLE), m.Answer("_tfidf", DOUBLE)]
    answers = [*shown, m.Answer(POSITION, LONG)]
    transform = Tabled("tfidf", m.ROW, rows.fields, tuple(a.name for a in answers), compute)
    return m.tabled(stage, rows, answers, transform, training, position=POSITION)


register(
    CommandSpec(
        name="tfidf",
        group=Group.ML,
        summary=(
            "Split text into words and weigh each word by its rarity.",
            "텍스트를 단어로 나누고 드문 단어일수록 높은 TF-IDF 가중치를 매깁니다.",
        ),
        usage=(
            "tfidf [delimiter=CHARS] [numeric=t] op=build [threshold=N] FIELD, ...",
            "tfidf [delimiter=CHARS] [numeric=t] [op=query] [threshold=N] FIELD, ... [[ QUERY ]]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ALONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("delimiter", OptionKind.TEXT, ("characters between words", "단어를 나누는 문자"), default=" "),
            OptionSpec(
                "numeric",
                OptionKind.BOOL,
                ("digits of equal length are one word", "자릿수가 같은 숫자를 한 단어로 봄"),
                default=False,
            ),
            OptionSpec(
                "op",
                OptionKind.CHOICE,
                ("build: the words; query: the rows", "build: 단어를 출력, query: 행을 출력"),
                "query",
                ("build", "query"),
            ),
            OptionSpec(
                "threshold",
                OptionKind.INT,
                ("leave out words this frequent or rarer", "빈도가 이 값 이하인 단어는 제외"),
                default=0,
                minimum=0,
            ),
        ),
        description="""\
`op=build` gives one row per word: `term` and `_idf`, the natural logarithm of (rows / rows with the word). Store it
with `import` to use it later.

`op=query` gives one row per input row and word: the fields of the row, `term`, `_idf` and `_tfidf`, the share of the
word in the row's text times its `_idf`. The subquery gives `term` and `_idf` of an earlier build; a word it does not
know counts as rare as its rarest. Without a subquery the rows themselves are the reference.

Several fields are joined with a blank. With `numeric=t` the words 404 and 200 are both `###`.
""",
        examples=(
            Example(
                "The words that tell lines apart",
                "table t | tfidf op=build line | eval _idf = round(_idf, 4)",
                ({"term": "login", "_idf": 0.0}, {"term": "ok", "_idf": 0.6931}, {"term": "failed", "_idf": 0.6931}),
                {"t": [{"line": "login ok"}, {"line": "login failed"}]},
            ),
        ),
        errors=(
            UNKNOWN_FIELD.when(
                (
                    "the rows have no such field, or the subquery has no term or _idf",
                    "행에 그런 필드가 없거나 서브쿼리에 term이나 _idf가 없습니다",
                )
            ),
            NO_FIELDS,
            USAGE.when(("op=build with a subquery", "op=build에 서브쿼리가 있습니다")),
        ),
    )
)
