"""Every row of the registry: its examples hold, its description is complete, what is refused says why."""

from __future__ import annotations

from typing import Any

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.planner.function_spec import (
    AGGREGATES,
    FUNCTIONS,
    REFUSED_FUNCTIONS,
    AggregateSpec,
    FunctionExample,
    FunctionSpec,
)
from tests.compare import values_equal
from tests.functions.harness import Bench

ROWS = {spec.name: spec for spec in FUNCTIONS.values()}
EXAMPLES = [(spec.name, example) for spec in ROWS.values() for example in spec.examples if example.shown]


@pytest.mark.parametrize("example", [e for _, e in EXAMPLES], ids=[f"{n}:{e.expression}" for n, e in EXAMPLES])
def test_example(example: FunctionExample) -> None:
    bench = Bench([dict(example.row)], zone=example.zone)
    problem = values_equal(example.result, bench.values(example.expression)[0], example.zone)
    assert problem is None, problem


TOTALS = {spec.name: spec for spec in AGGREGATES.values()}


@pytest.mark.parametrize("spec", TOTALS.values(), ids=list(TOTALS))
def test_aggregate_row(spec: AggregateSpec) -> None:
    assert spec.examples
    assert spec.summary[0].endswith(".")
    for example in spec.examples:
        if example.shown:
            records = [dict(zip(example.row, row, strict=True)) for row in zip(*example.row.values(), strict=True)]
            got = Bench(records).aggregate(example.expression)
            assert values_equal(example.result, got, "UTC") is None, got


@pytest.mark.parametrize("spec", ROWS.values(), ids=list(ROWS))
def test_row_is_complete(spec: FunctionSpec) -> None:
    assert spec.examples
    assert spec.summary[0].endswith(".")
    assert spec.signature.startswith((f"{spec.name}(", "$("))
    assert spec.max_args is None or spec.min_args <= spec.max_args
    assert all(spec.max_args is None or position < spec.max_args for position in spec.constant)


#: functions.md > Index; what needs the vendor's server is refused with a reason instead.
CATALOGUE = """
flatten foreach subarray sumarray unique valueof zip case if in match not nvl array binary date dict double frombase64
fromhex groups int long string tobase64 tohex decode decrypt encode encrypt hash rand randbytes ago dateadd datediff
datepart daterange datetrunc epoch now ip ip2int ip2long long2ip network abs acos asin atan ceil cos exp floor log
log10 max min mod pow round seq sin sqrt tan $ field whoami concat contains format guid indexof kvjoin lastindexof
left len lower lpad replace reverseip right rpad split strjoin substr trim upper urldecode urlencode signature
isnotnull isnull isnum isstr typeof str evtctxget evtctxgetvar evtctxsetvar evtctxcnt matchbehavior matchblackip
matchfeed matchfilter matchnet matchport matchsig xpath
"""
AGGREGATE_NAMES = """
count c sum avg min max first last values array dc dcount estdc range var stddev cov covar corr correl slope median
percentile perc per_second per_minute per_hour per_day
"""


def test_every_function_of_the_language_has_a_row_or_a_reason() -> None:
    assert [n for n in CATALOGUE.split() if n not in FUNCTIONS and not REFUSED_FUNCTIONS.get(n)] == []
    assert [n for n in AGGREGATE_NAMES.split() if n not in AGGREGATES] == []
    assert [n for n in REFUSED_FUNCTIONS if n in FUNCTIONS] == []


def test_a_refused_function_names_its_reason() -> None:
    with pytest.raises(QueryError) as caught:
        Bench([{}]).values('xpath("a", "b")')
    assert caught.value.code == "90900"
    assert "parsexml" in " ".join(caught.value.notes)


def test_unknown_function_suggests_a_near_one() -> None:
    with pytest.raises(QueryError) as caught:
        Bench([{}]).values("uper(1)")
    assert "upper" in (caught.value.help or "")


#: language.md section 10: code and symbolic name of a wrong call.
REFUSALS = [
    ('left("a", -1)', "90720"),
    ('right("a", -1)', "90721"),
    ('split("a", "")', "90772"),
    ('date("a", "qqqq")', "90820"),
    ('date("a", "yyyy\'")', "90820"),
    ('dateadd(now(), "seconds", 1)', "90621"),
    ('datediff(now(), now(), "week")', "90631"),
    ('hash("md10", binary("x"))', "90692"),
    ("rand(0)", "90751"),
    ('int("1", 16)', "90830"),
    ('long("1", 16)', "90840"),
    ("nosuch(1)", "90900"),
    ("len()", "99000"),
    ('ago("5mon")', "90500"),
    ('ago("2y")', "90501"),
    ('ago("3x")', "90502"),
    ('datetrunc(now(), "abc")', "90500"),
    ('datepart(now(), "nope")', "90881"),
]


@pytest.mark.parametrize(("expression", "code"), REFUSALS, ids=[e for e, _ in REFUSALS])
def test_refusal(expression: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        Bench([{}]).values(expression)
    assert caught.value.code == code
    assert caught.value.span is not None


class Lists:
    """A local store of named lists, as the catalog's service ``objects`` offers it."""

    def __init__(self) -> None:
        self.data = {
            ("ip", "bad"): ["10.0.0.1", "192.168.0.0/16", "2001:db8::/32"],
            ("port", "web"): ["80", "8000-8100"],
            ("text", "urls"): ["evil.test"],
        }

    def items(self, kind: str, name: str) -> list[str] | None:
        return self.data.get((kind, name))

    def names(self, kind: str) -> list[str]:
        return [n for k, n in self.data if k == kind]


def test_object_lists() -> None:
    rows: list[dict[str, Any]] = [
        {"a": "10.0.0.1", "p": 80, "u": "evil.test"},
        {"a": "192.168.7.9", "p": 8050, "u": "good.test"},
        {"a": "2001:db8:0:0:0:0:0:1", "p": 443, "u": None},
        {"a": "x", "p": None, "u": ""},
    ]
    bench = Bench(rows)
    bench.services["objects"] = Lists()
    assert bench.values('matchblackip("bad", a)') == [True, True, True, False]
    assert bench.values('matchport("web", p)') == [True, True, False, False]
    assert bench.values('matchfeed("urls", u)') == [True, False, False, False]
    with pytest.raises(QueryError, match="no list"):
        bench.values('matchnet("nosuch", a)')
