"""Java regular expressions: both translations against java.util.regex of JDK 17.

``java_regex_cases.jsonl`` holds patterns, subjects and what ``Matcher.find`` / ``replaceAll`` of JDK 17.0.15 gave
(all matches with all groups, or the error). It covers every construct of the documentation plus patterns drawn at
random from a grammar.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.java import javaregex as jr

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("java_regex_cases.jsonl").read_text(encoding="utf-8").splitlines()
]
VALID = [case for case in CASES if "matches" in case]


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    yield con
    con.close()


def re2_first(db: duckdb.DuckDBPyConnection, spec: jr.Regex, text: str) -> tuple[bool, list[str]]:
    """Match flag and captures as DuckDB gives them ('' for a group that took no part)."""
    if not spec.group_count:
        return db.execute("SELECT regexp_matches($s, $p)", {"s": text, "p": spec.re2}).fetchall()[0][0], []
    names = [f"g{i}" for i in range(1, spec.group_count + 1)]
    sql = f"SELECT regexp_matches($s, $p), regexp_extract($s, $p, {names!r})"
    matched, captured = db.execute(sql, {"s": text, "p": spec.re2}).fetchall()[0]
    return matched, [captured[name] for name in names]


def show(case: dict[str, Any]) -> str:
    return f"{case['pattern']!a} on {case['subject']!a}"


def test_fallback_finds_what_java_finds() -> None:
    wrong = []
    for case in VALID:
        spec = jr.classify(case["pattern"], named_only=False)
        found = jr.groups(pa.array([case["subject"]]), spec).to_pylist()[0]
        expected = [group for match in case["matches"] for group in match[1:]] if case["matches"] else None
        matched = jr.matches(pa.array([case["subject"]]), spec).to_pylist()[0]
        if found != expected or matched != bool(case["matches"]):
            wrong.append(f"{show(case)}: {found!a} instead of {expected!a}")
    assert not wrong, "\n".join(wrong)


def test_whole_matches_of_the_fallback() -> None:
    """Marking every match shows its extent, which groups() does not."""
    wrong = []
    for case in VALID:
        spec = jr.classify(case["pattern"], named_only=False)
        marked = jr.replace_all(pa.array([case["subject"]]), spec, "\ue000$0\ue001").to_pylist()[0]
        found = [piece.split("\ue001")[0] for piece in marked.split("\ue000")[1:]]
        if found != [match[0] for match in case["matches"]]:
            wrong.append(f"{show(case)}: {found!a}")
    assert not wrong, "\n".join(wrong)


def test_re2_form_finds_what_java_finds(db: duckdb.DuckDBPyConnection) -> None:
    wrong = []
    for case in VALID:
        spec = jr.classify(case["pattern"], named_only=False)
        if spec.re2 is None:
            continue
        first = case["matches"][0] if case["matches"] else None
        expected = (first is not None, [g or "" for g in first[1:]] if first else [""] * spec.group_count)
        got = re2_first(db, spec, case["subject"])
        if got != expected:
            wrong.append(f"{show(case)} as {spec.re2!a}: {got!a} instead of {expected!a}")
    assert not wrong, "\n".join(wrong)


def test_re2_boolean_form(db: duckdb.DuckDBPyConnection) -> None:
    wrong = []
    for case in VALID:
        spec = jr.classify(case["pattern"], named_only=False)
        if spec.re2_match is not None:
            arguments = [case["subject"], spec.re2_match]
            got = db.execute("SELECT regexp_matches(?, ?)", arguments).fetchall()[0][0]
            if got != bool(case["matches"]):
                wrong.append(f"{show(case)} as {spec.re2_match!a}")
    assert not wrong, "\n".join(wrong)


def test_re2_extents(db: duckdb.DuckDBPyConnection) -> None:
    wrong = []
    for case in VALID:
        spec = jr.classify(case["pattern"], named_only=False)
        if spec.re2 is not None and spec.re2_extent:
            arguments = [case["subject"], spec.re2]
            got = db.execute("SELECT regexp_extract_all(?, ?)", arguments).fetchall()[0][0]
            if got != [match[0] for match in case["matches"]]:
                wrong.append(f"{show(case)} as {spec.re2!a}: {got!a}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", [c for c in CASES if "error" in c], ids=lambda c: ascii(c["pattern"]))
def test_java_refuses(case: dict[str, Any]) -> None:
    with pytest.raises(jr.RegexSyntaxError) as caught:
        jr.classify(case["pattern"], named_only=False)
    assert 0 <= caught.value.position <= len(case["pattern"])


@pytest.mark.parametrize("case", [c for c in CASES if "replacement" in c], ids=lambda c: ascii(c["replacement"]))
def test_replace_all_as_java(case: dict[str, Any], db: duckdb.DuckDBPyConnection) -> None:
    spec = jr.classify(case["pattern"], named_only=False)
    names = dict(zip(spec.names, spec.group_index, strict=True))
    if "replace_error" in case:
        with pytest.raises(jr.ReplacementError):
            jr.replace_all(pa.array([case["subject"]]), spec, case["replacement"])
        with pytest.raises(jr.ReplacementError):
            jr.java_replacement_to_re2(case["replacement"], spec.group_count, names)
        return
    got = jr.replace_all(pa.array([case["subject"], None]), spec, case["replacement"])
    assert got.to_pylist() == [case["replaced"], None]
    rewritten = jr.java_replacement_to_re2(case["replacement"], spec.group_count, names)
    if spec.re2 is not None and spec.re2_extent:
        arguments = [case["subject"], spec.re2, rewritten]
        assert db.execute("SELECT regexp_replace(?, ?, ?, 'g')", arguments).fetchall() == [(case["replaced"],)]


def test_group_above_nine_has_no_re2_replacement() -> None:
    assert jr.java_replacement_to_re2("$10", 10) is None
    assert jr.java_replacement_to_re2("$10", 9) == r"\10"


def test_no_value_reaches_a_group_that_java_leaves_out() -> None:
    spec = jr.classify(r"(a=(?<a>\d+) )?b=(?<b>\d+)")
    rows = jr.rex_extract(pa.chunked_array([["a=1 b=2"], ["b=3", "x"], [None]]), spec).to_pylist()
    assert rows == [
        {"matched": True, "g1": "1", "g2": "2"},
        {"matched": True, "g1": None, "g2": "3"},
        {"matched": False, "g1": None, "g2": None},
        {"matched": False, "g1": None, "g2": None},
    ]
    assert spec.always == (False, True)
    assert spec.may_be_empty == (False, False)


def test_rex_names_are_free_and_may_repeat() -> None:
    spec = jr.classify(r"x(?<_n>\d)y(?<숫자>\d)")
    assert spec.names == ("_n", "숫자")
    assert jr.rex_extract(pa.array(["x1y2"]), spec).to_pylist() == [{"matched": True, "g1": "1", "g2": "2"}]
    twice = jr.classify(r"(?<v>[a-z])(?<v>\d)?")
    assert twice.columns == ("v",)
    rows = jr.rex_extract(pa.array(["x1", "x"]), twice).to_pylist()
    assert [row["g1"] for row in rows] == ["1", "x"]  # the last group that took part wins


def test_unnamed_groups_do_not_capture_in_rex(db: duckdb.DuckDBPyConnection) -> None:
    spec = jr.classify(r"(GET|POST) (?<path>\S+) (\d+) (?<rest>.*)")
    assert spec.group_index == (1, 2)
    assert re2_first(db, spec, "GET /a 200 x y") == (True, ["/a", "x y"])


def test_back_reference_numbers_count_unnamed_groups() -> None:
    spec = jr.classify(r"""(x)(["'])(?<v>.*?)\2""")
    assert spec.re2 is None
    assert spec.why == "back-reference"
    assert jr.rex_extract(pa.array(["""x'a"b'"""]), spec).to_pylist() == [{"matched": True, "g1": 'a"b'}]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)user-agent: (?<user_agent>[^\n]+)",
        r"(?i)sec-fetch-site: (?<s>[^\n]+)",
        r"(?i)chrome/(?<chrome_ver>\d+)",
        r"&REV_[^#]+#(?<serial>[^&]+)",
        r"Ven_(?<vendor>[^&]+)&Prod_(?<product>[^&]+)&Rev_(?<version>[^#]+)#(?<serial>[^&]+)",
        r"\\(?<f>[^\\]+)$",
        r"(?<last>\d+)$",
        r"^(?<lvl>\w+) \[(?<thread>[^\]]+)\] (?<text>.*): took (?<ms>\d+) ms$",
        r"(?m)^Referer: https?://(?<refhost>[^/\n]+)",
        r"key=(?<v>.*?)(?:,|$)",
        r"started the (?<job>.*?) Job.*?(?<url>https?://.*?)\) URL",
        r"(?<b>[a-z&&[^b]]+)",
        r"(?<w>\bERROR\b.*)",
        r"(?<h>\p{IsHangul}+)\h\u0041\Qa.b\E",
        r"(?<a>\p{InHangulSyllables}+)",
    ],
)
def test_patterns_of_practice_stay_on_re2(pattern: str, db: duckdb.DuckDBPyConnection) -> None:
    spec = jr.classify(pattern)
    assert spec.re2 is not None, spec.why
    db.execute("SELECT regexp_matches('', ?)", [spec.re2])


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"a(?=b)", "look-around"),
        (r"(?<!a)b", "look-around"),
        (r"(a)\1", "back-reference"),
        (r"a++", "possessive quantifier"),
        (r"(?>a)b", "atomic group"),
        (r"\Ga", "\\G"),
        (r"a{1001}", "repeat above 1000"),
        (r"(?:a{100}){11}", "repeat above 1000"),
        (r"a$b", "$ inside the pattern"),
        (r"\r$", "$ after something that can end between CR and LF"),
        (r"(a*)*", "repetition of something that can be empty"),
    ],
)
def test_what_re2_cannot_say(pattern: str, why: str) -> None:
    spec = jr.classify(pattern, named_only=False)
    assert (spec.re2, spec.why) == (None, why)


