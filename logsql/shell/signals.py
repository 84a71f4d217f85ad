"""SIGTERM and SIGHUP as an exception of the main thread, which cannot get lost."""

from __future__ import annotations

#: Numbers of the signals that arrived. Python delivers one between any two instructions of the main thread: where that
#: is a callback of the interpreter (an import lets go of its lock), what the handler raises is printed and forgotten.
ARRIVED: list[int] = []


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived: its number is the argument."""


def check_signals() -> None:
    """Raise Terminated when a signal arrived."""
    if ARRIVED:
        raise Terminated(ARRIVED[0])
