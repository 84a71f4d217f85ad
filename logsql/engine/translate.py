"""Text of a plan: the SQL as ``translate`` prints it, and ``explain``'s account of stages, schemas and SQL."""

from __future__ import annotations

from logsql.diagnostics.messages import text
from logsql.engine.ledger import Ledger
from logsql.engine.shares import Shares
from logsql.language.spans import render_note
from logsql.planner.plan import Action, Materialise, Plan, Stream

_RUN = text("run: rows {rows:,}", "실행: {rows:,}행")
_STAGES = text("stages", "단계")
_RESULT = text("result", "결과")
_OPEN = text("... and the fields found in the data", "... 그리고 데이터에서 찾은 필드")
_ORDER = text("order: {order}", "순서: {order}")
_AS_READ = text("as read", "읽은 순서")
_UNORDERED = text("not defined", "정해지지 않음")
_PYTHON_STAGE = text('Python stage {label}: delivers table "{name}"', '파이썬 단계 {label}: "{name}" 테이블을 만듦')
_ITS_INPUT = text("its input:", "입력:")
_READS_TOO = text("it also reads:", "함께 읽는 것:")
_FUNCTIONS = text("Python functions: {names}", "파이썬 함수: {names}")


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
                ""
                if step.query is None
                else f"\n-- {_ITS_INPUT.fill()}\n" + _commented(step.query.sql("duckdb", pretty=pretty))
            )
            for query in step.inputs:
                body += f"\n-- {_READS_TOO.fill()}\n" + _commented(query.sql("duckdb", pretty=pretty))
            parts.append(f"-- {_PYTHON_STAGE.fill(label=step.label, name=step.name)}{body}")
        elif isinstance(step, Action):
            parts.append(f"-- {step.label}")
    if functions := plan.functions:
        parts.append("-- " + _FUNCTIONS.fill(names=", ".join(sorted(functions))))
    parts.append(plan.final().sql("duckdb", pretty=pretty))
    return parts


def _commented(text: str) -> str:
    return "\n".join("-- " + line for line in text.splitlines())


def explain_text(plan: Plan, shares: Shares | None = None) -> str:
    """Stages with their SQL, the result's schema, order, remarks, notes.

    ``shares`` of a run: beside the first stage of a command stands what it took something out of.
    """
    beside = {f"s{share.step}": share.beside for share in shares or ()}
    lines: list[str] = [_STAGES.fill()]
    for cte in plan.ctes:
        said = beside.pop(cte.name.partition("_")[0], "")
        lines.append(f"  {cte.name}" + (f"  ({cte.command})" if cte.command else "") + (f"  {said}" if said else ""))
    lines.append("")
    lines.append(_RESULT.fill())
    for column in plan.rel.columns:
        lines.append(f"  {column.name}: {column.type.label}")
    if plan.rel.rest is not None:
        lines.append(f"  {_OPEN.fill()}")
    order = plan.rel.order
    if order.keys:
        # A column of several types is sorted by a key of each.
        keys = dict.fromkeys(f"{k.ident}{' desc' if k.descending else ''}" for k in order.keys)
        lines.append(_ORDER.fill(order=", ".join(keys)))
    else:
        lines.append(_ORDER.fill(order=(_AS_READ if order.physical else _UNORDERED).fill()))
    lines += [f"note: {remark}" for remark in plan.remarks]
    lines += [render_note(note) for note in plan.notes]
    lines += ["", "sql", plan_text(plan)]
    return "\n".join(lines)


def run_text(rows: int, shares: Shares, ledger: Ledger) -> str:
    """What a run found: rows, the share of rows that each command took something out of, entries of the ledger."""
    told = [*(share.told() for share in shares), *(entry.told() for entry in ledger)]
    return "\n".join([_RUN.fill(rows=rows), *(f"  {line}" for line in told)])
