"""How the operators and clauses of other languages are written here: each makes the form of a text of its shape."""

from __future__ import annotations

import re

from logsql.diagnostics.bridges.shapes import EXPRESSION, NESTED, bare, here, items, quoted, text_of
from logsql.diagnostics.bridges.units import cast, moved


def like_text(found: re.Match[str]) -> str | None:
    """``a like "x%"`` is ``a == "x*"``; a ``_`` stands for one character, which only a regular expression has."""
    field, pattern = found["a"], text_of(found["b"])
    if pattern is None:
        return None
    no = bool(found["no"])
    if found["word"].lower() == "ilike":
        field, pattern = f"lower({field})", pattern.lower()
    if "_" not in pattern:
        return f"{field} {'!=' if no else '=='} {quoted(pattern.replace('%', '*'))}"
    regex = re.sub(r"[.+*?()\[\]{}^$|]", lambda mark: rf"\\{mark[0]}", pattern).replace("%", ".*").replace("_", ".")
    return f"not(match({field}, {quoted(f'^{regex}$')}))" if no else f"match({field}, {quoted(f'^{regex}$')})"


def matches(found: re.Match[str]) -> str:
    """``a =~ "x"`` and ``a matches regex "x"``; ``/x/i`` is a regular expression with a flag."""
    regex = found["b"]
    slashes = re.fullmatch(r"/(.*)/(\w*)", text_of(regex) or regex)
    inner = slashes[1].replace("\\", "\\\\") if slashes else (text_of(regex) or regex)
    flag = "(?i)" if slashes and "i" in slashes[2] else ""
    call = f"match({found['a']}, {quoted(flag + inner)})"
    no = found["no"] or found["word"].startswith("!")
    return f"not({call})" if no else call


#: Words of KQL that look for a text in another -> (before, behind) in a pattern.
PART_WORDS = {
    "contains": ("*", "*"),
    "has": ("*", "*"),
    "startswith": ("", "*"),
    "hasprefix": ("", "*"),
    "endswith": ("*", ""),
    "hassuffix": ("*", ""),
}


def part(found: re.Match[str]) -> str | None:
    """``a contains "X"``: KQL ignores letter case, unless the word ends in ``_cs``."""
    part = text_of(found["b"])
    before, behind = PART_WORDS[found["word"].lower()]
    if part is None:
        return f"contains({found['a']}, {found['b']})" if (before, behind) == ("*", "*") and not found["no"] else None
    field = found["a"]
    if not found["cs"] and part.lower() != part.upper():
        field, part = f"lower({field})", part.lower()
    if found["word"].lower() == "contains":
        return f"{'not(' * bool(found['no'])}contains({field}, {quoted(part)}){')' * bool(found['no'])}"
    return f"{field} {'!=' if found['no'] else '=='} {quoted(before + part + behind)}"


def any_of(found: re.Match[str]) -> str:
    field, words = found["a"], [text_of(item) or item for item in items(found["list"])]
    tests = [f"lower({field}) == {quoted(f'*{word.lower()}*')}" for word in words]
    return (" and " if found["word"].lower() == "has_all" else " or ").join(tests)


def in_list(found: re.Match[str]) -> str | None:
    """``x in ("a", "b")``; a range is a comparison of both ends, and of rows elsewhere the join finds the key."""
    if found["list"][1:].lstrip().lower().startswith(("table ", "select ")):
        return f"join {found['a']} [ QUERY ]"
    if ends := re.fullmatch(r"[(\[]\s*(-?[\d.]*\d)\s*(?:\.\.|to)\s*(-?\d[\d.]*)\s*[)\]]", found["list"]):
        both = f"{found['a']} >= {ends[1]} and {found['a']} <= {ends[2]}"
        return f"not({both})" if found["no"] else both
    call = f"in({', '.join((found['a'], *items(found['list'])))})"
    return f"not({call})" if found["no"] else call


def between(found: re.Match[str]) -> str:
    field, low, high = found["a"], here(found["b"]), here(found["c"])
    both = f"{field} >= {low} and {field} <= {high}"
    return f"not({both})" if found["no"] else both


def case_of(found: re.Match[str]) -> str | None:
    """``case when c then a [when ...] else b end`` and ``case x when 1 then a end``."""
    of, rest = found["of"].strip(), found["rest"]
    parts = re.split(r"\bwhen\b|\bthen\b|\belse\b", rest, flags=re.IGNORECASE)
    values = [condition(part) for part in parts if part.strip()]
    if of:
        odd = len(values) % 2
        pairs = values[: len(values) - odd]
        values = [f"{of} == {v}" if at % 2 == 0 else v for at, v in enumerate(pairs)] + values[len(pairs) :]
    return f"case({', '.join(values)})" if len(values) > 1 else None