def test_letter_case_is_ascii_only(db: duckdb.DuckDBPyConnection) -> None:
    """java.util.regex.Pattern: CASE_INSENSITIVE assumes US-ASCII; RE2's own (?i) would match KELVIN SIGN and LONG S."""
    spec = jr.classify("(?i)ks", named_only=False)
    texts = ["ks", "KS", "\u212as", "k\u017f"]
    assert jr.matches(pa.array(texts), spec).to_pylist() == [True, True, False, False]
    assert [re2_first(db, spec, text)[0] for text in texts] == [True, True, False, False]


def test_word_boundary_is_ascii(db: duckdb.DuckDBPyConnection) -> None:
    r"""Documentation since Java 19: \b is consistent with \w. A Hangul syllable before ERROR is no word character."""
    spec = jr.classify(r"\bERROR\b", named_only=False)
    texts = ["로그ERROR", "xERROR", "ERROR.", "ERROR_1"]
    assert jr.matches(pa.array(texts), spec).to_pylist() == [True, False, True, False]
    assert [re2_first(db, spec, text)[0] for text in texts] == [True, False, True, False]


def test_runaway_pattern_is_stopped() -> None:
    spec = jr.classify(r"(?:x|xx|xxx)+(?=y)", named_only=False)
    with pytest.raises(jr.RegexTimeout, match="xxx"):
        jr.matches(pa.array(["y!" + "x" * 300]), spec, timeout=0.2)


