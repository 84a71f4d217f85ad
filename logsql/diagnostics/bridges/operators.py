"""Words and signs of other languages that stand between operands, for texts that have no shape of a construct."""

from __future__ import annotations

#: What it is called elsewhere, in small letters -> how the same is written here.
OPERATORS = {
    "&&": "and",
    "&": "and",
    "!": "not(...)",
    "not": "not(...)",
    "%": "mod(a, b)",
    "^": "pow(a, b)",
    "?": "if(condition, a, b)",
    ":": "if(condition, a, b)",
    "like": '== "...*", contains() or match()',
    "rlike": "match()",
    "regexp": "match()",
    "matches": "match()",
    "in": "in(field, a, b)",
    "contains": 'contains(field, "text")',
    "is": "isnull() or isnotnull()",
    "between": ">= and <=",
    "mod": "mod(a, b)",
    "div": "/",
    "ilike": '== "*...*" with lower()',
    "has": '== "*text*"',
    "startswith": '== "text*"',
    "endswith": '== "*text"',
    "when": "case(condition, a, condition, b, otherwise)",
    ".": "concat(a, b)",
    "::": "string(x), long(x), double(x) or date(x, pattern)",
    "exists": "isnotnull(x)",
    "~": 'match(field, "REGEX")',
    "=~": 'match(field, "REGEX")',
    "!~": 'not(match(field, "REGEX"))',
    "has_any": "in(field, a, b) or contains()",
    "in~": "in(field, a, b)",
    "contains_cs": 'contains(field, "text")',
    "has_cs": '== "*text*"',
    "startswith_cs": '== "text*"',
    "endswith_cs": '== "*text"',
    "hasprefix": '== "text*"',
    "hassuffix": '== "*text"',
    "notlike": '!= "*text*"',
    "desc": "-name",
}
#: Functions of other languages that only wrap an expression.
WRAPPERS = frozenset({"eval", "expr"})