def condition(written: str) -> str:
    """A condition or value of another language as far as its operators differ: ``=``, ``<>``, ``AND``, ``'x'``."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*"|\'[^\']*\')', written.strip())
    for at, piece in enumerate(pieces):
        if at % 2:
            pieces[at] = here(piece)
            continue
        piece = re.sub(r"(?<![=!<>])=(?![=~])", " == ", piece)
        piece = piece.replace("<>", "!=").replace("&&", "and")
        pieces[at] = re.sub(r"\b(AND|OR)\b", lambda word: word[0].lower(), piece)
    return re.sub(r"\s*==\s*", " == ", "".join(pieces)).strip()


def choice(found: re.Match[str]) -> str:
    return f"if({condition(bare(found['a']))}, {here(found['b'])}, {here(found['c'])})"


def choices(found: re.Match[str]) -> str:
    """``c ? a : d ? b : e``, which nests to the right."""
    parts = [condition(bare(part)) for part in re.findall(EXPRESSION, found[0], re.IGNORECASE)]
    made = parts[-1]
    for at in range(len(parts) - 3, -1, -2):
        made = f"if({parts[at]}, {parts[at + 1]}, {made})"
    return made


def raw_text(found: re.Match[str]) -> str:
    return found["b"].replace("\\", "\\\\")


def cast_as(found: re.Match[str]) -> str | None:
    return cast(here(found["a"]), found["kind"])


#: What joins texts: ``..``, and a point that is not part of a name.
JOIN = r"(?:\s*\.\.\s*|\s+\.\s*|(?<=[\"'])\.\s*|\.(?=[\"']))"
JOINED = rf"(?:\"[^\"]*\"|'[^']*'|[^\W\d]\w*(?:\.\w+)*(?:{NESTED})?)"


def concat(found: re.Match[str]) -> str:
    return f"concat({', '.join(here(part) for part in re.findall(JOINED, found[0]))})"


_COMPARES = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "=>": ">=", "=<": "<="}


def compares(found: re.Match[str]) -> str:
    return f"{found['a']} {_COMPARES[found['word'].lower()]} {here(found['b'])}"


def interval(found: re.Match[str]) -> str | None:
    return moved(found["a"], found["sign"], found["amount"], found["unit"])


def shifted(found: re.Match[str]) -> str:
    if found["op"] == "<<":
        return f"{found['a']} * pow(2, {found['b']})"
    return f"floor({found['a']} / pow(2, {found['b']}))"


def bits(found: re.Match[str]) -> str | None:
    mask = int(found["mask"])
    if mask < 1 or mask & (mask - 1):
        return None
    return f"mod({found['a']}, 2)" if mask == 1 else f"mod(floor({found['a']} / {mask}), 2)"


def negated(found: re.Match[str]) -> str:
    inner = bare(found["a"])
    if (looked := text_of(inner)) is not None:
        return f"not(line == {quoted(f'*{looked}*')})"
    return f"not({condition(inner)})"


def sliced(found: re.Match[str]) -> str:
    field, low, high = found["a"], found["low"] or "0", found["high"]
    stop = f", {high}" if high else ""
    return f"substr({field}, {low}{stop}), subarray({field}, {low}{stop})"


def map_of(found: re.Match[str]) -> str:
    pairs = re.findall(r"([\"']?)([\w.-]+)\1\s*:\s*([^,{}]+)", found["pairs"])
    return f"dict({', '.join(f'{quoted(key)}, {here(value.strip())}' for _, key, value in pairs)})"


def listed(found: re.Match[str]) -> str:
    return f"array({', '.join(items(found['list']))})"


def changed(found: re.Match[str]) -> str:
    name, sign, value = found["name"], found["sign"], here(found["rest"])
    if sign in (".", "||", "&"):
        return f"{name} = concat({name}, {value})"
    plain = re.fullmatch(r"[\w.]+|[^\W\d]\w*\([^()]*\)|\"[^\"]*\"", value) is not None
    return f"{name} = {name} {sign} {value if plain else f'({value})'}"


def odd_name(found: re.Match[str]) -> str:
    name = text_of(found["name"]) or found["name"]
    plain = re.sub(r"\W+", "_", name).strip("_") or "x"
    return f'{plain} = {found["rest"].strip()} | rename {plain} as "{name}"'


def filtered(found: re.Match[str]) -> str:
    """``count where c`` and ``sum(a) filter (where c)``: the rows in which the condition holds."""
    test, argument = condition(bare(found["a"])), (found["arg"] or "").strip()
    name = found["name"].lower()
    if argument in ("", "*"):
        return f"sum(if({test}, 1, 0))" if name in ("count", "c") else f"{name}(if({test}, x, null))"
    return f"{name}(if({test}, {argument}, null))"
