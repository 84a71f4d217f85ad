"""What the readers of files count (``udfs`` knows no catalogue), and the row of any reason by its name."""

from __future__ import annotations

from logsql.diagnostics.losses import LOSSES, Fate, Loss, loss
from logsql.diagnostics.unreadable import READER_ROWS


def loss_row(reason: str) -> Loss | None:
    """The row of a reason, also of one of a family; None for a name that nobody defined."""
    if (row := LOSSES.get(reason)) is not None:
        return row
    if reason in READER_ROWS:
        return FILE_LEFT_OUT
    families = (row for name, row in LOSSES.items() if "{" in name and reason.startswith(name.partition("{")[0]))
    return next(families, None)


def rows(*reasons: str) -> tuple[Loss, ...]:
    """The rows of these reasons, for the declaration of a command. KeyError for a name that nobody defined."""
    return tuple(LOSSES[reason] for reason in reasons)


#: One of several files that cannot be read at all: the reason is the name of the reader's error.
FILE_LEFT_OUT = loss("file-left-out", ("files that could not be read, left out", "읽지 못해 제외한 파일"))
loss(
    "read-not-allowed",
    ("files that safe mode lets nobody read, left out", "안전 모드에서 읽을 수 없어 제외한 파일"),
)

# --- text, JSON, CSV, XML, archives -----------------------------------------------------------------------------------

