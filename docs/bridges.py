"""The page for analysts who come from Splunk, KQL, ES|QL or SQL, from the table of bridges."""

from __future__ import annotations

from logsql.diagnostics.bridges import BRIDGES, SOURCE, TABLE, Bridge
from logsql.diagnostics.bridges.constructs import AGGREGATES, ASSIGNMENTS, CONSTRUCTS
from logsql.diagnostics.bridges.options import OPTIONS
from logsql.diagnostics.places import Place

_TITLES = {
    Place.COMMAND: "Commands and clauses",
    Place.FUNCTION: "Functions",
    Place.AGGREGATE: "Aggregates",
}
#: A bar inside a cell.
_BAR = "\\|"
_HEAD = f"""# Coming from Splunk, KQL, ES|QL or SQL

Type a name of another language and the error says how the same is written here:

```
error[92000 unsupported-command]: command "where" is not supported
help: use search CONDITION
```

What is different everywhere:

- Commands are joined by `|`, options stand before the arguments, without blanks: `sort limit=10 -count`.
- `==` compares, `=` assigns, `and`, `or` and `not(...)` are written in lower case.
- Text stands in double quotes; a word without quotes is a field, and one in single quotes is a field whose name has
  these quotes. In an expression a name with blanks is `field("Event ID")`.
- Patterns are part of `==`: `path == "*wp-*"`.
- Text is never a number: `"10" > 9` compares types. Read a CSV with `types=t`, or write `long(bytes) > 1000`.
- To search a whole line of a text file write `search line == "*Failed password*"`.
- Descending order is a minus before the name: `sort -bytes`.
- A SQL statement runs as it is: `logsql sql "SELECT ..."`, in the shell a line that begins with `SELECT`.

The examples stand behind `{SOURCE}`; the statement beside each gives the same rows over

```sql
{TABLE};
```
"""


def bridges_page() -> str:
    """The page as Markdown."""
    lines = [_HEAD.rstrip(), ""]
    for place, title in _TITLES.items():
        lines += [
            f"## {title}",
            "",
            "| Splunk | KQL | ES\\|QL | SQL | shell | here |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_row(bridge) for bridge in BRIDGES if bridge.place is place]
        lines += ["", "| here | in SQL |", "| --- | --- |"]
        lines += [f"| {_code(b.query)} | {_code(b.statement or '')} |" for b in BRIDGES if b.place is place and b.query]
        lines.append("")
    for title, rows in (
        ("Operators and clauses", CONSTRUCTS),
        ("Assignments, behind eval", ASSIGNMENTS),
        ("Clauses of aggregates, behind stats", AGGREGATES),
    ):
        lines += [f"## {title}", "", "| there | written so in | here |", "| --- | --- | --- |"]
        lines += [f"| {_code(row.written)} | {row.languages.replace('|', _BAR)} | {_code(row.says)} |" for row in rows]
        lines.append("")
    lines += ["## Options", "", "| there | written so in | here |", "| --- | --- | --- |"]
    lines += [f"| {_code(row.example)} | {row.languages} | {row.says.replace('|', _BAR)} |" for row in OPTIONS]
    return "\n".join(lines).rstrip() + "\n"


def _row(bridge: Bridge) -> str:
    words = (bridge.spl, bridge.kql, bridge.esql, bridge.sql, bridge.shell)
    return "| " + " | ".join([", ".join(f"`{w}`" for w in names) for names in words]) + f" | {_code(bridge.form)} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
