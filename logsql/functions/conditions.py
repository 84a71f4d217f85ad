"""Conditions: if, case, nvl, in, match, not (functions.md > conditional, language.md 3.4 and 4)."""

from __future__ import annotations

import re

from logsql.diagnostics.expressions import CANDIDATE, TOO_MANY_PATTERNS
from logsql.functions.lowering import example, null
from logsql.functions.regexes import matched
from logsql.language.tree import Binary, Call, Expr, Literal, canonical
from logsql.planner import mixedlosses
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.duties import PARTLY, PLAIN
from logsql.planner.function_spec import FunctionSpec, Idiom, register
from logsql.planner.notes import arguments, comparisons, elements, given, spellings
from logsql.planner.notes import conditions as notes
from logsql.planner.notes.blanks import asked_for_null
from logsql.values import cells, patterns, sql, values
from logsql.values.keys import same
from logsql.values.mixing import choose, coalesce
from logsql.values.sql import Sql
from logsql.values.types import BOOL, EVERY_KIND, Kind
from logsql.values.values import Typed

#: Patterns of one ``in()``: DuckDB binds 40,000 for six seconds and looks at no interrupt meanwhile.
MOST_PATTERNS = 50_000


def _tested(call: FunctionCall, position: int) -> Sql:
    """SQL of a condition."""
    value = call.arg(position)
    notes.condition(call.cx, call.nodes[position], value)
    return values.condition(value)


def _if(call: FunctionCall) -> Typed:
    return choose([(_tested(call, 0), call.arg(1))], call.arg(2))


def _case(call: FunctionCall) -> Typed:
    count = len(call)
    branches = [(_tested(call, i), call.arg(i + 1)) for i in range(0, count - 1, 2)]
    return choose(branches, call.arg(count - 1) if count % 2 else None)


def _nvl(call: FunctionCall) -> Typed:
    asked_for_null(call, f'if({{field}} == "", {canonical(call.nodes[1])}, {{field}})')
    return coalesce(call.arg(0), call.arg(1))


def _not(call: FunctionCall) -> Typed:
    value = call.arg(0)
    notes.negated(call.cx, call.nodes[0], value)
    node = values.bool_sql(value)
    if node is None:
        return null(BOOL)
    return Typed(sql.not_(node), BOOL)


# --- in ---------------------------------------------------------------------------------------------------------------


def _in(call: FunctionCall) -> Typed:
    # Read once a candidate: in(in(in(a, 1, b), 2, c), 3, d) must not grow by products.
    value = call.cx.once(call.arg(0), EVERY_KIND)
    comparisons.quoted_name(call.cx, call.nodes[0])
    if value.kind is Kind.NULL:
        return Typed(sql.boolean(False), BOOL)
    elements.candidates(call, value, list(call.nodes[1:]))
    texts: list[str] = []
    others: list[Typed] = []
    for node in call.nodes[1:]:
        constant = _constant_text(call, node)
        if constant is not None:
            texts.append(constant)
            comparisons.candidates(call.cx, call.nodes[0], value, node, Kind.STRING)
        else:
            others.append(call.cx.argument(node))
            comparisons.candidates(call.cx, call.nodes[0], value, node, others[-1].kind)
    given.candidates(call, call.nodes[1:])
    plain = value.kind in (Kind.STRING, Kind.ANY)
    if plain and not arguments.candidate_patterns(call.cx, call.nodes[0], call.nodes[1:]):
        spellings.candidates(call.cx, call.nodes[0], call.nodes[1:], texts)
    if (count := sum("*" in text for text in texts)) > MOST_PATTERNS:
        call.fail(TOO_MANY_PATTERNS, None, function="in", count=count, most=MOST_PATTERNS)
    tests = _text_tests(value, texts) + _typed_tests(value, others)
    found = sql.or_(*tests) if tests else sql.boolean(False)
    return values.settled(mixedlosses.among(call.cx, call.call, value, others, found))


