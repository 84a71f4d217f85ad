"""Pieces of expressions as a regular expression sees them, for the shapes of other languages' operators."""

from __future__ import annotations

import re

_QUOTED = r'"(?:[^"\\]|\\.)*"' + r"|'[^']*'"
#: What stands in parentheses, which nest three deep.
NESTED = rf"\((?:[^()\"']|{_QUOTED}|\((?:[^()\"']|{_QUOTED}|\([^()]*\))*\))*\)"
#: Words that join and end operands, and are none themselves.
_JOINS = "and|or|not|is|in|like|between|when|then|else|end|as|by|case|from|if|xor|has|contains"
#: A call, a text, what stands in parentheses, a number, a name. Calls and parentheses nest three deep.
OPERAND = rf"(?:(?!(?:{_JOINS})\b)[^\W\d][\w.@]*(?:\s?{NESTED})?|{_QUOTED}|{NESTED}|-?\d[\w.]*)"
#: Operands between operators of this language.
EXPRESSION = rf"(?:{OPERAND}(?:\s*(?:==|!=|[<>]=?|\+|\*|/|-|\band\b|\bor\b)\s*{OPERAND})*)"
#: A list in parentheses or brackets.
LIST = rf"(?:{NESTED}|\[[^\[\]]*\])"
_PIECE = re.compile(r"(?<!\?P)<(?:([abc])(\*?)|list)>")


def shape(written: str) -> re.Pattern[str]:
    """A shape: ``<a>`` is an operand, ``<a*>`` an expression, ``<list>`` a list, a blank any white space."""

    def piece(found: re.Match[str]) -> str:
        if found[1] is None:
            return f"(?P<list>{LIST})"
        return f"(?P<{found[1]}>{EXPRESSION if found[2] else OPERAND})"

    return re.compile(_PIECE.sub(piece, written.replace(" ", r"\s+")), re.IGNORECASE)


def text_of(written: str) -> str | None:
    """What stands between the quotes of a text, whichever they are; None where it is no text."""
    return written[1:-1] if len(written) > 1 and written[0] in "\"'" and written[-1] == written[0] else None


def quoted(inner: str) -> str:
    return f'"{inner}"'


def here(written: str) -> str:
    """An operand as it is written here: ``'x'`` in double quotes, words in small letters."""
    inner = text_of(written)
    if inner is not None:
        return quoted(inner)
    return re.sub(r"\b(AND|OR)\b", lambda found: found[0].lower(), written)


def items(written: str) -> list[str]:
    """The items of a list in parentheses or brackets."""
    return [here(found[0].strip()) for found in re.finditer(rf"{_QUOTED}|[^,\s][^,]*", written[1:-1])]


def bare(written: str) -> str:
    """An expression without parentheses that stand around the whole of it."""
    written = written.strip()
    return written[1:-1].strip() if re.fullmatch(r"\([^()]*\)", written) else written
