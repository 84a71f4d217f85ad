"""The command line: words to an exit code. stdout is data and nothing else; everything said goes to stderr.

Exit codes: 0 ok, 1 query failed, 2 usage or configuration, 3 source unavailable, 4 timeout, 130 interrupted. A reader
that goes away (``| head``) ends the run silently with 0. Nothing ever shows a traceback unless ``--debug`` asks for it.
"""

from __future__ import annotations

import atexit
import errno
import importlib
import io
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn, cast

from logsql import __version__
from logsql.diagnostics.errors import LogsqlError, diagnostic
from logsql.diagnostics.messages import LANGUAGE, LANGUAGES
from logsql.diagnostics.usage import OUTPUT_NOT_WRITTEN
from logsql.loading import arrow_without_pandas, at, collector_paused
from logsql.shell.invocation import Invocation, parse, usage_page
from logsql.shell.signals import ARRIVED, Terminated
from logsql.shell.voice import Voice

INTERRUPTED = 130
#: Verb -> ``module:function`` of what carries it out, loaded when it is asked for: help needs no engine.
VERBS: dict[str, str] = {
    "run": "logsql.shell.querying:run",
    "sql": "logsql.shell.querying:run",
    "translate": "logsql.shell.querying:translate",
    "explain": "logsql.shell.querying:explain",
    "check": "logsql.shell.verbs:check",
    "fmt": "logsql.shell.verbs:fmt",
    "test": "logsql.shell.querytests.verb:test",
    "config": "logsql.shell.config_verb:run",
    "check-config": "logsql.shell.config_verb:check",
    "profile": "logsql.shell.profile_verb:run",
    "serve": "logsql.streams.serveverb:run",
    "stream": "logsql.streams.verbs:run",
    "ml": "logsql.shell.ml_verb:run",
    "chart": "logsql.shell.chart:run",
    "commands": "logsql.shell.manual:run",
    "functions": "logsql.shell.manual:run",
    "help": "logsql.shell.manual:run",
    "shell": "logsql.shell.start:run",
}


def main(argv: Sequence[str] | None = None, own_process: bool = False) -> int:
    """Run the command line; returns the exit code. ``argv``: words behind the program name.

    ``own_process``: nobody else uses this interpreter.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    voice = Voice(debug="--debug" in words)
    token = LANGUAGE.set(_asked_language(words))
    try:
        with _terminable():
            return _guarded(words, voice, own_process)
    except KeyboardInterrupt:
        voice.interrupted()
        return INTERRUPTED
    except Terminated as signalled:
        if (temporary := sys.modules.get("udfs.temporary")) is not None:
            temporary.clear_made()
        os._exit(128 + signalled.args[0])
    finally:
        LANGUAGE.reset(token)


def _open_streams() -> None:
    """Streams that were closed (``>&-``) are there: what is said goes nowhere, rows to stdout fail as on a full disk.

    A closed handle that stays free would be that of the next file opened, and rows would go into it.
    """
    for handle, name, mode in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, mode)
        if nowhere != handle:
            os.dup2(nowhere, handle)
            os.close(nowhere)
        raw = io.FileIO(handle, "rb" if name == "stdin" else "wb", closefd=False)
        buffer = io.BufferedReader(raw) if name == "stdin" else io.BufferedWriter(raw)
        setattr(sys, name, io.TextIOWrapper(buffer, encoding="utf-8"))


def program() -> NoReturn:
    """The command: :func:`main`, then the end of the process without waiting for threads of DuckDB and Arrow.

    What was left open is closed first (functions registered with ``atexit``). A thread that is still inside Python when
    the interpreter takes itself apart ends the process with "terminate called" or never.
    """
    code = main(own_process=True)
    if (workers := sys.modules.get("logsql.engine.leftovers")) is not None and workers.left():
        sys.modules["logsql.shell.ctrlc"].leave(code)
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
    """SIGTERM and SIGHUP unwind the main thread, so that a half-written ``-o`` file and temporary folders are removed;
    nothing else is waited for. A signal that is ignored (``nohup``) stays ignored."""

    def stop(number: int, frame: object) -> NoReturn:
        ARRIVED.append(number)
        raise Terminated(number)

    before = {}
    ARRIVED.clear()
    with suppress(ValueError):  # not the main thread
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _guarded(words: list[str], voice: Voice, own_process: bool) -> int:
    try:
        code = dispatch(parse(words), voice, own_process)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except LogsqlError as error:
        voice.error(error.diagnostic)
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.ENOSPC):
            voice.defect(error)
        else:  # a page of help for a closed stream or a full disk
            _forget_stdout()
            voice.error(diagnostic(OUTPUT_NOT_WRITTEN, path=error.filename or "stdout", reason=error.strerror))
        return 1
    except Exception as error:
        voice.defect(error)
        return 1


def _forget_stdout() -> None:
    """Point stdout at nothing: the interpreter flushes it once more at exit and would complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dispatch(asked: Invocation, voice: Voice, own_process: bool = False) -> int:
    """Carry out an invocation; returns the exit code. Raises LogsqlError."""
    if asked.verb == "version":
        sys.stdout.write(f"logsql {__version__}\n")
        return 0
    if asked.verb == "usage" or (asked.verb == "help" and not asked.words):
        sys.stdout.write(usage_page() + "\n")
        return 0
    with collector_paused():
        carry_out = cast("Callable[[Invocation, Voice], int]", at(VERBS[asked.verb]))
        if own_process:
            arrow_without_pandas()
    if asked.timeout is None or asked.verb in _OWN_CLOCK or not own_process:
        return carry_out(asked, voice)
    waiting = importlib.import_module("logsql.shell.ctrlc")
    return int(waiting.within(asked.timeout, partial(carry_out, asked, voice), voice))


#: Verbs that wait for their query themselves.
_OWN_CLOCK = ("run", "sql", "shell", "test")
