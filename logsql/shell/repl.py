"""The shell: one input in, its answer out, the session kept whatever happens.

:class:`Shell` knows nothing of terminals: ``execute(text)`` carries out one complete input, ``more(text)`` says whether
more lines belong to it. Data goes to ``out``, everything said to ``err``. Two front ends drive it: prompt-toolkit on a
terminal (``logsql.shell.terminal``) and plain lines otherwise, where the exit code is that of the first failure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from logsql.diagnostics.errors import Diagnostic, LogsqlError, UsageError, nearest
from logsql.diagnostics.messages import message
from logsql.registry import COMMANDS
from logsql.render import FORMATS, Layout, write
from logsql.shell import manual
from logsql.shell.arguments import Invocation
from logsql.shell.lines import Kind, classify, continues, joined
from logsql.shell.metas import METAS
from logsql.shell.progress import ProgressLine
from logsql.shell.running import Abandoned, interruptible
from logsql.shell.verbs import ml_shell, read_query_file, show_error

if TYPE_CHECKING:
    from logsql.engine.session import Session

#: Rows of a result that the shell shows unless told otherwise (\rows). A display limit: the query is not limited.
SHOWN_ROWS = 1000


class Leave(Exception):
    """The user asked to leave."""


@dataclass
class Settings:
    """What ``\\set`` and its relatives change."""

    params: dict[str, str] = field(default_factory=dict)
    format: str = "table"
    rows: int = SHOWN_ROWS
    show_sql: bool = False
    width: Callable[[], int | None] = lambda: None


class Shell:
    """A session with settings, and what it last did. ``ask`` answers the questions of ml commands."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        out: BinaryIO,
        err: TextIO,
        ask: Callable[[str], str] = lambda prompt: "",
        debug: bool = False,
    ) -> None:
        self.session, self.settings, self.out, self.err = session, settings, out, err
        self.ask, self.debug = ask, debug
        self.last_query: str | None = None
        self.interactive = False

    # --- input ------------------------------------------------------------------------------------

    def more(self, text: str) -> bool:
        """Whether the input goes on behind ``text``."""
        return continues(text, COMMANDS)

    def execute(self, text: str) -> int:
        """Carry out one complete input; returns 0 or the exit code of its failure. Raises :class:`Leave`."""
        try:
            return self._dispatch(joined(text.split("\n")))
        except Leave:
            raise
        except Abandoned as error:
            show_error(error, self.err)
            self.err.write(message("shell-interrupting") + "\n")
            return error.exit_code
        except LogsqlError as error:
            show_error(error, self.err)
            return error.exit_code
        except KeyboardInterrupt:
            self.err.write(message("interrupted") + "\n")
            return 130
        except BrokenPipeError:
            raise
        except Exception as error:
            return self._internal(error)

    def _internal(self, error: Exception) -> int:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        self.err.write(message("internal-error", what=what) + "\n")
        if self.debug:
            import traceback

            traceback.print_exc(file=self.err)
        else:
            self.err.write("help: " + message("internal-help") + "\n")
        return 1

    def _dispatch(self, text: str) -> int:
        kind = classify(text, COMMANDS)
        if kind is Kind.META:
            self._meta(text.strip())
        elif kind is Kind.HELP:
            words = text.split()
            self.say(manual.page(words[1]) if len(words) > 1 else overview())
        elif kind is Kind.ML:
            shell = ml_shell(self.session, self.ask, self.say, lambda line: self.err.write(line + "\n"))
            return int(shell.run(text.strip()))
        elif kind is not Kind.BLANK:
            self._run(text, kind is Kind.SQL)
        return 0

    def say(self, text: str) -> None:
        """A line of an answer."""
        self.out.write(text.encode() + b"\n")
        self.out.flush()

    # --- queries ----------------------------------------------------------------------------------

    def _run(self, text: str, is_sql: bool) -> None:
        self.last_query = None if is_sql else text
        if self.settings.show_sql and not is_sql:
            self.err.write(self.session.translate(text, dict(self.settings.params)) + "\n\n")
        started = time.perf_counter()
        layout = Layout(width=self.settings.width(), rows=self.settings.rows or None)

        def work() -> Any:
            if is_sql:
                result = self.session.sql(text.strip().rstrip(";"))
            else:
                result = self.session.query(text, dict(self.settings.params))
            return result, write(result, self.settings.format, self.out, layout)

        try:
            result, outcome = interruptible(work, self.stop, grace=10.0)
        finally:
            if isinstance(self.session.on_progress, ProgressLine):
                self.session.on_progress.clear()
        self.out.flush()
        seconds = time.perf_counter() - started
        for notice in outcome.notices:
            self.err.write(f"note: {notice}\n")
        summary = result.ledger.summary()
        if summary:
            self.err.write("note: " + message("ledger", summary=summary) + " (\\loss)\n")
        name = "shell-row" if outcome.rows == 1 else "shell-rows"
        if self.interactive:
            self.err.write(f"({message(name, rows=outcome.rows, seconds=seconds)})\n")
        self.err.flush()

    def stop(self) -> None:
        """End what runs and what is being planned."""
        self.session.interrupt()
        self.session.planning.interrupt()

    # --- shell commands ---------------------------------------------------------------------------

    def _meta(self, text: str) -> None:
        head, _, rest = text.partition(" ")
        rest = rest.strip()
        actions: dict[str, Callable[[str], None]] = {
            "\\?": lambda _: self.say(overview()),
            "\\h": lambda _: self.say(manual.page(rest) if rest else overview()),
            "\\q": self._leave,
            "\\d": self._tables,
            "\\i": self._run_file,
            "\\set": self._set,
            "\\unset": self._unset,
            "\\sql": self._show_sql,
            "\\plan": self._plan,
            "\\loss": self._loss,
            "\\rows": self._rows,
            "\\format": self._format,
            "\\tz": self._zone,
        }
        action = actions.get(head)
        if action is None:
            near = nearest(head, [meta.name for meta in METAS])
            hint = message("help-did-you-mean", names=near[0]) if near else "\\?"
            raise UsageError(Diagnostic("E2004", "shell-unknown", message("shell-unknown", word=head), help=hint))
        action(rest)

    def _leave(self, rest: str) -> None:
        raise Leave

    def _tables(self, rest: str) -> None:
        if not rest:
            names = self.session.tables()
            self.say("\n".join(names) if names else message("shell-no-tables"))
            return
        quoted = rest.replace("\\", "\\\\").replace('"', '\\"') if " " in rest else rest
        plan = self.session.plan(f"table {quoted}")[0]
        self.say("\n".join(f"{column.name}  {column.type.label}" for column in plan.rel.columns))

    def _run_file(self, rest: str) -> None:
        if not rest:
            raise _usage("\\i")
        self._run(read_query_file(rest), False)

    def _set(self, rest: str) -> None:
        if not rest:
            for name, value in sorted(self.settings.params.items()):
                self.say(message("shell-set", name=name, value=value))
            return
        name, equals, value = rest.partition("=")
        if not equals or not name.strip():
            raise _usage("\\set")
        self.settings.params[name.strip()] = value.strip()

    def _unset(self, rest: str) -> None:
        if self.settings.params.pop(rest, None) is None:
            raise _usage("\\unset")

    def _show_sql(self, rest: str) -> None:
        if rest not in ("on", "off", ""):
            raise _usage("\\sql")
        if rest:
            self.settings.show_sql = rest == "on"
        self.say(message("shell-on" if self.settings.show_sql else "shell-off"))

    def _plan(self, rest: str) -> None:
        query = rest or self.last_query
        if query is None:
            raise UsageError(Diagnostic("E2005", "shell-no-query", message("shell-no-query")))
        self.say(self.session.explain(query, dict(self.settings.params)))

    def _loss(self, rest: str) -> None:
        ledger = self.session.last_ledger
        if not ledger:
            self.say(message("shell-no-loss"))
            return
        for line in ledger.lines():
            self.say(line)

    def _rows(self, rest: str) -> None:
        if rest:
            if not rest.isascii() or not rest.isdigit():
                raise _usage("\\rows")
            self.settings.rows = int(rest)
        self.say(str(self.settings.rows))

    def _format(self, rest: str) -> None:
        if rest:
            if rest not in FORMATS or FORMATS[rest].binary:
                raise _usage("\\format", " | ".join(f.name for f in FORMATS.values() if not f.binary))
            self.settings.format = rest
        self.say(self.settings.format)

    def _zone(self, rest: str) -> None:
        if rest:
            self.session.set_zone(rest)
        self.say(self.session.zone)


