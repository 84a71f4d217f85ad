"""How tests went: lines for a reader, and JUnit XML for what runs them."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from logsql.diagnostics.messages import message
from logsql.language.spans import render
from logsql.shell.querytests.running import Ended

#: What XML 1.0 has no form for.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(ended: Ended, word: str) -> str:
    """``ok    break-ins (0.12 s)``, and below it what differs."""
    head = f"{word:<7} {os.path.relpath(ended.test.path)} ({ended.seconds:.2f} s)\n"
    told = "\n".join(render(problem) for problem in ended.problems)
    return head + "".join(f"        {line}\n" for line in told.splitlines())


def junit(ended: Sequence[Ended], untested: Sequence[str]) -> bytes:
    """The document that build servers read: a suite, a case per query; one without expectation is skipped."""
    suite = ET.Element("testsuite", name="logsql", tests=str(len(ended) + len(untested)))
    suite.set("failures", str(sum(bool(one.problems) for one in ended)))
    suite.set("errors", "0")
    suite.set("skipped", str(len(untested)))
    suite.set("time", f"{sum(one.seconds for one in ended):.3f}")
    for one in ended:
        path = os.path.relpath(one.test.path)
        case = ET.SubElement(suite, "testcase", classname=_class(path), name=one.test.name, file=path)
        case.set("time", f"{one.seconds:.3f}")
        if one.problems:
            failure = ET.SubElement(case, "failure", message=_clean(one.problems[0].message), type=one.problems[0].code)
            failure.text = _clean("\n".join(render(problem) for problem in one.problems))
    for path in untested:
        case = ET.SubElement(suite, "testcase", classname=_class(path), name=os.path.basename(path)[:-3], file=path)
        ET.SubElement(case, "skipped", message=message("test-untested"))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


def _class(path: str) -> str:
    """Folders with dots, as test reports group them."""
    return os.path.dirname(path).replace(os.sep, ".").strip(".") or "logsql"


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
