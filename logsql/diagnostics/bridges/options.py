"""Options of commands of other languages: ``earliest=-24h``, ``max_match=0``, ``by=user``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logsql.diagnostics.bridges.units import span_here
from logsql.diagnostics.errors import nearest
from logsql.diagnostics.messages import message, text

#: ``option=value`` of ``command`` as the help says it; None where this row knows nothing of the value.
Said = Callable[[str, str, str], "str | None"]

_BEHIND = text("write | limit {value} behind it", "뒤에 | limit {value}을(를) 붙이세요")
LEAVE_OUT = text(
    "leave out {option}=: there is no such limit here", "{option}=은 빼세요. 여기에는 그런 제한이 없습니다"
)
NO_NAME = text(
    "the field stands without {option}=: {command} {value}", "필드는 {option}= 없이 씁니다: {command} {value}"
)


@dataclass(frozen=True)
class ForeignOption:
    """``words``: what it is called elsewhere, in small letters; ``example``: as it is typed; ``says``: the help for it;
    ``beside``: an option that the command must have, ``lacks``: one that it must not have; ``of``: the only command
    (no ``words``: whatever its option is called)."""

    words: tuple[str, ...]
    languages: str
    example: str
    says: str
    form: Said
    beside: str | None = None
    lacks: str | None = None
    of: str | None = None


def _use(form: str) -> Said:
    return lambda command, option, value: message("help-use", form=form.format(command=command, value=value or "..."))


def _leave_out(command: str, option: str, value: str) -> str:
    return LEAVE_OUT.fill(option=option)


def _plain(command: str, option: str, value: str) -> str:
    return NO_NAME.fill(option=option, command=command, value=value or "FIELD")


def _span(value: str) -> str | None:
    """``-24h@h`` as a span; None for anything else."""
    return span_here(value.strip("\"'")) if re.search(r"\d", value) else None


def _compared(command: str, option: str, value: str) -> str | None:
    """``user="kim"`` and ``status=404`` of Splunk; a word without quotes is a text there."""
    if not value or value[0] in "~=<>!" or nearest(option, ("limit",)):
        return None
    if not value.startswith('"') and re.fullmatch(r"-?\d+(?:\.\d+)?|true|false", value) is None:
        value = f'"{value}"'
    return message("help-use", form=f"{option} == {value}")


def _since(command: str, option: str, value: str) -> str | None:
    span = _span(value)
    compares = ">=" if option.lower() in ("earliest", "starttime", "starttimeu", "start") else "<"
    if span is not None:
        return message("help-use", form=f'search _time {compares} ago("{span}")')
    if re.match(r"\d{4}-\d\d-\d\d", value.strip("\"'")):
        return message("help-use", form=f'search _time {compares} date("{value.strip(chr(34))[:10]}", "yyyy-MM-dd")')
    return message("help-use", form=f"search _time {compares} now()")


def _duration(command: str, option: str, value: str) -> str | None:
    span = _span(value)
    return message(
        "help-use", form=f"{command} duration={span} NAME" if span else f"{command} from=yyyyMMdd to=yyyyMMdd NAME"
    )


def _cut(command: str, option: str, value: str) -> str:
    return message("help-use", form=f'eval _time = datetrunc(_time, "{_span(value) or "1h"}") | {command} ... by _time')


OPTIONS: tuple[ForeignOption, ...] = (
    ForeignOption(
        ("earliest", "latest", "starttime", "endtime"), "Splunk", "table earliest=-24h web",
        "use table duration=24h NAME",
        _duration, beside="duration",
    ),
    ForeignOption(
        ("earliest", "latest", "starttime", "endtime"), "Splunk", "search earliest=-24h",
        'use search _time >= ago("24h")',
        _since,
    ),
    ForeignOption(
        (), "Splunk, SQL", 'search user="kim"', 'use user == "kim"', _compared, of="search",
    ),
    ForeignOption(
        ("max_match",), "Splunk", 'rex field=path max_match=0 "(?<x>[0-9])"', 'use eval x = groups(FIELD, "REGEX")',
        lambda command, option, value: message("help-use", form='eval x = groups(FIELD, "REGEX")'),
    ),
    ForeignOption(
        ("mode",), "Splunk", 'rex field=path mode=sed "s/a/b/"',
        'use eval FIELD = replace(FIELD, "REGEX", "TEXT", "re")',
        lambda command, option, value: message("help-use", form='eval FIELD = replace(FIELD, "REGEX", "TEXT", "re")')
        if value.strip('"').lower() == "sed" else None,
    ),
    ForeignOption(
        ("limit",), "Splunk", "timechart limit=5 span=1h count by user",
        'use search in(KEY, "A", "B") | timechart ...', _use('search in(KEY, "A", "B") | {command} ...'), beside="span",
    ),
    ForeignOption(
        ("useother", "usenull", "otherstr", "nullstr", "cont", "partial", "fixedrange"), "Splunk",
        "timechart useother=f span=1h count by user",
        "leave out useother=: there is no such limit here", _leave_out,
    ),
    ForeignOption(
        ("allnum", "prestats", "summariesonly", "dedup_splitvals", "keepempty", "keepevents", "consecutive"), "Splunk",
        "stats allnum=t count", "leave out allnum=: there is no such limit here", _leave_out,
    ),
    ForeignOption(
        ("limit", "count", "maxresults"), "Splunk", "stats limit=5 count by user", "write | limit 5 behind it",
        lambda command, option, value: _BEHIND.fill(value=value) if value.isdigit() else None,
    ),
    ForeignOption(
        ("by", "groupby", "group_by"), "Splunk, KQL", "stats by=user count", "use stats ... by user",
        _use("{command} ... by {value}"), lacks="by",
    ),
    ForeignOption(
        ("span", "bin", "bucket", "interval"), "Splunk", "stats span=1h count",
        'use eval _time = datetrunc(_time, "1h") | stats ... by _time', _cut, lacks="span",
    ),
    ForeignOption(
        ("field", "fields", "fieldname", "column"), "Splunk", "sort field=path",
        "the field stands without field=: sort path", _plain, lacks="field",
    ),
)  # fmt: skip


def _curl(words: tuple[str, ...], example: str, form: str, of: str) -> ForeignOption:
    """An option of curl, or of a library for requests."""
    typed = f'{of} url="https://example.com/" {example}'
    return ForeignOption(words, "curl", typed, f"use {form}", _use(form), of=of)


_DATA = ("data", "json", "payload", "content")
_WHO = ("user", "username", "password", "login")
_PROXY = ("proxy", "proxies")
_TRUST = ("insecure", "verify", "ssl", "no_check_certificate", "cacert", "ca_file")
_SEND = 'eval url = "...", data = "..." | wget method=post body=data'
_GO_BY = 'proxy = "http://HOST:PORT" under [network] of the configuration'
_TRUSTED = 'ca_file = "PATH" under [network] of the configuration'
OPTIONS = (
    _curl(_DATA, 'data="a=1"', _SEND, of="wget"),
    _curl(_WHO, "user=kim", 'wget auth="ID:PW"', of="wget"),
    _curl(_PROXY, 'proxy="http://proxy:3128"', _GO_BY, of="wget"),
    _curl(_PROXY, 'proxy="http://proxy:3128"', _GO_BY, of="rss"),
    _curl(_TRUST, "insecure=t", _TRUSTED, of="wget"),
    _curl(_TRUST, "insecure=t", _TRUSTED, of="rss"),
    *OPTIONS,
)


def option_help(command: str, option: str, value: str, known: Sequence[str]) -> str | None:
    """The help of an option of another language; None for one that no row has.

    >>> option_help("rex", "max_match", "0", ["field"])
    'use eval x = groups(FIELD, "REGEX")'
    """
    for row in OPTIONS:
        if row.of is not None and row.of != command:
            continue
        if (row.words and option.lower() not in row.words) or (row.beside is not None and row.beside not in known):
            continue
        if row.lacks in known and row.lacks is not None:
            continue
        if (said := row.form(command, option, value)) is not None:
            return said
    return None
