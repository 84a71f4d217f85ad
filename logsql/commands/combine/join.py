"""``join``: the input with the rows of a subquery that have the same keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import Code, define, syntax
from logsql.diagnostics.options import INVALID_OPTION, NO_SUBQUERY
from logsql.language.tree import Name, Subquery
from logsql.operators import joining
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_KEY = define(
    "23201",
    "missing-field",
    ("no key", "키 필드가 없습니다"),
    ("{command} needs a key", "{command}에는 키 필드가 필요합니다"),
    help=syntax("{command} KEY, ... [ QUERY ]"),
)
CROSS_WITH_KEYS = INVALID_OPTION.says(
    ("a cross join takes no keys", "교차 조인에는 키를 쓰지 않습니다"),
    help=("remove the keys or type=cross", "키나 type=cross를 지우세요"),
)


@dataclass(frozen=True)
class JoinArgs:
    """Key fields (none for a cross join) and the subquery."""

    keys: tuple[Name, ...]
    subquery: Subquery


def parse(reader: ArgReader, no_subquery: Code = NO_SUBQUERY) -> JoinArgs:
    keys = tuple(k.name for k in reader.sort_list(stop=()))
    kind = reader.option("type")
    cross = kind is not None and kind.value == "cross"
    if cross and keys:
        reader.fail(CROSS_WITH_KEYS, keys[0].span)
    if not cross and not keys:
        reader.fail(NO_KEY, command=reader.command)
    subquery = reader.subquery(code=no_subquery)
    assert subquery is not None
    return JoinArgs(keys, subquery)


def marked(args: JoinArgs) -> tuple[Name, ...]:
    """The keys that are written with more than a name (``on k``); whether both sides have a key is said elsewhere."""
    return tuple(key for key in args.keys if " " in key.text)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(JoinArgs)
    return joining.join(stage, stage.option("type"), args.keys, args.subquery)


_LEFT = [{"code": 1, "n": 10}, {"code": 2, "n": 20}, {"code": 3, "n": 30}]
_RIGHT = [{"code": 1, "name": "foo"}, {"code": 2, "name": "bar"}]


register(
    CommandSpec(
        name="join",
        group=Group.COMBINE,
        summary=(
            "Join rows with those of a subquery that have the same keys.",
            "서브쿼리에서 키가 같은 행을 찾아 조인합니다.",
        ),
        usage=("join [type=inner|left|leftonly|right|rightonly|full] KEY, ... [ QUERY ]", "join type=cross [ QUERY ]"),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        names=marked,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ADDS,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.BARRIER,
        instead=(
            "streamjoin KEY, ... [ QUERY ] loads the rows of the subquery once and joins as rows come",
            "streamjoin 키, ... [ 쿼리 ]는 서브쿼리의 행을 한 번 읽어 두고 행이 올 때마다 조인합니다",
        ),
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "type",
                OptionKind.CHOICE,
                ("which rows to keep", "남길 행의 종류"),
                default="inner",
                choices=joining.TYPES,
            ),
        ),
        description="""\
A key has the same name on both sides; `rename` in the subquery helps where it has not. Keys compare exactly: text with
its letter case, numbers by value, text never equals a number, and null meets nothing. Every pair of matching rows is
a row of the result.

| type | rows |
|---|---|
| `inner` | pairs |
| `left` | pairs, and input rows without a match |
| `leftonly` | input rows without a match |
| `right` | pairs, and subquery rows without a match |
| `rightonly` | subquery rows without a match |
| `full` | pairs, and rows of both sides without a match |
| `cross` | every input row with every subquery row |

Where both sides have a field, the value of the subquery wins unless it is null (`right`: that of the input). Rows keep
the order of the input.
""",
        examples=(
            Example(
                "Names for codes",
                "table t | join code [ table names ]",
                ({"code": 1, "n": 10, "name": "foo"}, {"code": 2, "n": 20, "name": "bar"}),
                {"t": _LEFT, "names": _RIGHT},
            ),
            Example(
                "Codes that have no name",
                "table t | join type=leftonly code [ table names ]",
                ({"code": 3, "n": 30},),
                {"t": _LEFT, "names": _RIGHT},
            ),
        ),
        errors=(
            NO_KEY,
            NO_SUBQUERY.when(("no subquery in brackets", "대괄호로 묶은 서브쿼리가 없습니다")),
            INVALID_OPTION.when(
                ("an unknown type, or keys with type=cross", "없는 type이거나 type=cross에 키를 썼습니다")
            ),
        ),
    )
)
