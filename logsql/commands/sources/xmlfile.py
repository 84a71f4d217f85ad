"""``xmlfile``: the nodes of XML files that a path selects."""

from __future__ import annotations

from dataclasses import replace

from logsql.commands.sources._files import (
    ADDED_ZIP_OPTIONS,
    ENTRIES,
    FOLDERS,
    HOST,
    LIMIT,
    OFFSET,
    PATHS,
    all_options,
    open_text,
    path_parser,
    scan_source,
)
from logsql.diagnostics.paths import FILE_ERROR, MISSING_PATH
from logsql.diagnostics.unreadable import NOT_XML, XML_ENTITIES, XPATH_UNSUPPORTED
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.options import extensions
from logsql.planner.relation import Rel, Rest
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import ANY_JSON
from udfs.readers.artefacts import Artefact, Known


def lower(stage: Stage) -> Rel:
    options = all_options(stage)
    rel = scan_source(stage, *open_text(stage, options))
    row = rel.column("_row")
    assert row is not None
    columns = tuple(c for c in rel.columns if c is not row)
    return replace(rel, columns=columns, rest=Rest(row.ident, ANY_JSON, hidden=frozenset(c.name for c in columns)))


ARTEFACT = Artefact(
    (
        Known("scheduled task", "/Tasks/", b"\xff\xfe<\0"),
        Known("scheduled task", "/Tasks/", loose=True),
        Known("XML", r"\.xml$", loose=True),
    )
)

register(
    CommandSpec(
        name="xmlfile",
        group=Group.SOURCE,
        summary=("Read nodes of XML files.", "XML 파일의 노드를 읽습니다."),
        usage=("xmlfile [cs=CHARSET] [xpath=PATH] [limit=N] [offset=N] [host=REGEX] FILE",),
        parse=path_parser(MISSING_PATH),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec("udfs.readers.xmlrows:XmlReader", suffixes=(".xml",), artefact=ARTEFACT),
        options=(
            *ADDED_ZIP_OPTIONS,
            HOST,
            OptionSpec(
                "cs",
                OptionKind.TEXT,
                (
                    "charset; the document's own declaration counts when it is not given",
                    "문자 집합. 생략하면 문서의 선언을 따름",
                ),
            ),
            OptionSpec(
                "xpath",
                OptionKind.TEXT,
                ("the nodes to read; the root element when it is not given", "읽을 노드의 XPath. 생략하면 루트 요소"),
            ),
            *extensions(LIMIT, OFFSET),
        ),
        description=f"""\
One row per selected node. Its attributes and children become fields as in `parsexml`. A path is written `/a/b[1]/c`,
`//x` or `//x[@id='7']`. A document that declares entities is refused.

{PATHS} {FOLDERS} {ENTRIES}
""",
        errors=(
            FILE_ERROR,
            NOT_XML,
            XPATH_UNSUPPORTED,
            XML_ENTITIES,
            MISSING_PATH,
        ),
    )
)
