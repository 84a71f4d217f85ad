"""What all file commands share: the path, the archive options, opening the source and bringing its columns in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.diagnostics.codes import Code, Pair, syntax
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.losses import NOT_CONVERTED, Loss
from logsql.diagnostics.messages import text
from logsql.diagnostics.paths import EVIDENCE_PATH, FILE_ERROR, OPTIONS_FIRST, PATH_NOT_SET
from logsql.diagnostics.unreadable import BAD_PATTERN
from logsql.language.tree import Call, Text
from logsql.operators.merging import Idents
from logsql.planner import duties, losses
from logsql.planner.catalog import PART, RAW, Catalog, SourceColumn, SourceInfo, SourceSpec
from logsql.planner.notes.samples import SAMPLE
from logsql.planner.options import extensions
from logsql.planner.relation import Column, Rel, only_numbered
from logsql.planner.spec import FIELDS, CommandSpec, Group, OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.imports import import_column
from logsql.values.sql import Sql
from logsql.values.types import ANY, BOOL, DATE, DOUBLE, INT, LONG, LType

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

LIMIT = OptionSpec("limit", OptionKind.INT, ("rows to read", "읽을 행 수"), minimum=0)
OFFSET = OptionSpec("offset", OptionKind.INT, ("rows to skip", "건너뛸 행 수"), default=0, minimum=0)
ZIP_CHARSET = OptionSpec(
    "zipcharset",
    OptionKind.TEXT,
    ("charset of the names inside the archive", "압축 파일 안 이름의 문자 집합"),
    default="utf-8",
)
ZIP_OPTIONS = (
    OptionSpec("zippath", OptionKind.PATH, ("read the path inside this ZIP archive", "이 ZIP 파일 안의 경로를 읽음")),
    ZIP_CHARSET,
)
#: The same for the vendor's commands that read no archive.
ADDED_ZIP_OPTIONS = extensions(*ZIP_OPTIONS)
HOST = OptionSpec(
    "host",
    OptionKind.TEXT,
    (
        "regular expression whose group `host` takes the machine's name from the path",
        "경로에서 호스트 이름을 뽑는 정규표현식(그룹 host)",
    ),
    extension=True,
)
REPLAY = OptionSpec(
    "replay",
    OptionKind.BOOL,
    ("t applies the transaction logs beside the hive", "t면 하이브 옆의 트랜잭션 로그를 반영"),
    default=False,
    extension=True,
)
#: The call of the reader, for ``explain``.
READS = syntax("{call}")
#: The columns that got a type, for ``explain``.
TYPES = text(*("types: {columns}", "타입: {columns}"))
#: Types by the names that the readers give them.
TYPED = {"int": INT, "long": LONG, "double": DOUBLE, "date": DATE, "bool": BOOL}
#: What the manual pages say about the names inside archives.
ZIP_NAMES = (
    "Names that the archive does not mark as UTF-8 are read as `zipcharset` (`cp949` for names packed on Korean "
    "Windows); those it does not have are read as CP437 and counted in the ledger."
)
#: What the manual pages say about paths.
PATHS = (
    "The path is the rest of the command, quotes are not needed. `*` stands for any text in a name and `**` for any "
    "number of folders: every file that matches is read, one after the other; `_file` holds the file's name. "
    '`$("name")` takes the path from a parameter.'
)
#: What they say about folders and archives.
FOLDERS = (
    "A folder means the files of this kind in it and below, as `triage` tells them. `_path` (an extension) is the path "
    "as opened (`archive!entry`), in the row where the query names it; `host` takes a last field `host` from it, as "
    "for `evtx-file`. Of several files one that cannot be read is left out and counted in the ledger."
)
ENTRIES = "With `zippath` the same holds for the entries of that archive; `_file` is the name of the entry then."
#: What they say about many machines.
HOSTS = (
    "A folder means the files of this kind in it and below. Inside an archive the same holds for its entries; a "
    "pattern without a folder is looked for in all of them. `_path` (an extension) is the path as opened "
    "(`archive!entry`), in the row where the query names it. "
    '`host` takes a last field `host` from it: `host="hosts/(?<host>[^/]+)/"`, `_host` where the rows have one.'
)
#: What the readers of evidence do with a file among several that they cannot read.
SEVERAL = "Of several files one that cannot be read is left out and counted in the ledger."


@dataclass(frozen=True)
class PathArgs:
    """The path of a file command: text, or the parameter that holds it."""

    path: Text | Call


def path_parser(missing: Code) -> Callable[[ArgReader], PathArgs]:
    """``parse`` of a command whose argument is a path; without one it refuses with the row ``missing``."""

    def parse(reader: ArgReader) -> PathArgs:
        if reader.at_end():
            reader.fail(missing, command=reader.command)
        return PathArgs(reader.path())

    return parse


def path_text(stage: Stage, path: Text | Call) -> str:
    """The path as text."""
    if isinstance(path, Text):
        return path.value
    value = stage.constant(path, "the path")
    if not isinstance(value, str) or not value:
        stage.fail(PATH_NOT_SET, path.span)
    return value


def open_files(stage: Stage, options: Mapping[str, object]) -> SourceInfo:
    """The source as its command declares it; errors point at the path."""
    path: Text | Call = stage.arguments(PathArgs).path
    text, source = path_text(stage, path), stage.spec.reads
    assert source is not None, f"{stage.spec.name} does not declare what reads its files"
    try:
        return stage.catalog.open_source(stage.spec.name, source, [text], {**options, "zone": stage.catalog.zone})
    except LogsqlError as error:
        if error.diagnostic.span is None:
            error.diagnostic = replace(error.diagnostic, span=path.span)
        if (moved := _options_first(stage, text)) is not None:
            error.diagnostic = replace(error.diagnostic, help=moved)
        raise


def _options_first(stage: Stage, path: str) -> str | None:
    """How the command is written when options stand behind the path: they are part of it (language.md 1.6)."""
    names = {option.name for option in stage.spec.options}
    found = re.fullmatch(r"(.*?)((?:\s+[a-z]+=\S+)+)", path, re.DOTALL)
    if found is None or not all(o.partition("=")[0] in names for o in found[2].split()):
        return None
    return OPTIONS_FIRST.fill(command=stage.spec.name, option=" ".join(found[2].split()), path=found[1])


def all_options(stage: Stage) -> dict[str, object]:
    """Every option that the command declares, by name."""
    return {option.name: stage.option(option.name) for option in stage.spec.options}


def open_text(stage: Stage, options: Mapping[str, object]) -> tuple[SourceInfo, tuple[str, ...]]:
    """The source of a command that reads text, and the columns that the query does not ask for.

    ``_path`` is looked up where the query names it, and hidden where the files do not have it themselves.
    """
    info = open_files(stage, {**options, "located": stage.asks_for("_path")})
    return info, tuple(unasked(stage, [column.name for column in info.columns], ()))


def scan_source(
    stage: Stage,
    info: SourceInfo,
    hidden: Sequence[str] = (),
    dates: Mapping[str, str] | None = None,
    place: str = "__fileline",
) -> Rel:
    """All columns of a source as fields, in order; parts of a mixed field become one field.

    ``dates``: columns with dates that are carried unseen, by the names they get. ``place``: what a reader that numbers
    its rows counts (``planner/losses.py``); the number is carried unseen where a ledger can tell it.
    """
    typed: Mapping[str, str | None] = info.meta.get("typed") or {}
    names = info.meta.get("idents") or tuple(c.name for c in info.columns)
    number = None
    if stage.catalog.run_id is not None and any(source.name == losses.PLACE for source in info.columns):
        # With the number of the scan: rows of one file are not counted on in another.
        number = Column(f"{place} {stage.number}", losses.PLACE, LONG)
    idents = Idents()
    items: list[Sql] = []
    columns: dict[str, Column] = {}
    parts: dict[str, list[Column]] = {}
    for source, name in zip(info.columns, names, strict=True):
        logical = source.logical or ""
        if logical.startswith(RAW) or source.name in hidden or source.name == losses.PLACE:
            continue
        ident = idents.take(name)
        is_part = logical.startswith(PART)
        plain = SourceColumn(name, source.sql_type, None if is_part else source.logical)
        type_, node = import_column(plain)
        if (kind := typed.get(source.name)) is not None:
            type_, node = TYPED[kind], _converted(stage, source.name, TYPED[kind], node, number)
        items.append(sql.alias(node, ident))
        if is_part:
            field = logical[len(PART) :]
            parts.setdefault(field, []).append(Column(ident, ident, type_))
            columns[field] = Column(field, field, ANY, tuple(parts[field]))
        else:
            columns[source.name] = Column(source.name, ident, type_)
    for name, source_name in (dates or {}).items():
        items.append(sql.alias(sql.col(source_name), name))
    carried = [Column(name, name, DATE) for name in dates or ()]
    if number is not None:
        items.append(sql.alias(sql.col(losses.PLACE), place))
        carried.append(replace(number, ident=place))
    items = items or [sql.alias(sql.boolean(True), "__row")]
    table = info.native if info.native is not None else sql.table(info.name)
    label = stage.spec.name if stage.spec.name != "-" else "stdin"
    if info.call:
        stage.remark(READS, call=info.call)
    if told := ", ".join(f"{name} {TYPED[kind].label}" for name, kind in typed.items() if kind is not None):
        stage.remark(TYPES, columns=told)
    return stage.read(label, sql.select(items, table), (info.name,), tuple(columns.values()), carried)


def _converted(stage: Stage, name: str, type_: LType, text: Sql, number: Column | None) -> Sql:
    """A column of text as the type that every value fitted when it was looked at.

    An empty cell is null; what a file that changed since holds beside is counted.
    """
    empty = sql.binary("=", text.copy(), sql.string(""))
    node = sql.try_cast(text, type_.physical)
    filled = sql.not_(empty)
    source = f"{stage.spec.name} field={name}"
    context = stage.context(only_numbered(number))
    return losses.or_lost(context, NOT_CONVERTED, source, node, type_.physical, text.copy(), filled)


def unasked(stage: Stage, names: list[str], quiet: tuple[str, ...]) -> list[str]:
    """Fields that the query does not name, of those that are in the row only then."""
    # Behind ``_file`` it is the path of the file; before it a column of the file's own (of an SQLite table).
    placed = "_file" in names and "_path" in names[names.index("_file") :]
    return [name for name in (*quiet, *(["_path"] if placed else [])) if not stage.asks_for(name)]


def told(stage: Stage, rel: Rel, info: SourceInfo) -> Rel:
    """The rows of a source with what its declaration says of their fields, for notes."""
    source = stage.spec.reads
    inner = "" if source is None else source.inner
    return replace(rel, declared=source, inner_keys=partial(_keys_of, stage.catalog, info, inner) if inner else None)


def _keys_of(catalog: Catalog, info: SourceInfo, inner: str) -> tuple[str, ...]:
    """Names that the maps of a column have in the first rows."""
    first = sql.select([sql.alias(sql.col(inner), "v")], sql.table(info.name))
    first.set("limit", exp.Limit(expression=sql.integer(SAMPLE)))
    found: dict[str, None] = {}
    for document_text in catalog.sample(first):
        try:
            document = json.loads(document_text)
        except ValueError:
            continue
        found |= dict.fromkeys(document if isinstance(document, dict) else ())
    return tuple(found)


def _usage(name: str, options: Sequence[OptionSpec]) -> str:
    """``evtx-file [host=HOST] ... PATH``."""
    written = (f"{o.name}={o.name.upper()}" if o.required else f"[{o.name}={o.name.upper()}]" for o in options)
    return " ".join([name, *written, "PATH"])


def evidence_command(
    name: str,
    group: Group,
    source: SourceSpec,
    summary: Pair,
    description: str,
    options: tuple[OptionSpec, ...] = (),
    fields: str = FIELDS,
    extra: str | None = None,
    package: str | None = None,
    ledger: tuple[Loss, ...] = (),
    errors: tuple[Code, ...] = (),
    quiet: tuple[str, ...] = (),
    extension: bool = False,
    zip_options: tuple[OptionSpec, ...] = ZIP_OPTIONS,
) -> CommandSpec:
    """The declaration of a command that reads one kind of evidence file. ``fields``: where they depend on the file.

    ``quiet``: fields that are in the row only where the query names them, as ``_path`` is. ``package``: what the extra
    brings. ``errors``: rows of the conditions of this kind of file. ``extension``: the vendor has no such command;
    ``zip_options``: :data:`ADDED_ZIP_OPTIONS` where the vendor's command has none, () for no files inside archives.
    """
    declared = (*options, *((*zip_options, HOST) if zip_options else ()))
    paths = " ".join([PATHS, SEVERAL, *([HOSTS, ZIP_NAMES] if zip_options else [])])

    def lower(stage: Stage) -> Rel:
        if package is not None and extra is not None:
            stage.needs_extra(name, package, extra)
        info = open_files(stage, all_options(stage))
        return told(stage, scan_source(stage, info, unasked(stage, [c.name for c in info.columns], quiet)), info)

    return CommandSpec(
        name=name,
        group=group,
        summary=summary,
        usage=(_usage(name, declared),),
        parse=path_parser(EVIDENCE_PATH),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=declared,
        description=f"{description.strip()}\n\nFields: {fields}.\n\n{paths}\n",
        extra=extra,
        ledger=ledger,
        reads=source,
        extension=extension,
        errors=(
            *([FILE_ERROR] if source.code == SourceSpec.code else []),
            *errors,
            *([BAD_PATTERN] if zip_options else []),
            EVIDENCE_PATH,
        ),
    )
