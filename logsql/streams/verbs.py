"""``logsql stream ...``: the streams of a running server, asked over its control socket."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from logsql.conversation.conversation import Conversation, Settings
from logsql.diagnostics.errors import UsageError, diagnostic
from logsql.diagnostics.live import NOT_NAMED, NOT_SURE
from logsql.diagnostics.usage import OTHER_WORDS
from logsql.shell.commandline import did_you_mean, usage_error
from logsql.shell.invocation import VERBS, Invocation
from logsql.shell.querying import chosen_format, open_session
from logsql.shell.voice import Voice
from logsql.streams.remote import Link

#: Rows that ``stream tail`` shows first.
FIRST = 10


@dataclass(frozen=True)
class Action:
    """A word behind ``stream``: whether a name follows, and what carries it out."""

    named: bool
    carry_out: Callable[[Link, Invocation, str, Voice], int]


def run(asked: Invocation, voice: Voice) -> int:
    """``logsql stream WORD [NAME]``; 3 where no server answers."""
    word, *names = asked.words
    action = ACTIONS.get(word)
    usage = VERBS["stream"].usage
    if action is None:
        raise usage_error(OTHER_WORDS, help=did_you_mean(word, ACTIONS, usage), verb="stream")
    if len(names) != int(action.named):
        raise usage_error(OTHER_WORDS, help=usage, verb=f"stream {word}")
    server = server_named(asked)
    if server is None:
        raise UsageError(diagnostic(NOT_NAMED, command=f"stream {word}"))
    return action.carry_out(Link(server), asked, names[0] if names else "", voice)


def server_named(asked: Invocation) -> str | None:
    """The server that ``--server`` names, else LOGSQL_SERVER."""
    return asked.server or os.environ.get("LOGSQL_SERVER") or None


def _list(link: Link, asked: Invocation, name: str, voice: Voice) -> int:
    rows = link.listing("overview")
    table = pa.Table.from_pylist(rows) if rows else pa.table({"name": pa.array([], pa.string())})
    with open_session(replace(asked, server=None)) as session:
        session.register("streams", table)
        settings = Settings(format=chosen_format(asked), output=asked.output, lang=asked.lang, quiet=asked.quiet)
        outcome = Conversation(session, settings).run("table streams")
        voice.outcome(outcome, False, "", True)
    return outcome.exit_code


def _show(link: Link, asked: Invocation, name: str, voice: Voice) -> int:
    sys.stdout.write(json.dumps(link.ask("show", name=name), indent=2, ensure_ascii=False, default=str) + "\n")
    return 0


def _tail(link: Link, asked: Invocation, name: str, voice: Voice) -> int:
    for rows in link.rows("tail", name=name, rows=asked.rows or FIRST):
        for line in rows.column(0).to_pylist():
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


def _act(verb: str) -> Callable[[Link, Invocation, str, Voice], int]:
    def carry_out(link: Link, asked: Invocation, name: str, voice: Voice) -> int:
        if verb == "reset" and not asked.yes:
            raise UsageError(diagnostic(NOT_SURE, name=name))
        answer = link.ask(verb, **({"name": name} if name else {}))
        voice.say(*(str(line) for line in _lines(answer)))
        return int(str(answer.get("exit", 0)))

    return carry_out


def _lines(answer: dict[str, object]) -> list[object]:
    said = answer.get("said", [])
    return said if isinstance(said, list) else [said]


ACTIONS: dict[str, Action] = {
    "ls": Action(False, _list),
    "show": Action(True, _show),
    "tail": Action(True, _tail),
    "stop": Action(True, _act("stop")),
    "start": Action(True, _act("start")),
    "reset": Action(True, _act("reset")),
    "reload": Action(False, _act("reload")),
}
