"""The one parser of command lines: argparse, with options that are declared and mistakes that the catalogue names.

What argparse leaves out is added here and nowhere else: the value of an option may begin with a dash (``-q '-|limit
1'``), plain words and options may stand in any order, ``--`` ends the options, an option that takes one value may be
given once, and every mistake is a :class:`~.UsageError` in the user's language (exit code 2) with the nearest name.
"""

from __future__ import annotations

import argparse
import ipaddress
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import QueryError, UsageError, diagnostic, nearest
from logsql.diagnostics.messages import LANGUAGES, message
from logsql.diagnostics.usage import (
    GIVEN_TWICE,
    NO_CHOICE,
    NO_COUNT,
    NO_FIELD_HERE,
    NO_FORMAT,
    NO_PORT,
    NO_SECONDS,
    NO_VALUE,
    NOT_A_PAIR,
    NOT_AN_EXPRESSION,
    SEE_HELP,
    UNKNOWN_OPTION,
    VALUE_MISSING,
)
from logsql.render import FORMATS
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)


def usage_error(said: Sentence, help: str | None = None, **facts: object) -> UsageError:
    """A usage error with a sentence of the catalogue; ``help`` is a line in place of the sentence's own."""
    return UsageError(diagnostic(said, help=help, **{name: str(fact) for name, fact in facts.items()}))


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A help line with the nearest known name, else another one."""
    near = nearest(name, known)
    return message("help-did-you-mean", names=near[0]) if near else otherwise


# --- values -------------------------------------------------------------------------------------------------------

#: Reads the value of an option: (option, text) to the value. Raises UsageError.
Reader = Callable[[str, str], object]


def text(option: str, value: str) -> str:
    return value


def pair(option: str, value: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    name, equals, content = value.partition("=")
    if not equals or not name:
        raise usage_error(NOT_A_PAIR, option=option, value=value)
    return name, content


def parameter(option: str, value: str) -> tuple[str, object]:
    """``KEY=VALUE``, a text; ``KEY:=EXPRESSION``, the value of an expression that reads no field.

    >>> parameter("-d", "code=404")
    ('code', '404')
    >>> parameter("-d", "code:=404")[1].value
    404
    """
    name, content = pair(option, value)
    if not name.endswith(":"):
        return name, content
    from logsql.language.expressions import parse_expression  # for cost: the parser, which few command lines need
    from logsql.language.tree import Field, walk  # for cost: the parser, which few command lines need

    name = name.removesuffix(":").rstrip()
    if not name:
        raise usage_error(NOT_A_PAIR, option=option, value=value)
    try:
        expr = parse_expression(content)
    except QueryError as error:
        reason = error.diagnostic.message
        raise usage_error(NOT_AN_EXPRESSION, option=option, name=name, value=content, reason=reason) from None
    field = next((node for node in walk(expr) if isinstance(node, Field)), None)
    if field is not None:
        raise usage_error(NO_FIELD_HERE, option=option, name=name, value=content, field=field.name)
    return name, expr


def output_format(option: str, value: str) -> str:
    """The name of an output format."""
    if value not in FORMATS:
        hint = did_you_mean(value, FORMATS, message("usage-formats", names=", ".join(FORMATS)))
        raise usage_error(NO_FORMAT, help=hint, value=value)
    return value


def language(option: str, value: str) -> str:
    """A language of sentences."""
    if value not in LANGUAGES:
        raise usage_error(NO_CHOICE, option=option, choices=" | ".join(LANGUAGES), value=value)
    return value


def count(option: str, value: str) -> int:
    """A whole number above 0."""
    if not value.isascii() or not value.isdigit() or len(value) > 18 or int(value) < 1:
        raise usage_error(NO_COUNT, option=option, value=value)
    return int(value)


def port(option: str, value: str) -> str:
    """``[ADDRESS:]PORT``; an address of IPv6 in brackets."""
    address, colon, number = value.rpartition(":")
    try:
        if colon:
            known = ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
            if (known.version == 6) != (address[:1] == "[" and address[-1:] == "]"):
                raise ValueError
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):
            raise ValueError
    except ValueError:
        raise usage_error(NO_PORT, option=option, value=value) from None
    return value


def seconds(option: str, value: str) -> float:
    """Seconds above 0."""
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 < found < 1e9:
        raise usage_error(NO_SECONDS, option=option, value=value)
    return found


# --- options ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One option: its names (the long one last), the field it sets, what its value is called (None: a switch), the
    name of its help sentence, how its value is read, and whether it may be repeated (its field is then a tuple), and
    whether its value may be left out before another option or the end (it is then empty)."""

    names: tuple[str, ...]
    field: str
    value: str | None
    help: str
    read: Reader = text
    repeat: bool = False
    bare: bool = False

    @property
    def usage(self) -> str:
        return ", ".join(self.names) + (f" {self.value}" if self.value else "")


