"""One catalogue of the sentences the product says, in English and Korean.

A :class:`Text` is one sentence in both; ``text(english, korean)`` makes it, ``fill(**facts)`` fills its ``{}`` places.
Sentences of a diagnostic stand in its row (``codes.py``); those of the command line, the shell and shared help lines
have names: ``message(name, **facts)``. Rooms add theirs with :func:`add_messages`. The language is the ``lang``
argument, else the context variable :data:`LANGUAGE`, else the environment variable ``LOGSQL_LANG`` (read at the call),
else English. Style: facts first, present tense, no blame; a help line names one concrete change.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "ko")
LANGUAGE: ContextVar[str | None] = ContextVar("logsql_language", default=None)
#: Places that only the English sentence has: endings of its plurals.
ENGLISH_ONLY = frozenset({"s", "es", "is_are", "has_have"})

Pair = tuple[str, str]


@dataclass(frozen=True)
class Text:
    """A sentence in English and Korean with ``{places}`` for facts."""

    en: str
    ko: str

    def fill(self, lang: str | None = None, /, **facts: object) -> str:
        """The sentence in the language in force. A place without a fact is a programming error (KeyError)."""
        sentence = self.ko if language(lang) == "ko" else self.en
        return sentence.format_map(facts) if "{" in sentence else sentence

    def shown(self, lang: str | None = None) -> str:
        """The sentence with its places as they stand, for the manual."""
        sentence = self.ko if language(lang) == "ko" else self.en
        return sentence.replace("{{", "{").replace("}}", "}")


#: Every sentence of the product, and the forms of syntax that both languages share; for tests and documentation.
TEXTS: list[Text] = []
FORMS: list[Text] = []


def text(english: str, korean: str) -> Text:
    """One sentence of the catalogue. Places are ``{name}``; a brace that is printed is doubled."""
    found = Text(english, korean)
    TEXTS.append(found)
    return found


def syntax(form: str) -> Text:
    """A form of the language as a help line (``limit [OFFSET] COUNT``): the same in both languages."""
    found = Text(form, form)
    FORMS.append(found)
    return found


def plural(count: int) -> str:
    """The English ending for ``count`` things, the fact of a place ``{s}``."""
    return "" if count == 1 else "s"


_SENTENCES: dict[str, Pair] = {
    # splitting
    "empty-command": ("there is no command here", "명령이 비어 있습니다"),
    "empty-query": ("the query holds no command", "쿼리에 명령이 없습니다"),
    "bracket-not-closed": ('the bracket "[" is never closed', '여는 대괄호 "["가 닫히지 않았습니다'),
    "bracket-not-opened": ('the bracket "]" closes nothing', '닫는 대괄호 "]"에 짝이 없습니다'),
    "nesting-too-deep": ("nesting is deeper than {limit} levels", "중첩이 {limit}단계를 넘습니다"),
    "no-subquery": (
        "{command} needs a subquery in brackets: [ ... ]",
        "{command} 명령에는 대괄호로 묶은 서브쿼리 [ ... ]가 필요합니다",
    ),
    "unsupported-command": ('command "{command}" is not supported', '지원하지 않는 명령입니다: "{command}"'),
    # options
    "invalid-option": (
        'option "{option}" is not supported by {command}',
        '{command} 명령은 "{option}" 옵션을 지원하지 않습니다',
    ),
    "option-misplaced": (
        'option "{option}" of {command} stands behind the arguments',
        '{command} 명령의 "{option}" 옵션이 인자 뒤에 있습니다',
    ),
    "option-space-not-allowed": (
        'no blank is allowed around "=" of option "{option}"',
        '"{option}" 옵션의 "=" 앞뒤에는 공백을 둘 수 없습니다',
    ),
    "string-quote-mismatch": (
        'the quoted value of option "{option}" is never closed',
        '"{option}" 옵션 값의 따옴표가 닫히지 않았습니다',
    ),
    "option-not-parameter": (
        'the value of option "{option}" is not a parameter $("name")',
        '"{option}" 옵션의 값이 매개변수 $("이름") 형식이 아닙니다',
    ),
    # expressions
    "expression-expected": ("an expression is missing here", "표현식이 없습니다"),
    "operand-expected": ('operator "{operator}" lacks an operand', '연산자 "{operator}"의 피연산자가 없습니다'),
    "argument-expected": ("an argument is missing here", "인자가 없습니다"),
    "remain-terms": (
        "{term} is left over: no operator joins it to the text before",
        "{term} 앞에 연산자가 없습니다",
    ),
    "unexpected-character": (
        "character {char} has no meaning in an expression",
        "표현식에 쓸 수 없는 문자입니다: {char}",
    ),
    "half-character": (
        "{char} is half of a character: the query is not valid Unicode text",
        "{char}: 문자의 절반만 있습니다. 올바른 유니코드 텍스트가 아닙니다",
    ),
    "subquery-in-expression": (
        "a subquery in brackets cannot stand inside an expression",
        "대괄호 서브쿼리는 표현식 안에 둘 수 없습니다",
    ),
    "paren-not-closed": ('the parenthesis "(" is never closed', '여는 괄호 "("가 닫히지 않았습니다'),
    "paren-not-opened": ('the parenthesis ")" closes nothing', '닫는 괄호 ")"에 짝이 없습니다'),
    "quote-mismatch": ("the quoted text is never closed", "따옴표가 닫히지 않았습니다"),
    "invalid-escape-sequence": ('"{escape}" is not an escape sequence', '"{escape}"는 사용할 수 없는 이스케이프입니다'),
    # lists
    "assign-token-not-found": (
        '"=" is missing: an assignment reads name = expression',
        '"="가 없습니다. 이름 = 표현식 형식이어야 합니다',
    ),
    "field-name-not-found": ('the left side of "=" is not a field name', '"=" 왼쪽이 필드 이름이 아닙니다'),
    "expression-not-found": ('an expression is missing after "="', '"=" 뒤에 표현식이 없습니다'),
    "missing-stats-function": ("{command} needs an aggregate function", "{command} 명령에 집계 함수가 없습니다"),
    "invalid-aggregation-function": (
        "{term} is not an aggregate function call",
        "{term}은(는) 집계 함수 호출이 아닙니다",
    ),
    "alias-not-found": ('a name is missing after "as"', '"as" 뒤에 이름이 없습니다'),
    "missing-clause": ("a name is missing beside the comma", "쉼표 옆에 이름이 없습니다"),
    "sort-name-missing": ("a field name is missing after the sign", "부호 뒤에 필드 이름이 없습니다"),
    "call-expected": ("a call NAME(...) is expected here", "이름(...) 형식의 호출이 필요합니다"),
    # words and help
    "word-or": (" or ", " 또는 "),
    "help-did-you-mean": ("did you mean {names}?", "혹시 {names}인가요?"),
    "help-blank-after-command": ('put a blank after "{command}"', '"{command}" 뒤에 공백을 넣으세요'),
    "help-comment-blank": ('a comment needs a blank after "#"', '주석은 "#" 뒤에 공백이 필요합니다'),
    "help-pipe-or": (
        '"||" is two pipes; write "or" for a logical or',
        '"||"는 파이프 두 개입니다. 논리합은 "or"를 쓰세요',
    ),
    "help-compare": ('use "==" to compare', '비교에는 "=="를 쓰세요'),
    "help-assign": ('"==" compares; use "=" to assign', '"=="는 비교입니다. 대입에는 "="를 쓰세요'),
    "help-option-order": (
        "options stand before the arguments: {command} {option}=...",
        "옵션은 인자 앞에 둡니다: {command} {option}=...",
    ),
    "help-option-blank": ("write {option}=value without blanks", "공백 없이 {option}=값 으로 쓰세요"),
    "help-option-none": ("{command} has no options", "{command} 명령에는 옵션이 없습니다"),
    "help-option-list": (
        'options of {command}: {options}; "==" compares',
        '{command} 명령의 옵션: {options}. 비교는 "=="입니다',
    ),
    "help-use": ("use {form}", "{form} 형식을 쓰세요"),
    "help-lower-case": ('keywords are lower case: "{word}"', '키워드는 소문자로 씁니다: "{word}"'),
    "help-double-quotes": ('text stands in double quotes: "..."', '문자열은 큰따옴표로 묶습니다: "..."'),
    "help-and-or-blank": (
        '"{word}" needs a blank or parenthesis on both sides',
        '"{word}" 양쪽에는 공백이나 괄호가 필요합니다',
    ),
    "help-escape": (
        r'write "\\" for a backslash; escapes are \\ \" \n \t \r',
        r'역슬래시는 "\\"로 씁니다. 이스케이프는 \\ \" \n \t \r 뿐입니다',
    ),
    "help-odd-name": (
        'use field("...") for a name with special characters',
        '특수 문자가 있는 이름은 field("...")로 씁니다',
    ),
    "help-alias": ('name the result with "as": {term} as name', '결과 이름은 "as"로 지정합니다: {term} as 이름'),
    "help-aggregate-then-eval": (
        "name the result and compute with it in a following eval",
        "결과에 이름을 붙이고 다음 eval에서 계산하세요",
    ),
    "help-split-expression": (
        "split the expression over several eval commands",
        "표현식을 여러 eval 명령으로 나누세요",
    ),
}


#: name -> sentence
_CATALOGUE: dict[str, Text] = {}


def message(name: str, /, lang: str | None = None, **facts: Any) -> str:
    """The sentence called ``name`` with its places filled, in the chosen language. Unknown names raise KeyError."""
    return _CATALOGUE[name].fill(lang, **facts)


def named(name: str) -> Text:
    """The sentence called ``name``, unfilled."""
    return _CATALOGUE[name]


def language(lang: str | None = None) -> str:
    """The language in force: the argument, the context variable, ``LOGSQL_LANG``, English - the first that is known."""
    for choice in (lang, LANGUAGE.get(), os.environ.get("LOGSQL_LANG")):
        if choice and choice[:2].lower() in LANGUAGES:
            return choice[:2].lower()
    return "en"


def add_messages(sentences: Mapping[str, Pair]) -> None:
    """Add sentences of another room: name -> (English, Korean). A name that says something else already is refused."""
    for name, pair in sentences.items():
        if name not in _CATALOGUE:
            _CATALOGUE[name] = text(*pair)
        elif _CATALOGUE[name] != Text(*pair):
            raise ValueError(f"message {name!r} is already defined")


def message_names() -> tuple[str, ...]:
    """All names, for tests and documentation."""
    return tuple(_CATALOGUE)


def message_pair(name: str) -> Pair:
    """Both sentences of a name, unfilled."""
    return _CATALOGUE[name].en, _CATALOGUE[name].ko


add_messages(_SENTENCES)
