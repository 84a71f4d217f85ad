"""``logsql config validate`` and ``logsql check-config``: the configuration is read, and all that is wrong is said."""

from __future__ import annotations

from logsql.configuration.checking import ConfigurationError
from logsql.configuration.reading import configuration, place
from logsql.diagnostics.messages import message
from logsql.diagnostics.usage import OTHER_WORDS
from logsql.shell.commandline import did_you_mean, usage_error
from logsql.shell.invocation import VERBS, Invocation
from logsql.shell.voice import Voice

#: What stands behind ``config``.
WORDS = ("validate",)


def run(asked: Invocation, voice: Voice) -> int:
    """``config validate [FILE]``."""
    word, *rest = asked.words
    if word not in WORDS:
        raise usage_error(OTHER_WORDS, help=did_you_mean(word, WORDS, VERBS["config"].usage), verb="config")
    return _validated(rest[0] if rest else asked.config, voice)


def check(asked: Invocation, voice: Voice) -> int:
    """``check-config [FILE]``."""
    return _validated(asked.words[0] if asked.words else asked.config, voice)


def _validated(named: str | None, voice: Voice) -> int:
    """0 where nothing is wrong; every mistake is an error of its own."""
    try:
        found = configuration(named)
    except ConfigurationError as error:
        for problem in error.problems:
            voice.error(problem)
        return error.exit_code
    if found.files:
        voice.say(*(message("config-right", path=path) for path in found.files))
    else:
        voice.say(message("config-none", path=place(named)[0] or ""))
    return 0
