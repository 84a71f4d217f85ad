"""Expressions (language.md 1.3, 1.4, 2): text to tree, with operator precedence, calls, lists and named arguments.

The parser keeps its own stacks, so that neither a chain of a thousand ``or`` nor deep parentheses can overflow the
Python stack; parentheses, calls and unary minus nest at most ``MAX_DEPTH`` levels (E0001), which later stages that do
recurse rely on. Errors: 90100 operand missing, 90201 terms left over, 90202 parentheses, 90203 and 90205 strings,
E0002 a character without meaning; each names the construct to use instead where one exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from logsql.diagnostics.codes import Code, Sentence
from logsql.diagnostics.foreign import foreign_operator, meant_construct
from logsql.diagnostics.language import (
    ARGUMENT_EXPECTED,
    BRACKET_NOT_OPENED,
    BROKEN,
    NO_EXPRESSION,
    OPERAND_EXPECTED,
    PAREN_NOT_CLOSED,
    PAREN_NOT_OPENED,
    QUOTE_MISMATCH,
    REMAIN_TERMS,
    SUBQUERY_IN_EXPRESSION,
    TOO_DEEP,
    UNEXPECTED_CHARACTER,
)
from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place
from logsql.language import slips
from logsql.language.lexer import TOKEN, classify, decode_string, odd_character
from logsql.language.source import Source, shown
from logsql.language.splitter import split
from logsql.language.tree import Binary, Call, Expr, Field, ListExpr, Literal, NamedArg, Unary

MAX_DEPTH = 200

_PRECEDENCE = {
    "*": 510,
    "/": 510,
    "+": 500,
    "-": 500,
    "<": 410,
    "<=": 410,
    ">": 410,
    ">=": 410,
    "==": 400,
    "!=": 400,
    "and": 310,
    "or": 300,
}
_UNARY = 520
_SPELLING = {"\u2264": "<=", "\u2265": ">="}
#: A word that may be the second half of a name, and further ones up to an operator, a comma or a parenthesis.
_PLAIN_WORD = re.compile(r"[^\W\d]\w*")
#: ``'Event ID'``.
_SINGLE_QUOTED = re.compile(rf"[{''.join(slips.QUOTES)}]([^'\"|\n]+)[{''.join(slips.QUOTES)}]")
_MORE_WORDS = re.compile(r"(?:[ \t]+(?!(?:and|or|not|in|is|like|between)\b)[^\W\d]\w*)*(?=\s*(?:[=!<>,)]|$))")
_ROOT = re.compile(r"([^\W\d][\w.]*)\s*$")
_KEY_BEHIND = re.compile(r"\s*(?:\[\s*[\"']|->{1,2}\s*'?)(\w+)")
#: ``1and``: the keyword stuck to a number, which makes it a field name.
_GLUED = re.compile(r"\A[0-9.]+(and|or)\Z")
_AFTER_KEYWORD = re.compile(r"(?=[\s(\[]|\Z)")


@dataclass(slots=True)
class _Term:
    """An operand with the buffer range it covers, parentheses included."""

    expr: Expr
    start: int
    end: int
    bare: bool = False  # a field name as written, not in parentheses


@dataclass(slots=True)
class _Operator:
    op: str
    precedence: int
    start: int
    end: int


@dataclass(slots=True)
class _Frame:
    """An open parenthesis: of a call when ``name`` is set."""

    at: int
    name: str | None
    name_start: int
    name_end: int
    terms: int  # heights of the two stacks when it was opened
    operators: int
    items: list[Expr | NamedArg] = field(default_factory=list)
    argument: tuple[str, int] | None = None  # the name of a named argument and where it starts


class ExpressionParser:
    """Reads one expression from ``pos``; afterwards ``pos`` stands behind it.

    It ends at the end of the text, at a top-level ``[`` or ``,``, or at a top-level word of ``stops`` (any case,
    surrounded by white space). ``on_equals(name, start, end)`` may raise a better error for a stray ``=``.
    ``place``: what the expression is, for the help of an error.
    """

    def __init__(
        self,
        source: Source,
        pos: int,
        end: int,
        stops: tuple[str, ...] = (),
        on_equals: Callable[[int, int], None] | None = None,
        place: Place | None = None,
    ) -> None:
        self.source = source
        self.text = source.buffer
        self.pos = self.begin = pos
        self.end = end
        self.stops = stops
        self.on_equals = on_equals
        self.place = place
        self.terms: list[_Term] = []
        self.operators: list[_Operator] = []
        self.frames: list[_Frame] = []
        self.depth = 0

    def parse(self, missing: Code | None = None) -> Expr:
        """The expression. ``missing`` is the error (code, name) when there is none at all."""
        text, end = self.text, self.end
        wants_operand = True
        while True:
            found = TOKEN.match(text, self.pos, end)
            if found is None:
                break
            kind = found.lastgroup or "bad"
            start = found.start(kind)
            if wants_operand:
                wants_operand = self._operand(kind, found[kind], start, found.end(), missing)
            else:
                ended, wants_operand = self._operator(kind, found[kind], start, found.end())
                if ended:
                    break
        if wants_operand:
            self._missing_operand(missing)
        if self.frames:
            at = self.frames[-1].at
            self._fail(PAREN_NOT_CLOSED, at, at + 1)
        self._reduce(0, 0)
        return self.terms[-1].expr

    # -- where an operand is expected; the answer is whether one is still expected ------------------------------

    def _operand(self, kind: str, token: str, start: int, end: int, missing: Code | None) -> bool:
        if kind == "word":
            return self._word(token, start, end)
        if kind == "string":
            value = decode_string(self.source, start, end)
            self._push(Literal(value, "string", self.source.span(start, end)), start, end)
            return False
        if kind == "punct":
            if token == "(":
                self._open(None, start, start, start)
                self.pos = end
                return True
            if token == ")":
                return self._close_early(start)
        elif kind == "op" and token == "-":
            self._deeper(start)
            self.operators.append(_Operator("neg", _UNARY, start, end))
            self.pos = end
            return True
        if kind == "bad":
            self._bad(token, start)
        if kind == "op" and not (self.operators and self._frame_base() < len(self.operators)):
            self._fail(OPERAND_EXPECTED, start, end, operator=token, help=self._prefix_help(token))
        self._missing_operand(missing, token, start)

    def _prefix_help(self, token: str) -> str | None:
        """What is meant by an operator that stands before its operand: ``+ a``, ``count(*)``."""
        call = self.frames[-1].name if self.frames else None
        form = "concat()" if token == "+" else call if token == "*" else None
        help = slips.pattern_help(self.text, self.pos, self.end, call) if token == "*" else None
        return help or (message("help-use", form=form) if form else None)

    def _word(self, token: str, start: int, end: int) -> bool:
        self.pos = end
        after = TOKEN.match(self.text, end, self.end)
        kind, value = classify(token)
        if after is not None and after["punct"] == "(" and kind == "field" and token not in ("and", "or"):
            self._check_name(token, start)
            self._open(token, after.start("punct"), start, end)
            self.pos = after.end()
            return True
        if token in ("and", "or"):
            self._fail(OPERAND_EXPECTED, start, end, operator=token)
        span = self.source.span(start, end)
        if kind == "field":
            self._check_name(token, start)
            self.terms.append(_Term(Field(token, span), start, end, bare=True))
        else:
            self._push(Literal(value, kind, span), start, end)
        return False

    def _check_name(self, token: str, start: int) -> None:
        odd = odd_character(token)
        if odd is None:
            return
        at = start + odd.start()
        if odd[0] == "&&":
            self._left_over("&&", at, at + 2)
        help = message("help-odd-name") if start < at or odd[0] == "`" else message("help-double-quotes")
        self._fail(UNEXPECTED_CHARACTER, at, at + 1, char=_character(odd[0]), help=help)

    def _bad(self, token: str, start: int) -> NoReturn:
        if token == '"':
            self._fail(QUOTE_MISMATCH, start, start + 1)
        help = foreign_operator(token)
        self._fail(REMAIN_TERMS, start, start + 1, term=shown(token), help=help)

    def _missing_operand(self, missing: Code | None, token: str = "", at: int = -1) -> NoReturn:
        """Nothing stands where an operand must: blame the operator before, the open parenthesis, or the emptiness."""
        base = self._frame_base()
        if len(self.operators) > base:
            last = self.operators[-1]
            shown = "-" if last.op == "neg" else last.op
            help = message("help-use", form="!=") if (last.op, token) == ("<", ">") else None
            if (last.op, token) == ("-", ">") and self.terms:
                help = self._path_help(self.terms[-1])
            if token == "=":
                help = message("help-use", form=last.op if last.op in ("==", "!=") else f'"{last.op}="')
            if token == "*" or last.op == "*":
                call = self.frames[-1].name if self.frames else None
                help = slips.pattern_help(self.text, at if token == "*" else last.start, self.end, call) or help
            self._fail(OPERAND_EXPECTED, last.start, last.end, operator=shown, help=help)
        if self.frames and at < 0:
            opening = self.frames[-1].at
            self._fail(PAREN_NOT_CLOSED, opening, opening + 1)
        if token == "]":
            self._fail(BRACKET_NOT_OPENED, at, at + 1)
        if self.frames:
            self._fail(SUBQUERY_IN_EXPRESSION if token == "[" else ARGUMENT_EXPECTED, at, at + 1)
        here = self._trimmed_end()
        where = (at, at + 1) if at >= 0 else (here, here)
        self._fail((missing or BROKEN).with_text(NO_EXPRESSION), *where)

    # -- where an operator is expected; the answer is (the expression ended, an operand is expected next) --------

    def _operator(self, kind: str, token: str, start: int, end: int) -> tuple[bool, bool]:
        if kind == "op":
            op = _SPELLING.get(token, token)
            if op == "=":
                self._equals(start, end)
            else:
                self._push_operator(op, start, end)
            self.pos = end
            return False, True
        if kind == "punct":
            if token == ")":
                self._close(start, end)
                return False, False
            if token == "," and self.frames:
                self._item()
                self.pos = end
                return False, True
            if not self.frames and token in ",[":
                return True, False
            if token == "(":
                self._left_over("(", start, end)
            at = self.frames[-1].at if self.frames and token == "[" else start
            if token == "]":
                self._fail(BRACKET_NOT_OPENED, start, end)
            self._fail(PAREN_NOT_CLOSED, at, at + 1)
        if kind == "word":
            spaced = self._spaced(start, end)
            if token in ("and", "or") and spaced:
                self._push_operator(token, start, end)
                self.pos = end
                return False, True
            if not self.frames and spaced and token.lower() in self.stops:
                return True, False
        if kind == "bad":
            self._bad(token, start)
        self._left_over(token, start, end)

    def _push_operator(self, op: str, start: int, end: int) -> None:
        precedence = _PRECEDENCE[op]
        self._reduce(self._frame_base(), precedence)
        self.operators.append(_Operator(op, precedence, start, end))

    def _spaced(self, start: int, end: int) -> bool:
        """White space or a parenthesis on both sides, as the keywords need it."""
        before = self.text[start - 1]
        return (before.isspace() or before == ")") and (
            end == self.end or _AFTER_KEYWORD.match(self.text, end) is not None
        )

    def _equals(self, start: int, end: int) -> None:
        """``name=`` at the start of an argument of a call; anywhere else a single ``=`` has no meaning."""
        term = self.terms[-1]
        if self.frames:
            frame = self.frames[-1]
            alone = len(self.operators) == frame.operators and len(self.terms) == frame.terms + 1
            if frame.name is not None and frame.argument is None and alone and term.bare:
                frame.argument = (self.text[term.start : term.end], term.start)
                self.terms.pop()
                return
        elif self.on_equals is not None:
            self.on_equals(start, end)
        follower = self.text[end : end + 1]
        form = {"<": "<=", ">": ">="}.get(follower)
        help = message("help-use", form=form) if form else message("help-compare")
        self._fail(REMAIN_TERMS, start, end, term=shown("="), help=help)

    def _left_over(self, token: str, start: int, end: int) -> NoReturn:
        previous = self.terms[-1] if self.terms else None
        equals = TOKEN.match(self.text, end, self.end)
        if self.on_equals is not None and not self.frames and equals is not None and equals["op"] == "=":
            self.on_equals(equals.start("op"), equals.end())
        help: str | None = None
        if previous is not None and previous.bare and self.text[previous.start : previous.end].lower() == "not":
            start, end = previous.start, previous.end
            token = self.text[start:end]
        lowered = token.lower()
        if lowered in ("and", "or"):
            key = "help-lower-case" if token != lowered else "help-and-or-blank"
            help = message(key, word=lowered)
        elif previous is not None and (glued := _GLUED.search(self.text[previous.start : previous.end])) is not None:
            start, end = previous.start + glued.start(1), previous.end
            token = glued[1]
            help = message("help-and-or-blank", word=token)
        elif form := foreign_operator(lowered):
            help = form
        elif token[0] in slips.QUOTES or (previous is not None and self.text[previous.start] in slips.QUOTES):
            help = message("help-double-quotes")
            between = None if previous is None else _SINGLE_QUOTED.match(self.text, previous.start, self.end)
            if between is not None and " " in between[1]:
                help = message("help-text-or-name", words=between[1])
        elif previous is not None and (slip := slips.behind(self.text, previous.start, previous.end, token, end)):
            help = slip
        elif self.place is Place.AGGREGATE and not self.frames and self.text[:start].rstrip().endswith(")"):
            help = message("help-alias", term=self.text[self.begin : start].strip())
        elif previous is not None and previous.bare and _PLAIN_WORD.fullmatch(token):
            words = _MORE_WORDS.match(self.text, end, self.end)
            name = self.text[previous.start : words.end() if words is not None else end]
            alone = not self.frames and self.text[previous.start + len(name) : self.end].strip() == ""
            key = "help-words" if alone else "help-name-with-blanks"
            help = message(key, name=" ".join(name.split()))
        self._fail(REMAIN_TERMS, start, end, term=shown(token), help=help)

    def _path_help(self, previous: _Term) -> str | None:
        return path_help(self.text[: previous.end], self.text[previous.end : self.end]) if previous.bare else None

    # -- stacks -------------------------------------------------------------------------------------------------

    def _push(self, expr: Expr, start: int, end: int) -> None:
        self.terms.append(_Term(expr, start, end))
        self.pos = end

    def _frame_base(self) -> int:
        return self.frames[-1].operators if self.frames else 0

    def _reduce(self, base: int, precedence: int) -> None:
        """Build the operators above ``base`` that bind at least as tightly as ``precedence``."""
        terms, operators = self.terms, self.operators
        while len(operators) > base and operators[-1].precedence >= precedence:
            operator = operators.pop()
            right = terms.pop()
            if operator.op == "neg":
                self.depth -= 1
                span = self.source.span(operator.start, right.end)
                terms.append(_Term(Unary("-", right.expr, span), operator.start, right.end))
            else:
                left = terms.pop()
                span = self.source.span(left.start, right.end)
                terms.append(_Term(Binary(operator.op, left.expr, right.expr, span), left.start, right.end))

    def _deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            help = message("help-split-expression")
            self._fail(TOO_DEEP, at, at + 1, limit=MAX_DEPTH, help=help)

    def _open(self, name: str | None, at: int, name_start: int, name_end: int) -> None:
        self._deeper(at)
        self.frames.append(_Frame(at, name, name_start, name_end, len(self.terms), len(self.operators)))

    def _item(self) -> None:
        """Finish the argument or list item before a comma or the closing parenthesis."""
        frame = self.frames[-1]
        self._reduce(frame.operators, 0)
        term = self.terms.pop()
        if frame.argument is None:
            frame.items.append(term.expr)
        else:
            name, start = frame.argument
            frame.items.append(NamedArg(name, term.expr, self.source.span(start, term.end)))
            frame.argument = None

    def _close(self, start: int, end: int) -> None:
        if not self.frames:
            self._fail(PAREN_NOT_OPENED, start, end)
        frame = self.frames[-1]
        if frame.name is None and not frame.items:
            self._reduce(frame.operators, 0)
            inner = self.terms.pop()
            self.terms.append(_Term(inner.expr, frame.at, end))
        else:
            self._item()
            self._finish(frame, end)
        self.frames.pop()
        self.depth -= 1
        self.pos = end

    def _close_early(self, start: int) -> bool:
        """``)`` where an operand is expected: right only as ``f()``."""
        if not self.frames:
            if self.operators:
                self._missing_operand(None)
            self._fail(PAREN_NOT_OPENED, start, start + 1)
        frame = self.frames[-1]
        empty = frame.name is not None and not frame.items and frame.argument is None
        if not empty or len(self.operators) > frame.operators:
            self._missing_operand(None, ")", start)
        self.frames.pop()
        self._finish(frame, start + 1)
        self.depth -= 1
        self.pos = start + 1
        return False

    def _finish(self, frame: _Frame, end: int) -> None:
        start = frame.name_start
        span = self.source.span(start, end)
        if frame.name is None:
            items = tuple(item for item in frame.items if not isinstance(item, NamedArg))
            self.terms.append(_Term(ListExpr(items, span), start, end))
        else:
            name_span = self.source.span(start, frame.name_end)
            self.terms.append(_Term(Call(frame.name, tuple(frame.items), span, name_span), start, end))

    def _trimmed_end(self) -> int:
        """Behind the last character before ``pos`` that is no blank: where something missing should have stood."""
        at = self.pos
        while at > 0 and self.text[at - 1].isspace():
            at -= 1
        return at

    def _fail(self, said: Sentence, start: int, end: int, /, *, help: str | None = None, **facts: object) -> NoReturn:
        help = meant_construct(self.text, self.begin, self.end, start, self.place) or help
        raise self.source.error(said, start, end, help=help, notes=(), **facts)


def parse_expression(text: str, offset: int = 0, source: str | None = None) -> Expr:
    """Parse a text that is one expression and nothing else.

    ``source`` is the whole text that ``text`` stands in at ``offset``: spans and errors then speak of the whole.
    Raises QueryError (90100, 90201, 90202, 90203, 90204, 90205).
    """
    whole = Source.of(text) if source is None and offset == 0 else Source.part(text, offset, source or text)
    whole = split(whole).source
    parser = ExpressionParser(whole, 0, len(whole.buffer))
    expr = parser.parse()
    reject_rest(whole, parser.pos, len(whole.buffer))
    return expr


def reject_rest(source: Source, pos: int, end: int, help: str | None = None) -> None:
    """Raise 90201 when anything but blanks stands between ``pos`` and ``end``; ``help`` where nothing says more."""
    found = TOKEN.match(source.buffer, pos, end)
    if found is not None:
        kind = found.lastgroup or "bad"
        start = found.start(kind)
        if source.buffer[start] == "[":
            help = path_help(source.buffer[:start], source.buffer[start:end]) or help
        help = meant_construct(source.buffer, 0, end, start) or help
        raise source.error(REMAIN_TERMS, start, found.end(), help=help, term=shown(source.buffer[start : found.end()]))


def path_help(before: str, behind: str) -> str | None:
    """How ``a["b"]``, ``a['b']`` and ``a->b`` are written: a key is reached with a point; None behind no field.

    >>> path_help("x == a", '["b"]'), path_help("a ", "->>'b'"), path_help("len(a)", "[0]")
    ('a key of a map is written a.b', 'a key of a map is written a.b', None)
    """
    root, key = _ROOT.search(before), _KEY_BEHIND.match(behind)
    if root is None:
        return None
    return message("help-path", form=f"{root[1]}.{key[1] if key is not None else 'KEY'}")


def _character(char: str) -> str:
    return shown(char) if char.isprintable() else f"U+{ord(char):04X}"