def _constant_text(call: FunctionCall, node: Expr) -> str | None:
    """Text of a candidate that is computable without a row: only these are patterns."""
    if isinstance(node, Literal):
        return str(node.value) if node.kind == "string" else None
    if not call.cx.is_constant(node) or call.cx.lower(node).kind is not Kind.STRING:
        return None
    value = call.cx.constant(node, CANDIDATE.fill())
    return value if isinstance(value, str) else None


def _text_tests(value: Typed, texts: list[str]) -> list[Sql]:
    """Text candidates match text values only: ``in(1, "1")`` is false although ``1 == "1"`` is true."""
    if not texts:
        return []
    exact = [t for t in texts if "*" not in t]
    starred = [t for t in texts if "*" in t]
    tests: list[Sql] = []
    # No number, boolean, list or map of a document has the text of a plain word, so its type need not be asked.
    node = values.string_sql(value)
    if node is None:
        return []
    plain = values.plain_text(value) if value.type.json and all(_plain_word(t) for t in exact) else node
    if len(exact) == 1:
        tests.append(sql.eq(plain, sql.string(exact[0])))
    elif exact:
        tests.append(sql.in_(plain, [sql.string(t) for t in exact]))
    tests.extend(patterns.match_text(node, t) for t in starred)
    return tests


def _plain_word(text: str) -> bool:
    return text[:1].isalpha() and text not in ("true", "false", "null", "NaN", "Infinity")


def _typed_tests(value: Typed, others: list[Typed]) -> list[Sql]:
    """Typed equality: numbers by value, text exactly, no conversion between types."""
    tests: list[Sql] = []
    literals: list[Sql] = []
    for other in others:
        if other.kind is Kind.NULL:
            continue
        if other.type.number and _literal_number(other):
            literals.append(other.expr)
        elif value.kind is Kind.ANY and other.kind is Kind.STRING:
            node = values.string_sql(value)
            tests.extend([sql.eq(node, other.expr)] if node is not None else [])
        else:
            tests.append(same(value, other))
    node = value.expr if value.type.number else values.number_sql(value)
    if literals and node is not None:
        tests.insert(0, sql.eq(node, literals[0]) if len(literals) == 1 else sql.in_(node, literals))
    return tests


def _literal_number(value: Typed) -> bool:
    return sql.size(value.expr, 5) <= 3


# --- match ------------------------------------------------------------------------------------------------------------


def _match(call: FunctionCall) -> Typed:
    given.sought(call, call.spec.name, regex=True)
    return matched(call, call.arg(0), 1)


def _with_flags(cx: Lowering, call: Call) -> str | None:
    """``match(x, "get", "i")``: flags stand in the regular expression here. ``g`` of other languages means nothing."""
    if len(call.args) != 3 or not all(isinstance(node, Literal) and node.kind == "string" for node in call.args[1:]):
        return None
    regex, flags = (str(node.value) for node in call.args[1:] if isinstance(node, Literal))
    if re.fullmatch("[gimsx]+", flags) is None:
        return None
    kept = "".join(flag for flag in dict.fromkeys(flags) if flag != "g")
    written = canonical(Literal(f"(?{kept})" * bool(kept) + regex, "string"))
    return f"{call.name}({canonical(call.args[0])}, {written})"


def _or_null(cx: Lowering, call: Call) -> str | None:
    """``if(c, a)``: what stands where the condition is not true is always written."""
    if len(call.args) != 2:
        return None
    condition = canonical(call.args[0])
    if isinstance(call.args[0], Binary):
        condition = condition.removeprefix("(").removesuffix(")")
    return f"{call.name}({condition}, {canonical(call.args[1])}, null)"


