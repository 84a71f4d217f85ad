"""What a user reads of a declaration is there in English and Korean: summaries, notes, options, chapters.

Sentences of the catalogue are held by ``test_sentences.py``; the long text of a manual page is English.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

import logsql
from bench import house
from logsql.commands.parse.logs.base import PARSERS
from logsql.diagnostics.messages import LANGUAGE
from logsql.planner.function_spec import FAMILIES, RETURNS
from logsql.planner.spec import COMMANDS, Group
from logsql.registry import AGGREGATES, FUNCTIONS
from logsql.render import FORMATS
from logsql.render.safe import width
from logsql.shell.catalog import SessionCatalog
from logsql.shell.manual import WIDTH, command_list, function_list, page
from logsql.shell.ml_commands import COMMANDS as ML
from tests.house.test_sentences import ANOTHER_FORM, PROSE, sources

HANGUL = re.compile("[\uac00-\ud7a3]")
#: Facts of an English sentence that the Korean one has too: numbers, formats, names of files and hives.
FACT = re.compile(r"\b[A-Z]{2,}\b|\$\w+|\b\w+\.(?:DAT|dat|hve)\b|\d+")


def told() -> Iterator[tuple[str, object]]:
    """Every sentence of a declaration with the place where it stands."""
    yield from ((f"chapter {group.name}", group.value) for group in Group)
    yield from ((f"format {row.name}", row.summary) for row in FORMATS.values())
    for spec in COMMANDS.values():
        yield from ((f"option {spec.name} {option.name}=", option.help) for option in spec.options)
    yield from ((f"ml command {row.name}", row.summary) for row in ML)
    yield from ((f"family {name}", pair) for name, pair in FAMILIES.items())
    yield from ((f"result {name}", pair) for name, pair in RETURNS.items())
    rows = {"command": COMMANDS, "function": FUNCTIONS, "aggregate": AGGREGATES, "parser": PARSERS}
    for kind, registry in rows.items():
        for row in registry.values():
            yield f"{kind} {row.name}", row.summary
            yield from ((f"note {number} of {kind} {row.name}", note) for number, note in enumerate(row.notes))


TOLD = dict(told())


@pytest.fixture
def korean() -> Iterator[None]:
    token = LANGUAGE.set("ko")
    yield
    LANGUAGE.reset(token)


def fault(pair: object) -> str | None:
    """What is wrong with the two sentences of a declaration."""
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
        return "no pair of sentences"
    english, said = pair
    if HANGUL.search(english):
        return "the English one is Korean"
    if not HANGUL.search(said) and re.search("[a-z]{3} [a-z]{3}", english):
        return "the Korean one is not Korean"
    if english.endswith(".") != said.endswith("."):
        return "one ends in a full stop"
    if any(fact not in said for fact in FACT.findall(english)):
        return "a fact is missing"
    return "a particle in another form" if ANOTHER_FORM.search(said) else None


def test_every_declaration_is_told_in_both_languages() -> None:
    """A new command without Korean stops here, and in mypy: a summary is a pair and has no default."""
    assert len(TOLD) > 300
    assert {where: (wrong, pair) for where, pair in TOLD.items() if (wrong := fault(pair))} == {}


@pytest.mark.parametrize(
    ("pair", "wrong"),
    [
        ("Read tables.", "no pair of sentences"),
        (("Read tables.", "Read tables."), "the Korean one is not Korean"),
        (("테이블을 읽습니다.", "테이블을 읽습니다."), "the English one is Korean"),
        (("Read tables.", "테이블을 읽습니다"), "one ends in a full stop"),
        (("Read 2 CSV files.", "CSV 파일을 읽습니다."), "a fact is missing"),
        (("Read tables.", "테이블를(을) 읽습니다."), "a particle in another form"),
        (("Read tables.", "테이블을 읽습니다."), None),
    ],
)
def test_a_sentence_that_one_language_lacks_is_found(pair: object, wrong: str | None) -> None:
    assert fault(pair) == wrong


def test_a_usage_is_a_form_of_syntax() -> None:
    """It is printed in both languages as it stands, so no words of a sentence belong there."""
    forms = {usage.removeprefix(spec.name) for spec in COMMANDS.values() for usage in spec.usage}
    assert [form for form in forms if PROSE.search(re.sub(r'"[^"]*"', "", form))] == []


def test_what_a_function_returns_is_a_type_or_told() -> None:
    """`list of string` is English; `string` and `int (epoch: long)` are names of types."""
    returned = {row.returns for row in [*FUNCTIONS.values(), *AGGREGATES.values()]}
    assert set(RETURNS) <= returned
    assert {row.family for row in FUNCTIONS.values()} == set(FAMILIES) - {"aggregates"}
    types = {"string", "int", "long", "double", "bool", "date", "ip", "list", "map", "binary", "epoch"}
    assert {word for kind in returned - set(RETURNS) for word in re.findall(r"\w+", kind)} <= types


#: What prints: these rooms hold no sentence of their own, and hand none over.
PRINTING = ("cli.py", "shell", "conversation", "render", "engine", "jobs")
#: A value that no date of Python holds, as ``Result`` gives it.
VALUES = {"logsql/engine/result.py: {} seconds since 1970"}


def spoken(path: str, node: ast.AST) -> Iterator[str]:
    """English that is put together in a text, or handed to a writer, in place of a row of the catalogue."""
    texts: list[str] = []
    if isinstance(node, ast.JoinedStr):
        texts = ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in WRITERS:
        texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    yield from (f"{path}: {text}" for text in texts if PROSE.search(text) and not HANGUL.search(text))


WRITERS = {"out", "err", "say", "ask", "write", "print", "append"}


def test_what_prints_holds_no_english() -> None:
    found = set()
    for path, tree in sources():
        if path.removeprefix("logsql/").partition("/")[0] in PRINTING:
            raised = {id(part) for node in house.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
            found |= {said for node in house.walk(tree) if id(node) not in raised for said in spoken(path, node)}
    assert found == VALUES


def test_english_in_a_writer_is_found() -> None:
    tree = ast.parse('shell.out("nothing was found")\nname = f"{count} rows were read"\nshell.out("added")')
    assert [said for node in ast.walk(tree) for said in spoken("x", node)] == [
        "x: nothing was found",
        "x: {} rows were read",
    ]


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("listed", [command_list, function_list])
def test_lists_are_korean(listed: Callable[[], str]) -> None:
    lines = listed().splitlines()
    printed = " ".join(" ".join(lines).split())
    assert [row.summary[0] for row in (*COMMANDS.values(), *FUNCTIONS.values()) if row.summary[0] in printed] == []
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles
    assert [title for title in titles if not HANGUL.search(title)] == []
    assert [line for line in lines if width(line) > WIDTH and " " in line.strip()] == []


@pytest.mark.usefixtures("korean")
def test_the_page_of_every_name_begins_in_korean() -> None:
    mark = {True: "확장: ", False: ""}
    heads = [(name, f"{row.name} - {mark[row.extension]}{row.summary[1]}") for name, row in COMMANDS.items()]
    heads += [
        (name, f"{row.signature} - {mark[row.extension]}{row.summary[1]}")
        for name, row in (*FUNCTIONS.items(), *AGGREGATES.items())
    ]
    assert [head for name, head in heads if head not in page(name).splitlines()] == []


@pytest.mark.usefixtures("korean")
def test_completion_explains_in_korean() -> None:
    with logsql.connect() as session:
        catalog = SessionCatalog(session, {})
        asked = (
            catalog.commands,
            catalog.functions,
            catalog.aggregates,
            catalog.parsers,
            catalog.metas,
            catalog.ml_commands,
        )
        silent = {name: said for ask in asked for name, said in ask().items() if not HANGUL.search(said)}
    assert silent == {}


@pytest.mark.usefixtures("korean")
def test_explain_tells_its_headings_in_korean() -> None:
    with logsql.connect() as session:
        lines = session.explain('json "{a: 1}" | sort a').splitlines()
    heads = [line.partition(" ")[0] for line in lines if line in ("단계", "결과") or line.startswith("순서: ")]
    assert heads == ["단계", "결과", "순서:"]
    assert not {"stages", "result"} & set(lines)
