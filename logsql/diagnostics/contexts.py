"""Rows about event contexts: their commands, their functions, and how they are kept."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.losses import Fate, loss

BETWEEN = define(
    "E3320",
    "stands-between-event-contexts",
    (
        "a command that does not hand on each row at once stands between commands or functions of event contexts",
        "이벤트 컨텍스트 명령이나 함수 사이에 행을 하나씩 바로 넘기지 않는 명령이 있습니다",
    ),
    (
        "{command} cannot stand between event contexts: from the first to the last of them each row passes before the "
        "next one enters",
        "{command}은(는) 이벤트 컨텍스트 사이에 쓸 수 없습니다. 첫 번째부터 마지막까지 행이 하나씩 지나갑니다",
    ),
    help=(
        "put it before the first or behind the last command or function of event contexts",
        "이벤트 컨텍스트 명령이나 함수 중 첫 번째의 앞이나 마지막의 뒤로 옮기세요",
    ),
)
IN_BRANCH = define(
    "E3321",
    "event-context-set-in-branch",
    (
        "a function that changes an event context stands in a condition whose branches are not known beforehand",
        "이벤트 컨텍스트를 바꾸는 함수가 어느 분기가 실행될지 미리 알 수 없는 함수 안에 있습니다",
    ),
    (
        "{function} cannot stand in {outer}: which rows would set it is not known beforehand",
        "{function}은(는) {outer} 안에 쓸 수 없습니다. 어느 행에서 실행될지 미리 알 수 없습니다",
    ),
    help=(
        "write if(CONDITION, {function}(...), null) in an eval of its own",
        "별도의 eval에서 if(CONDITION, {function}(...), null)로 쓰세요",
    ),
)
ATTRIBUTE = define(
    "E3322",
    "event-context-attribute",
    ("an attribute that event contexts do not have", "이벤트 컨텍스트에 없는 속성입니다"),
    (
        "evtctxget reads counter, created, expire, timeout or rows, not {attribute}",
        "evtctxget은 counter, created, expire, timeout, rows를 읽습니다: {attribute}",
    ),
)
NO_STORE = define(
    "E3323", "no-event-contexts", ("this session keeps no event contexts", "이 세션에는 이벤트 컨텍스트가 없습니다")
)
NOT_HERE = define(
    "E3324",
    "event-context-not-here",
    (
        "a function of event contexts stands where no row passes",
        "행이 지나가지 않는 곳에 이벤트 컨텍스트 함수가 있습니다",
    ),
    (
        "{function} cannot stand here: it is computed for each row, in the order of rows",
        "{function}은(는) 여기에 쓸 수 없습니다. 행마다 순서대로 계산하는 함수입니다",
    ),
    help=(
        "compute it in an eval before this command",
        "이 명령 앞의 eval에서 계산하세요",
    ),
)
NOT_HELD = define(
    "E3325",
    "random-value-of-event-context",
    (
        "a function that gives another value each time reads an event context between other uses of contexts",
        "호출할 때마다 값이 달라지는 함수가 이벤트 컨텍스트 사용 사이에서 컨텍스트를 읽습니다",
    ),
    (
        "{function} cannot read an event context here: it gives another value each time",
        "{function}은(는) 호출할 때마다 값이 달라지므로 여기서 이벤트 컨텍스트를 읽을 수 없습니다",
    ),
)
OTHER_VERSION = define(
    "E3329",
    "event-contexts-of-another-version",
    (
        "event contexts were saved by a newer version of this program",
        "이벤트 컨텍스트를 이 프로그램의 더 새로운 버전이 저장했습니다",
    ),
    (
        "these event contexts were saved in form {found}, and this program reads form {known}",
        "이벤트 컨텍스트의 저장 형식: {found}. 이 프로그램이 읽는 형식: {known}",
    ),
)
IGNORED = define(
    "N1111",
    "ignored-with-dynamic",
    (
        "an option stands beside dynamic=t, which takes its value from the row",
        "dynamic=t와 함께 쓰여 무시되는 옵션이 있습니다",
    ),
    (
        "{option}= is ignored: with dynamic=t the value is that of the row's field {option}",
        "{option}=은(는) 무시됩니다. dynamic=t이면 행의 {option} 필드 값을 씁니다",
    ),
)
NO_KEY = loss(
    "event-context-without-key",
    (
        "rows whose condition is true and whose key, topic or host is null: no event context",
        "조건은 참이지만 키, 토픽, 호스트가 null인 행: 이벤트 컨텍스트 없음",
    ),
    fate=Fate.PASSED,
)
TOO_MANY = loss(
    "event-context-refused",
    (
        "rows for which no event context was made: there are as many as there may be",
        "이벤트 컨텍스트 수가 한도에 달해 만들지 못한 행",
    ),
    fate=Fate.PASSED,
)