class _Keep(argparse.Action):
    """Reads a value by its option's own reader and keeps it."""

    def __init__(self, option_strings: Sequence[str], dest: str, option: Option) -> None:
        super().__init__(option_strings, dest, 0 if option.value is None else "?", default=argparse.SUPPRESS)
        self.option = option

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        option, before = self.option, getattr(namespace, self.dest, None)
        if option.value is None:
            setattr(namespace, self.dest, True)
            return
        if not isinstance(values, str):
            raise usage_error(VALUE_MISSING, option=option_string, value=option.value)
        value = option.read(option.names[-1], values)
        if option.repeat:
            setattr(namespace, self.dest, (*(before or ()), value))
        elif before is not None:
            raise usage_error(GIVEN_TWICE, option=option.names[-1])
        else:
            setattr(namespace, self.dest, value)


class CommandLine(argparse.ArgumentParser):
    """A parser of the declared options. Words behind a plain word for which ``stops`` holds are not looked at."""

    def __init__(self, options: Sequence[Option], stops: Callable[[list[str]], bool] = lambda plain: False) -> None:
        # A width, because a formatter without one imports shutil and with it four compression libraries.
        formatter = partial(argparse.HelpFormatter, width=100)
        super().__init__(add_help=False, allow_abbrev=False, exit_on_error=False, formatter_class=formatter)
        self._stops = stops
        self._long = {name: option.names[-1] for option in options for name in option.names if option.value}
        self._bare = {name for option in options for name in option.names if option.bare}
        self._names = [name for option in options for name in option.names]
        for option in options:
            self.add_argument(*option.names, dest=option.field, action=_Keep, option=option)

    def read(self, words: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
        """(fields that were given, plain words). Raises :class:`~.UsageError`."""
        given, plain, unknown = self.split(words)
        for word in unknown:
            name = word.partition("=")[0]
            raise usage_error(UNKNOWN_OPTION, help=did_you_mean(name, self._names, SEE_HELP.text.fill()), option=name)
        return given, plain

    def split(self, words: Iterable[str]) -> tuple[dict[str, Any], list[str], list[str]]:
        """(fields that were given, plain words, options that are not declared)."""
        plain: list[str] = []
        options = list(self._attached(iter(words), plain))
        try:
            found, unknown = self.parse_known_args(options)
        except argparse.ArgumentError as error:  # the only one that is left: a switch with a value, --safe=yes
            raise usage_error(NO_VALUE, option=str(error.argument_name).rpartition("/")[2]) from None
        return dict(vars(found)), plain, unknown

    def _attached(self, words: Iterator[str], plain: list[str]) -> Iterator[str]:
        """The options, each value joined to its option by ``=``: a word that begins with a dash is no value for
        argparse. Plain words are set aside."""
        waiting = deque(words)
        while waiting:
            word = waiting.popleft()
            if word == "--":
                plain += waiting
                return
            if word == "-" or not word.startswith("-"):
                plain.append(word)
                if self._stops(plain):
                    plain += waiting
                    return
            elif word in self._bare and (not waiting or waiting[0].startswith("-")):
                yield f"{self._long[word]}="
            elif word in self._long and waiting:
                yield f"{self._long[word]}={waiting.popleft()}"
            else:
                yield word

    def error(self, message: str) -> NoReturn:
        """argparse's own sentence never reaches a user."""
        raise usage_error(SEE_HELP)
