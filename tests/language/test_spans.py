"""Rendering of diagnostics: places, carets, widths, long and hostile text."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import Diagnostic
from logsql.language.spans import WINDOW, line_and_column, render, width
from logsql.language.tree import Span


def excerpt(text: str, start: int, end: int, **more: str) -> list[str]:
    """The rendered lines behind the headline."""
    return render(Diagnostic("1", "n", "m", Span(start, end), text=text, **more)).split("\n")[1:]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("한글", 4), ("a값b", 4), ("e\u0301", 1), ("\u1112\u1161\u11ab", 2), ("ｱ", 1), ("Ａ", 2)],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


def test_place_counts_characters_and_every_line_break() -> None:
    text = "한글\nb\r\nc\rd"
    assert [line_and_column(text, text.index(c)) for c in "글bcd"] == [(1, 2), (2, 1), (3, 1), (4, 1)]


def test_without_text_or_span_only_the_sentences_remain() -> None:
    assert render(Diagnostic("E1", "n", "m", notes=("a", "b"), help="h")) == "error[E1 n]: m\nnote: a\nnote: b\nhelp: h"


def test_origin_names_the_file() -> None:
    assert excerpt("abc", 1, 2, origin="q.lq")[0] == " --> q.lq:1:2"


def test_wide_characters_take_two_carets() -> None:
    assert excerpt("eval 값 x", 5, 6)[2:] == ["1 | eval 값 x", "  |      ^^"]


def test_tabs_become_blanks() -> None:
    assert excerpt("\ta\tb", 3, 4)[2:] == ["1 |     a    b", "  |          ^"]


def test_empty_span_shows_one_caret() -> None:
    assert excerpt("abc", 3, 3)[2:] == ["1 | abc", "  |    ^"]
    assert excerpt("ab\ncd", 2, 2)[2:] == ["1 | ab", "  |   ^"]
    assert excerpt("ab\ncd", 3, 3)[2:] == ["2 | cd", "  | ^"]


def test_span_over_lines_underlines_each() -> None:
    assert excerpt("join k [ a\n  | b ]\n| c", 7, 18)[2:] == [
        "1 | join k [ a",
        "  |        ^^^",
        "2 |   | b ]",
        "  |   ^^^^^",
    ]


def test_many_lines_are_cut() -> None:
    shown = excerpt("\n".join("abcdefghij"), 0, 19)
    assert shown[-1] == "  | ... 7 more lines"
    assert len(shown) == 2 + 3 * 2 + 1


def test_margin_fits_the_line_number() -> None:
    shown = excerpt("\n" * 99 + "abc", 99, 102)
    assert shown == ["   --> query:100:1", "    |", "100 | abc", "    | ^^^"]


def test_long_lines_are_cut_around_the_span() -> None:
    shown = excerpt("a" * 5000 + "X" + "b" * 5000, 5000, 5001)
    source, carets = shown[2][4:], shown[3][4:]
    assert len(source) <= WINDOW + 6
    assert source[carets.index("^")] == "X"
    assert carets.count("^") == 1


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = render(Diagnostic("1", "n", "bad \x1b[2J", Span(0, 1), help="\x07", text="\x1b[31m\u202eab"))
    assert not any(ord(char) < 32 and char != "\n" for char in shown)
    assert "\u202e" not in shown


def test_span_outside_the_text_is_harmless() -> None:
    assert excerpt("abc", 10, 20)[2:] == ["1 | abc", "  |    ^"]
