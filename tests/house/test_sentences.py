"""What the product says is a row of the catalogue, in English and Korean: no sentence stands where an error is made."""

from __future__ import annotations

import ast
import importlib
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import house
from docs.reference import errors_page
from logsql.diagnostics.codes import CODES, SENTENCES, Sentence
from logsql.diagnostics.messages import ENGLISH_ONLY, FORMS, TEXTS
from logsql.registry import COMMANDS
from logsql.shell.errorpages import entries, find
from tests.support import ROOT

#: What makes an error: its arguments come from the catalogue.
MAKERS = re.compile(
    r"_?fail|note|remark|error|error_at|missing|diagnostic|Diagnostic|(Query|Run|Source|Policy|Usage|Ml)Error|Interrupted"
)
#: Two words of prose beside each other.
PROSE = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b(?!=)")


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "logsql").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), house.parsed(path)


def bound_texts(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """Values given to each plain name in a tree."""
    found: dict[str, list[ast.expr]] = {}
    for node in house.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                found.setdefault(target.id, []).append(node.value)
    return found


def literal_text(node: ast.expr, names: dict[str, list[ast.expr]], seen: frozenset[str] = frozenset()) -> str | None:
    """The literal parts of a text that is written in place (through names and both sides of a choice), else None."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    parts: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.Tuple | ast.List):
        parts = node.elts
    elif isinstance(node, ast.Starred):
        parts = [node.value]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join"):
        parts = [node.func.value] if node.func.attr == "format" else []
    elif isinstance(node, ast.Name) and node.id not in seen:
        parts, seen = names.get(node.id, []), seen | {node.id}
    texts = [text for part in parts if (text := literal_text(part, names, seen)) is not None]
    return " ".join(texts) if texts else None


def offends(call: ast.Call, names: dict[str, list[ast.expr]]) -> bool:
    """Whether an error is made of a text in place: any in its arguments, help and notes; prose in its facts."""
    for argument in call.args:
        if literal_text(argument, names):
            return True
    for keyword in call.keywords:
        text = literal_text(keyword.value, names)
        if text and (keyword.arg in ("help", "notes", "message", "key", None) or PROSE.search(text)):
            return True
    return False


def offences() -> dict[str, list[int]]:
    """Lines of the calls that hold their sentence, by file."""
    found: dict[str, list[int]] = {}
    for path, tree in sources():
        module = bound_texts(ast.Module([n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign)], []))
        functions = [n for n in house.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        lines: set[int] = set()
        for scope in [tree, *functions]:
            names = module | bound_texts(scope) if scope is not tree else module
            for node in house.walk(scope):
                if isinstance(node, ast.Call) and makes_error(node) and offends(node, names):
                    lines.add(node.lineno)
        if lines:
            found[path] = sorted(lines)
    return found


def makes_error(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return MAKERS.fullmatch(name) is not None


def test_no_error_holds_its_sentence() -> None:
    found = offences()
    assert not found, "make a row of the catalogue (logsql/diagnostics/codes.py tells how) and raise that"


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_say_the_same() -> None:
    load_all()
    for text in TEXTS:
        assert places(text.en) - ENGLISH_ONLY == places(text.ko), text


def test_korean_is_korean() -> None:
    load_all()
    for text in TEXTS:
        prose = re.sub(r"\{[^}]*\}", "", text.ko)
        assert not re.search(r"[A-Za-z]{3}", prose) or re.search("[\uac00-\ud7a3]", prose), text


#: A particle that depends on the last sound of the word before it, behind a word that is filled in.
PARTICLE = re.compile(
    r"\{\w+(?:![rs])?(?::[^}]*)?\}(?:\(\))?[\"')\]]*(을|를|이|가|은|는|과|와|로|으로|라는|이라는|라고|이나|나)(?![가-힣(])"
)
#: The other orders and halves of the one form: 을(를), 이(가), 은(는), 과(와), (으)로, (이)라는.
ANOTHER_FORM = re.compile(
    r"\(을\)를|를\(을\)|가\(이\)|\(이\)가|는\(은\)|\(은\)는|와\(과\)|\(과\)와|로\(으로\)|으로\(로\)"
)


def test_particles_behind_words_that_are_filled_in_have_one_form() -> None:
    """`max이` or `max가` depends on how the word is read, so both stand there: `max()이(가)`."""
    load_all()
    assert [text.ko for text in TEXTS if PARTICLE.search(text.ko) or ANOTHER_FORM.search(text.ko)] == []


def test_a_bare_particle_is_found() -> None:
    for korean in ("{value}은 없음", '"{text}"로 쓰세요', "{f}()를", "{name!r}이라는 이름", "{n:,}과"):
        assert PARTICLE.search(korean), korean
    for korean in ("{value}은(는)", "{better}(으)로", "{kind}이므로", "{f}()의 이 자리", "{a}만"):
        assert not PARTICLE.search(korean), korean


def test_every_option_is_told_in_both_languages() -> None:
    """They were English only, on Korean pages too."""
    options = [(spec.name, option) for spec in COMMANDS.values() for option in spec.options]
    assert options
    for command, option in options:
        english, korean = option.help
        assert not re.search("[\uac00-\ud7a3]", english), (command, option.name)
        assert re.search("[\uac00-\ud7a3]", korean), (command, option.name)
        assert re.findall(r"\{[^}]*\}|\d+", english) == re.findall(r"\{[^}]*\}|\d+", korean), (command, option.name)


def test_a_form_of_syntax_is_no_sentence() -> None:
    load_all()
    for form in FORMS:
        assert not PROSE.search(re.sub(r'"[^"]*"', "", form.en)), f"{form.en}: a sentence, give both languages"


def test_every_code_is_on_the_page() -> None:
    page = errors_page()
    for code, row in CODES.items():
        assert f"## {code}\n" in page
        assert row.meaning.shown("en") in page
        assert row.meaning.shown("ko") in page


def test_every_listed_row_is_the_row_of_its_code() -> None:
    listed = [row for spec in COMMANDS.values() for row in spec.errors]
    assert not [row for row in listed if CODES[row.code].text != row.text]


def test_help_finds_a_code_in_both_cases() -> None:
    assert find("e0003") == find("E0003")
    assert [entry.code for entry in entries()] == [code for e in entries() for code in {f.code for f in find(e.code)}]


def test_help_finds_every_code_in_a_fresh_process() -> None:
    """``logsql help N1101`` found nothing: its row stands beside the rule, which no query had loaded yet."""
    made = {
        code
        for path in (ROOT / "logsql").rglob("*.py")
        for code in re.findall(r'\bdefine\(\s*"([A-Z]?\d+)"', path.read_text(encoding="utf-8"))
    }
    code = "from logsql.shell.errorpages import entries; print(*(e.code for e in entries()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(made) > 200
    assert made <= set(done.stdout.split())


def test_every_row_is_raised_or_listed() -> None:
    """A sentence that no module holds under a name is printed by nothing."""
    held = {id(value) for path, _ in sources() for value in vars(module_of(path)).values()}
    spare = [s for said in SENTENCES.values() for s in said if id(s) not in held]
    assert not spare


def load_all() -> None:
    """Import every file of the product, so that every text is made."""
    for path, _ in sources():
        module_of(path)


def module_of(path: str) -> object:
    return importlib.import_module(Path(path).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))


def test_a_call_gives_every_fact_of_its_sentence() -> None:
    """Where the row is a name of the module, the keywords of the call are the places of its texts."""
    wrong = []
    for path, tree in sources():
        names = vars(module_of(path))
        for node in house.walk(tree):
            if not (isinstance(node, ast.Call) and makes_error(node) and node.args):
                continue
            row = names.get(node.args[0].id) if isinstance(node.args[0], ast.Name) else None
            if not isinstance(row, Sentence) or any(keyword.arg is None for keyword in node.keywords):
                continue
            given = {str(keyword.arg) for keyword in node.keywords} - {"help", "notes", "covers"}
            own_help = any(keyword.arg == "help" for keyword in node.keywords)
            wanted = (
                places(row.text.en) | places(row.name) | (places(row.help.en) if row.help and not own_help else set())
            )
            if given != wanted:
                wrong.append(f"{path}:{node.lineno} gives {sorted(given)}, {row.code} wants {sorted(wanted)}")
    assert not wrong
