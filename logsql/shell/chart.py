"""``logsql chart ...``: pictures of query results from the command line.

    logsql chart 3d -q QUERY --x FIELD --y FIELD --z FIELD [--color FIELD] [--title TEXT] -o FILE.html|FILE.png

What was drawn is said on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from logsql.diagnostics.errors import UsageError
from logsql.diagnostics.messages import message
from logsql.diagnostics.usage import CHART, CHART_KIND, NO_CHART_KIND, REQUIRED
from logsql.engine.session import Session
from logsql.render.scatter3d import write_scatter3d
from logsql.shell.commandline import CommandLine, Option, usage_error
from logsql.shell.invocation import Invocation
from logsql.shell.querying import open_session
from logsql.shell.voice import Voice

USAGE = "logsql chart 3d -q QUERY --x FIELD --y FIELD --z FIELD [--color FIELD] [--title TEXT] -o FILE.html|FILE.png"
_REQUIRED = (
    Option(("-q", "--query"), "query", "QUERY", "opt-chart-query"),
    Option(("--x",), "x", "FIELD", "opt-chart-axis"),
    Option(("--y",), "y", "FIELD", "opt-chart-axis"),
    Option(("--z",), "z", "FIELD", "opt-chart-axis"),
    Option(("-o", "--output"), "output", "FILE", "opt-chart-output"),
)
OPTIONS: tuple[Option, ...] = (
    *_REQUIRED,
    Option(("--color",), "color", "FIELD", "opt-chart-color"),
    Option(("--title",), "title", "TEXT", "opt-chart-title"),
    Option(("-h", "--help"), "help", None, "opt-help"),
)


def run(asked: Invocation, voice: Voice) -> int:
    """Draw what the words behind ``chart`` ask for."""
    return draw(asked.words, lambda: open_session(asked), voice)


def draw(words: Sequence[str], connect: Callable[[], Session], voice: Voice) -> int:
    """Draw what ``words`` ask for over the session that ``connect`` opens; returns 0.

    Raises LogsqlError: usage, query, fields, output.
    """
    try:
        given = _asked(words)
    except UsageError as error:
        raise UsageError(replace(error.diagnostic, code=CHART.code, name=CHART.name, help=USAGE)) from None
    if "help" in given:
        sys.stdout.write(usage_page() + "\n")
        return 0
    asked = {name: str(value) for name, value in given.items()}
    output = asked["output"]
    with connect() as session:
        session.policy.check_write(output)
        result = session.query(asked["query"])
        drawn = write_scatter3d(
            result.arrow(), asked["x"], asked["y"], asked["z"], asked.get("color"), output, asked.get("title")
        )
        ledger, told = result.ledger, result.notes
    voice.say(message("chart-points", path=output, count=drawn.points))
    notes = (message("chart-skipped", count=drawn.skipped),) if drawn.skipped else ()
    voice.remarks(notes, ledger, told=told)
    return 0


def _asked(words: Sequence[str]) -> dict[str, object]:
    given, kinds = CommandLine(OPTIONS).read(words)
    if "help" in given:
        return given
    for kind in kinds:
        if kind != "3d":
            raise usage_error(CHART_KIND, kind=kind)
    if len(kinds) != 1:
        raise usage_error(NO_CHART_KIND)
    missing = [option.names[-1] for option in _REQUIRED if option.field not in given]
    if missing:
        raise usage_error(REQUIRED, names=", ".join(missing))
    return given


def usage_page() -> str:
    """The page of ``logsql chart --help``."""
    rows = [(option.usage, message(option.help)) for option in OPTIONS]
    left = max(len(usage) for usage, _ in rows)
    lines = [f"  {usage:<{left}}  {text}" for usage, text in rows]
    return "\n".join([f"{message('help-usage')}: {USAGE}", "", f"{message('help-options')}:", *lines])
