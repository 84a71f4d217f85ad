"""The command line: words to an exit code. stdout is data and nothing else; everything said goes to stderr.

Exit codes: 0 ok, 1 query failed, 2 usage or configuration, 3 source unavailable, 4 timeout, 130 interrupted. A reader
that goes away (``| head``) ends the run silently with 0. Nothing ever shows a traceback unless ``--debug`` asks for it.
"""

from __future__ import annotations

import atexit
import itertools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.messages import LANGUAGE, LANGUAGES, message
from logsql.shell.arguments import Invocation, parse, usage_error
from logsql.shell.progress import ProgressLine
from logsql.shell.verbs import read_query_file, show_error, terminal_width, usage_page

if TYPE_CHECKING:
    from logsql.engine.ledger import Ledger
    from logsql.engine.result import Result
    from logsql.engine.session import Session
    from logsql.render import Outcome

INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """SIGTERM arrived."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. ``argv``: words behind the program name."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    token = LANGUAGE.set(_asked_language(words))
    try:
        with _terminable():
            return _guarded(words, debug)
    except KeyboardInterrupt:
        return _interrupted()
    except Terminated:
        os._exit(TERMINATED)
    finally:
        LANGUAGE.reset(token)


def program() -> NoReturn:
    """The command: :func:`main`, then the end of the process without waiting for threads of DuckDB and Arrow.

    What was left open is closed first (functions registered with ``atexit``). A thread that is still inside Python when
    the interpreter takes itself apart ends the process with "terminate called" or never.
    """
    code = main()
    if (sessions := sys.modules.get("logsql.engine.session")) is not None:
        atexit.unregister(sessions.settle)  # nothing need be waited for
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _asked_language(words: Sequence[str]) -> str | None:
    """The language of ``--lang``, found before the options are read: their errors are said in it too."""
    for word, following in itertools.pairwise([*words, ""]):
        if word.startswith("--lang"):
            value = word.partition("=")[2] or following
            return value if value in LANGUAGES else LANGUAGE.get()
    return LANGUAGE.get()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM unwinds the main thread, so that a half-written ``-o`` file is removed; nothing else is waited for."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _guarded(words: list[str], debug: bool) -> int:
    from logsql.shell.running import Abandoned

    try:
        code = dispatch(parse(words))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except Abandoned as error:  # a thread still works on the query; nothing of it may be waited for
        show_error(error, sys.stderr)
        os._exit(error.exit_code)
    except LogsqlError as error:
        show_error(error, sys.stderr)
        return error.exit_code
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(message("internal-error", what=what[:500]) + "\n")
        if debug:
            traceback.print_exc(file=sys.stderr)
        else:
            sys.stderr.write("help: " + message("internal-help") + "\n")
        return 1


def _interrupted() -> int:
    with suppress(OSError):
        sys.stderr.write("\n" + message("interrupted") + "\n")
    return INTERRUPTED


def _forget_stdout() -> None:
    """Point stdout at nothing: the interpreter flushes it once more at exit and would complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dispatch(asked: Invocation) -> int:
    """Carry out an invocation; returns the exit code. Raises LogsqlError."""
    from logsql.shell import verbs

    verb = asked.verb
    if verb == "version":
        from logsql import __version__

        print(f"logsql {__version__}")
        return 0
    if verb == "usage" or (verb == "help" and not asked.words):
        print(usage_page())
        return 0
    if verb in ("help", "commands", "functions"):
        return verbs.manual(verb, asked.words, sys.stdout)
    if verb == "fmt":
        return verbs.format_files(asked.words, asked.check, asked.write, sys.stdout, sys.stderr)
    if verb in ("run", "sql"):
        return _run(asked)
    if verb == "chart":
        from logsql.shell.chart import main as chart

        return chart(asked.words, lambda: open_session(asked))
    if verb == "shell":
        from logsql.shell.repl import start

        return start(asked, lambda: open_session(asked))
    with open_session(asked) as session:
        if verb == "check":
            return verbs.check(session, asked.words, dict(asked.params), sys.stderr)
        if verb == "ml":
            return verbs.ml(session, asked.words)
        text = asked.words[0]
        params = dict(asked.params)
        print(session.translate(text, params) if verb == "translate" else session.explain(text, params))
    return 0


