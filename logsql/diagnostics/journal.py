"""Rows of feeds, the durable logs of a server: damage that is no torn end, and what was written by another version."""

from __future__ import annotations

from logsql.diagnostics.codes import define

FEED_BROKEN = define(
    "E3220",
    "journal-damaged",
    (
        "a file of the journal is damaged, and not only at its end",
        "저널 파일이 끝부분이 아닌 곳에서 손상되었습니다",
    ),
    ("{path} is damaged at byte {at}", "{path}이(가) {at}바이트 위치에서 손상되었습니다"),
    help=(
        "keep it for a look and start afresh: mv {folder} {folder}.damaged (what waits there is not delivered)",
        "보관하고 새로 시작하세요: mv {folder} {folder}.damaged (그 안에서 기다리던 행은 전달되지 않습니다)",
    ),
)
FEED_GAP = FEED_BROKEN.says(
    (
        "{path} does not follow the file before it: rows {first} to {last} are missing",
        "{path}이(가) 앞 파일과 이어지지 않습니다. 빠진 행: {first}에서 {last}까지",
    ),
    help=(
        "put the missing file back, or start afresh: mv {folder} {folder}.damaged",
        "빠진 파일을 되돌려 놓거나 새로 시작하세요: mv {folder} {folder}.damaged",
    ),
)
FEED_NEWER = FEED_BROKEN.says(
    (
        "{path} was written by a newer version (form {version}; known is {known})",
        "{path}은(는) 더 새로운 버전이 쓴 파일입니다(형식 {version}, 아는 형식 {known})",
    ),
    help=("start the newer version", "새 버전을 실행하세요"),
)
BOOK_ENDED = define(
    "E3222",
    "database-ended",
    ("the engine has given the database up", "엔진이 데이터베이스를 더 쓸 수 없게 되었습니다"),
    ("{path} must be opened again: {reason}", "{path}을(를) 다시 열어야 합니다: {reason}"),
    help=(
        "make room on the disk: the server then opens it again by itself; what was accepted is in the journal",
        "디스크 공간을 확보하세요. 그러면 서버가 스스로 다시 엽니다. 받아들인 것은 저널에 있습니다",
    ),
)
BOOK_NEWER = define(
    "E3221",
    "state-newer",
    ("the state of the server was written by a newer version", "서버의 상태를 더 새로운 버전이 썼습니다"),
    (
        "{path} was written by a newer version (form {version}; known is {known})",
        "{path}은(는) 더 새로운 버전이 쓴 파일입니다(형식 {version}, 아는 형식 {known})",
    ),
    help=("start the newer version", "새 버전을 실행하세요"),
)
