"""What is refused of the query of a stream, and what a running stream says."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

SOURCE_IN_STREAM = define(
    "E3260",
    "source-in-stream",
    ("the query of a stream has a command that starts rows", "스트림 쿼리에 행을 새로 만드는 명령이 있습니다"),
    (
        "stream {stream}: {command} starts rows of its own, and the rows of a stream come from what `from` names",
        "스트림 {stream}: {command}은(는) 행을 새로 만듭니다. 스트림의 행은 `from`에 적힌 곳에서 옵니다",
    ),
    (
        "add fields of a table with streamjoin KEY [ {command} ... ] or with lookup; remove a source that stands first",
        "테이블의 필드는 streamjoin KEY [ {command} ... ]이나 lookup으로 붙이고, 맨 앞의 소스는 지우세요",
    ),
)
NOT_IN_STREAM = define(
    "E3261",
    "not-in-a-stream",
    ("a command that cannot work where rows never end", "행이 끝없이 오는 곳에서 쓸 수 없는 명령입니다"),
    (
        "stream {stream}: {command} needs all rows before it can act, and those of a stream never end",
        "스트림 {stream}: {command}은(는) 모든 행이 있어야 동작하는데, 스트림의 행은 끝나지 않습니다",
    ),
)
NEEDS_EVERY = define(
    "E3262",
    "every-missing",
    ("a windowed command in a stream without `every`", "`every` 없이 구간 단위 명령을 쓴 스트림입니다"),
    (
        "stream {stream}: {command} works on the rows of an interval, and the stream has none",
        "스트림 {stream}: {command}은(는) 일정 구간의 행을 묶어 처리하는데, 스트림에 구간이 없습니다",
    ),
    ('add every = "1m" to the stream', '스트림에 every = "1m"을 추가하세요'),
)
ELSEWHERE = text("run it in a query of its own", "별도의 쿼리로 실행하세요")

#: What the log of a server says of a running stream.
ROWS_MISSED = text(
    "stream {stream}: {rows:,} rows of {source} were gone before they were read ({reason})",
    "스트림 {stream}: {source}의 {rows:,}행이 읽기 전에 사라졌습니다({reason})",
)
ROWS_RENUMBERED = text(
    "stream {stream}: rows of {source} were deleted or changed so that those read before cannot be told from new ones; "
    "rows may have been skipped or read twice (renumbered)",
    "스트림 {stream}: {source}의 행이 삭제되거나 바뀌어 이미 읽은 행과 새 행을 구분할 수 없습니다. "
    "건너뛰거나 두 번 읽은 행이 있을 수 있습니다(renumbered)",
)
STREAM_FAILED = text("stream {stream} stands still: {reason}", "스트림 {stream}이(가) 멈췄습니다: {reason}")
STREAM_LOST = text("stream {stream}: {said}", "스트림 {stream}: {said}")
REFRESH_FAILED = text(
    "stream {stream} goes on with the rows that streamjoin has, loading them anew failed: {reason}",
    "스트림 {stream}: streamjoin의 행을 다시 읽지 못해 이전 행을 계속 씁니다. {reason}",
)
MODEL_RENEWED = text("stream {stream} uses the new model {model}", "스트림 {stream}에서 새 모델을 씁니다: {model}")
MODEL_KEPT = text(
    "stream {stream} goes on with the model {model} that it has: {reason}",
    "스트림 {stream}: 이전 모델을 계속 씁니다({model}). {reason}",
)
INTERVALS_SKIPPED = text(
    "stream {stream}: {count:,} intervals were left out, their time did not pass while the stream ran",
    "스트림 {stream}: 실행 중에 지나가지 않은 구간 {count:,}개를 건너뛰었습니다",
)
