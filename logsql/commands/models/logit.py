"""``logit``: the class of each row, guessed by a linear model."""

from __future__ import annotations

from logsql.commands.models._classify import CONFUSION, GUESS_ERRORS, PROBABILITY, TARGET, lower, parse
from logsql.commands.models._shared_ml import MODEL, TIMEOUT, TRAIN_ELSEWHERE, in_stream
from logsql.planner import duties
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register

_SEEN = [(12, "chrome"), (11, "edge"), (2, "curl"), (3, "zgrab"), (13, "chrome"), (1, "curl")] * 5
_KNOWN = [{"headers": h, "agent": a, "label": "BENIGN" if h > 6 else "MALICIOUS"} for h, a in _SEEN]

register(
    CommandSpec(
        name="logit",
        group=Group.ML,
        summary=(
            "Guess the class of each row with a linear model (logistic regression).",
            "선형 모델(로지스틱 회귀)로 각 행의 분류를 예측합니다.",
        ),
        usage=(
            "logit [probability=t] model=NAME [FIELD, ...]",
            "logit [penalty=X] [probability=t] [timeout=SPAN] target=FIELD FIELD, ... [ QUERY ]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ALONE,
        order=duties.KEEPS_ORDER,
        stream=in_stream,
        instead=TRAIN_ELSEWHERE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            MODEL,
            TARGET,
            TIMEOUT,
            PROBABILITY,
            OptionSpec(
                "penalty",
                OptionKind.TEXT,
                (
                    "weight of the L2 penalty: larger is simpler, 0 is none",
                    "L2 벌점의 가중치. 클수록 단순하고 0이면 없음",
                ),
                default="1",
            ),
        ),
        description="""\
Adds the numbers of a row, each times a weight that was learnt, and turns the sum into a probability. Numbers, dates and
addresses are standardised first: their distance from the mean in standard deviations, so that the unit of a field does
not matter. A text has a column of its own; of a field with more than 50 texts the 49 most frequent have, and the others
share one. Every row stays, in order, and gets `_guess` in the label's own type, with `probability=t` also
`_probability` and `_probabilities`.

A missing number counts as the mean, a missing or unseen text as none. With `model=NAME` the model was made with
`ml.createModel logit` and trained with `ml.fit`, whose card gives the weight of each field: how much it moves the sum
from row to row. With `target=LABEL FIELD, ... [ QUERY ]` it is trained on the rows of the subquery each time the query
runs; when that fails because of the data, `_guess` is null and `_logit_error` holds the reason. A target that is a
number with many values is refused: `gboost` and `rforest` guess numbers.
""",
        examples=(
            Example(
                "Which clients look like attackers?",
                "table requests | logit target=label headers, agent [ table known ] | fields id, _guess",
                ({"id": 1, "_guess": "BENIGN"}, {"id": 2, "_guess": "MALICIOUS"}),
                {
                    "requests": [{"id": 1, "headers": 12, "agent": "edge"}, {"id": 2, "headers": 2, "agent": "curl"}],
                    "known": _KNOWN,
                },
            ),
        ),
        errors=GUESS_ERRORS,
        notes=(CONFUSION,),
        extension=True,
    )
)