def open_session(asked: Invocation, on_progress: Callable[[Any], None] | None = None) -> Session:
    """The session that the options ask for."""
    import logsql

    session = logsql.connect(
        asked.database,
        asked.zone,
        safe=asked.safe,
        directories=asked.directories,
        threads=asked.threads,
        memory_limit=asked.memory_limit,
        timeout=asked.timeout,
        on_progress=on_progress,
        geoip=asked.geoip,
        procs=asked.procs,
        allow_purge=asked.allow_purge,
    )
    try:
        for name, path in asked.lookups:
            session.add_lookup(name, path, keep=False)
    except BaseException:
        session.close()
        raise
    return session


def _run(asked: Invocation) -> int:
    """Run one query and write its rows."""
    from logsql.shell.running import Abandoned

    name = chosen_format(asked)
    text, origin = asked.query, None
    if asked.verb == "sql":
        text = asked.words[0]
    elif text is None:
        text, origin = read_query_file(asked.words[0]), asked.words[0]
    started, processor = time.perf_counter(), time.process_time()
    session = open_session(asked, ProgressLine(sys.stderr))
    try:
        result, outcome = _written(asked, session, text, origin, name)
    except Abandoned:
        raise
    except Exception:  # after a signal a thread may still use the session: it ends with the process
        session.close()
        raise
    for notice in outcome.notices:
        print(f"note: {notice}", file=sys.stderr)
    _tell_losses(result.ledger, asked.loss)
    if asked.stats:
        print(stats_line(outcome.rows, started, processor), file=sys.stderr)
    session.close()
    return 0


def _tell_losses(ledger: Ledger, every: bool) -> None:
    """What the result lacks: the first entries in one line, or with ``--loss`` each on a line of its own."""
    from logsql.engine.ledger import SHOWN

    if every:
        head = "note: " + message("ledger", summary="").rstrip() if ledger else message("shell-no-loss")
        print(head, *ledger.lines(), sep="\n", file=sys.stderr)
    elif ledger:
        more = f" ({message('ledger-all')})" if len(ledger) > SHOWN else ""
        print("note: " + message("ledger", summary=ledger.summary()) + more, file=sys.stderr)


def _written(asked: Invocation, session: Session, text: str, origin: str | None, name: str) -> tuple[Result, Outcome]:
    from logsql.render import Layout, write
    from logsql.render.sinks import open_sink
    from logsql.shell.running import interruptible

    width = None if asked.output else terminal_width(sys.stdout)
    layout = Layout(width=width, seekable=asked.output is not None)
    with open_sink(asked.output) as sink:

        def work() -> tuple[Result, Outcome]:
            if asked.verb == "sql":
                result = session.sql(text)
            else:
                result = session.query(text, dict(asked.params), origin)
            return result, write(result, name, sink, layout)

        try:
            return interruptible(work, lambda: _stop(session))
        finally:
            if isinstance(session.on_progress, ProgressLine):
                session.on_progress.clear()


def _stop(session: Session) -> None:
    """Stop what runs, and what is still being planned."""
    session.interrupt()
    session.planning.interrupt()


def chosen_format(asked: Invocation) -> str:
    """The format: ``-f``, else what the name of ``-o`` says, else a table on a terminal and JSON lines elsewhere."""
    from logsql.render import FORMATS, format_of_file

    terminal = asked.output is None and sys.stdout.isatty()
    name = asked.format
    if name is None and asked.output is not None:
        name = format_of_file(asked.output)
    if name is None:
        name = "table" if terminal else "jsonl"
    if terminal and FORMATS[name].binary:
        raise usage_error("usage-terminal", message("usage-output-file"), format=name)
    return name


def stats_line(rows: int, started: float, processor: float) -> str:
    """``300,000 rows  1.23 s  2.10 s CPU  412 MB peak``."""
    peak = ""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = f"  {used / (1_000_000 if sys.platform == 'darwin' else 1000):,.0f} MB peak"
    seconds, cpu = time.perf_counter() - started, time.process_time() - processor
    return f"{rows:,} rows  {seconds:.2f} s  {cpu:.2f} s CPU{peak}"
