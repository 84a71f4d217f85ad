"""The shell: one input in, its answer out, the session kept whatever happens.

:class:`Shell` knows nothing of terminals: ``execute(text)`` carries out one complete input, ``more(text)`` says whether
more lines belong to it. Data goes to ``out``, everything said to the voice. Two front ends drive it: prompt-toolkit on
a terminal (``logsql.shell.terminal``) and plain lines otherwise, where the exit code is that of the first failure.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from logsql.conversation.conversation import Conversation, Language, Settings
from logsql.conversation.outcome import Kind, remarks
from logsql.diagnostics.errors import LogsqlError, UsageError, diagnostic, nearest
from logsql.diagnostics.messages import message
from logsql.diagnostics.usage import META_USAGE, NO_QUERY_YET, NO_RESULT_YET, UNKNOWN_META
from logsql.language.tree import Expr, canonical
from logsql.loading import at
from logsql.registry import COMMANDS
from logsql.render import FORMATS
from logsql.shell import lines, manual
from logsql.shell.commandline import parameter
from logsql.shell.ctrlc import interruptible
from logsql.shell.inputs import read_query_file
from logsql.shell.invocation import Invocation
from logsql.shell.metas import METAS
from logsql.shell.plainlines import PlainLines
from logsql.shell.querying import explain_stoppable, stats_line
from logsql.shell.typedwords import explained, helped
from logsql.shell.voice import Voice

if TYPE_CHECKING:
    from logsql.engine.session import Session

T = TypeVar("T")
#: Rows of a result that the shell shows unless told otherwise (\\rows). A display limit: the query is not limited.
SHOWN_ROWS = 1000
#: Seconds that a query has to notice Ctrl-C before its thread is left behind.
GRACE = 10.0


class Leave(Exception):
    """The user asked to leave."""


class Shell:
    """A conversation, and what it last did. ``ask`` answers the questions of ml commands."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        out: BinaryIO,
        voice: Voice,
        ask: Callable[[str], str] = lambda prompt: "",
    ) -> None:
        self.session, self.settings, self.out, self.voice, self.ask = session, settings, out, voice, ask
        self.conversation = Conversation(session, settings, self._rows_to, partial(_patiently, session), voice.progress)
        self.last_query: str | None = None
        self.show_sql = False
        self.interactive = False

    # --- input ------------------------------------------------------------------------------------

    def more(self, text: str) -> bool:
        """Whether the input goes on behind ``text``."""
        return lines.continues(text, COMMANDS)

    def execute(self, text: str) -> int:
        """Carry out one complete input; returns 0 or the exit code of its failure. Raises :class:`Leave`."""
        try:
            return self._dispatch(lines.joined(text.split("\n")))
        except (Leave, BrokenPipeError):
            raise
        except LogsqlError as error:
            self.voice.error(error.diagnostic)
            return error.exit_code
        except KeyboardInterrupt:
            self.voice.say(message("interrupted"))
            return 130
        except Exception as error:
            self.voice.defect(error)
            return 1

    def _dispatch(self, text: str) -> int:
        if (about := explained(text)) is not None:
            self._explain(*about)
            return 0
        kind = lines.classify(text, COMMANDS)
        if kind is lines.Kind.META:
            return self._meta(text.strip())
        if kind is lines.Kind.HELP:
            words = text.split()
            self.say(manual.page(words[1]) if len(words) > 1 else f"{overview()}\n\n{manual.chapters()}")
        elif kind is lines.Kind.LEAVE:
            raise Leave
        elif kind is lines.Kind.ML:
            from logsql.shell.ml_verb import ml_shell  # for cost: training, pyarrow.compute

            return ml_shell(self.session, self.ask, self.say, self.voice).run(text.strip())
        elif kind is lines.Kind.SQL:
            return self._run(text.strip().rstrip(";"), Language.SQL)
        elif kind is lines.Kind.QUERY:
            return self._run(text, Language.PIPE)
        return 0

    def say(self, text: str) -> None:
        """A line of an answer."""
        self.out.write(text.encode() + b"\n")
        self.out.flush()

    # --- queries ----------------------------------------------------------------------------------

    @contextmanager
    def _rows_to(self, output: str | None) -> Iterator[BinaryIO]:
        yield self.out
        self.out.flush()

    def _run(self, text: str, language: Language) -> int:
        self.last_query = None if language is Language.SQL else text
        if self.show_sql and self.last_query is not None:
            self.voice.say(self.session.translate(text, dict(self.settings.params)), "")
        outcome = self.conversation.run(text, language)
        if language is Language.PIPE:
            outcome = helped(outcome, text)
        self.voice.outcome(outcome, self.settings.loss, "\\loss", self.settings.quiet)
        if outcome.kind is Kind.ABANDONED:
            self.voice.say(message("shell-interrupting"))
        if outcome.kind is Kind.DONE:
            if self.settings.stats:
                self.voice.say(stats_line(outcome))
            elif self.interactive:
                name = "shell-row" if outcome.rows == 1 else "shell-rows"
                self.voice.say(f"({message(name, rows=outcome.rows, seconds=outcome.seconds)})")
        return outcome.exit_code

    # --- shell commands ---------------------------------------------------------------------------

    def _meta(self, text: str) -> int:
        head, _, rest = text.partition(" ")
        rest = rest.strip()
        actions: dict[str, Callable[[str], int | None]] = {
            "\\?": lambda _: self.say(overview()),
            "\\h": lambda _: self.say(manual.page(rest) if rest else overview()),
            "\\q": self._leave,
            "\\d": self._tables,
            "\\i": self._run_file,
            "\\set": self._set,
            "\\unset": self._unset,
            "\\sql": self._show_sql,
            "\\plan": self._plan,
            "\\save": self._save,
            "\\loss": self._loss,
            "\\rows": self._rows,
            "\\format": self._format,
            "\\tz": self._zone,
            "\\profile": self._profile,
        }
        action = actions.get(head)
        if action is None:
            near = nearest(head, [meta.name for meta in METAS])
            hint = message("help-did-you-mean", names=near[0]) if near else None
            raise UsageError(diagnostic(UNKNOWN_META, help=hint, word=head))
        return action(rest) or 0

    def _leave(self, rest: str) -> None:
        raise Leave

    def _tables(self, rest: str) -> None:
        if not rest:
            names = sorted({*self.session.tables(), *self.session.server_tables()})
            self.say("\n".join(names) if names else message("shell-no-tables"))
            return
        quoted = rest.replace("\\", "\\\\").replace('"', '\\"') if " " in rest else rest
        plan = self.session.plan(f"table {quoted}")[0]
        self.say("\n".join(f"{column.name}  {column.type.label}" for column in plan.rel.columns))

    def _run_file(self, rest: str) -> int:
        if not rest:
            raise _usage("\\i")
        return self._run(read_query_file(rest, self.session.policy), Language.PIPE)

    def _set(self, rest: str) -> None:
        if not rest:
            for name, value in sorted(self.settings.params.items()):
                self.say(message("shell-set", name=name, value=_shown(value)))
            return
        if rest.split() in (["notes"], ["notes", "on"], ["notes", "off"]):
            if rest.split() != ["notes"]:
                self.settings.quiet = rest.endswith("off")
            self.say(message("shell-off" if self.settings.quiet else "shell-on"))
            return
        name, equals, value = rest.partition("=")
        if not equals or not name.strip():
            raise _usage("\\set")
        name, content = parameter("\\set", f"{name.strip()}={value.strip()}")
        self.settings.params[name] = content

    def _unset(self, rest: str) -> None:
        if self.settings.params.pop(rest, None) is None:
            raise _usage("\\unset")

    def _show_sql(self, rest: str) -> None:
        if rest not in ("on", "off", ""):
            raise _usage("\\sql")
        if rest:
            self.show_sql = rest == "on"
        self.say(message("shell-on" if self.show_sql else "shell-off"))

    def _plan(self, rest: str) -> None:
        word, _, behind = rest.partition(" ")
        run = word == "--run"
        query = (behind.strip() if run else rest) or self.last_query
        if query is None:
            raise UsageError(diagnostic(NO_QUERY_YET))
        self._explain(query, run)

    def _explain(self, query: str, run: bool) -> None:
        self.say(explain_stoppable(self.session, query, dict(self.settings.params), run))

    def _save(self, rest: str) -> None:
        if not rest:
            raise _usage("\\save")
        saved = self.session.save_last(rest)
        if saved is None:
            raise UsageError(diagnostic(NO_RESULT_YET))
        self.voice.say(message("result-saved", name=rest), *remarks((), saved[1]))

    def _loss(self, rest: str) -> None:
        ledger = self.session.last_ledger
        if not ledger:
            self.say(message("no-loss"))
            return
        for line in ledger.lines():
            self.say(line)

    def _rows(self, rest: str) -> None:
        if rest:
            if not rest.isascii() or not rest.isdigit() or len(rest) > 18:
                raise _usage("\\rows")
            self.settings.rows = int(rest) or None
        self.say(str(self.settings.rows or 0))

    def _format(self, rest: str) -> None:
        if rest:
            if rest not in FORMATS or FORMATS[rest].binary:
                raise _usage("\\format", " | ".join(f.name for f in FORMATS.values() if not f.binary))
            self.settings.format = rest
        self.say(self.settings.format)

    def _profile(self, rest: str) -> int:
        """As ``logsql profile``; what is asked from now on knows what was changed."""
        try:
            words = tuple(shlex.split(rest))
        except ValueError:
            words = ()
        if not words:
            raise _usage("\\profile")
        policy, services = self.session.policy, self.session.workspace.services
        asked = Invocation(
            "profile",
            words,
            config=services.settings.config,
            safe=policy.safe,
            directories=policy.directories,
            writable=policy.writable,
        )
        carry_out = cast("Callable[[Invocation, Voice], int]", at("logsql.shell.profile_verb:run"))
        self.out.flush()
        try:
            return carry_out(asked, self.voice)
        finally:
            sys.stdout.flush()
            services.forget_configuration()

    def _zone(self, rest: str) -> None:
        if rest:
            self.session.set_zone(rest)
        self.say(self.session.zone)


