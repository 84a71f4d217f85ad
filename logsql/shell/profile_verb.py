"""``logsql profile ...``: profiles of directories, databases and servers are listed, changed and tried."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from getpass import GetPassWarning, getpass

from logsql.configuration.keys import KINDS
from logsql.configuration.profiles import Profiles, target, variant_of, words_of
from logsql.configuration.reading import configuration
from logsql.configuration.secrets import remember
from logsql.configuration.writing import document
from logsql.diagnostics.configuration import NO_CONNECTOR, NOT_A_TERMINAL, SECRET_NO_TEXT
from logsql.diagnostics.errors import LogsqlError, SourceError, UsageError, diagnostic
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.messages import message
from logsql.diagnostics.redaction import masked
from logsql.diagnostics.usage import OTHER_WORDS
from logsql.language.spans import width
from logsql.planner.connections.tried import Tried
from logsql.planner.services import Service
from logsql.shell.commandline import did_you_mean, pair, usage_error
from logsql.shell.invocation import Invocation
from logsql.shell.querying import open_session, policy_of
from logsql.shell.voice import Voice
from logsql.store.files import Files


@dataclass(frozen=True)
class Action:
    """A word behind ``profile``: how it is called, the fewest and most words it takes, and what carries it out."""

    usage: str
    carry_out: Callable[[Invocation, Sequence[str], Voice], int]
    fewest: int = 1
    most: int | None = 1


def run(asked: Invocation, voice: Voice) -> int:
    """``logsql profile WORD ...``."""
    word, *rest = asked.words
    action = ACTIONS.get(word)
    if action is None:
        raise usage_error(OTHER_WORDS, help=did_you_mean(word, ACTIONS, _forms()), verb="profile")
    if len(rest) < action.fewest or (action.most is not None and len(rest) > action.most):
        raise usage_error(OTHER_WORDS, help=action.usage, verb=f"profile {word}")
    if asked.stdin and word != "password":
        raise usage_error(OTHER_WORDS, help=ACTIONS["password"].usage, verb=f"profile {word}")
    return action.carry_out(asked, rest, voice)


def _forms() -> str:
    return " | ".join(ACTIONS)


def _profiles(asked: Invocation) -> Profiles:
    return Profiles(asked.config, Files(policy_of(asked)))


def _list(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    found = _profiles(asked).all()
    if not found:
        voice.say(message("profile-none"))
        return 0
    rows = [(one.name, str(one.table.get("kind", "")), target(one), f"{one.path}:{one.line}") for one in found]
    widths = [max(width(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell + " " * (widest - width(cell)) for cell, widest in zip(row, widths, strict=False)]
        sys.stdout.write("  ".join([*cells, row[-1]]) + "\n")
    return 0


def _show(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    found = _profiles(asked).get(words[0])
    sys.stdout.write(document({"profiles": {found.name: found.shown}}))
    return 0


def _set(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    name, *pairs = words
    literal = _profiles(asked).set(name, [pair("profile set", word) for word in pairs])
    voice.say(message("profile-written", name=name))
    if literal and any(word.startswith("password=") for word in pairs):
        voice.say(message("profile-typed", name=name))
    return 0


def _password(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    profiles = _profiles(asked)
    profiles.get(words[0])
    given = _given() if asked.stdin else _asked(words[0])
    remember(given)
    profiles.set_password(words[0], given)
    voice.say(message("profile-written", name=words[0]))
    return 0


def _given() -> str:
    """What stands on standard input, without the line break at its end."""
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError(diagnostic(SECRET_NO_TEXT, reference=ACTIONS["password"].usage)) from None


def _asked(name: str) -> str:
    """What is typed on the terminal, which does not show it."""
    if not sys.stdin.isatty():
        raise UsageError(diagnostic(NOT_A_TERMINAL))
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            return getpass(message("profile-ask", name=name))
        except EOFError:
            return ""
        except GetPassWarning:  # a terminal that cannot but show it
            raise UsageError(diagnostic(NOT_A_TERMINAL)) from None


def _remove(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    _profiles(asked).remove(words[0])
    voice.say(message("profile-removed", name=words[0]))
    return 0


def _test(asked: Invocation, words: Sequence[str], voice: Voice) -> int:
    """0 where the server was reached and took the profile, else 3; a configuration that is wrong is 2."""
    profiles = configuration(asked.config).profiles
    name = _profiles(asked).get(words[0]).name
    profile = profiles[name]
    kind = KINDS[variant_of(profile.kind)]
    try:
        with open_session(asked) as session:
            tried = session.service(Service[Tried](kind.service))
            if tried is None:
                raise UsageError(diagnostic(NO_CONNECTOR, kind=profile.kind))
            sys.stdout.write(masked(tried.test(profile)) + "\n")
    except ModuleNotFoundError as problem:
        missing = diagnostic(PACKAGE_MISSING, what=profile.kind, package=problem.name or "", extra=kind.extra)
        raise SourceError(missing) from None
    except LogsqlError as error:
        voice.error(error.diagnostic)
        return error.exit_code if isinstance(error, UsageError) else SourceError.exit_code
    return 0


ACTIONS: dict[str, Action] = {
    "list": Action("logsql profile list", _list, 0, 0),
    "show": Action("logsql profile show NAME", _show),
    "set": Action("logsql profile set NAME KEY=VALUE ...", _set, 2, None),
    "password": Action("logsql profile password NAME [--stdin]", _password),
    "remove": Action("logsql profile remove NAME", _remove),
    "test": Action("logsql profile test NAME", _test),
}


def words_behind(words: Sequence[str], config: str | None) -> list[str]:
    """What may stand behind the words of a line that begins with ``profile``, for completion."""
    if not words:
        return list(ACTIONS)
    if words[0] not in ACTIONS or not ACTIONS[words[0]].fewest:
        return []
    profiles = {one.name: one for one in Profiles(config, Files()).all()}
    if len(words) == 1:
        return list(profiles)
    if ACTIONS[words[0]].most is not None:
        return []
    table = dict(profiles[words[1]].table) if words[1] in profiles else {}
    return words_of({**table, **dict(word.split("=", 1) for word in words[2:] if "=" in word)})
