"""Expression grammar (section 2 of the language document): text to a small tree, and the canonical text of a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import NaiveError
from .lexer import Tok, tokenize
from .values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, Long, java_double


@dataclass(frozen=True)
class Lit:
    value: Any


@dataclass(frozen=True)
class Field:
    name: str


@dataclass(frozen=True)
class Call:
    name: str
    args: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Bin:
    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Neg:
    arg: Node


@dataclass(frozen=True)
class Items:
    items: tuple[Node, ...]


Node = Lit | Field | Call | Bin | Neg | Items

_LEVELS: tuple[tuple[str, ...], ...] = (("or",), ("and",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
_DOUBLE = re.compile(r"(\d+\.?\d*|\.\d+)([eE]\d+)?[fFdD]?")


def number_literal(word: str) -> Any:
    """Value of a numeric token, None if it is not one."""
    if re.fullmatch(r"\d+", word) and LONG_MIN <= int(word) <= LONG_MAX:
        value = int(word)
        return value if INT_MIN <= value <= INT_MAX else Long(value)
    if _DOUBLE.fullmatch(word):
        return float(word.rstrip("fFdD"))
    return None


class Parser:
    """Recursive descent over the tokens of one expression text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.toks: list[Tok] = tokenize(source)
        self.i = 0

    @property
    def tok(self) -> Tok:
        return self.toks[self.i]

    def next(self) -> Tok:
        self.i += 1
        return self.toks[self.i - 1]

    def at(self, *ops: str) -> bool:
        return self.tok.kind == "op" and self.tok.value in ops

    def fail(self, code: str, name: str) -> NaiveError:
        return NaiveError(code, name, f"near {self.source[self.tok.start :]!r} in {self.source!r}")

    def finish(self) -> None:
        """Nothing may be left over."""
        if self.at(")"):
            raise self.fail("90202", "parens-mismatch")
        if self.tok.kind != "end":
            raise self.fail("90201", "remain-terms")

    def expr(self, level: int = 0) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.expr(level + 1)
        ops = _LEVELS[level]
        while (self.tok.kind == "op" or (self.tok.kind == "word" and level < 2)) and self.tok.value in ops:
            op = self.next().value
            left = Bin(op, left, self.expr(level + 1))
        return left

    def unary(self) -> Node:
        if self.at("-"):
            self.next()
            return Neg(self.unary())
        return self.primary()

    def primary(self) -> Node:
        t = self.next()
        if t.kind == "str":
            return Lit(t.value)
        if t.kind == "op" and t.value == "(":
            items = [self.expr()]
            while self.at(","):
                self.next()
                items.append(self.expr())
            self.close()
            return items[0] if len(items) == 1 else Items(tuple(items))
        if t.kind != "word":
            self.i -= 1
            raise self.fail("90100", "broken-expression")
        if self.at("("):
            return self.call(t.value)
        if t.value in ("and", "or"):
            raise self.fail("90100", "broken-expression")
        constants = {"true": True, "false": False, "null": None}
        if t.value in constants:
            return Lit(constants[t.value])
        number = number_literal(t.value)
        return Field(t.value) if number is None else Lit(number)

    def close(self) -> None:
        if not self.at(")"):
            bad = self.tok.kind == "end"
            raise self.fail(*(("90202", "parens-mismatch") if bad else ("90201", "remain-terms")))
        self.next()

    def call(self, name: str) -> Call:
        self.next()
        args: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not self.at(")"):
            nxt = self.toks[self.i + 1] if self.i + 1 < len(self.toks) else self.tok
            if self.tok.kind == "word" and nxt.kind == "op" and nxt.value == "=":
                key = self.next().value
                self.next()
                named.append((key, self.expr()))
            else:
                args.append(self.expr())
            if not self.at(","):
                break
            self.next()
            if self.at(")"):
                raise self.fail("90100", "broken-expression")
        self.close()
        return Call(name, tuple(args), tuple(named))


def parse_expr(source: str) -> Node:
    """Whole text as one expression."""
    p = Parser(source)
    node = p.expr()
    p.finish()
    return node


def parse_assignments(source: str, code: int) -> list[tuple[str, Node]]:
    """``f = e, ...``; errors CODE (no ``=``), CODE+1 (no name), CODE+2 (no expression)."""
    p = Parser(source)
    out: list[tuple[str, Node]] = []
    while True:
        if p.at("="):
            raise p.fail(str(code + 1), "field-name-not-found")
        nxt = p.toks[p.i + 1] if p.tok.kind != "end" else p.tok
        if p.tok.kind != "word" or not (nxt.kind == "op" and nxt.value == "="):
            raise p.fail(str(code), "assign-token-not-found")
        name = p.next().value
        p.next()
        if p.tok.kind == "end":
            raise p.fail(str(code + 2), "expression-not-found")
        out.append((name, p.expr()))
        if not p.at(","):
            break
        p.next()
    p.finish()
    return out


def canonical(node: Node) -> str:
    """Text of an expression as it appears in the name of an unaliased aggregate."""
    match node:
        case Lit(value):
            if isinstance(value, str):
                return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            if isinstance(value, bool) or value is None:
                return {True: "true", False: "false", None: "null"}[value]
            return java_double(value) if isinstance(value, float) else str(int(value))
        case Field(name):
            return name
        case Call(name, args, named):
            parts = [canonical(a) for a in args] + [f"{k}={canonical(v)}" for k, v in named]
            return f"{name}({', '.join(parts)})"
        case Bin(op, left, right):
            return f"({canonical(left)} {op} {canonical(right)})"
        case Neg(arg):
            return f"-{canonical(arg)}"
        case Items(items):
            return "(" + ", ".join(canonical(i) for i in items) + ")"