register(
    FunctionSpec(
        "if",
        "conditional",
        "if(condition, value, otherwise)",
        (
            "The second argument when the condition is true, else the third; all but null and false is true.",
            "조건이 참이면 두 번째 인자, 아니면 세 번째 인자를 반환합니다. null과 false 외에는 모두 참입니다.",
        ),
        _if,
        3,
        3,
        "any",
        PLAIN,
        (
            example('if(status == "200", "ok", "error")', "ok", {"status": 200}),
            example('if(status == "200", "ok", "error")', "error", {"status": "404"}),
            example("if(0, 1, 2)", 1),
            example("if(null, 1, 2)", 2),
        ),
        notes=(('0 and "" are true, because they are not null', '0과 ""는 null이 아니므로 참입니다'),),
        branches=True,
        direct=cells.choice,
        idiom=Idiom.CHOICE,
        meant=_or_null,
    ),
    FunctionSpec(
        "case",
        "conditional",
        "case(condition, value, ..., [default])",
        (
            "The value after the first condition that is true; the default, or null, when none is.",
            "처음으로 참인 조건 뒤의 값을 반환합니다. 참인 조건이 없으면 기본값 또는 null입니다.",
        ),
        _case,
        2,
        None,
        "any",
        PLAIN,
        (
            example('case(score > 90, "A", score > 80, "B", "F")', "B", {"score": 85}),
            example('case(score > 90, "A", score > 80, "B", "F")', "F", {"score": 40}),
            example("case(false, 1, null, 2)", None),
        ),
        branches=True,
        direct=cells.cases,
    ),
    FunctionSpec(
        "nvl",
        "conditional",
        "nvl(value, default)",
        (
            "The value, or the default when the value is null; empty text is a value.",
            "값이 null이면 기본값을, 아니면 값을 반환합니다. 빈 텍스트도 값입니다.",
        ),
        _nvl,
        2,
        2,
        "any",
        PLAIN,
        (example('nvl(null, "x")', "x"), example('nvl("", "x")', ""), example("nvl(known, 0)", 0, {"known": None})),
        tests_null=True,
        idiom=Idiom.OTHERWISE,
        direct=cells.otherwise,
    ),
    FunctionSpec(
        "in",
        "conditional",
        "in(value, candidate, ...)",
        (
            "Whether the value equals a candidate; text constants with * are patterns. Never null.",
            "값이 후보 중 하나와 같은지 반환합니다. *가 있는 문자열 상수는 패턴입니다. 결과는 null이 아닙니다.",
        ),
        _in,
        2,
        None,
        "bool",
        PLAIN,
        (
            example('in(agent, "*google*", "*yahoo*")', True, {"agent": "www.google.com bot"}),
            example("in(level, 6, 7)", True, {"level": 6}),
            example('in(1, "1")', False),
            example('in(name, "abc")', False, {"name": None}),
        ),
        direct=cells.among,
        patterns=True,
        notes=(
            ("types must agree: a number never equals text", "타입이 같아야 합니다. 숫자와 텍스트는 같지 않습니다"),
        ),
        searches=True,
    ),
    FunctionSpec(
        "match",
        "conditional",
        "match(text, regex)",
        (
            "Whether the Java regular expression is found anywhere in the text; null gives false.",
            "텍스트에 자바 정규표현식과 일치하는 곳이 있는지 반환합니다. null은 false입니다.",
        ),
        _match,
        2,
        2,
        "bool",
        PARTLY,
        (
            example('match("8 miles", "\\\\d+ [a-z]+")', True),
            example('match("foobar", "foo(?!bar)")', False),
            example('match(null, "a")', False),
        ),
        constant=(1,),
        notes=(
            (
                "look-around, back-references and possessive quantifiers run outside SQL",
                "전후방 탐색, 역참조, 소유 수량자는 SQL 밖에서 실행합니다",
            ),
        ),
        searches=True,
        meant=_with_flags,
    ),
    FunctionSpec(
        "not",
        "conditional",
        "not(condition)",
        (
            "The opposite of a boolean; null for null and for anything that is no boolean.",
            "불리언의 반대 값을 반환합니다. null이거나 불리언이 아니면 null입니다.",
        ),
        _not,
        1,
        1,
        "bool",
        PLAIN,
        (example("not(1 == 1)", False), example("not(isnull(a))", True, {"a": 1}), example("not(null)", None)),
        direct=cells.negated,
    ),
)
