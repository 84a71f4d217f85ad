"""types=t: which columns of text get a type; the rules are those of the csvfile page."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from udfs.readers.base import null_context
from udfs.readers.csvrows import CsvReader
from udfs.readers.valuetypes import types_of

LATE = [""] * 5_000
"""Empty cells before the first value: the sample does not see it."""

COLUMNS: dict[str, tuple[list[str], str | None]] = {
    "whole": (["1", "-20", "", "2147483647"], "int"),
    "long": (["1", "2147483648"], "long"),
    "beyond 64 bits": (["1", "9223372036854775808"], None),
    "leading zero": (["7", "007"], None),
    "phone": (["01012345678", "01098765432"], None),
    "plus": (["+821012345678"], None),
    "minus nothing": (["-0"], None),
    "blank": (["1", " 2"], None),
    "decimal": (["1.5", "2", "-.25"], "double"),
    "exponent": (["1e3", "2.5E-7"], "double"),
    "exponent too large": (["1e3", "1e999"], None),
    "too many digits": (["1.5", "0.12345678901234567890"], None),
    "small with zeros": (["0.00000000000000000000123"], "double"),
    "decimal and a long integer": (["1.5", "9007199254740993"], None),
    "zero before a decimal": (["00.5"], None),
    "version": (["1.2.3"], None),
    "day": (["2024-01-02", ""], "date"),
    "time": (["2024-01-02T10:00:00Z", "2024-01-02 10:00", "2024-01-02T10:00:00.123456+0900"], "date"),
    "no day": (["2024-02-28", "2024-02-30"], None),
    "no time": (["2024-02-28 25:00"], None),
    "american": (["01/02/2024"], None),
    "bool": (["true", "FALSE", ""], "bool"),
    "yes": (["yes", "no"], None),
    "bool and number": (["true", "1"], None),
    "nothing": (["", ""], None),
    "late number": ([*LATE, "5"], "int"),
    "late date": ([*LATE, "2024-01-02"], "date"),
    "late text": (["1", *LATE, "N/A"], None),
    "late fraction": (["1", *LATE, "1.5"], "double"),
}


@pytest.mark.parametrize("exact", [False, True])
def test_a_column_has_the_type_that_every_value_fits(tmp_path: Path, exact: bool) -> None:
    most = max(len(values) for values, _ in COLUMNS.values())
    rows = [[(values[n] if n < len(values) else "") for values, _ in COLUMNS.values()] for n in range(most)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in [list(COLUMNS), *rows]))
    reader = CsvReader([str(path)], limit=most if exact else None)
    assert types_of(reader, COLUMNS, null_context()) == {name: type_ for name, (_, type_) in COLUMNS.items()}


def test_names_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,A\n1,x\n")
    reader = CsvReader([str(tmp_path / "a.csv")])
    assert reader.schema.field("a").type == pa.string()
    assert types_of(reader, ["a", "A"], null_context()) == {"a": "int", "A": None}
