"""A living list of what the user sees when a query is wrong. Read each as its reader: is it clear where and what?

The texts are golden: when a message gets better, change it here in the same commit.
"""

from __future__ import annotations

import re
import string

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.diagnostics.language import EMPTY_QUERY
from logsql.diagnostics.messages import ENGLISH_ONLY, LANGUAGE, add_messages, message_names, message_pair
from logsql.language.parser import parse_query
from logsql.language.spans import render
from tests.language.grammar import GRAMMAR

GOLDEN = [
    (
        "table t | search foo=1 a == 1",
        """\
error[90001 invalid-option]: option "foo" is not supported by search
 --> query:1:18
  |
1 | table t | search foo=1 a == 1
  |                  ^^^
help: use foo == 1""",
    ),
    (
        "table t\n| search a = 1\n| limit 3",
        """\
error[90001 invalid-option]: option "a" is not supported by search
 --> query:2:10
  |
2 | | search a = 1
  |          ^
help: use a == 1""",
    ),
    (
        "table t | search limit = 10",
        """\
error[90000 option-space-not-allowed]: no blank is allowed around "=" of option "limit"
 --> query:1:18
  |
1 | table t | search limit = 10
  |                  ^^^^^^^
help: write limit=value without blanks""",
    ),
    (
        "table t | eval 이름 = 값 AND b",
        """\
error[90201 remain-terms]: "AND" is left over: no operator joins it to the text before
 --> query:1:23
  |
1 | table t | eval 이름 = 값 AND b
  |                          ^^^
help: keywords are lower case: "and\"""",
    ),
    (
        'table t | eval 결과 = match(line, "값\\d+")',
        """\
error[90205 invalid-escape-sequence]: "\\d" is not an escape sequence
 --> query:1:35
  |
1 | table t | eval 결과 = match(line, "값\\d+")
  |                                      ^^
help: write "\\\\" for a backslash; escapes are \\\\ \\" \\n \\t \\r""",
    ),
    (
        "tabel t",
        """\
error[92000 unsupported-command]: command "tabel" is not supported
 --> query:1:1
  |
1 | tabel t
  | ^^^^^
help: did you mean "table"?""",
    ),
    (
        "table t | kmeans k=3",
        """\
error[92000 unsupported-command]: command "kmeans" is not supported
 --> query:1:11
  |
1 | table t | kmeans k=3
  |           ^^^^^^
note: it is not implemented""",
    ),
    (
        "table t || limit 1",
        """\
error[90003 empty-command]: there is no command here
 --> query:1:9
  |
1 | table t || limit 1
  |         ^^
help: "||" is two pipes; write "or" for a logical or""",
    ),
    (
        "table t\n| join k [ table u\n| limit 3",
        """\
error[90204 sqbracket-mismatch]: the bracket "[" is never closed
 --> query:2:10
  |
2 | | join k [ table u
  |          ^""",
    ),
    (
        "table t | stats sum(a) / count by b",
        """\
error[90201 remain-terms]: "/" is left over: no operator joins it to the text before
 --> query:1:24
  |
1 | table t | stats sum(a) / count by b
  |                        ^
help: name the result and compute with it in a following eval""",
    ),
    (
        'table t | search name == "a" and not b',
        """\
error[90201 remain-terms]: "not" is left over: no operator joins it to the text before
 --> query:1:34
  |
1 | table t | search name == "a" and not b
  |                                  ^^^
help: use not(b)""",
    ),
    (
        "table t | eval x = if(a > 1, 2",
        """\
error[90202 parens-mismatch]: the parenthesis "(" is never closed
 --> query:1:22
  |
1 | table t | eval x = if(a > 1, 2
  |                      ^""",
    ),
    (
        "table t | sort -count limit=5",
        """\
error[90001 invalid-option]: option "limit" of sort stands behind the arguments
 --> query:1:23
  |
1 | table t | sort -count limit=5
  |                       ^^^^^
help: options stand before the arguments: sort limit=...""",
    ),
    (
        "",
        """\
error[90003 empty-command]: the query holds no command
 --> query:1:1
  |
1 |
  | ^""",
    ),
]


def failure(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse_query(text, GRAMMAR)
    return caught.value


@pytest.mark.parametrize(("text", "expected"), GOLDEN, ids=[text or "empty" for text, _ in GOLDEN])
def test_rendering(text: str, expected: str) -> None:
    shown = "\n".join(line.rstrip() for line in render(failure(text).diagnostic).split("\n"))
    assert shown == expected


def test_error_text_holds_code_and_name() -> None:
    assert str(failure("search foo=1 a")) == '[90001 invalid-option] option "foo" is not supported by search'


def test_korean() -> None:
    token = LANGUAGE.set("ko")
    try:
        assert str(failure("search foo=1 a")) == '[90001 invalid-option] search 명령은 "foo" 옵션을 지원하지 않습니다'
        assert failure("tabel t").help == '혹시 "table"인가요?'
    finally:
        LANGUAGE.reset(token)


def test_language_of_the_environment_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGSQL_LANG", "ko_KR.UTF-8")
    assert EMPTY_QUERY.text.fill() == "쿼리에 명령이 없습니다"
    assert EMPTY_QUERY.text.fill("en") == "the query holds no command"
    monkeypatch.setenv("LOGSQL_LANG", "fr")
    assert EMPTY_QUERY.text.fill() == "the query holds no command"


@pytest.mark.parametrize("name", message_names())
def test_both_languages_name_the_same_facts(name: str) -> None:
    english, korean = message_pair(name)
    facts = [{part[1] for part in string.Formatter().parse(sentence) if part[1]} for sentence in (english, korean)]
    assert facts[0] - ENGLISH_ONLY == facts[1]
    words = re.search(r"[A-Za-z]", re.sub(r"\{.*?\}", "", english))
    assert re.search(r"[가-힣]", korean) or not words
    assert not re.search(r"\byou(r)?\b", english) or name == "help-did-you-mean"


def test_a_sentence_is_defined_once() -> None:
    with pytest.raises(ValueError, match="help-compare"):
        add_messages({"help-compare": ("something else", "다른 문장")})
