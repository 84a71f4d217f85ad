"""Operators and clauses of other languages, which are no names: ``a between 1 and 5``, ``x ? y : z``, ``a ** 2``.

A row has the shape of the text, how the same is written here with the words of the user, and an example with the SQL
that gives the same value (the suite runs both). The ``help:`` line of an expression that cannot be read comes from the
first row whose shape covers the place of the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from logsql.diagnostics.bridges.forms import (
    JOIN,
    JOINED,
    PART_WORDS,
    any_of,
    between,
    bits,
    case_of,
    cast_as,
    changed,
    choice,
    choices,
    compares,
    concat,
    condition,
    filtered,
    in_list,
    interval,
    like_text,
    listed,
    map_of,
    matches,
    negated,
    odd_name,
    part,
    raw_text,
    shifted,
    sliced,
)
from logsql.diagnostics.bridges.shapes import EXPRESSION, here, shape

Form = Callable[[re.Match[str]], "str | None"]


@dataclass(frozen=True)
class Construct:
    """``written``: an example as it is typed elsewhere; ``says``: the form that the help gives for it; ``value``: the
    same in SQL, None where it is no value; ``languages``: where it is written so; ``like``: the shape
    (:func:`~logsql.diagnostics.bridges.shapes.shape`); ``form``: the form of a text that has the shape, with its groups
    in braces, or what makes it (None: this row knows nothing of it)."""

    written: str
    says: str
    value: str | None
    languages: str
    like: str
    form: str | Form

    @cached_property
    def _shape(self) -> re.Pattern[str]:
        return shape(self.like)

    def meant(self, text: str, begin: int, end: int, at: int) -> str | None:
        """The form of what stands around ``at`` between ``begin`` and ``end``; None where it has another shape."""
        for found in self._shape.finditer(text, begin, end):
            if found.start() <= at < found.end():
                if not isinstance(self.form, str):
                    return self.form(found)
                return self.form.format(**{name: here(part or "") for name, part in found.groupdict().items()})
        return None


_NO = r"(?P<no>\bnot |!\s*|\bnot)?"
_WORD = r"\b(?P<word>{})\b"

# --- rows -------------------------------------------------------------------------------------------------------------

ALL = "Splunk, KQL, SQL"
CONSTRUCTS: tuple[Construct, ...] = (
    Construct(
        "case when status > 400 then 'bad' when status = 200 then 'fine' else 'odd' end",
        'case(status > 400, "bad", status == 200, "fine", "odd")',
        "CASE WHEN status > 400 THEN 'bad' WHEN status = 200 THEN 'fine' ELSE 'odd' END",
        "SQL",
        r"\bcase\b(?P<of>(?:\s+(?!when\b)\S+)?\s+)(?P<rest>when\b.*?)\bend\b",
        case_of,
    ),
    Construct(
        "user not in ('kim', 'lee')", 'not(in(user, "kim", "lee"))', "\"user\" NOT IN ('kim', 'lee')", ALL,
        r"<a>\s*(?P<no>\bnot |!\s*)in\b~?\s*<list>", in_list,
    ),
    Construct(
        'NOT user IN ("kim", "lee")', 'not(in(user, "kim", "lee"))', "NOT \"user\" IN ('kim', 'lee')", "Splunk, SQL",
        r"(?P<no>\bnot )<a> in\s*<list>", in_list,
    ),
    Construct(
        'user in ("kim", "lee")', 'in(user, "kim", "lee")', "\"user\" IN ('kim', 'lee')", ALL,
        r"(?P<no>)<a> in\b~?\s*<list>", in_list,
    ),
    Construct(
        "status between 200 and 404", "status >= 200 and status <= 404", "status BETWEEN 200 AND 404", "KQL, SQL",
        r"<a> (?P<no>not |!\s*)?between\s*\(?\s*<b>\s*(?:\.\.|\band\b)\s*<c>\s*\)?", between,
    ),
    Construct(
        "bytes is not null", "isnotnull(bytes)", "bytes IS NOT NULL", "ES|QL, SQL",
        r"<a> is not (?:null|none|nil)\b", "isnotnull({a})",
    ),
    Construct(
        "bytes is null", "isnull(bytes)", "bytes IS NULL", "ES|QL, SQL", r"<a> is (?:null|none|nil)\b", "isnull({a})"
    ),
    Construct(
        'path like "/log%"', 'path == "/log*"', "path LIKE '/log%'", "ES|QL, SQL",
        rf"<a> {_NO}{_WORD.format('i?like')}\s*<b>", like_text,
    ),
    Construct(
        'path matches regex "wp-.*"', 'match(path, "wp-.*")', "regexp_matches(path, 'wp-.*')", "KQL, SQL",
        rf"<a> {_NO}{_WORD.format('matches regex|matches|regexp|rlike')}\s*<b>", matches,
    ),
    Construct(
        'path !~ "wp-.*"', 'not(match(path, "wp-.*"))', "NOT regexp_matches(path, 'wp-.*')", "SQL, shell",
        r"(?P<no>)<a>\s*(?P<word>!?~\*?|=~|!=~|==~)\s*(?P<b>\"(?:[^\"\\]|\\.)*\"|'[^']*'|/[^/]*/\w*)", matches,
    ),
    Construct(
        'path has_any ("wp", "api")', 'lower(path) == "*wp*" or lower(path) == "*api*"',
        "path ILIKE '%wp%' OR path ILIKE '%api%'", "KQL",
        rf"<a> {_WORD.format('has_any|has_all|contains_any')}\s*<list>", any_of,
    ),
    Construct(
        'path contains "wp"', 'contains(lower(path), "wp")', "path ILIKE '%wp%'", "KQL",
        rf"<a>\s+{_NO}(?P<word>{'|'.join(PART_WORDS)})(?P<cs>_cs)?\b\s*<b>", part,
    ),
    Construct(
        'user xor status == 200', "if(user, not(status == 200), status == 200)", None, "SQL",
        r"<a> xor <b*>", "if({a}, not({b}), {b})",
    ),
    Construct(
        'status == 200 ? "fine" : "bad"', 'if(status == 200, "fine", "bad")',
        "if(status = 200, 'fine', 'bad')", "shell",
        rf"<a*>\s*\?\s*<b*>\s*:\s*<c*>(?:\s*\?\s*{EXPRESSION}\s*:\s*{EXPRESSION})*",
        choices,
    ),
    Construct(
        'if status == 200 then "fine" else "bad" end', 'if(status == 200, "fine", "bad")',
        "if(status = 200, 'fine', 'bad')", "shell", r"\bif\s*<a*>\s*then <b*> else <c*>(?: end)?", choice,
    ),
    Construct(
        'if (status == 200) "fine" else "bad"', 'if(status == 200, "fine", "bad")',
        "if(status = 200, 'fine', 'bad')", "shell", r"\bif\s*(?P<a>\([^()]*\))\s*<b*> else <c*>", choice,
    ),
    Construct(
        '"fine" if status == 200 else "bad"', 'if(status == 200, "fine", "bad")',
        "if(status = 200, 'fine', 'bad')", "shell", r"<b> if <a*> else <c*>", choice,
    ),
    Construct(
        "cast(status as varchar)", "string(status)", "cast(status AS VARCHAR)", "SQL",
        r"\b(?:try_)?cast\s*\(\s*<a*> as (?P<kind>\w+)[^()]*(?:\([^()]*\))?\s*\)", cast_as,
    ),
    Construct(
        '"1.5"::double', 'double("1.5")', "'1.5'::DOUBLE", "ES|QL, SQL", r"<a>\s*::\s*(?P<kind>\w+)", cast_as,
    ),
    Construct(
        'count(distinct user)', "dc(user)", None, "SQL", r"\bcount\s*\(\s*distinct (?P<a>[^()]+|[^()]*\([^()]*\))\s*\)",
        lambda found: f"dc({found['a'].strip()})",
    ),
    Construct(
        '"kim" in user', 'contains(user, "kim")', "contains(\"user\", 'kim')", "jq, shell",
        r"(?P<a>\"[^\"]*\"|'[^']*') in (?P<b>[^\W\d][\w.]*)", "contains({b}, {a})",
    ),
    Construct("user == [1, 2]", "in(user, 1, 2)", None, "jq", r"(?P<no>)<a>\s*==?\s*(?P<list>\[[^\[\]]*\])", in_list),
    Construct("user exists", "isnotnull(user)", None, "KQL", r"<a> exists\b", "isnotnull({a})"),
    Construct(r'r"\d"', r'"\\d"', r"'\d'", "KQL, shell", r"(?<![\w)])[r@]h?(?P<b>\"[^\"]*\"?)", raw_text),
    Construct("status ** 2", "pow(status, 2)", "status ** 2", "SQL, shell", r"<a>\s*\*\*\s*<b>", "pow({a}, {b})"),
    Construct("status ^ 2", "pow(status, 2)", "status ^ 2", "SQL", r"<a>\s*\^\s*<b>", "pow({a}, {b})"),
    Construct("status % 7", "mod(status, 7)", "status % 7", "Splunk, KQL, SQL", r"<a>\s*%\s*<b>", "mod({a}, {b})"),
    Construct("status mod 7", "mod(status, 7)", "status % 7", "SQL", r"<a> mod <b>", "mod({a}, {b})"),
    Construct(
        'bytes // "none"', 'nvl(bytes, "none")', None, "jq",
        r"<a>\s*//\s*(?P<b>\"[^\"]*\"|null\b|-1\b)", "nvl({a}, {b})"
    ),
    Construct("status // 7", "floor(status / 7)", "status // 7", "SQL", r"<a>\s*//\s*<b>", "floor({a} / {b})"),
    Construct("status div 7", "floor(status / 7)", "status // 7", "SQL", r"<a> div <b>", "floor({a} / {b})"),
    Construct("bytes ?? 0", "nvl(bytes, 0)", "coalesce(bytes, 0)", "shell", r"<a>\s*\?[?:]\s*<b>", "nvl({a}, {b})"),
    Construct(
        "status << 2", "status * pow(2, 2)", "(status << 2)::DOUBLE", "SQL", r"<a>\s*(?P<op><<|>>)\s*<b>", shifted
    ),
    Construct(
        "status & 4", "mod(floor(status / 4), 2)", "(status & 4) // 4", "SQL", r"<a>\s*&\s*(?P<mask>\d{1,18})\b", bits
    ),
    Construct(
        'user . "-" . path', 'concat(user, "-", path)', "\"user\" || '-' || path", "Splunk",
        rf"{JOINED}(?:{JOIN}{JOINED})+", concat,
    ),
    Construct(
        "now() - interval '1 day'", 'ago("1d")', "now() - INTERVAL 1 DAY", "SQL",
        r"<a>\s*(?P<sign>[+-])\s*interval\s+['\"]?(?P<amount>\d{1,18})['\"]?\s*(?P<unit>[a-z]+)['\"]?", interval,
    ),
    Construct(
        "true()", "true", "true", "Splunk", r"\b(?P<word>true|false|null)\s*\(\s*\)",
        lambda found: str(found["word"]).lower(),
    ),
    Construct(
        "!(status == 200)", "not(status == 200)", "NOT (status = 200)", "shell",
        r"!\s*(?P<a>[^\W\d]\w*\s?\((?:[^()]|\([^()]*\))*\)|\((?:[^()]|\([^()]*\))*\)|[^\W\d][\w.]*)", negated,
    ),
    Construct(
        "NOT status = 200", "not(status == 200)", "NOT status = 200", "Splunk, SQL",
        r"\bnot (?P<a>(?:<b>\s*(?:==?|!=|<>|[<>]=?)\s*<c>)|"
        r"[^\W\d]\w*\((?:[^()]|\([^()]*\))*\)|\"[^\"]*\"|[^\W\d][\w.]*)",
        negated,
    ),
    Construct("status <> 200", "status != 200", "status <> 200", "KQL, SQL", r"<a>\s*<>\s*<b>", "{a} != {b}"),
    Construct(
        "status -ge 404", "status >= 404", "status >= 404", "shell",
        r"<a> -?(?P<word>eq|ne|gt|ge|lt|le) <b>", compares,
    ),
    Construct("status => 404", "status >= 404", "status >= 404", "shell", r"<a>\s*(?P<word>=>|=<)\s*<b>", compares),
    Construct(
        "path[0:4]", "substr(path, 0, 4), subarray(path, 0, 4)", None, "ES|QL, SQL, jq",
        r"<a>\s*\[(?P<low>-?\d*):(?P<high>-?\d*)\]", sliced,
    ),
    Construct(
        'split(path, "/")[1]', 'valueof(split(path, "/"), 1)', "string_split(path, '/')[2]", "jq, KQL",
        r"(?P<a>[^\W\d]\w*\((?:[^()]|\([^()]*\))*\))\s*\[(?P<at>-?\d+)\]", "valueof({a}, {at})",
    ),
    Construct(
        "status++", "status + 1", "status + 1", "shell", r"<a>\s*\+\+", "{a} + 1"
    ),
    Construct("++status", "status + 1", "status + 1", "shell", r"\+\+\s*<a>", "{a} + 1"),
    Construct(
        "[status, 1]", "array(status, 1)", "[status, 1]", "KQL, SQL, jq",
        r"(?<![\w)\]\"'])(?P<list>\[[^\[\]|:]+\])", listed
    ),
    Construct(
        "extract(hour from _time)", 'datepart(_time, "hour")', "extract(hour FROM _time)", "SQL",
        r"\bextract\s*\(\s*(?P<unit>[a-z]+) from (?P<a>[^()|]+(?:\([^()|]*\))?)\)",
        lambda found: f'datepart({here(found["a"].strip())}, "{found["unit"].lower()}")',
    ),
    Construct(
        "substring(path from 2 for 3)", "substr(path, 1, 4)", "substring(path FROM 2 FOR 3)", "SQL",
        r"\bsubstring\s*\(\s*(?P<a>[^()|]+?) from (?P<first>[1-9]\d*)(?: for (?P<count>\d+))?\s*\)",
        lambda found: (
            f"substr({here(found['a'])}, {int(found['first']) - 1}"
            + (f", {int(found['first']) - 1 + int(found['count'])})" if found["count"] else ")")
        ),
    ),
    Construct(
        '{"n": status}', 'dict("n", status)', "{'n': status}", "SQL, jq", r"\{(?P<pairs>[^{}|]*:[^{}|]*)\}", map_of
    ),
)  # fmt: skip


_NAME = r"(?P<name>[^\W\d][\w.]*)"
#: What stands between the commas of an assignment's list.
_REST = r"(?P<rest>(?:\"(?:[^\"\\]|\\.)*\"|[^,\"])+)"

#: A text joined with others: ``user || "-" || x``. Of names alone it may be a condition.
_TEXTS = re.compile(r"[\"']")
_COMPARED = re.compile(r"(?:[=!<>]=|[<>])\s*\Z")
_COMPARES_BEHIND = re.compile(r"\s*(?:[=!<>]=|[<>])")


def _piped(found: re.Match[str]) -> str | None:
    """``a || "-" || b`` joins texts; ``a > 1 || b > 2`` and ``isnull(a) || b == "x"`` are conditions."""
    condition_before = _COMPARED.search(found.string[: found.start()])
    if condition_before or _COMPARES_BEHIND.match(found.string, found.end()) or not _TEXTS.search(found[0]):
        return None
    return concat(found)


#: Behind eval, where an assignment stands.
ASSIGNMENTS: tuple[Construct, ...] = (
    Construct(
        "status += 1", "status = status + 1", None, "shell", rf"{_NAME}\s*(?P<sign>[-+*/.&]|\|\|)=\s*{_REST}", changed
    ),
    Construct(
        "status++", "status = status + 1", None, "shell", rf"{_NAME}\s*(?P<sign>[-+])(?P=sign)",
        lambda found: f"{found['name']} = {found['name']} {found['sign']} 1",
    ),
    Construct(
        "kb := bytes / 1000", "kb = bytes / 1000", None, "SQL", rf"{_NAME}\s*:=\s*{_REST}",
        lambda found: f"{found['name']} = {condition(found['rest'])}",
    ),
    Construct(
        "bytes / 1000 as kb", "kb = bytes / 1000", None, "SQL", r"(?P<rest>[^,=]+?) as (?P<name>[\w.]+)",
        lambda found: f"{found['name']} = {found['rest'].strip()}",
    ),
    Construct(
        '"my kb" = bytes / 1000', 'my_kb = bytes / 1000 | rename my_kb as "my kb"', None, "Splunk",
        rf"(?P<name>\"[^\"]*\"|'[^']*'|[^\W\d]\w*(?:-\w+)+)\s*=\s*{_REST}", odd_name,
    ),
    Construct(
        "x = user || '-' || path", 'concat(user, "-", path)', "\"user\" || '-' || path", "ES|QL, SQL",
        rf"{JOINED}(?:\s*\|\|\s*{JOINED})+", _piped,
    ),
    Construct(
        "upper(user)", "NAME = upper(user)", None, "SQL", r"(?P<a>[^\W\d]\w*\((?:[^()]|\([^()]*\))*\))\s*(?:,|\Z)",
        lambda found: f"NAME = {found['a']}",
    ),
)  # fmt: skip

_CALL = r"(?P<name>[^\W\d]\w*)(?:\s*\((?P<arg>[^()]*(?:\([^()]*\)[^()]*)*)\))?"
#: Behind stats, where an aggregate stands.
AGGREGATES: tuple[Construct, ...] = (
    Construct(
        "count where status > 400", "sum(if(status > 400, 1, 0))", "count(*) FILTER (status > 400)", "ES|QL",
        rf"{_CALL} (?:where|if) <a*>", filtered,
    ),
    Construct(
        "sum(bytes) filter (where status = 200)", "sum(if(status == 200, bytes, null))",
        "sum(bytes) FILTER (WHERE status = 200)", "SQL",
        rf"{_CALL} filter\s*(?:\(\s*where (?P<a>(?:[^()]|\([^()]*\))*)\)|(?:where )?<b*>)",
        lambda found: filtered(found) if found["a"] else None,
    ),
    Construct(
        "sum(bytes) filter status == 200", "sum(if(status == 200, bytes, null))",
        "sum(bytes) FILTER (WHERE status = 200)", "SQL", rf"{_CALL} filter\s*(?:where )?<a*>", filtered,
    ),
    Construct(
        "sum(bytes) over (partition by user)", "join user [ SAME QUERY | stats sum(bytes) by user ]", None, "SQL",
        rf"{_CALL} over\s*\(\s*partition by (?P<keys>[^()|]+?)\s*\)",
        "join {keys} [ SAME QUERY | stats {name}({arg}) by {keys} ]",
    ),
    Construct(
        "count group by user", "count by user", None, "SQL",
        r"(?P<a>[^\W\d]\w*(?:\((?:[^()]|\([^()]*\))*\))?) group by (?P<rest>.+)", "{a} by {rest}",
    ),
    Construct(
        "n = count", "count as n", None, "KQL",
        r"(?P<b>[^\W\d]\w*)\s*=\s*(?P<a>(?:count|c|sum|avg|min|max|dc|dcount|values|first|last|stddev|var|percentile)\b"
        r"(?:\s*\((?:[^()]|\([^()]*\))*\))?)", "{a} as {b}",
    ),
    Construct(
        "by user count", "count by user", None, "Splunk",
        r"\bby (?P<rest>.+?),?\s+(?P<a>[^\W\d]\w*(?:\((?:[^()]|\([^()]*\))*\))?)\s*\Z", "{a} by {rest}",
    ),
    Construct(
        "min(bytes) max(bytes)", "min(bytes), max(bytes)", None, "Splunk",
        r"(?P<a>(?:count|[^\W\d]\w*\([^()]*\))(?: as \w+)?) "
        r"(?P<b>(?!as\b|by\b|where\b|if\b)[^\W\d]\w*\([^()]*\))", "{a}, {b}",
    ),
)  # fmt: skip
