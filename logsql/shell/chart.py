"""``logsql chart ...``: pictures of query results from the command line.

    logsql chart 3d -q QUERY --x FIELD --y FIELD --z FIELD [--color FIELD] [--title TEXT] -o FILE.html|FILE.png

``main(argv, session_factory)`` takes the words behind ``chart``; ``session_factory()`` opens the session that the
global options describe. Errors are raised as :class:`logsql.LogsqlError` for the command line to print; what was
drawn is said on stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from logsql.diagnostics.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from logsql.engine.session import Session

USAGE = "logsql chart 3d -q QUERY --x FIELD --y FIELD --z FIELD [--color FIELD] -o FILE.html|FILE.png"


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(Diagnostic("E2020", "chart", message, help=USAGE))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="logsql chart", usage=USAGE, allow_abbrev=False)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="3d", parser_class=_Parser)
    three = kinds.add_parser("3d", usage=USAGE, allow_abbrev=False, help="a 3-D scatter plot of three fields")
    three.add_argument("-q", "--query", required=True, help="the query that gives the rows")
    for axis in ("x", "y", "z"):
        three.add_argument(f"--{axis}", required=True, metavar="FIELD", help=f"field of the {axis} axis")
    three.add_argument("--color", metavar="FIELD", help="field that colours the points")
    three.add_argument("--title", metavar="TEXT", help="title of the picture")
    three.add_argument("-o", "--output", required=True, metavar="FILE", help="FILE.html, or FILE.png (extra chart)")
    return parser


def main(argv: Sequence[str], session_factory: Callable[[], Session]) -> int:
    """Draw what ``argv`` asks for; returns 0. Raises LogsqlError: usage, query, fields, output."""
    try:
        asked = _parser().parse_args(list(argv))
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    return _draw(asked, session_factory)


def _draw(asked: Any, session_factory: Callable[[], Session]) -> int:
    from logsql.render.scatter3d import write_scatter3d

    with session_factory() as session:
        session.policy.check_write(asked.output)
        result = session.query(asked.query)
        drawn = write_scatter3d(result.arrow(), asked.x, asked.y, asked.z, asked.color, asked.output, asked.title)
        loss = result.ledger.summary()
    sys.stderr.write(f"{asked.output}: {drawn.points:,} points\n")
    if drawn.skipped:
        sys.stderr.write(f"{drawn.skipped:,} rows without a value on every axis are not drawn\n")
    if loss:
        sys.stderr.write(f"{loss}\n")
    return 0
