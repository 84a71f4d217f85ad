"""The reader of ``textfile``: lines with Java patterns and date formats, as functions over Arrow arrays."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from udfs.documents import first_match
from udfs.java import dates, javaregex
from udfs.readers.evidence import Placing, files_of
from udfs.readers.request import Request
from udfs.readers.textlines import TextReader


class TextFileReader(TextReader):
    """Lines of text files as the options of ``textfile`` ask for them."""

    @classmethod
    def of(cls, request: Request) -> TextFileReader:
        """Options of the command, with ``zone`` for ``df``; ``written`` and ``placed``: columns more."""
        return cls(
            files_of(request),
            request.text("cs") or "utf-8",
            line_test(request.text("brex")),
            line_test(request.text("erex")),
            time_reader(request.text("dp"), request.text("df"), request.text("zone") or "UTC"),
            request.number("limit"),
            request.number("offset") or 0,
            written_column=request.flag("written"),
            placed=request.flag("placed"),
            place=Placing.of(request),
            framing=request.text("framing"),
        )


def line_test(pattern: str | None) -> Callable[[pa.Array], pa.Array] | None:
    """Whether lines match a Java pattern, by RE2 inside Arrow when it says the same; None without a pattern."""
    if pattern is None:
        return None
    spec = javaregex.classify(pattern, named_only=False)
    if spec.re2_match is not None:
        fast = spec.re2_match
        return lambda lines: pc.match_substring_regex(lines, fast)
    return lambda lines: javaregex.matches(lines, spec)


def time_reader(find: str | None, form: str | None, zone: str) -> Callable[[pa.Array], pa.Array] | None:
    """``find`` finds the time in a line (its groups joined, else the whole match), ``form`` reads it in ``zone``."""
    if find is None or form is None:
        return None
    spec = javaregex.classify(find, named_only=False)
    pattern = dates.compile_pattern(form)
    return lambda lines: dates.parse_array(first_match(lines, spec), pattern, zone)