def _usage(name: str, choices: str | None = None) -> UsageError:
    synopsis = next(meta.synopsis for meta in METAS if meta.name == name)
    return UsageError(diagnostic(META_USAGE, help=choices, usage=synopsis))


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


def _patiently(session: Session, work: Callable[[], T], stop: Callable[[], object], /) -> T:
    return interruptible(work, stop, GRACE, session.timeout, session.database.watch())


def plain(shell: Shell, source: PlainLines) -> int:
    """Inputs from a stream of lines; the exit code is that of the first failure."""
    code = 0
    for text in inputs(shell, source):
        try:
            failed = shell.execute(text)
        except Leave:
            break
        code = code or failed
    return code


def inputs(shell: Shell, source: PlainLines) -> Iterator[str]:
    """Complete inputs of a stream; what is still open at its end is the last one."""
    waiting: list[str] = []
    for raw in iter(source.read, ""):
        waiting.append(raw.rstrip("\r\n"))
        text = "\n".join(waiting)
        if not shell.more(text) and not (lines.is_query(text, COMMANDS) and lines.pipes_on(source.following())):
            waiting.clear()
            yield text
    if waiting:
        yield "\n".join([*waiting, ""])


def _shown(value: object) -> str:
    """A parameter as it was set: the text, or the expression behind ``:=``."""
    return canonical(value) if isinstance(value, Expr) else str(value)
