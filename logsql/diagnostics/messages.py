"""One catalogue of the sentences the product says, in English and Korean.

A :class:`Text` is one sentence in both; ``text(english, korean)`` makes it, ``fill(**facts)`` fills its ``{}`` places.
Sentences of a diagnostic stand in its row (``codes.py``); those of the command line, the shell and shared help lines
have names: ``message(name, **facts)``. Rooms add theirs with :func:`add_messages`. The language is the ``lang``
argument, else the context variable :data:`LANGUAGE`, else the environment variable ``LOGSQL_LANG`` (read at the call),
else English.

Where is a sentence? One command's own stands in the command's file. What several say stands in this folder, one file
per subject: ``fields`` ``options`` ``expressions`` ``tables`` ``lookups`` ``paths`` ``places`` ``delimiters``
(arguments of commands), ``language`` (the text of a query), ``engine`` (the session, its zone and
database, SQL), ``readers``
``unreadable`` (files), ``reasons`` (of losses), ``notes``, ``models`` ``modeldata`` ``modelfiles`` ``modeltests``
``mlshell`` (machine
learning), ``kept`` (results), ``network`` ``databases`` (other machines), ``live`` (a server of streams),
``streaming`` (queries of streams), ``contexts`` (event contexts), ``receivers`` (what takes live data in), ``journal``
(what it keeps of that), ``serving`` (its configuration), ``configuration`` (its files, secrets, profiles), ``usage``
(the command line), ``querytests`` (tests of queries), ``bridges``. ``logsql help CODE`` shows the row of a code,
``git grep CODE`` its file.

Style: facts first, present tense, no blame; a help line names one concrete change.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from logsql.diagnostics.redaction import Said, masked_facts

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
        """The sentence in the language in force, its facts without secrets.

        A place without a fact is a programming error (KeyError).
        """
        sentence = self.ko if language(lang) == "ko" else self.en
        return Said(sentence.format_map(masked_facts(facts)) if "{" in sentence else sentence)

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


def told(pair: Pair, lang: str | None = None) -> str:
    """One of the two sentences of a declaration (English, Korean), in the language in force."""
    return Text(*pair).shown(lang)


#: What a page says of a command, an option, a function or a log parser that the vendor's language lacks.
EXTENSION = text("extension: {said}", "확장: {said}")


def marked(pair: Pair, extension: bool, lang: str | None = None) -> str:
    """A sentence of a declaration, in the language in force, with the mark where it declares an extension.

    >>> marked(("lines to skip", "건너뛸 줄 수"), True, "en"), marked(("lines to skip", "건너뛸 줄 수"), False, "ko")
    ('extension: lines to skip', '건너뛸 줄 수')
    """
    said = told(pair, lang)
    return EXTENSION.fill(lang, said=said) if extension else said


def syntax(form: str) -> Text:
    """A form of the language as a help line (``limit [OFFSET] COUNT``): the same in both languages."""
    found = Text(form, form)
    FORMS.append(found)
    return found


def plural(count: int) -> str:
    """The English ending for ``count`` things, the fact of a place ``{s}``."""
    return "" if count == 1 else "s"


#: Characters of a name that help lines show: the header of a file that is no text may be a megabyte long.
_NAME = 40


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names with commas between, the first ``most`` of them; for help lines.

    >>> listed("abcd", 2)
    'a, b, ... (4)'
    """
    found = list(names)
    shown = [shortened(name) for name in found[:most]]
    return ", ".join(shown if len(found) <= most else [*shown, f"... ({len(found)})"])


def shortened(name: str) -> str:
    """A name that came from data as a line shows it: no control characters, 40 characters at most.

    >>> shortened("a\x00b"), shortened("x" * 41)[-4:]
    ('a\ufffdb', 'x...')
    """
    shown = "".join(c if c.isprintable() else "\ufffd" for c in name[: _NAME + 1])
    return shown if len(name) <= _NAME else shown[: _NAME - 3] + "..."


_SENTENCES: dict[str, Pair] = {
    # splitting
    # options
    # expressions
    # lists
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
    "help-sql": (
        "this is SQL: logsql sql 'SELECT ...', in Python session.sql(\"SELECT ...\")",
        "SQL입니다: logsql sql 'SELECT ...', 파이썬에서는 session.sql(\"SELECT ...\")",
    ),
    "help-use": ("use {form}", "{form} 형식을 쓰세요"),
    "help-name-with-blanks": (
        'a name with blanks is written field("{name}") in an expression',
        '공백이 있는 이름은 표현식에서 field("{name}")(으)로 씁니다',
    ),
    "help-words": (
        'a name with blanks is written field("{name}"), a text to look for line == "*{name}*"',
        '공백이 있는 이름은 field("{name}"), 찾을 텍스트는 line == "*{name}*"(으)로 씁니다',
    ),
    "help-comment-swallows": (
        "a comment goes on to the next pipe: begin the line behind it with one, | {line}",
        "주석은 다음 파이프까지입니다. 그 다음 줄을 파이프로 시작하세요: | {line}",
    ),
    "help-pattern": ("text and patterns stand in double quotes: {form}", "텍스트와 패턴은 큰따옴표로 묶습니다: {form}"),
    "help-one-query": (
        "a text holds one query; further ones are run by themselves",
        "한 번에 쿼리 하나만 쓸 수 있습니다. 나머지는 따로 실행하세요",
    ),
    "help-join-conditions": (
        "conditions are joined with and or or",
        "조건은 and나 or로 이어야 합니다",
    ),
    "help-path": ("a key of a map is written {form}", "맵의 키는 {form}(으)로 씁니다"),
    "help-lower-case": ('keywords are lower case: "{word}"', '키워드는 소문자로 씁니다: "{word}"'),
    "help-double-quotes": ('text stands in double quotes: "..."', '문자열은 큰따옴표로 묶습니다: "..."'),
    "help-text-or-name": (
        'text stands in double quotes: "{words}"; a name with blanks is written field("{words}")',
        '문자열은 큰따옴표로 묶고("{words}") 공백이 있는 이름은 field("{words}")(으)로 씁니다',
    ),
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


def message(name: str, /, lang: str | None = None, **facts: object) -> str:
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
