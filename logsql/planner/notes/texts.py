"""The query as it is written: what its comments swallow; the header of a file that another character separates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.diagnostics.messages import shortened
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Query
from logsql.planner.notes.datetexts import guess_pattern
from logsql.planner.notes.words import WRITE, number_text
from logsql.planner.relation import Rel
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage

COMMENT_SWALLOWS = define(
    "N1107",
    "comment-swallows",
    (
        "a comment goes on to the next pipe, and a line of it begins like a command",
        "주석은 다음 파이프까지 이어지는데 그 안에 명령처럼 시작하는 줄이 있습니다",
    ),
    (
        'the comment goes on to the next pipe: the line "{line}" is part of it',
        '주석은 다음 파이프까지 이어져 "{line}" 줄도 주석입니다',
    ),
    help=("begin that line with a pipe: | {line}", "그 줄을 파이프로 시작하세요: | {line}"),
)
ONE_COLUMN = define(
    "N1402",
    "another-delimiter",
    (
        "a CSV file has one column, whose name holds the character that other files put between cells",
        "CSV 파일의 컬럼이 하나이고, 그 이름에 다른 파일이 셀을 나누는 문자가 들어 있습니다",
    ),
    (
        'the file has one column, "{name}": its cells are separated by something else',
        '파일의 컬럼이 "{name}" 하나뿐입니다. 셀을 나누는 문자가 다릅니다',
    ),
    ("write csvfile {option} ...", "csvfile {option} ...로 쓰세요"),
)
HEADER_IS_DATA = define(
    "N1403",
    "header-of-values",
    ("the first line of a CSV file holds no names", "CSV 파일의 첫 줄이 컬럼 이름이 아닙니다"),
    (
        'the first line is read as names, and is no header: "{line}"',
        '첫 줄을 컬럼 이름으로 읽었는데 머리글이 아닙니다: "{line}"',
    ),
)
JSON_AS_CSV = text("write jsonfile ...: the file holds JSON", "JSON 파일입니다: jsonfile ...로 쓰세요")
LINES_AS_CSV = text(
    "the file holds lines of a log: textfile ... | parse NAME (syslog, nginx, ...)",
    "로그 줄이 든 파일입니다: textfile ... | parse 이름 (syslog, nginx, ...)",
)
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(?![\w.])")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
#: A cell that is the beginning of a log's line: words, and a clock or a quote among them.
_LOG = re.compile(r"\S\s.*(\d\d:\d\d:\d\d|\").*\s")
_HEAD = re.compile(r"([\w.-]+)(?=\s|\Z)")


def one_column(stage: Stage, rel: Rel) -> None:
    """Tell of a header ``user;host;port`` that was read as one name, also where the query chose another delimiter."""
    names = [column.name for column in rel.columns if not column.name.startswith("_")]
    further = [name for name in names[1:] if re.fullmatch(r"column\d+", name) is None]  # a cell with a comma in it
    if not names or further or not stage.option("header"):
        return
    chosen = "\t" if stage.option("tab") else stage.option("delim") or ","
    found = next((mark for mark in ";\t|," if mark != chosen and mark in names[0].strip(mark)), None)
    if found is not None:
        option = {"\t": "tab=t", ",": 'delim=","'}.get(found, f'delim="{found}"')
        stage.note(ONE_COLUMN, stage.command.name_span, name=shortened(names[0]), option=option)


def header_of_values(stage: Stage, rel: Rel) -> None:
    """Tell of a first line that is read as names and is a row of numbers, a remark or JSON: no row is made of it."""
    names = [column.name for column in rel.columns if not column.name.startswith("_")]
    own = [name for name in names if re.fullmatch(r"column\d+", name) is None]
    if not own or stage.option("header") is False or stage.option("comment") or stage.option("skip"):
        return
    help = None
    if all(map(number_text, own)) and len(set(own)) > 1:
        help = WRITE.fill(better="csvfile header=f ...")
    elif re.match(r"#\s", own[0]) and len(own) == 1 < len(names):
        help = WRITE.fill(better='csvfile comment="#" ...')
    elif re.match(r"\[$|\[?\{(\"|$)", own[0]):
        help = JSON_AS_CSV.fill()
    elif _values(own):
        help = LINES_AS_CSV.fill() if _LOG.search(own[0]) else WRITE.fill(better="csvfile header=f ...")
    if help is not None:
        stage.note(HEADER_IS_DATA, stage.command.name_span, help=help, line=shortened(",".join(own)))


def _kind(cell: str) -> str:
    """What a cell of a first line is a value of; "" for a name."""
    if _ADDRESS.match(cell):
        return "address"
    if _CLOCK.search(cell) or (len(cell) > 5 and guess_pattern([cell], "") and not number_text(cell)):
        return "date"
    return "number" if number_text(cell) else ""


def _values(cells: Sequence[str]) -> bool:
    """Whether a first line is a row: it begins with an address or a date, or has values of two kinds.

    A pivot has dates, addresses or numbers behind the name of its key.

    >>> _values(["10.0.0.1", "x"]), _values(["anna", "10.0.0.1", "2024-01-02"]), _values(["day", "10.0.0.1"])
    (True, True, False)
    """
    kinds = [_kind(cell) for cell in cells]
    return kinds[0] in ("address", "date") or len({kind for kind in kinds if kind}) > 1


def tell_comments(notes: Notes, query: Query) -> None:
    """A comment ends at the next pipe: ``# title`` above ``table t`` makes the command part of the comment."""
    for comment in query.comments:
        _, *lines = comment.text.split("\n")
        for line in lines:
            head = _HEAD.match(line.strip())
            if head is not None and head[1] in COMMANDS and not line.strip().startswith("#"):
                shown = " ".join(line.split())
                shown = shown if len(shown) <= 60 else shown[:57] + "..."
                notes.add(COMMENT_SWALLOWS, comment.span, line=shown)
                break
