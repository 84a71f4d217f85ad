"""How a connector says that it got no answer: a word (:mod:`logsql.diagnostics.network`), never what a library said.

Exceptions of libraries quote addresses, headers and passwords: only the word and our own name of the target go on.
"""

from __future__ import annotations

import socket

from logsql.connectors.access import Access
from logsql.connectors.fence import Refused
from logsql.connectors.tls import word_of
from logsql.diagnostics.engine import NETWORK_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, SourceError, diagnostic
from logsql.diagnostics.network import unanswered


def no_answer(target: str, word: str) -> SourceError:
    """The error of a source that got no answer. ``target``: scheme, host and port at most, no user and no path."""
    return unanswered(target, word)


def refused(problem: Refused, access: Access) -> PolicyError | SourceError:
    """The error for a target that may not be reached: in safe mode that of the policy."""
    if access.files.policy.safe:
        return PolicyError(diagnostic(NETWORK_NOT_ALLOWED, target=problem.target))
    return no_answer(problem.target, problem.word)


def word_for(error: BaseException) -> str:
    """The word for what kept a connection from coming about, or broke it."""
    if (word := word_of(error)) is not None:
        return word
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, socket.gaierror):
        return "dns-failed"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError, EOFError)):
        return "truncated"
    return "connect-failed" if isinstance(error, OSError) else "protocol-error"
