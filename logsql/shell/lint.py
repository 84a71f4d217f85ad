"""Notes of ``logsql check`` alone, about what is meant in most queries and would be noise beside every result.

Two rules: a pattern with a star inside (``"a*b"``) ignores letter case, the other shapes do not (decisions 5); and a
key or password that is typed into a query stays wherever the query does, which is a warning.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from logsql.diagnostics.codes import define
from logsql.diagnostics.notes import Note, Notes
from logsql.language.tree import Binary, Call, Literal, Option, Query, Text
from logsql.planner.function_spec import FUNCTIONS

STAR_INSIDE = define(
    "N1901",
    "star-inside",
    (
        "a pattern with a star inside ignores letter case, patterns with stars at the ends do not (only in check)",
        "중간에 별표가 있는 패턴은 대소문자를 구분하지 않고, 양 끝에만 있는 패턴은 구분합니다 (check에서만 알림)",
    ),
    (
        'the pattern "{pattern}" has a star inside: it ignores letter case, patterns with stars at the ends do not',
        '패턴 "{pattern}"은(는) 중간에 별표가 있어 대소문자를 구분하지 않습니다. 양 끝의 별표는 구분합니다',
    ),
)


LITERAL_SECRET = define(
    "N1902",
    "literal-secret",
    (
        "a key or password is typed into the query, and stays where the query does (only in check)",
        "쿼리에 키나 암호가 적혀 있어 쿼리를 두는 곳마다 남습니다 (check에서만 알림)",
    ),
    (
        "the parameter {names} of this URL is a secret in the query: it stays in this file and in every history",
        "URL의 매개변수 {names}에 비밀 값이 적혀 있습니다. 이 파일과 실행 기록에 남습니다",
    ),
    help=(
        '[network.hosts."{host}"] query = {{ {name} = "env:NAME" }} in the configuration adds it to each request',
        '설정 파일에 [network.hosts."{host}"] query = {{ {name} = "env:NAME" }}을 두면 요청마다 들어갑니다',
    ),
)
LITERAL_LOGIN = LITERAL_SECRET.says(
    (
        "{name} holds a password: it stays in this file and in every history",
        "{name}에 암호가 적혀 있습니다. 이 파일과 실행 기록에 남습니다",
    ),
    help=(
        'headers = {{ Authorization = "env:NAME" }} of the host in the configuration adds it to each request',
        '설정 파일의 호스트에 headers = {{ Authorization = "env:NAME" }}을 두면 요청마다 들어갑니다',
    ),
)
_URL = re.compile(r"(?i)\s*[a-z][a-z0-9+.-]*://(?P<login>[^/?#\s@]*:[^/?#\s@]+@)?(?P<host>[^/?#\s@:]*)")
_SECRET = re.compile(
    r"(?i)[?&;](?P<name>key|api[_-]?key|(?:access[_-]|auth[_-])?token|password|passwd|pwd|(?:client[_-])?secret)="
    r"(?P<value>[^&;#\s]+)"
)


def notes(query: Query, text: str, path: str) -> tuple[Note, ...]:
    """Everything worth a second look, in the order of the text."""
    found = Notes()
    for literal in patterns(query):
        if star_inside(str(literal.value)):
            found.add(STAR_INSIDE, literal.span, pattern=str(literal.value))
    for node in walked(query):
        _secrets(node, found)
    return tuple(note.located(text, path) for note in found.ordered())


def is_warning(note: Note) -> bool:
    """Whether a note is more than a matter of taste."""
    return note.code == LITERAL_SECRET.code


def _secrets(node: object, found: Notes) -> None:
    """Tell of secrets in a text that is a URL, and of ``auth="ID:PW"``."""
    text = node.value if isinstance(node, (Literal, Text, Option)) else None
    if not isinstance(node, (Literal, Text, Option)) or not isinstance(text, str):
        return
    if isinstance(node, Option) and node.key == "auth" and literal_login(text):
        found.add(LITERAL_LOGIN, node.span, name="auth=")
    told = secrets_in(text)
    names = [name for name, _ in told if name]
    if names:
        found.add(LITERAL_SECRET, node.span, names=", ".join(names), name=names[0], host=told[0][1])
    elif told:
        found.add(LITERAL_LOGIN, node.span, name="URL")


def literal_login(text: str) -> bool:
    """Whether a text is ``ID:PW`` with a password that is written out.

    >>> literal_login("kim:hunter2"), literal_login('kim:$("pw")'), literal_login("kim:"), literal_login("kim")
    (True, False, False, False)
    """
    password = text.partition(":")[2]
    return bool(password) and not password.startswith("$(")


def secrets_in(text: str) -> list[tuple[str, str]]:
    """The parameters of a URL that are secrets written out, each with the host; no name: a password before the host.

    >>> secrets_in("https://a.example/x?apikey=abc&n=1"), secrets_in("https://u:pw@a.example/")
    ([('apikey', 'a.example')], [('', 'a.example')])
    >>> secrets_in("https://a.example/?token="), secrets_in('https://a.example/?key=$("k")'), secrets_in("?key=abc")
    ([], [], [])
    """
    url = _URL.match(text)
    if url is None:
        return []
    found = [("", url["host"])] if url["login"] and literal_login(url["login"].removesuffix("@")) else []
    parameters = _SECRET.finditer(text, url.end())
    return found + [(one["name"], url["host"]) for one in parameters if not one["value"].startswith("$(")]


def walked(query: Query) -> Iterator[object]:
    """Every node of a query."""
    stack: list[object] = [query]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, tuple):
            stack.extend(node)
        elif dataclasses.is_dataclass(node):
            stack.extend(getattr(node, field.name) for field in dataclasses.fields(node))


def patterns(query: Query) -> Iterator[Literal]:
    """String literals that are matched as patterns: right of ``==`` and ``!=``, and as in ``in()``."""
    for node in walked(query):
        if isinstance(node, Binary) and node.op in ("==", "!="):
            yield from _strings((node.right,))
        elif isinstance(node, Call) and node.name in FUNCTIONS and FUNCTIONS[node.name].patterns:
            yield from _strings(node.args[1:])


def _strings(nodes: tuple[object, ...]) -> Iterator[Literal]:
    return (node for node in nodes if isinstance(node, Literal) and node.kind == "string")


def star_inside(pattern: str) -> bool:
    """Whether the pattern is none of ``abc``, ``abc*``, ``*abc``, ``*abc*``.

    >>> [star_inside(p) for p in ("a", "a*", "*a", "*a*", "*", "a*b", "*a*b*")]
    [False, False, False, False, False, True, True]
    """
    return "*" in pattern.removeprefix("*").removesuffix("*")
