"""The head of a syslog line as senders really write it, and the time in it.

RFC 3164 ``<34>Oct 11 22:14:15 host su[12]: text``, also without ``<PRI>``, with the year behind the day, with an ISO
time, with the sequence number, the marks ``*`` and ``.``, fractions and the zone name of Cisco devices, and without a
host (the word behind the time ends in a colon: that is the program). A priority above 191 is none. A date that does not
exist is null; the line is read all the same.

A time without a year has the latest year that does not put it more than a day behind the time of reference: right on
both sides of new year's night. The reference is when the row was received, for rows of a file when the file was
written; without either now. A time without a zone is local time of the session.
"""

from __future__ import annotations

from collections.abc import Callable

from logsql.commands.parse.logs.base import Builder, moment
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, STRING
from udfs.syslogpatterns import ELEMENTS, ISO, PRI, TIME, TIME_GROUPS, ZONES

_NEWER = rf"^{PRI}\d{{1,2}} ({ISO}) "
_OLDER = rf"^(?:{PRI})?{TIME}"
#: A whole head: what stands behind it is the text of another format. The word behind the time is the host and the one
#: with a colon and a blank the program, unless it begins as a JSON object, a list or a bracket.
_WORD = r'[^\s{\["]'
_WHOLE = (
    rf"^(?:{PRI}\d{{1,2}} \S+ \S+ \S+ \S+ \S+ {ELEMENTS}(?: \x{{feff}}?|$)"
    rf'|(?:{PRI})?{TIME} *(?:{_WORD}(?:\S*[^\s:])?(?: +|$))?(?:[^\s:\[{{"]+(?:\[[^\]]*\])?:(?: +|$))?)'
)
#: What each head begins with: a priority, a sequence number, a mark of Cisco devices, a month's name or a year.
_BEGINS = r"^(?:<|\d{1,10}:|[*.]|[A-Za-z]{3} {1,2}\d|\d{4}-)"


def head_time(builder: Builder) -> Sql:
    """The time in the head of a syslog line of either format; null where the line does not begin with one."""
    newer = builder.regex(_NEWER, ("pri", "iso"))
    older = builder.regex(_OLDER, ("pri", *TIME_GROUPS))
    return sql.coalesce(iso_time(newer("iso")), time_of(builder, older))


def behind_head(node: Sql) -> Sql:
    """The text behind the head of a syslog line; the whole text where it begins with none."""
    # A line of most formats shows by its first characters that it has no head; replacing would copy its text.
    begins = sql.func("regexp_matches", node, sql.string(_BEGINS))
    behind = sql.func("regexp_replace", node.copy(), sql.string(_WHOLE), sql.string(""))
    return sql.case([(begins, behind)], node.copy())


def time_of(builder: Builder, group: Callable[[str], Sql]) -> Sql:
    """The instant of the groups ``TIME_GROUPS``."""
    return sql.case([(sql.not_null(group("iso")), iso_time(group("iso")))], _dated(builder, group))


def iso_time(node: Sql) -> Sql:
    """Text of ISO 8601 as an instant, with a comma or a point before the fraction."""
    return sql.try_cast(sql.func("replace", node, sql.string(","), sql.string(".")), DATE.physical)


def _dated(builder: Builder, group: Callable[[str], Sql]) -> Sql:
    """``Oct 11 22:14:15`` as an instant, in the year that the line or the time of reference tells."""
    zone = sql.case(
        [(sql.eq(group("zone"), sql.string(name)), sql.string(hours)) for name, hours in ZONES.items()],
        sql.string(""),
    )
    rest = builder.column("dated", sql.concat(group("day"), sql.string(" "), group("clock")), STRING)
    offset = builder.column("offset", sql.coalesce(zone, sql.string("")), STRING)
    near = builder.column("near", sql.coalesce(*builder.reference()), DATE)
    latest = sql.binary("+", near, sql.interval(1, "days"))

    def in_year(year: Sql) -> Sql:
        text = sql.concat(sql.cast(year, "VARCHAR"), sql.string(" "), rest.copy())
        formats = ("%Y %b %d %H:%M:%S.%n", "%Y %b %d %H:%M:%S")
        local = moment(text, *formats)
        zoned = moment(sql.concat(text.copy(), offset.copy()), *(f + "%z" for f in formats))
        # With a zone the engine makes the second of March of the 30th of February.
        exists = sql.not_null(local)
        return sql.case(
            [(sql.eq(offset.copy(), sql.string("")), local.copy()), (exists, zoned)], sql.null(DATE.physical)
        )

    this = sql.func("year", near)
    found = [
        builder.column(f"year{step}", in_year(sql.binary("+", this.copy(), sql.integer(step))), DATE)
        for step in (1, 0, -1)
    ]
    fitting = [(sql.binary("<=", node.copy(), latest.copy()), node) for node in found]
    return sql.case([(sql.not_null(group("year")), in_year(group("year"))), *fitting], sql.null(DATE.physical))
