"""Lists of names as other tools write them: no commas, stars, the word of a join; and ways into maps."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from logsql.diagnostics.codes import define, syntax, text
from logsql.diagnostics.foreign import form_here
from logsql.diagnostics.messages import listed
from logsql.diagnostics.places import Place
from logsql.language.tree import Call, Command, Expr, Name, SortKey, canonical
from logsql.planner.duties import QUERY
from logsql.planner.notes import documents
from logsql.planner.notes.fields import UNKNOWN_FIELD, Say, absent
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec
from logsql.registry import FUNCTIONS

PATH_AS_NAME = define(
    "N1005",
    "path-as-name",
    (
        "a way into a map or list stands where a field is renamed, removed or put in its place: nothing happens",
        "필드 이름을 바꾸거나 빼거나 옮기는 자리에 맵이나 리스트 안을 가리키는 경로가 있어 아무 일도 하지 않습니다",
    ),
    (
        "{name} is a way into {root}, and {command} takes fields: it does nothing here",
        "{name}은(는) {root} 안을 가리키는 경로인데 {command}은(는) 필드만 받아 아무 일도 하지 않습니다",
    ),
    help=("make a field of it: eval {new} = {name}", "필드로 만드세요: eval {new} = {name}"),
)
SEVERAL_NAMES = define(
    "N1106",
    "several-names",
    ("several names stand where one field is read", "필드 하나의 자리에 이름이 여럿 있습니다"),
    ("{text} is read as the name of one field", "{text}을(를) 필드 하나의 이름으로 읽습니다"),
    help=syntax("{right}"),
)
NO_PATTERNS = text(
    "names are no patterns: write {fields}", "이름에는 패턴을 쓸 수 없습니다. 필드를 하나씩 쓰세요: {fields}"
)
ASSIGNED = text("compute it first: eval {text} | {command} {name}", "먼저 계산하세요: eval {text} | {command} {name}")
_COMPUTED = text(
    "compute it first: eval x = {form} | {command} ... x", "먼저 계산하세요: eval x = {form} | {command} ... x"
)
_SIGNED = re.compile(r"\s*(?P<sign>[+-]?)\s*(?P<name>[^\s+-]\S*)")
_COUNT = re.compile(r"(?P<count>[0-9]+)\s+(?P<rest>[+-]?\s*\S+)")
_JOINS = {"left": "left", "right": "right", "full": "full", "outer": "full", "inner": "inner", "cross": "cross"}
_SAME = re.compile(r"(?P<left>\S+)\s*==?\s*(?P<right>\S+)")


def takes_signs(spec: CommandSpec) -> bool:
    """Whether a sign may stand before a name: ``sort -a``."""
    return "[-]NAME" in spec.usage[0]


def takes_whole(spec: CommandSpec, command: Command) -> bool:
    """Whether names mean fields as such here: ``rename m.a as b``, ``fields - m.a``."""
    return any(argument.whole for argument in spec.arguments) or getattr(command.args, "remove", False) is True


def tell_path(note: Say, spec: CommandSpec, command: Command, rel: Rel, name: Name) -> None:
    """Look at a name that leads into a field: ``rename m.a as b``, ``fields - m.a``, ``by n.a`` of a number."""
    if rel.column(name.text) is not None:
        return
    if not takes_whole(spec, command):
        documents.path(note, rel, name.text, name.span)
        return
    root = re.split(r"[.\[]", name.text, maxsplit=1)[0]
    new = re.split(r"[.\]]", name.text.rstrip("]"))[-1]
    note(
        PATH_AS_NAME, name.span, name=name.text, root=root, command=command.name, new=new if new.isidentifier() else "x"
    )


def tell_list(note: Say, spec: CommandSpec, rel: Rel, key: SortKey) -> bool:
    """Look at a name that no row has; whether it was told that it is a list, a pattern or a word of another tool."""
    name = key.name.text
    sign = "-" if key.descending else ""
    right = _separated(spec, rel, name, sign) or _counted(spec, rel, name) or _joined(spec, rel, name)
    if right is not None:
        note(SEVERAL_NAMES, key.span, text=name, right=right)
        return True
    if "*" not in name or not re.fullmatch(r"[\w.*-]+", name):
        return False
    names = rel.names if rel.others is None else tuple(dict.fromkeys((*rel.names, *rel.others())))
    found = [known for known in names if fnmatchcase(known, name)]
    if found:
        note(UNKNOWN_FIELD, key.name.span, field=name, help=NO_PATTERNS.fill(fields=listed(found)))
    return bool(found)


def computed(expr: Expr, text: str, command: str) -> str:
    """The help of an expression where a name stands; of a call of another language (``by bin(_time, 1h)``) the form
    here."""
    foreign = isinstance(expr, Call) and expr.name not in FUNCTIONS
    form = form_here(expr.name, Place.FUNCTION) if foreign and isinstance(expr, Call) else None
    if form is not None and isinstance(expr, Call) and len(expr.args) == 2 and '(_time, "1h")' in form:
        by = re.fullmatch(r'"?(\d+[a-zA-Z]+)"?', canonical(expr.args[1]))
        if by is not None:  # bin(_time, 10m)
            form = form.replace('"1h"', f'"{by[1]}"')
    return _COMPUTED.fill(form=form or text, command=command)


def _separated(spec: CommandSpec, rel: Rel, name: str, sign: str) -> str | None:
    """``by a b`` and ``sort -a -b`` as they are written: with commas, or as commands of their own."""
    if name.endswith((" -", " +")) and not absent(rel, name[:-1].strip()):
        return f"{name[-1].replace('+', '')}{name[:-1].strip()}"
    pieces = list(_SIGNED.finditer(name))
    if len(pieces) < 2 or any(absent(rel, piece["name"]) for piece in pieces):
        return None
    if not takes_signs(spec) and any(piece["sign"] for piece in pieces):  # a - b is a difference there
        return None
    if "..." not in spec.usage[0]:  # one field: a command for each
        return " | ".join(f"{spec.name} {piece['name']}" for piece in pieces)
    return sign + ", ".join(f"{piece['sign']}{piece['name']}" for piece in pieces)


def _counted(spec: CommandSpec, rel: Rel, name: str) -> str | None:
    """Splunk's ``sort 10 -a``."""
    found = _COUNT.fullmatch(name)
    limited = takes_signs(spec) and any(option.name == "limit" for option in spec.options)
    if found is None or not limited or absent(rel, found["rest"].lstrip("+- ")):
        return None
    return f"{spec.name} limit={found['count']} {found['rest']}"


def _joined(spec: CommandSpec, rel: Rel, name: str) -> str | None:
    """``join left a`` and ``join a == a``, the kind and the condition of other languages."""
    if QUERY not in spec.arguments or not any(option.name == "type" for option in spec.options):
        return None
    kind, _, rest = name.partition(" ")
    if kind.lower() in _JOINS and rest and not absent(rel, rest.strip()):
        return f"{spec.name} type={_JOINS[kind.lower()]} {rest.strip()}"
    found = _SAME.fullmatch(name)
    if found is None or found["left"].rpartition(".")[2] != found["right"].rpartition(".")[2]:
        return None
    only = found["left"].rpartition(".")[2]
    return None if absent(rel, only) else f"{spec.name} {only}"
