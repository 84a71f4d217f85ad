"""Query text to commands and tokens (sections 1.1 to 1.5 of the language document)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import NaiveError

_DASH = set("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_QUOTE = set("\u201c\u201d\u201e\u201f\u00ab\u00bb\u3003\u301d\u301e")
_OTHER = {"\u2223": "|", "\u2758": "|", "\u2264": "<=", "\u2265": ">=", "\u200b": " ", "\u2060": " ", "\ufeff": " "}


def normalise(query: str) -> str:
    """Typographic look-alikes outside string literals become the characters they stand for."""
    out: list[str] = []
    inside = False
    i = 0
    while i < len(query):
        c = query[i]
        if inside and c == "\\" and i + 1 < len(query):
            out.append(query[i : i + 2])
            i += 2
            continue
        if c == '"':
            inside = not inside
        elif not inside:
            c = "-" if c in _DASH else '"' if c in _QUOTE else _OTHER.get(c, c)
            inside = c == '"'
        out.append(c)
        i += 1
    return "".join(out)


def _find_pipe(text: str, start: int, quotes: bool) -> tuple[int, bool]:
    """Index of the next top-level pipe (or the end), and whether quotes were balanced there."""
    depth = 0
    inside = False
    i = start
    while i < len(text):
        c = text[i]
        if c == "\\" and inside:
            i += 2
            continue
        if c == '"' and quotes:
            inside = not inside
        elif not inside:
            if c == "[":
                depth += 1
            elif c == "]":
                depth -= 1
                if depth < 0 and quotes:
                    raise NaiveError("90204", "sqbracket-mismatch", text)
            elif c == "|" and depth <= 0:
                return i, True
        i += 1
    if depth > 0 and quotes and not inside:
        raise NaiveError("90204", "sqbracket-mismatch", text)
    return len(text), not inside


def split_commands(query: str) -> list[str]:
    """Commands of a query, comments removed; blank commands are error 90003."""
    commands: list[str] = []
    pos = 0
    while True:
        start = pos
        while start < len(query) and query[start].isspace():
            start += 1
        if query.startswith("#", start) and (start + 1 == len(query) or query[start + 1].isspace()):
            end, balanced = _find_pipe(query, start, True)
            if not balanced:
                end, _ = _find_pipe(query, start, False)
        else:
            end, balanced = _find_pipe(query, pos, True)
            if not balanced:
                raise NaiveError("90203", "quote-mismatch", query[pos:])
            command = query[pos:end].strip()
            if not command:
                raise NaiveError("90003", "empty-command", query)
            commands.append(command)
        if end >= len(query):
            break
        pos = end + 1
    if not commands:
        raise NaiveError("90003", "empty-command", query)
    return commands


def take_subquery(args: str) -> tuple[str, str]:
    """(text before the bracket, text inside); no bracket is ``no-subquery``."""
    depth = 0
    start = -1
    inside = False
    i = 0
    while i < len(args):
        c = args[i]
        if c == "\\" and inside:
            i += 2
            continue
        if c == '"':
            inside = not inside
        elif not inside and c == "[":
            start = i if depth == 0 and start < 0 else start
            depth += 1
        elif not inside and c == "]":
            depth -= 1
            if depth == 0:
                if args[i + 1 :].strip():
                    raise NaiveError("90201", "remain-terms", args)
                return args[:start].strip(), args[start + 1 : i]
        i += 1
    raise NaiveError("90206", "no-subquery", args)


_OPTION = re.compile(r"([A-Za-z_][\w.-]*)(\s*)=(?!=)(\s*)")
_UNESCAPE = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r"}


def take_options(args: str, allowed: tuple[str, ...], command: str) -> tuple[dict[str, str], str]:
    """Leading ``key=value`` options as raw text (a ``$(...)`` value keeps its text), and what follows them."""
    options: dict[str, str] = {}
    pos = 0
    while True:
        while pos < len(args) and args[pos].isspace():
            pos += 1
        m = _OPTION.match(args, pos)
        if m is None:
            return options, args[pos:].strip()
        if m[2] or m[3]:
            raise NaiveError("90000", "option-space-not-allowed", f"{command}: {m[1]}")
        if m[1] not in allowed:
            raise NaiveError("90001", "invalid-option", f'option "{m[1]}" is not supported by {command}')
        options[m[1]], pos = _option_value(args, m.end())


def _option_value(args: str, pos: int) -> tuple[str, int]:
    if args.startswith('"', pos):
        out: list[str] = []
        i = pos + 1
        while i < len(args):
            c = args[i]
            if c == "\\" and args[i + 1 : i + 2] in _UNESCAPE:
                out.append(_UNESCAPE[args[i + 1]])
                i += 2
                continue
            if c == '"':
                return "".join(out), i + 1
            out.append(c)
            i += 1
        raise NaiveError("90002", "string-quote-mismatch", args)
    if args.startswith("$(", pos):
        end = args.index(")", pos) + 1
        return args[pos:end], end
    end = pos
    while end < len(args) and not args[end].isspace():
        end += 1
    return args[pos:end], end


def is_true(options: dict[str, str], key: str) -> bool:
    return options.get(key, "f").lower() in ("t", "true")


@dataclass(frozen=True)
class Tok:
    """Expression token: kind ``str``, ``word``, ``op`` or ``end``; ``start`` is its place in the text."""

    kind: str
    value: str
    start: int


_OPS = ("==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ",", "=")
_STOP = set('"()[],=+-*/<>')


def tokenize(source: str) -> list[Tok]:
    """Tokens of an expression (section 1.4)."""
    out: list[Tok] = []
    i = 0
    while i < len(source):
        c = source[i]
        if c.isspace():
            i += 1
            continue
        if c == '"':
            value, end = _string(source, i)
            out.append(Tok("str", value, i))
            i = end
            continue
        op = next((o for o in _OPS if source.startswith(o, i)), None)
        if op is not None:
            out.append(Tok("op", op, i))
            i += len(op)
            continue
        end = i
        while end < len(source) and not source[end].isspace() and source[end] not in _STOP:
            if source.startswith("!=", end):
                break
            end += 1
        if end == i:
            raise NaiveError("90201", "remain-terms", source)
        out.append(Tok("word", source[i:end], i))
        i = end
    out.append(Tok("end", "", len(source)))
    return out


def _string(source: str, start: int) -> tuple[str, int]:
    out: list[str] = []
    i = start + 1
    while i < len(source):
        c = source[i]
        if c == '"':
            return "".join(out), i + 1
        if c == "\\":
            e = source[i + 1 : i + 2]
            if e not in _UNESCAPE or not e:
                raise NaiveError("90205", "invalid-escape-sequence", source)
            out.append(_UNESCAPE[e])
            i += 2
            continue
        out.append(" " if c in "\r\n" else c)
        i += 1
    raise NaiveError("90203", "quote-mismatch", source)