loss(
    "invalid-{charset}",
    ("lines with bytes that are no text: they became U+FFFD", "글자가 아닌 바이트가 있는 줄: U+FFFD로 바꿈"),
    fate=Fate.CHANGED,
)
loss(
    "line-cut",
    ("lines longer than 64 MB, which became several rows", "64MB를 넘어 여러 행으로 나눈 줄"),
    fate=Fate.CHANGED,
)
loss("node-cut", ("nodes longer than 64 MB, which lack their end", "64MB를 넘어 뒷부분이 빠진 노드"), fate=Fate.CHANGED)
loss(
    "record-cut",
    ("records longer than 64 MB, which became several rows", "64MB를 넘어 여러 행으로 나눈 레코드"),
    fate=Fate.CHANGED,
)
FRAMES = (
    loss(
        "frame-cut",
        ("frames longer than 64 MB, which lack their end", "64MB를 넘어 뒷부분이 빠진 프레임"),
        fate=Fate.CHANGED,
    ),
    loss(
        "frame-incomplete",
        ("the file ends within a counted frame: no row", "길이가 표시된 프레임 중간에서 파일이 끝남: 행 없음"),
    ),
    loss(
        "frame-without-count",
        (
            "text without a count between counted frames: a row up to the end of the line",
            "길이 표시가 없는 텍스트: 줄 끝까지 한 행",
        ),
        fate=Fate.DOUBTFUL,
    ),
)
loss("no-time-found", ("lines without a time: _time is null", "시각이 없는 줄: _time은 null"), fate=Fate.NULL)
loss("broken-json", ("lines that are no JSON: no row", "JSON이 아닌 줄: 행 없음"))
loss("not-an-object", ("lines whose JSON is no object: no row", "JSON 객체가 아닌 줄: 행 없음"))
REPEATED_KEY = loss(
    "repeated-key",
    (
        "keys that come again in one object: one value counts (of json the last, else the first)",
        "한 객체에서 되풀이된 키: 값 하나만 남습니다 (json은 마지막, 그 밖에는 첫 번째)",
    ),
    fate=Fate.DOUBTFUL,
)
loss(
    "lone-surrogate",
    ("values with half a character, which became U+FFFD", "반쪽 문자가 있는 값: U+FFFD로 바꿈"),
    fate=Fate.CHANGED,
)
loss("type-mismatch", ("values that do not fit the column: null", "열 타입에 맞지 않는 값: null"), fate=Fate.NULL)
loss("duplicate-header", ("columns of one name were renamed", "이름이 같은 열의 이름을 바꿈"), fact=True)
loss(
    "unnamed-column",
    ("columns without a name in the header are columnN", "헤더에 이름이 없는 열은 columnN"),
    fact=True,
)
loss(
    "cells-beyond-header",
    (
        "records with more cells than the header has names: the others are columnN",
        "헤더의 이름보다 셀이 많은 레코드: 나머지는 columnN",
    ),
    fact=True,
)
loss(
    "cells-missing",
    (
        "records with fewer cells than the header has names: their last fields are null",
        "헤더의 이름보다 셀이 적은 레코드: 뒤쪽 필드는 null",
    ),
    fact=True,
)
loss(
    "header-again",
    (
        "records that are the header once more, as files put behind each other have it: they are rows",
        "헤더가 되풀이된 레코드(파일을 이어 붙인 경우): 데이터 행으로 읽습니다",
    ),
    fact=True,
)
loss(
    "packed-twice",
    (
        "what the compressed file holds is compressed once more: its bytes were read as they are",
        "압축 파일의 내용이 다시 압축되어 있습니다: 그 바이트를 그대로 읽었습니다",
    ),
    fate=Fate.DOUBTFUL,
)
loss(
    "packed-input",
    (
        "the file is packed in a form that is not unpacked on the way: its bytes were read as they are (unpack it "
        "first; zipfile reads the members of a ZIP archive)",
        "풀지 않는 형식으로 압축된 파일: 그 바이트를 그대로 읽었습니다(먼저 압축을 푸세요. ZIP의 항목은 zipfile이 "
        "읽습니다)",
    ),
    fact=True,
)
loss(
    "unclosed-quote",
    ("a quote that nothing closes: the line ends the record", "닫지 않은 따옴표: 그 줄에서 레코드를 끝냄"),
    fate=Fate.CHANGED,
)
loss(
    "quoting-differs",
    (
        'records in which \\" ends the cell by RFC 4180: strict=t reads them so',
        'RFC 4180에서는 \\"가 셀의 끝인 레코드: strict=t로 읽으면 그렇게 읽습니다',
    ),
    fate=Fate.DOUBTFUL,
)
loss(
    "columns-cut",
    (
        "columns beyond maxcol=, not read (rest=t keeps their text)",
        "maxcol=을 넘어 읽지 않은 열 (rest=t는 원문을 남깁니다)",
    ),
)
loss("broken-xml", ("XML that breaks off: no rows behind it", "깨진 XML: 그 뒤의 행 없음"))
loss("truncated-gzip", ("the compressed file is cut: what is there was read", "압축 파일이 잘림: 있는 데까지 읽음"))
loss("damaged-gzip", ("the compressed file is damaged: what came before was read", "압축 파일 손상: 그 앞까지 읽음"))
loss("truncated-zstd", ("the compressed file is cut: what is there was read", "압축 파일이 잘림: 있는 데까지 읽음"))
loss("damaged-zstd", ("the compressed file is damaged: what came before was read", "압축 파일 손상: 그 앞까지 읽음"))
loss(
    "not-gzip",
    ("the name says gzip and the content does not: read as it is", "이름은 gzip이나 내용이 아님: 그대로 읽음"),
    fact=True,
)
loss(
    "not-zstd",
    ("the name says zstd and the content does not: read as it is", "이름은 zstd이나 내용이 아님: 그대로 읽음"),
    fact=True,
)
loss(
    "damaged-zip-entry",
    ("entries of an archive that are damaged: what came before was read", "손상된 압축 항목: 그 앞까지 읽음"),
)
loss(
    "damaged-directory",
    (
        "entries that the end of the archive counts and its directory does not have",
        "아카이브 끝에 적힌 수에 비해 목록에 없는 항목",
    ),
)
loss(
    "repeated-entry",
    (
        "entries whose name comes again further on in the archive: not read, as unpacking would overwrite them",
        "아카이브 뒤쪽에 같은 이름이 또 있는 항목: 압축을 풀면 덮어쓰이므로 읽지 않음",
    ),
)
loss(
    "entry-name-charset",
    ("names that are not in `zipcharset`, read as CP437", "`zipcharset`이 아니어서 CP437로 읽은 이름"),
    fate=Fate.CHANGED,
)
loss(
    "bad-date",
    ("dates of entries that do not exist: `modified_at` is null", "존재하지 않는 항목 날짜: `modified_at`은 null"),
    fate=Fate.NULL,
)

# --- SQLite -----------------------------------------------------------------------------------------------------------

loss(
    "unfinished-append",
    (
        "rows end where the file ended before an append that is not finished",
        "끝나지 않은 추가 작업이 시작되기 전의 파일 끝까지만 읽음",
    ),
    fact=True,
)
loss(
    "write-ahead-log-read",
    ("the rows hold what the `-wal` file beside the database adds", "옆에 있는 `-wal` 파일의 내용까지 읽음"),
    fact=True,
)
loss(
    "write-ahead-log-not-read",
    (
        "the `-wal` file may not be read, or is too large to copy: rows may be old",
        "`-wal` 파일을 읽을 수 없거나 너무 큼: 행이 예전 것일 수 있음",
    ),
    fate=Fate.DOUBTFUL,
)
loss(
    "rollback-journal-not-read",
    (
        "the database was being written to: a transaction may be there in part",
        "쓰는 중이던 데이터베이스: 트랜잭션이 일부만 있을 수 있음",
    ),
    fate=Fate.DOUBTFUL,
)
loss(
    "damaged-database",
    ("the database is damaged: rows behind the damage are missing", "데이터베이스 손상: 그 뒤의 행 없음"),
)
loss(
    "generated-column-failed",
    ("a generated column cannot be computed for a row: null from there on", "계산 열을 계산하지 못함: 그 행부터 null"),
    fate=Fate.NULL,
)

