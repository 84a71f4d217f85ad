"""Command-line arguments: words in, one frozen :class:`Invocation` out. Pure; imports nothing heavy.

Options may stand before or behind the verb; a value follows as the next word, as ``--name=value``, or (short options)
attached as ``-fcsv``. ``--`` ends the options. Everything behind ``ml`` belongs to the ml command. A word that is no
verb is a query file. Mistakes raise :class:`~.UsageError` (exit code 2) that names the nearest option.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from logsql.diagnostics.errors import Diagnostic, UsageError, nearest
from logsql.diagnostics.messages import LANGUAGES, message
from logsql.render import FORMATS
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)


@dataclass(frozen=True)
class Invocation:
    """What the user asked for. ``verb``: shell, run, sql, translate, explain, check, fmt, ml, help, version, ..."""

    verb: str = "shell"
    words: tuple[str, ...] = ()
    query: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    format: str | None = None
    output: str | None = None
    database: str = ":memory:"
    zone: str | None = None
    safe: bool = False
    directories: tuple[str, ...] = ()
    threads: int | None = None
    memory_limit: str | None = None
    timeout: float | None = None
    geoip: str | None = None
    lookups: tuple[tuple[str, str], ...] = ()
    procs: tuple[str, ...] = ()
    allow_purge: bool = False
    stats: bool = False
    loss: bool = False
    debug: bool = False
    check: bool = False
    write: bool = False
    lang: str | None = None
    given: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Option:
    """One option: its names, the field it sets, what its value is called (None: a switch), and its help sentence."""

    names: tuple[str, ...]
    field: str
    value: str | None
    read: Callable[[str, str], Any]
    help: str
    repeat: bool = False

    @property
    def usage(self) -> str:
        return ", ".join(self.names) + (f" {self.value}" if self.value else "")


def usage_error(name: str, hint: str | None = None, **facts: object) -> UsageError:
    """A usage error with a sentence of the catalogue; ``hint`` is its help line."""
    return UsageError(Diagnostic("E2000", "usage", message(name, **{k: str(v) for k, v in facts.items()}), help=hint))


def _text(option: str, value: str) -> str:
    return value


def _pair(option: str, value: str) -> tuple[str, str]:
    name, equals, content = value.partition("=")
    if not equals or not name:
        raise usage_error("usage-pair", option=option, value=value)
    return name, content


def _format(option: str, value: str) -> str:
    if value not in FORMATS:
        near = nearest(value, FORMATS)
        hint = (
            message("help-did-you-mean", names=near[0]) if near else message("usage-formats", names=", ".join(FORMATS))
        )
        raise usage_error("usage-format", hint, value=value)
    return value


def _lang(option: str, value: str) -> str:
    if value not in LANGUAGES:
        raise usage_error("usage-choice", option=option, choices=" | ".join(LANGUAGES), value=value)
    return value


def _count(option: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise usage_error("usage-count", option=option, value=value)
    return int(value)


def _seconds(option: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise usage_error("usage-seconds", option=option, value=value)
    return seconds


OPTIONS: tuple[Option, ...] = (
    Option(("-q", "--query"), "query", "QUERY", _text, "opt-query"),
    Option(("-d", "--define"), "params", "KEY=VALUE", _pair, "opt-define", repeat=True),
    Option(("-f", "--format"), "format", "FORMAT", _format, "opt-format"),
    Option(("-o", "--output"), "output", "FILE", _text, "opt-output"),
    Option(("--db",), "database", "PATH", _text, "opt-db"),
    Option(("--tz",), "zone", "ZONE", _text, "opt-tz"),
    Option(("--safe",), "safe", None, _text, "opt-safe"),
    Option(("--allow-dir",), "directories", "DIR", _text, "opt-allow-dir", repeat=True),
    Option(("--threads",), "threads", "N", _count, "opt-threads"),
    Option(("--memory-limit",), "memory_limit", "SIZE", _text, "opt-memory"),
    Option(("--timeout",), "timeout", "S", _seconds, "opt-timeout"),
    Option(("-g", "--geoip"), "geoip", "PATH", _text, "opt-geoip"),
    Option(("--lookup",), "lookups", "NAME=FILE", _pair, "opt-lookup", repeat=True),
    Option(("--procs",), "procs", "DIR", _text, "opt-procs", repeat=True),
    Option(("--allow-purge",), "allow_purge", None, _text, "opt-allow-purge"),
    Option(("--stats",), "stats", None, _text, "opt-stats"),
    Option(("--loss",), "loss", None, _text, "opt-loss"),
    Option(("--lang",), "lang", "en|ko", _lang, "opt-lang"),
    Option(("--debug",), "debug", None, _text, "opt-debug"),
    Option(("--check",), "check", None, _text, "opt-check"),
    Option(("--write",), "write", None, _text, "opt-write"),
    Option(("-h", "--help"), "help", None, _text, "opt-help"),
    Option(("-V", "--version"), "version", None, _text, "opt-version"),
)
_BY_NAME = {name: option for option in OPTIONS for name in option.names}
#: verb -> (words it takes: fewest, most or None, its usage text)
VERBS: dict[str, tuple[int, int | None, str]] = {
    "sql": (1, 1, "logsql sql 'SELECT ...'"),
    "translate": (0, 1, "logsql translate 'QUERY'"),
    "explain": (0, 1, "logsql explain 'QUERY'"),
    "check": (1, None, "logsql check FILE..."),
    "fmt": (1, None, "logsql fmt FILE... [--check|--write]"),
    "ml": (0, None, "logsql ml COMMAND ..."),
    "chart": (0, None, "logsql chart 3d -q QUERY --x F --y F --z F [--color F] -o FILE"),
    "commands": (0, 1, "logsql commands [NAME]"),
    "functions": (0, 1, "logsql functions [NAME]"),
    "help": (0, 1, "logsql help [NAME]"),
    "shell": (0, 0, "logsql shell"),
}
#: Options that only one verb understands.
_ONLY = {"check": "fmt", "write": "fmt"}


def parse(words: Sequence[str]) -> Invocation:
    """The invocation that ``words`` (without the program name) ask for. Raises :class:`UsageError`."""
    values: dict[str, Any] = {}
    plain: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            plain += words[position:]
            break
        if word == "-" or not word.startswith("-"):
            plain.append(word)
            if plain in (["ml"], ["chart"]):  # their options look like ours and belong to them
                plain += words[position:]
                break
            continue
        option, attached = _option(word)
        value = ""
        if option.value is not None:
            if attached is not None:
                value = attached
            elif position < len(words):
                value = words[position]
                position += 1
            else:
                raise usage_error("usage-value-missing", option=word, value=option.value)
        elif attached is not None:
            raise usage_error("usage-no-value", option=word.partition("=")[0])
        _keep(values, option, word, value)
    return _invocation(values, plain)


def _option(word: str) -> tuple[Option, str | None]:
    name, equals, value = word.partition("=")
    if name in _BY_NAME and (equals == "" or name.startswith("--")):
        return _BY_NAME[name], value if equals else None
    if not word.startswith("--") and word[:2] in _BY_NAME and _BY_NAME[word[:2]].value is not None:
        return _BY_NAME[word[:2]], word[2:]
    near = nearest(name, _BY_NAME)
    raise usage_error(
        "usage-unknown-option",
        message("help-did-you-mean", names=near[0]) if near else message("usage-see-help"),
        option=name,
    )


def _keep(values: dict[str, Any], option: Option, word: str, text: str) -> None:
    value: Any = option.read(option.names[-1], text) if option.value is not None else True
    if option.repeat:
        values[option.field] = (*values.get(option.field, ()), value)
    elif option.field in values and option.value is not None:
        raise usage_error("usage-twice", option=word)
    else:
        values[option.field] = value


def _invocation(values: dict[str, Any], plain: list[str]) -> Invocation:
    given = tuple(values)
    if values.pop("version", False):
        return Invocation("version", lang=values.get("lang"))
    if values.pop("help", False):
        topic = tuple(plain[:1]) if plain and plain[0] in VERBS else ()
        return Invocation("usage", topic, lang=values.get("lang"))
    asked = Invocation(given=given, **values)
    if plain and plain[0] in VERBS:
        return _verb(asked, plain[0], plain[1:])
    for name, verb in _ONLY.items():
        if name in given:
            raise usage_error("usage-only", option=f"--{name}", verb=verb)
    if asked.query is not None:
        if plain:
            raise usage_error("usage-query-and-file", word=plain[0])
        return replace(asked, verb="run")
    if len(plain) > 1:
        near = nearest(plain[0], VERBS)
        hint = message("help-did-you-mean", names=near[0]) if near else message("usage-quote-query")
        raise usage_error("usage-one-file", hint, word=plain[1])
    if plain:
        return replace(asked, verb="run", words=(plain[0],))
    return asked


def _verb(asked: Invocation, verb: str, words: list[str]) -> Invocation:
    fewest, most, usage = VERBS[verb]
    for name, only in _ONLY.items():
        if name in asked.given and only != verb:
            raise usage_error("usage-only", option=f"--{name}", verb=only)
    if asked.query is not None:
        if verb not in ("translate", "explain") or words:
            raise usage_error("usage-verb-query", verb=verb)
        words = [asked.query]
    elif verb in ("translate", "explain"):
        fewest = 1
    if len(words) < fewest or (most is not None and len(words) > most):
        hint = message("usage-quote-query") if most == 1 and len(words) > 1 else usage
        raise usage_error("usage-words", hint, verb=verb, usage=usage)
    return replace(asked, verb=verb, words=tuple(words), query=None)
