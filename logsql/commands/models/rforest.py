"""``rforest``: the class of each row, guessed by a random forest."""

from __future__ import annotations

from logsql.commands.models._classify import CONFUSION, GUESS_ERRORS, PROBABILITY, TARGET, TASK, lower, parse
from logsql.commands.models._shared_ml import (
    EXPLAIN,
    MODEL,
    SIZE,
    TIMEOUT,
    TRAIN_ELSEWHERE,
    in_stream,
)
from logsql.planner import duties
from logsql.planner.spec import CommandSpec, Example, Group, register

_SEEN = [(12, "chrome"), (11, "edge"), (2, "curl"), (3, "zgrab"), (13, "chrome"), (1, "curl")] * 5
_KNOWN = [{"headers": h, "agent": a, "label": "BENIGN" if h > 6 else "MALICIOUS"} for h, a in _SEEN]

register(
    CommandSpec(
        name="rforest",
        group=Group.ML,
        summary=("Guess the class of each row with a random forest.", "랜덤 포레스트로 각 행의 분류를 예측합니다."),
        usage=(
            "rforest [size=N] [probability=t] [explain=N] model=NAME [FIELD, ...]",
            "rforest [size=N] [probability=t] [explain=N] [timeout=SPAN] [task=TASK] target=FIELD FIELD, ... [ QUERY ]",
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
            EXPLAIN,
            TASK,
        ),
        description="""\
Every row stays, in order, and gets `_guess`, the guessed label, in the label's own type: a number for numeric labels, a
boolean, a date, else text. So `_guess == label` is true where the guess is right. With a stored model `_guess` is text
where the rows hold the label as text (as `csvfile` reads it), and with a model of an older version, which kept only
texts. With `probability=t` there are `_probability` (of the guess, 0 to 1) and `_probabilities` (a map of all
labels).

With `explain=N` the field `_reasons` says why: a list of `{field, weight}` with the N fields that weighed most, up or
down. A weight is what the field added to the probability of the guess along the paths of the trees (Saabas, 2014).
`(others)` is the sum of the fields not named, `(base)` the mean probability of that label in training; all weights of
a list add up to `_probability`. So `_reasons[0].field` is the first reason. Fields that say the same share the credit,
and a weight tells how the forest decided, not what causes what.

With `model=NAME` the model was made with `ml.createModel` and trained with `ml.fit`. The fields after it may be left
out; when given they are the model's fields, in any order. A model that is unknown, untrained or of another type, and
a field that is missing or of another type than the one trained on, are refused before a row is read.

With `target=LABEL FIELD, ... [ QUERY ]` the forest is trained on the rows of the subquery each time the query runs.
Rows without a label take no part. When the training fails because of the data (no rows, one class only, a field
without a value, `timeout=`), the query goes on: `_guess` is null and `_rforest_error` holds the reason. The field
`_rforest_error` is null otherwise.

A target that is a number with many values is guessed as a number, not as one class per value: more than 20 values with
fractions, or of whole numbers more than 20 of which each has fewer than 20 rows in the mean (or more than 1000).
`_guess` is then a double. A whole number asks for `task=regress` first, because its guess is none. `task=classify`
refuses such a target.

Features are numbers, dates, addresses, booleans and text. A null, and a text that the training has not seen, count as
missing values; such texts enter the ledger. Each distinct combination of features is scored once. The same data gives
the same model.
""",
        examples=(
            Example(
                "Which clients look like attackers?",
                "table requests | rforest target=label headers, agent [ table known ] | fields id, _guess",
                ({"id": 1, "_guess": "BENIGN"}, {"id": 2, "_guess": "MALICIOUS"}),
                {
                    "requests": [{"id": 1, "headers": 12, "agent": "edge"}, {"id": 2, "headers": 2, "agent": "curl"}],
                    "known": _KNOWN,
                },
            ),
        ),
        errors=GUESS_ERRORS,
        notes=(CONFUSION,),
    )
)
