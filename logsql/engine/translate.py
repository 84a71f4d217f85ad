"""Text of a plan: the SQL as ``translate`` prints it, and ``explain``'s account of stages, schemas and SQL."""

from __future__ import annotations

from logsql.diagnostics.messages import text
from logsql.engine.ledger import Ledger
from logsql.engine.shares import Shares
from logsql.language.spans import render_note
from logsql.planner.plan import Action, Materialise, Plan, Stream

_RUN = text("run: rows {rows:,}", "실행: {rows:,}행")


def plan_text(plan: Plan, pretty: bool = True) -> str:
    """The SQL of a plan. Steps that come before the final SELECT are printed in order; Python stages as comments."""
    return "\n\n".join(plan_parts(plan, pretty))


def plan_parts(plan: Plan, pretty: bool = True) -> list[str]:
    """The parts of :func:`plan_text`; the last is the SELECT."""
    parts: list[str] = []
    for step in plan.steps:
        if isinstance(step, Materialise):
            parts.append(f'CREATE TEMP TABLE "{step.name}" AS\n{step.query.sql("duckdb", pretty=pretty)};')
        elif isinstance(step, Stream):
            body = (
                "" if step.query is None else "\n-- its input:\n" + _commented(step.query.sql("duckdb", pretty=pretty))
            )
            for query in step.inputs:
                body += "\n-- it also reads:\n" + _commented(query.sql("duckdb", pretty=pretty))
            parts.append(f'-- Python stage {step.label}: delivers table "{step.name}"{body}')
        elif isinstance(step, Action):
            parts.append(f"-- {step.label}")
    if functions := plan.functions:
        parts.append("-- Python functions: " + ", ".join(sorted(functions)))
    parts.append(plan.final().sql("duckdb", pretty=pretty))
    return parts


def _commented(text: str) -> str:
    return "\n".join("-- " + line for line in text.splitlines())


def explain_text(plan: Plan, shares: Shares | None = None) -> str:
    """Stages with their SQL, the result's schema, order, remarks, notes.

    ``shares`` of a run: beside the first stage of a command stands what it took something out of.
    """
    beside = {f"s{share.step}": share.beside for share in shares or ()}
    lines: list[str] = ["stages"]
    for cte in plan.ctes:
        said = beside.pop(cte.name.partition("_")[0], "")
        lines.append(f"  {cte.name}" + (f"  ({cte.command})" if cte.command else "") + (f"  {said}" if said else ""))
    lines.append("")
    lines.append("result")
    for column in plan.rel.columns:
        lines.append(f"  {column.name}: {column.type.label}")
    if plan.rel.rest is not None:
        lines.append("  ... and the fields found in the data")
    order = plan.rel.order
    if order.keys:
        # A column of several types is sorted by a key of each.
        keys = dict.fromkeys(f"{k.ident}{' desc' if k.descending else ''}" for k in order.keys)
        lines.append("order: " + ", ".join(keys))
    else:
        lines.append("order: " + ("as read" if order.physical else "not defined"))
    lines += [f"note: {remark}" for remark in plan.remarks]
    lines += [render_note(note) for note in plan.notes]
    lines += ["", "sql", plan_text(plan)]
    return "\n".join(lines)


def run_text(rows: int, shares: Shares, ledger: Ledger) -> str:
    """What a run found: rows, the share of rows that each command took something out of, entries of the ledger."""
    told = [*(share.told() for share in shares), *(entry.told() for entry in ledger)]
    return "\n".join([_RUN.fill(rows=rows), *(f"  {line}" for line in told)])
