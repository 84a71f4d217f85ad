"""stderr has one writer. Who names the stream or calls ``print`` beside it is found in the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bench import house

#: May name stderr: the voice itself; the command line, which sets its encoding and flushes it at the end.
ALLOWED = {"logsql.shell.voice", "logsql.cli"}


def speakers() -> Iterator[str]:
    """``module:line`` of every use of ``sys.stderr`` and ``print(...)``, a default of a parameter included."""
    for name, path in house.modules().items():
        if name in ALLOWED:
            continue
        for node in house.walk(house.parsed(path)):
            named = isinstance(node, ast.Attribute) and node.attr in ("stderr", "__stderr__")
            if named or (isinstance(node, ast.Name) and node.id == "print"):
                yield f"{name}:{node.lineno}"


def test_only_the_voice_writes_to_stderr() -> None:
    assert not list(speakers()), "say it through logsql.shell.voice.Voice: what is no data has one writer"


def test_the_command_line_does_not_write_to_it_either() -> None:
    tree = house.parsed(house.modules()["logsql.cli"])
    written = [n for n in house.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("write", "writelines")]
    assert all(isinstance(n.value, ast.Attribute) and n.value.attr == "stdout" for n in written)
