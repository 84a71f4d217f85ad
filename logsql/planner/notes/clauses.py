"""Clauses of other languages behind the new name of a result: ``stats count as n where a > 1``."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import define, text
from logsql.language.tree import Aggregate, Span
from logsql.planner.function_spec import AGGREGATES
from logsql.planner.notes.fields import Say

CLAUSE_IN_NAME = define(
    "N1108",
    "clause-in-name",
    (
        "a clause behind a name (the new one of a result, a key) is read as part of that name",
        "이름(결과의 새 이름이나 키) 뒤에 쓴 절을 이름의 일부로 읽습니다",
    ),
    (
        "{text} is read as one name: {word} says nothing here",
        "{text} 전체를 이름으로 읽습니다: {word}은(는) 뜻이 없습니다",
    ),
)
SEARCH_BEFORE = text(
    "search the rows before: search {rest} | {command} ... as {name}",
    "앞에서 행을 거르세요: search {rest} | {command} ... as {name}",
)
SEARCH_BEHIND = text(
    "search the result behind: {command} ... as {name} | search {rest}",
    "결과를 뒤에서 거르세요: {command} ... as {name} | search {rest}",
)
COMMAND_BEHIND = text("a command of its own: | {word} {rest}", "명령을 따로 쓰세요: | {word} {rest}")
KEYS_BEHIND = text("leave out {word}: as {name} by ...", "{word}을(를) 빼세요: as {name} by ...")
COMMA = text(
    "aggregates are separated by commas: {command} ... as {name}, {rest}",
    "집계 함수는 쉼표로 나눕니다: {command} ... as {name}, {rest}",
)
#: A further aggregate behind the new name of one: ``sum(a) as s avg(a) as m``.
_FURTHER = re.compile(r"(?P<name>\w+)\s+(?P<call>(?P<word>\w+)\([^()]*\).*)", re.DOTALL)
_CLAUSE = re.compile(
    r"(?P<name>\w+)\s+(?P<word>where|filter|if|when|having|search|sort|limit)\s+(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
#: What stands before ``by``, which begins the keys.
_BEFORE_BY = re.compile(r"(?P<name>\w+)\s+(?P<word>group|order)(?P<rest>)", re.IGNORECASE)


#: The same behind a key or a field: ``by owner limit 3``.
_BEHIND_KEY = re.compile(
    r"(?P<name>[\w.-]+)\s+(?P<word>limit|head|top|sort|order by|having|where)\s+(?P<rest>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
#: Words of other languages, and the command that does it here.
_HERE = {"head": "limit", "top": "limit", "order": "sort", "order by": "sort", "having": "search", "where": "search"}
#: Clauses behind the new name of a result that are more than a command of their own behind it.
_SAID = {
    **dict.fromkeys(("where", "filter", "if", "when"), SEARCH_BEFORE),
    **dict.fromkeys(("having", "search"), SEARCH_BEHIND),
    "group": KEYS_BEHIND,
}


def tell_key(note: Say, span: Span, text: str) -> bool:
    """Look at a name of a field that no row has; whether a clause stands behind the name."""
    found = _BEHIND_KEY.fullmatch(text)
    if found is None:
        return False
    word = found["word"].lower()
    help = COMMAND_BEHIND.fill(word=_HERE.get(word, word), rest=found["rest"])
    note(CLAUSE_IN_NAME, span, help=help, text=text, word=word)
    return True


def tell_output(note: Say, command: str, aggregate: Aggregate) -> None:
    """Look at the name that ``as`` gives to the result of an aggregate."""
    text = aggregate.output.text if aggregate.aliased else ""
    further = _FURTHER.fullmatch(text)
    if further is not None and further["word"] in AGGREGATES:
        facts = {"command": command, "name": further["name"], "rest": further["call"]}
        note(CLAUSE_IN_NAME, aggregate.output.span, help=COMMA.fill(**facts), text=text, word=further["call"])
        return
    found = _CLAUSE.fullmatch(text) or _BEFORE_BY.fullmatch(text)
    if found is None:
        return
    word = found["word"].lower()
    facts = {"command": command, "name": found["name"], "rest": found["rest"] or "...", "word": word}
    said = _SAID.get(word, COMMAND_BEHIND)
    help = said.fill(**{**facts, "word": _HERE.get(word, word)} if said is COMMAND_BEHIND else facts)
    note(CLAUSE_IN_NAME, aggregate.output.span, help=help, text=text, word=word)