def test_columns_of_every_kind() -> None:
    spec = jr.classify("b", named_only=False)
    assert jr.matches(pa.array([], pa.string()), spec).to_pylist() == []
    assert jr.matches(pa.chunked_array([], pa.string()), spec).to_pylist() == []
    assert jr.matches(pa.array(["ab", None]).dictionary_encode(), spec).to_pylist() == [True, False]
    assert jr.matches(pa.array(["ab", None], pa.large_string()), spec).to_pylist() == [True, False]
    assert jr.rex_extract(pa.array([], pa.string()), spec).type == jr.rex_type(spec)


@pytest.mark.parametrize(
    ("pattern", "cut"),
    [
        (r"(?i)Host: (?<h>[^\n]+)", jr.LiteralCut("host: ", True, "\n", "", 1, "h")),
        (r"id=(?<id>\d+)", jr.LiteralCut("id=", False, "", "0123456789", 1, "id")),
        (r"q=(?<q>[^&#]*)", jr.LiteralCut("q=", False, "#&", "", 0, "q")),
        (r"(?i)K=(?<k>[^ ]+)", jr.LiteralCut("k=", True, " ", "", 1, "k")),
        (r"q=(?<q>[^&]+)&", None),
        (r"q=(?<q>[^&]+?)", None),
        (r"[ab]=(?<q>[^&]+)", None),
        (r"(?<q>[^&]+)", None),
        (r"q=([^&]+)", None),
        (r"a(?i)b=(?<q>[^&]+)", None),
        (r"q=(?<q>", None),
    ],
)
def test_literal_fast_path(pattern: str, cut: jr.LiteralCut | None) -> None:
    assert jr.literal_fast_path(pattern) == cut


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for all examples: opening one costs more than a hundred of them."""
    return duckdb.connect()


SUBJECT = st.text(st.sampled_from("aAbkK1_ -,.:/\n\r\x85\u2028한é\t\u212a\u017f가"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(subject=SUBJECT, case=st.sampled_from([c for c in VALID if jr.classify(c["pattern"], named_only=False).re2]))
def test_both_paths_agree(subject: str, case: dict[str, Any]) -> None:
    spec = jr.classify(case["pattern"], named_only=False)
    assert spec.re2 is not None
    matched, captured = re2_first(_connection(), spec, subject)
    found = jr._compiled(spec.python, spec.pattern).search(subject)
    assert matched == (found is not None)
    if found is not None:
        assert captured == [group or "" for group in found.groups()]
