"""Regular expressions in the spelling of other tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

JAVA_GROUP = text("a group is named {right}, not {wrong}", "그룹 이름은 {wrong}이(가) 아니라 {right}(으)로 씁니다")


DOUBLED = define(
    "N1603",
    "doubled-backslash",
    (
        "rex reads its expression as it is written: two backslashes are a backslash of the text",
        "rex는 정규표현식을 쓴 그대로 읽습니다. 역슬래시 두 개는 텍스트의 역슬래시입니다",
    ),
    (
        "rex reads {wrong} as a backslash and letters: backslashes are not doubled in it",
        "rex는 {wrong}을(를) 역슬래시와 글자로 읽습니다. rex에서는 역슬래시를 겹쳐 쓰지 않습니다",
    ),
    ("write {right}", "{right}(으)로 쓰세요"),
)
#: ``\\d+`` and the like: a class of characters of a text literal. A path (``C:\\Windows``) goes on with letters.
_DOUBLED = re.compile(r"\\\\[dwsDWS](?:[+*?]|\{\d)")
GROUP_NAME = text(
    "names of groups are letters, digits and _, and begin with a letter",
    "그룹 이름에는 글자, 숫자, _만 쓰고 글자로 시작합니다",
)
GROK = text(
    "there are no grok patterns here: write (?<{name}>\\S+) for {wrong}",
    "grok 패턴은 없습니다. {wrong} 대신 (?<{name}>\\S+)처럼 쓰세요",
)
STARS = text(
    'a regular expression has .* for any text: write "{right}", or FIELD == "{wrong}"',
    '정규표현식에서 아무 텍스트는 .*입니다. "{right}" 또는 필드 == "{wrong}"(으)로 쓰세요',
)


SLASHES = define(
    "N1604",
    "slashes-of-a-regex",
    (
        "slashes around a regular expression are characters of the text, and letters behind them no flags",
        "정규표현식을 감싼 슬래시는 텍스트의 글자이고 그 뒤의 글자는 플래그가 아닙니다",
    ),
    (
        "the slashes of {written} are looked for in the text, and {flags} behind them is no flag",
        "{written}의 슬래시를 텍스트에서 찾습니다. 뒤의 {flags}은(는) 플래그가 아닙니다",
    ),
    ('write "{better}"', '"{better}"(으)로 쓰세요'),
)
#: ``/get/i``: one piece between slashes, and flags. ``/a/b/`` is a path.
_SLASHES = re.compile(r"/((?:[^/\\]|\\.)+)/([gimsx]+)")


def slashes(pattern: str, sample: Callable[[], Sequence[str]]) -> dict[str, str] | None:
    """The facts of SLASHES for ``/get/i``; None for another pattern, and where it is a path: one of the values at hand
    holds it, or none has what stands between the slashes.

    ``sample`` reads these values, which takes longer than the rest of the command's plan.

    >>> slashes("/get/i", lambda: ["GET /index"])
    {'written': '"/get/i"', 'flags': 'i', 'better': '(?i)get'}
    >>> slashes("/img/i", lambda: ["/img/icon.png"]) is None, slashes("/img/i", lambda: ["/x"]) is None
    (True, True)
    >>> slashes("/a/b/", list) is None
    True
    """
    found = _SLASHES.fullmatch(pattern)
    values = sample() if found is not None else ()
    if found is None or any(f"/{found[1]}/{found[2]}" in value for value in values):
        return None
    named = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", found[1])
    try:
        if values and not any(re.search(named, value, re.IGNORECASE) for value in values):
            return None
    except re.error:  # Java knows more than Python
        return None
    if not values and not set(found[2]) & {"i", "g"}:
        return None
    flags = "".join(flag for flag in dict.fromkeys(found[2]) if flag in "imsx")
    return {"written": f'"{pattern}"', "flags": found[2], "better": f"{f'(?{flags})' * bool(flags)}{found[1]}"}


def doubled(pattern: str) -> tuple[str, str] | None:
    """A class of characters with two backslashes, and how it is written in ``rex``; None where there is none.

    >>> doubled(r"(?<n>\\\\d+)") == (r"\\\\d+", r"\\d+"), doubled(r"C:\\\\dir")
    (True, None)
    """
    found = _DOUBLED.search(pattern)
    return None if found is None else (found[0], found[0][1:])


def regex_help(pattern: str) -> str | None:
    """How what another tool calls a pattern is written here; None where nothing is known of it.

    >>> regex_help("a(?P<n>x)")
    'a group is named (?<n>...), not (?P<n>...)'
    >>> regex_help("%{WORD:user} x")
    'there are no grok patterns here: write (?<user>\\\\S+) for %{WORD:user}'
    >>> regex_help("*kim*")
    'a regular expression has .* for any text: write "kim", or FIELD == "*kim*"'
    """
    if grok := re.search(r"%\{\w+(?::(\w+)[^}]*)?\}", pattern):
        return GROK.fill(name=grok[1] or "name", wrong=grok[0])
    if re.fullmatch(r"\*[\w .:/-]+\*?", pattern):
        return STARS.fill(right=pattern.strip("*"), wrong=pattern)
    found = re.search(r"\(\?P<(\w+)>", pattern)
    if found is None:
        bad = re.search(r"\(\?<(?![=!])(?![^\W\d][\w]*>)[^>(]*>", pattern)
        return GROUP_NAME.fill() if bad else None
    return JAVA_GROUP.fill(right=f"(?<{found[1]}>...)", wrong=f"(?P<{found[1]}>...)")