# --- event logs, NTFS -------------------------------------------------------------------------------------------------

loss("damaged-chunk", ("chunks that are damaged: their events are missing", "손상된 청크: 그 이벤트 없음"))
loss(
    "missing-chunk",
    (
        "chunks that the header counts and the file, which is cut, does not have: their events are missing",
        "헤더에는 있으나 파일이 잘려 없는 청크: 그 이벤트 없음",
    ),
)
loss(
    "truncated-mft",
    (
        "records that the $MFT says it has and the file, which is cut, does not: no rows",
        "$MFT에 적힌 크기보다 파일이 짧아 없는 레코드: 행 없음",
    ),
)
loss("truncated-chunk", ("chunks that are cut: events are missing", "잘린 청크: 이벤트 빠짐"))
loss("damaged-event", ("events that are damaged: no row", "손상된 이벤트: 행 없음"))
loss(
    "damaged-header",
    ("the header of the file is damaged: read without it", "파일 헤더 손상: 헤더 없이 읽음"),
    fate=Fate.DOUBTFUL,
)
loss("damaged-list", ("a list of names or templates was cut", "이름이나 템플릿 목록이 잘림"), fate=Fate.CHANGED)
loss("date-out-of-range", ("dates that no calendar reaches: null", "달력을 벗어난 날짜: null"), fate=Fate.NULL)
loss("parser-failed", ("events that the parser could not read: no row", "파서가 읽지 못한 이벤트: 행 없음"))
loss("damaged-record", ("records that are damaged: no row", "손상된 레코드: 행 없음"))
loss("damaged-page", ("pages that are damaged: their records are missing", "손상된 페이지: 그 레코드 없음"))
loss(
    "truncated-log",
    (
        "pages that the log says it has and the file does not: their records are missing",
        "로그에 적힌 크기보다 파일이 짧아 없는 페이지: 그 레코드 없음",
    ),
)
loss("torn-page", ("pages that were written in part: their records are missing", "일부만 쓰인 페이지: 그 레코드 없음"))
loss("torn-record", ("records that were written in part: no row", "일부만 쓰인 레코드: 행 없음"))
loss("truncated-record", ("a record that is cut at the end of the file: no row", "파일 끝에서 잘린 레코드: 행 없음"))
loss("record-without-file-signature", ("records without the mark FILE: no row", "FILE 표식이 없는 레코드: 행 없음"))
loss("path-too-long", ("paths that are cut", "잘린 경로"), fate=Fate.CHANGED)
loss("zero-record", ("empty places between records", "레코드 사이의 빈 자리"))
loss("unreadable-bytes", ("bytes that are no record", "레코드가 아닌 바이트"))

# --- registry hives ---------------------------------------------------------------------------------------------------

