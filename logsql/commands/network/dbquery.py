"""``dbquery``: the rows of an SQL statement that another database runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logsql.commands.network._databases import (
    ERRORS,
    EXTRA,
    SqlArgs,
    connection,
    database,
    ending,
    given,
    parameter,
    parse_sql,
    planned,
    source,
    whole_parameter,
)
from logsql.diagnostics.databases import (
    DUPLICATE_COLUMN,
    NO_DATE,
    NO_DECIMAL,
    NO_SQL,
    NOT_A_SELECT,
    NOT_DECIMAL,
    NOT_UTF8,
    READ_ONLY,
    UNKNOWN_SQL_PARAMETER,
)
from logsql.planner import duties
from logsql.planner.connections.databases import Statement
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.language.tree import Text


def lower(stage: Stage) -> Rel:
    args = stage.arguments(SqlArgs)
    profile = database(stage, args.profile)
    text = written_sql(stage, args.sql)
    asked = Statement.of(text.value)
    values = given(stage, asked, text)
    databases = connection(stage)
    opened = planned(stage, text, lambda: databases.query(profile, asked, values, ending(stage)))
    return source(stage, opened, text)


def parse(reader: ArgReader) -> SqlArgs:
    return parse_sql(reader, whole=True)


def written_sql(stage: Stage, text: Text) -> Text:
    """The SQL, which may be the value of a parameter as a whole: ``$("sql")``, whose caller writes the statement."""
    name = whole_parameter(text)
    return text if name is None else replace(text, value=str(parameter(stage, name, text.span)))


register(
    CommandSpec(
        name="dbquery",
        group=Group.NETWORK,
        summary=("Run SQL on another database.", "다른 데이터베이스에서 SQL을 실행합니다."),
        usage=("dbquery PROFILE SQL",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        sql=True,
        extra=EXTRA,
        description="""\
The SQL runs to the end of the command: to a `|` or, in a subquery, a `]` that stands outside the quotes, comments and
brackets of SQL. `||` and the operators that hold a `|` are SQL; a single `|` as an operator is written in parentheses.

`:name` is a parameter that `set` or `-d` has set. Its value is bound and never becomes SQL; the server converts it to
the type that it expects. `::type`, and `:name` inside quotes or comments, are no parameters. The whole statement may
be a parameter, `dbquery emp $("sql")`: its text is then the SQL, still one statement that can only read.

One statement is run, in a transaction that can only read, with the rights of the profile's user. Rows come as the
server has them; `limit` behind it, Ctrl-C and `--timeout` end the statement on the server.

| PostgreSQL | here |
| --- | --- |
| boolean, smallint, integer, bigint, real, double precision | bool, short, int, long, float, double |
| numeric(p, s) of at most 38 digits | a number with all its digits; of 18 digits without fraction a long |
| other numeric | the same by its values; one that 38 digits do not hold, NaN and infinity stay text |
| timestamptz; timestamp and date in the zone of the session | date; null for infinity |
| inet; cidr | ip; text |
| json, jsonb, arrays, composite types | map, list or value |
| bytea | binary |
| text, varchar, char, uuid, enum, time, interval, money, xml, all others | text as the server writes it |

Of an SQLite file (`kind = "sqlite"`, `path`) each column has the types of its values. Other databases are reached by an
ADBC driver that the profile names (`driver`).
""",
        examples=(
            Example(
                "Who was hired in the last week",
                'set created_at = string(dateadd(now(), "day", -7), "yyyy-MM-dd")'
                " | dbquery emp select * from employee where created_at >= :created_at",
            ),
            Example(
                "What two databases know of nodes",
                "dbquery db1 select * from nodelist | union [ dbquery db2 select * from nodelist ]",
            ),
        ),
        errors=(*ERRORS, NO_SQL, UNKNOWN_SQL_PARAMETER, NOT_A_SELECT, READ_ONLY),
        ledger=(NOT_DECIMAL, NO_DECIMAL, NO_DATE, NOT_UTF8, DUPLICATE_COLUMN),
    )
)
