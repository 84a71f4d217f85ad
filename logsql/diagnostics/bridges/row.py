"""A row of the bridges: what the words of other languages are here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from logsql.diagnostics.places import Place

#: The statement that makes the table of the examples.
TABLE = """CREATE TABLE web AS SELECT * FROM (VALUES
  ('kim', 200, 120, '/login', ['a', 'b'], 'k=1', TIMESTAMPTZ '2024-03-05 10:07:00+00'),
  ('lee', 404, 0, '/wp-admin', ['c'], 'k=2', TIMESTAMPTZ '2024-03-05 10:42:00+00'),
  ('kim', 500, 30, '/api?q=1', ['b', 'b'], 'k=3', TIMESTAMPTZ '2024-03-05 11:01:00+00'),
  ('cho', 200, NULL, '/login', ['d'], 'k=4', TIMESTAMPTZ '2024-03-05 11:30:00+00')
) rows ("user", status, bytes, path, tags, pair, _time)"""

#: The command before every example: the rows in the order in which they were stored.
SOURCE = "table order=asc web"


@dataclass(frozen=True)
class Bridge:
    """One idea. ``spl``, ``kql``, ``esql``, ``sql``, ``shell``: its names there; ``form``: how it is written here;
    ``query``: an example behind :data:`SOURCE`; ``statement``: the same in SQL. Both are None where only the name is
    another."""

    place: Place
    form: str
    query: str | None
    statement: str | None
    spl: tuple[str, ...] = ()
    kql: tuple[str, ...] = ()
    esql: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()

    def languages(self, word: str) -> list[str]:
        """The languages in which the idea is called ``word``, as a user names them."""
        plain = word.lower().replace("-", "_")
        return [
            language
            for language, names in (
                ("Splunk", self.spl),
                ("KQL", self.kql),
                ("ES|QL", self.esql),
                ("SQL", self.sql),
                ("Unix", self.shell),
            )
            if any(plain == name.lower().replace("-", "_") for name in names)
        ]

    def words(self) -> Iterator[str]:
        """Every name of the idea, in lower case."""
        for names in (self.spl, self.kql, self.esql, self.sql, self.shell):
            yield from (name.lower() for name in names)


def command(form: str, query: str | None, statement: str | None, **words: tuple[str, ...]) -> Bridge:
    return Bridge(Place.COMMAND, form, query, statement, **words)


def function(form: str, query: str, value: str, **words: tuple[str, ...]) -> Bridge:
    """``query`` and ``value`` are the expression for a new field x, here and in SQL."""
    return Bridge(Place.FUNCTION, form, f"| eval x = {query} | fields x", f"SELECT {value} AS x FROM web", **words)


def aggregate(form: str, query: str, value: str, **words: tuple[str, ...]) -> Bridge:
    """``query`` and ``value`` are the aggregate, here and in SQL."""
    return Bridge(Place.AGGREGATE, form, f"| stats {query} as x", f"SELECT {value} AS x FROM web", **words)
