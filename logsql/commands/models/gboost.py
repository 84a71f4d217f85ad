"""``gboost``: the class of each row, or a number, guessed by gradient-boosted trees."""

from __future__ import annotations

from logsql.commands.models._classify import CONFUSION, GUESS_ERRORS, PROBABILITY, TARGET, TASK, lower, parse
from logsql.commands.models._shared_ml import MODEL, SIZE, TIMEOUT, TRAIN_ELSEWHERE, in_stream
from logsql.planner import duties
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register

_SEEN = [(12, "chrome"), (11, "edge"), (2, "curl"), (3, "zgrab"), (13, "chrome"), (1, "curl")] * 15
_KNOWN = [{"headers": h, "agent": a, "label": "BENIGN" if h > 6 else "MALICIOUS"} for h, a in _SEEN]

register(
    CommandSpec(
        name="gboost",
        group=Group.ML,
        summary=(
            "Guess the class of each row, or a number, with gradient boosting.",
            "그레이디언트 부스팅으로 각 행의 분류나 숫자를 예측합니다.",
        ),
        usage=(
            "gboost [probability=t] model=NAME [FIELD, ...]",
            "gboost [size=N] [rate=X] [leaves=N] [leaf=N] [depth=N] [probability=t] [timeout=SPAN] [task=TASK] "
            "target=FIELD FIELD, ... [ QUERY ]",
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
            SIZE,
            MODEL,
            TARGET,
            TIMEOUT,
            PROBABILITY,
            TASK,
            OptionSpec(
                "rate",
                OptionKind.TEXT,
                ("share of the error that each round corrects", "한 라운드가 고치는 오차의 비율"),
                default="0.1",
            ),
            OptionSpec(
                "leaves", OptionKind.INT, ("most leaves of a tree", "트리 하나의 최대 잎 수"), default=31, minimum=2
            ),
            OptionSpec(
                "leaf", OptionKind.INT, ("fewest rows of a leaf", "잎 하나의 최소 행 수"), default=20, minimum=1
            ),
            OptionSpec("depth", OptionKind.INT, ("deepest split", "최대 분할 깊이"), minimum=1),
        ),
        description="""\
Works like `rforest`, with trees that each correct the errors of those before (scikit-learn's trees on histograms):
often more accurate, faster to train on many rows, and with probabilities that say more. Every row stays, in order, and
gets `_guess` in the label's own type, with `probability=t` also `_probability` and `_probabilities`.

Text fields of up to 254 texts are split as sets of texts, those of more by how frequent the text is in the training.
A null, and a text that the training has not seen, count as missing values; such texts enter the ledger. A leaf has at
least `leaf=` rows (20): of fewer than 40 rows nothing can be learnt with that.

With `model=NAME` the model was made with `ml.createModel gboost` and trained with `ml.fit`. With
`target=LABEL FIELD, ... [ QUERY ]` it is trained on the rows of the subquery each time the query runs; when that fails
because of the data, `_guess` is null and `_gboost_error` holds the reason. A number with many values is guessed
as a number, as the page of `rforest` says. The same data gives the same model.
""",
        examples=(
            Example(
                "Which clients look like attackers?",
                "table requests | gboost target=label headers, agent [ table known ] | fields id, _guess",
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
