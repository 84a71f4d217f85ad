"""What the words of the command line ask for: one frozen :class:`Invocation`. Pure; imports nothing heavy.

Options may stand before or behind the verb. Everything behind ``ml`` and ``chart`` belongs to them. A word that is no
verb is a query file. Mistakes raise :class:`~.UsageError` (exit code 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from textwrap import TextWrapper
from typing import Any

from logsql.diagnostics.errors import nearest
from logsql.diagnostics.messages import message, told
from logsql.diagnostics.usage import (
    NO_CHOICE,
    NO_QUERY_HERE,
    NO_VERB,
    ONE_FILE,
    OTHER_VERB,
    OTHER_WORDS,
    PORT_WITHOUT_QUERY,
    QUERY_AND_FILE,
)
from logsql.render import FORMATS
from logsql.shell.commandline import (
    CommandLine,
    Option,
    count,
    did_you_mean,
    language,
    output_format,
    pair,
    parameter,
    port,
    seconds,
    usage_error,
)


@dataclass(frozen=True)
class Invocation:
    """What the user asked for. ``verb``: one of :data:`VERBS`, or run, usage, version."""

    verb: str = "shell"
    words: tuple[str, ...] = ()
    query: str | None = None
    params: tuple[tuple[str, object], ...] = ()
    format: str | None = None
    output: str | None = None
    database: str = ":memory:"
    zone: str | None = None
    safe: bool = False
    directories: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    threads: int | None = None
    memory_limit: str | None = None
    timeout: float | None = None
    geoip: str | None = None
    lookups: tuple[tuple[str, str], ...] = ()
    procs: tuple[str, ...] = ()
    allow_purge: bool = False
    config: str | None = None
    server: str | None = None
    sets: tuple[tuple[str, str], ...] = ()
    yes: bool = False
    rows: int | None = None
    port: str | None = None
    stats: bool = False
    loss: bool = False
    loss_json: bool = False
    quiet: bool = False
    debug: bool = False
    keep: str | None = None
    check: bool = False
    write: bool = False
    strict: bool = False
    no_data: bool = False
    stdin: bool = False
    update: bool = False
    junit: str | None = None
    only: tuple[str, ...] = ()
    run: bool = False
    lang: str | None = None
    given: tuple[str, ...] = field(default=(), compare=False)


OPTIONS: tuple[Option, ...] = (
    Option(("-q", "--query"), "query", "QUERY", "opt-query"),
    Option(("-d", "--define"), "params", "KEY[:]=VALUE", "opt-define", parameter, repeat=True),
    Option(("-f", "--format"), "format", "FORMAT", "opt-format"),
    Option(("-o", "--output"), "output", "FILE", "opt-output"),
    Option(("--db",), "database", "PATH", "opt-db"),
    Option(("--tz",), "zone", "ZONE", "opt-tz"),
    Option(("--safe",), "safe", None, "opt-safe"),
    Option(("--allow-dir",), "directories", "DIR", "opt-allow-dir", repeat=True),
    Option(("--allow-write",), "writable", "DIR", "opt-allow-write", repeat=True),
    Option(("--threads",), "threads", "N", "opt-threads", count),
    Option(("--memory-limit",), "memory_limit", "SIZE", "opt-memory"),
    Option(("--timeout",), "timeout", "S", "opt-timeout", seconds),
    Option(("-g", "--geoip"), "geoip", "PATH", "opt-geoip"),
    Option(("--lookup",), "lookups", "NAME=FILE", "opt-lookup", pair, repeat=True),
    Option(("--procs",), "procs", "DIR", "opt-procs", repeat=True),
    Option(("--allow-purge",), "allow_purge", None, "opt-allow-purge"),
    Option(("--config",), "config", "FILE", "opt-config"),
    Option(("--server",), "server", "CONFIG|DIR", "opt-server"),
    Option(("--set",), "sets", "KEY=VALUE", "opt-set", pair, repeat=True),
    Option(("-p", "--port"), "port", "[ADDRESS:]PORT", "opt-port", port),
    Option(("-n", "--rows"), "rows", "N", "opt-rows", count),
    Option(("--yes",), "yes", None, "opt-yes"),
    Option(("--keep",), "keep", "[NAME]", "opt-keep", bare=True),
    Option(("--stats",), "stats", None, "opt-stats"),
    Option(("--loss",), "loss", None, "opt-loss"),
    Option(("--loss-json",), "loss_json", None, "opt-loss-json"),
    Option(("--quiet",), "quiet", None, "opt-quiet"),
    Option(("--lang",), "lang", "en|ko", "opt-lang", language),
    Option(("--debug",), "debug", None, "opt-debug"),
    Option(("--check",), "check", None, "opt-check"),
    Option(("--write",), "write", None, "opt-write"),
    Option(("--strict",), "strict", None, "opt-strict"),
    Option(("--no-data",), "no_data", None, "opt-no-data"),
    Option(("--run",), "run", None, "opt-run"),
    Option(("--stdin",), "stdin", None, "opt-stdin"),
    Option(("--update",), "update", None, "opt-update"),
    Option(("--junit",), "junit", "FILE", "opt-junit"),
    Option(("--only",), "only", "NAME", "opt-only", repeat=True),
    Option(("-h", "--help"), "help", None, "opt-help"),
    Option(("-V", "--version"), "version", None, "opt-version"),
)


#: Formats of what ``check`` finds.
CHECK_FORMATS = ("text", "json", "github", "sarif")


@dataclass(frozen=True)
class Verb:
    """A verb: how it is called, the fewest and most words it takes, the options that no other verb understands."""

    usage: str
    fewest: int = 0
    most: int | None = 1
    own: tuple[str, ...] = ()
    query: bool = False  # -q may stand for its word


VERBS: dict[str, Verb] = {
    "sql": Verb("logsql sql 'SELECT ...'", fewest=1),
    "translate": Verb("logsql translate 'QUERY'", fewest=1, query=True),
    "explain": Verb("logsql explain 'QUERY' [--run]", fewest=1, own=("run",), query=True),
    "check": Verb(
        "logsql check FILE|DIR... [-f text|json|github|sarif] [--strict] [--no-data]",
        fewest=1,
        most=None,
        own=("strict", "no_data"),
    ),
    "fmt": Verb("logsql fmt FILE|DIR... [--check|--write]", fewest=1, most=None, own=("check", "write")),
    "test": Verb(
        "logsql test DIR|FILE... [--update] [--junit FILE] [--only NAME]",
        fewest=1,
        most=None,
        own=("update", "junit", "only"),
    ),
    "config": Verb("logsql config validate [FILE]", fewest=1, most=2),
    "check-config": Verb("logsql check-config [FILE]"),
    "profile": Verb(
        "logsql profile list | show NAME | set NAME KEY=VALUE ... | password NAME [--stdin] | remove NAME | test NAME",
        fewest=1,
        most=None,
        own=("stdin",),
    ),
    "serve": Verb("logsql serve CONFIG [--check] [--set KEY=VALUE]", fewest=1, own=("sets", "check")),
    "stream": Verb(
        "logsql stream ls | show NAME | tail NAME [-n N] | stop NAME | start NAME | reset NAME --yes | reload",
        fewest=1,
        most=2,
        own=("yes", "rows"),
    ),
    "ml": Verb("logsql ml COMMAND ...", most=None),
    "chart": Verb("logsql chart 3d -q QUERY --x F --y F --z F [--color F] -o FILE", most=None),
    "commands": Verb("logsql commands [NAME]"),
    "functions": Verb("logsql functions [NAME]"),
    "help": Verb("logsql help [NAME]"),
    "shell": Verb("logsql shell", most=0),
}


def parse(words: Sequence[str]) -> Invocation:
    """The invocation that ``words`` (without the program name) ask for. Raises :class:`~.UsageError`."""
    values, plain = CommandLine(OPTIONS, stops=lambda plain: plain in (["ml"], ["chart"])).read(words)
    return _invocation(values, plain)


def _invocation(values: dict[str, Any], plain: list[str]) -> Invocation:
    helped, version = values.pop("help", False), values.pop("version", False)
    asked = Invocation(**values, given=tuple(values))
    if version:
        return Invocation("version", lang=asked.lang)
    if helped:
        topic = tuple(plain[:1]) if plain and plain[0] in VERBS else ()
        return Invocation("usage", topic, lang=asked.lang)
    verb = plain[0] if plain and plain[0] in VERBS else None
    _check_owners(asked, verb)
    _check_format(asked.format, verb)
    if asked.port is not None and (verb is not None or (asked.query is None and not plain)):
        raise usage_error(PORT_WITHOUT_QUERY)
    if verb is not None:
        return _of_verb(asked, verb, plain[1:])
    if asked.query is not None:
        if plain:
            raise usage_error(QUERY_AND_FILE, help=message("usage-quote-query"), word=plain[0])
        return replace(asked, verb="run")
    if len(plain) > 1:
        if nearest(plain[0], VERBS):
            raise usage_error(NO_VERB, help=did_you_mean(plain[0], VERBS, ""), word=plain[0])
        raise usage_error(ONE_FILE, help=message("usage-quote-query"), word=plain[1])
    return replace(asked, verb="run", words=(plain[0],)) if plain else asked


def _check_owners(asked: Invocation, verb: str | None) -> None:
    """Refuse an option that only other verbs understand."""
    for name in asked.given:
        owners = [other for other, declared in VERBS.items() if name in declared.own]
        if owners and verb not in owners:
            written = next(option.names[-1] for option in OPTIONS if option.field == name)
            raise usage_error(OTHER_VERB, option=written, verb=" | ".join(owners))


def _check_format(name: str | None, verb: str | None) -> None:
    """Refuse a format that rows cannot be written in, or that findings cannot."""
    if name is None:
        return
    if verb != "check":
        output_format("--format", name)
    elif name not in CHECK_FORMATS:
        raise usage_error(NO_CHOICE, option="--format", choices=" | ".join(CHECK_FORMATS), value=name)


def _of_verb(asked: Invocation, name: str, words: list[str]) -> Invocation:
    verb = VERBS[name]
    if asked.query is not None:
        if not verb.query or words:
            raise usage_error(NO_QUERY_HERE, verb=name)
        words = [asked.query]
    if len(words) < verb.fewest or (verb.most is not None and len(words) > verb.most):
        hint = message("usage-quote-query") if verb.most == 1 and len(words) > 1 else verb.usage
        raise usage_error(OTHER_WORDS, help=hint, verb=name)
    return replace(asked, verb=name, words=tuple(words), query=None)


#: Columns of a usage beside which its meaning stands; that of a longer one stands below it.
_WIDEST = 40
#: Columns of a line of help; a usage goes on in the next line at a blank.
_LINE = 100


def beside(pairs: Sequence[tuple[str, str]], indent: str = "") -> list[str]:
    """Lines of forms with their meanings, in two columns as far as the forms are short.

    >>> beside([("a", "first"), ("x" * 50, "second")], "  ")[1:] == ["  " + "x" * 50, "     second"]
    True
    """
    left = max((len(name) for name, _ in pairs if len(name) <= _WIDEST), default=0)
    lines: list[str] = []
    for name, text in pairs:
        if len(name) <= left:
            lines.append(f"{indent}{name:<{left}}  {text}".rstrip())
            continue
        lines += TextWrapper(
            _LINE,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        ).wrap(name)
        lines.append(f"{indent}{'':<{left}}  {text}")
    return lines


def usage_page(program: str = "logsql") -> str:
    """The page of ``--help``."""
    rows = [(program, message("use-shell")), (f"{program} -q 'QUERY'", message("use-query"))]
    rows.append((f"{program} FILE.lq", message("use-file")))
    rows += [(verb.usage, message(f"use-{name}")) for name, verb in VERBS.items() if name != "shell"]
    blocks = (
        (message("help-usage"), rows),
        (message("help-options"), [(option.usage, message(option.help)) for option in OPTIONS]),
        (message("help-formats"), [(f.name, told(f.summary)) for f in FORMATS.values()]),
    )
    lines: list[str] = []
    for title, pairs in blocks:
        lines += [f"{title}:", *beside(pairs, "  "), ""]
    return "\n".join([*lines, message("help-exit")])
