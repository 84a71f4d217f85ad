"""``logsql ml ...`` on the command line, and the ``ml.*`` lines of a session in the shell."""

from __future__ import annotations

import sys
from collections.abc import Callable

from logsql.engine.session import Session
from logsql.planner.services import Service
from logsql.shell.invocation import Invocation
from logsql.shell.ml_commands import MlShell
from logsql.shell.querying import open_session
from logsql.shell.voice import Voice

#: The ``ml.*`` commands of a session.
ML: Service[MlShell] = Service("ml")


def session_shell(session: Session) -> MlShell:
    """The session's ``ml.*`` commands, the same for everybody who asks."""
    found = session.service(ML)
    assert found is not None, "the public interface makes it"
    return found


def ml_shell(session: Session, ask: Callable[[str], str], out: Callable[[str], object], voice: Voice) -> MlShell:
    """The session's ``ml.*`` commands, talking through the given functions."""
    shell = session_shell(session)
    shell.ask, shell.out, shell.err = ask, out, voice.say
    return shell


def run(asked: Invocation, voice: Voice) -> int:
    """``logsql ml ...``: one ml command; trainings are waited for."""

    def ask(question: str) -> str:
        voice.ask(question)
        return sys.stdin.readline().rstrip("\r\n")

    with open_session(asked) as session:
        shell = ml_shell(session, ask, lambda text: sys.stdout.write(text + "\n"), voice)
        shell.wait = True
        return shell.run_words(asked.words)