loss(
    "dirty-hive",
    (
        "the last changes may be in the transaction logs only; `replay=t` applies them",
        "마지막 변경이 트랜잭션 로그에만 있을 수 있습니다. `replay=t`로 반영합니다",
    ),
    fact=True,
)
loss(
    "no-transaction-log",
    (
        "`replay=t`, but no usable `.LOG`, `.LOG1` or `.LOG2` lies beside the dirty hive",
        "`replay=t`이지만 하이브 옆에 쓸 수 있는 `.LOG`, `.LOG1`, `.LOG2`가 없습니다",
    ),
    fact=True,
)
loss(
    "log-of-another-time",
    ("a log was written before the hive was and is not applied", "하이브보다 먼저 쓰인 로그여서 반영하지 않습니다"),
    fact=True,
)
loss(
    "log-gap",
    (
        "entries are missing inside a log: the count is that of entries not applied",
        "로그 안에 빠진 항목이 있습니다: 개수는 반영하지 않은 항목 수",
    ),
)
loss(
    "log-begins-later",
    (
        "the log begins behind the entry that the hive names, as after it was begun anew: all entries are applied",
        "로그가 하이브가 가리키는 항목보다 뒤에서 시작합니다(로그를 새로 시작한 경우와 같음): 모든 항목을 반영했습니다",
    ),
    fact=True,
)
loss(
    "log-entry-damaged",
    (
        "an entry of a log fails its check; it and those behind it are not applied",
        "로그 항목의 검사값이 틀려 그 항목부터 반영하지 않습니다",
    ),
)
loss(
    "damaged-log",
    (
        "a log is cut or damaged; what it holds from the offset on is not applied",
        "로그가 잘렸거나 손상되어 그 위치부터 반영하지 않습니다",
    ),
)
loss(
    "transaction-log",
    (
        "the file is a transaction log itself: it holds no keys, so there are no rows",
        "파일이 트랜잭션 로그입니다: 키가 없으므로 행도 없습니다",
    ),
    fact=True,
)
loss(
    "damaged-base-block",
    (
        "the first 512 bytes fail their checksum: their numbers are not believed",
        "첫 512바이트의 검사값이 틀려 그 숫자를 믿지 않습니다",
    ),
    fact=True,
)
loss(
    "root-key-elsewhere",
    (
        "the header does not point at the root key, which was found by searching",
        "헤더가 루트 키를 가리키지 않아 찾아서 읽었습니다",
    ),
    fact=True,
)
loss("beyond-2-gib", ("bytes behind 2 GiB are not read: no hive reaches that far", "2GiB 뒤의 바이트는 읽지 않습니다"))
loss("damaged-subkey-list", ("a list of keys cannot be read: keys are missing", "키 목록을 읽을 수 없음: 키 빠짐"))
loss("subkey-list-cut", ("a list of keys cannot be read to its end: keys are missing", "키 목록이 잘림: 키 빠짐"))
loss(
    "subkey-list-nesting",
    ("lists of keys refer to each other: the rest is not followed", "키 목록이 서로를 가리킴: 나머지는 따라가지 않음"),
)
loss(
    "subkey-lists-overlap",
    ("lists of keys share their entries: the rest is not followed", "키 목록이 겹침: 나머지는 따라가지 않음"),
)
loss(
    "subkey-count-differs",
    ("a key's list holds another number of keys than the key says", "키에 적힌 수와 목록의 키 수가 다름"),
    fate=Fate.DOUBTFUL,
)
loss("damaged-key", ("where a key should be is none", "키가 있어야 할 자리에 키가 없음"))
loss("key-without-mark", ("a key without its two letters `nk`", "`nk` 표식이 없는 키"))
loss(
    "key-name-cut",
    ("a key's name is longer than its record and ends there", "키 이름이 레코드보다 길어 잘림"),
    fate=Fate.CHANGED,
)
loss("key-loop", ("a key is its own ancestor: left out", "자기 자신의 상위인 키: 제외"))
loss("keys-too-deep", ("keys nest deeper than a hive allows: left out", "너무 깊은 키: 제외"))
loss("too-many-keys", ("more keys than fit into the hive: left out", "하이브에 들어갈 수 없는 만큼의 키: 제외"))
loss("damaged-value-list", ("a list of values cannot be read: values are missing", "값 목록을 읽을 수 없음: 값 빠짐"))
loss("value-list-cut", ("a list of values cannot be read to its end: values are missing", "값 목록이 잘림: 값 빠짐"))
loss("value-lists-overlap", ("lists of values share their entries", "값 목록이 겹침"), fate=Fate.DOUBTFUL)
loss(
    "value-count-differs",
    ("a list holds another number of values than the key says", "키에 적힌 수와 목록의 값 수가 다름"),
    fate=Fate.DOUBTFUL,
)
loss("damaged-value", ("where a value should be is none", "값이 있어야 할 자리에 값이 없음"))
loss("value-without-mark", ("a value without its two letters `vk`", "`vk` 표식이 없는 값"))
loss(
    "value-name-cut",
    ("a value's name is longer than its record and ends there", "값 이름이 레코드보다 길어 잘림"),
    fate=Fate.CHANGED,
)
loss(
    "damaged-data",
    ("the data of a value cannot be read: `value` is null", "값의 데이터를 읽을 수 없음: `value`는 null"),
    fate=Fate.NULL,
)
loss(
    "data-cut",
    ("the data of a value is longer than its cell: `value` ends there", "값의 데이터가 셀보다 길어 잘림"),
    fate=Fate.CHANGED,
)
loss(
    "data-overlaps",
    (
        "values share their data so often that the rest is not repeated: `value` is null",
        "여러 값이 데이터를 너무 많이 공유함: 나머지의 `value`는 null",
    ),
    fate=Fate.NULL,
)
loss(
    "data-reused",
    (
        "deleted values whose data's place is in use again or gone from the file: `value` is null",
        "데이터 자리가 다시 쓰였거나 파일에서 없어진 삭제된 값: `value`는 null",
    ),
    fate=Fate.NULL,
)
loss(
    "time-out-of-range",
    (
        "times that no calendar reaches (`last_written` is null); of the views also times outside 1980 to 2100, kept",
        "달력을 벗어난 시각(`last_written`은 null). 보기 명령에서는 1980~2100년 밖의 시각도 세며 값은 그대로 둡니다",
    ),
    fate=Fate.NULL,
)
loss(
    "unreadable-entry",
    ("the data of one entry does not have the form it should have: no row", "항목 데이터의 형식이 맞지 않음: 행 없음"),
)