def _usage(name: str, choices: str | None = None) -> UsageError:
    synopsis = next(meta.synopsis for meta in METAS if meta.name == name)
    return UsageError(Diagnostic("E2006", "shell-usage", message("shell-usage", usage=synopsis), help=choices))


def overview() -> str:
    """The list behind ``\\?``."""
    rows = [(meta.synopsis, message(meta.help)) for meta in METAS]
    rows += [
        ("ml.*", message("meta-ml")),
        ("SELECT ...", message("meta-sql-line")),
        ("... \\", message("meta-continue")),
    ]
    left = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{left}}  {text}" for name, text in rows)


def start(asked: Invocation, connect: Callable[[], Session]) -> int:
    """The shell for this process: prompt-toolkit on a terminal, plain lines otherwise. Returns the exit code."""
    settings = Settings(params=dict(asked.params), format=asked.format or "table")
    session = connect()
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            from logsql.shell.terminal import converse

            return converse(Shell(session, settings, sys.stdout.buffer, sys.stderr, debug=asked.debug))
        settings.format = asked.format or "jsonl"
        settings.rows = 0
        shell = Shell(
            session, settings, sys.stdout.buffer, sys.stderr, lambda _: sys.stdin.readline().strip(), asked.debug
        )
        return plain(shell, sys.stdin)
    finally:
        session.close()


def plain(shell: Shell, lines: TextIO) -> int:
    """Inputs from a stream of lines; the exit code is that of the first failure."""
    code = 0
    for text in inputs(shell, lines):
        try:
            failed = shell.execute(text)
        except Leave:
            break
        code = code or failed
    return code


def inputs(shell: Shell, lines: TextIO) -> Iterator[str]:
    """Complete inputs of a stream; what is still open at its end is the last one."""
    waiting: list[str] = []
    for raw in iter(lines.readline, ""):
        waiting.append(raw.rstrip("\r\n"))
        text = "\n".join(waiting)
        if not shell.more(text):
            waiting.clear()
            yield text
    if waiting:
        yield "\n".join([*waiting, ""])
