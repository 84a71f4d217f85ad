"""Readers get their files from the read context: nothing below ``udfs`` opens, lists or asks after a file by itself.

``udfs/readers/files.py`` is the one door, and it asks the policy. A reader that goes around it reads under ``--safe``
what the user did not allow, and no other test notices.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support import ROOT

DOOR = "udfs/readers/files.py"
#: Makes temporary folders; it opens no file that a query names.
TEMPORARY = "udfs/temporary.py"
#: How it opens: without waiting for a pipe.
REGULAR = "udfs/regular.py"
#: Modules that are about files only.
MODULES = frozenset({"fileinput", "glob", "mmap", "pathlib", "tarfile", "tempfile"})
#: Functions of ``os`` and ``os.path`` that touch the file system. What works on an open file (``preadv``) is none.
SYSTEM = frozenset(
    {
        "access", "chmod", "exists", "getatime", "getctime", "getmtime", "getsize", "isdir", "isfile", "islink",
        "lexists", "link", "listdir", "lstat", "makedirs", "mkdir", "mknod", "open", "readlink", "realpath", "remove",
        "rename", "replace", "rmdir", "samefile", "scandir", "stat", "statvfs", "symlink", "truncate", "unlink",
        "utime", "walk",
    }
)  # fmt: skip
#: Functions of other modules that take a path.
OPENERS = frozenset(
    {
        "bz2.open", "codecs.open", "gzip.open", "io.open", "lzma.open", "np.fromfile", "np.genfromtxt", "np.load",
        "np.loadtxt", "np.memmap", "pa.OSFile", "pa.input_stream", "pa.memory_map", "shutil.copy", "shutil.copy2",
        "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree", "zipfile.ZipFile", "zipfile.is_zipfile",
    }
)  # fmt: skip
#: Databases are files, but for the one in memory.
DATABASES = frozenset({"sqlite3.connect", "duckdb.connect"})


def breaches(text: str) -> list[str]:
    """What a module does with files by itself: line and name."""
    return [f"line {line}: {name}" for line, name in _found(ast.parse(text))]


def _found(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names if a.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.split(".")[0] in MODULES:
                yield node.lineno, module
            for alias in node.names:
                short = f"{module}.{alias.name}"
                if short in OPENERS | DATABASES or (module in ("os", "os.path") and alias.name in SYSTEM):
                    yield node.lineno, short
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            first = node.args[0] if node.args else None
            in_memory = isinstance(first, ast.Constant) and first.value == ":memory:"
            if name == "open" or name in OPENERS or (name in DATABASES and not in_memory):
                yield node.lineno, name
        elif isinstance(node, ast.Attribute) and node.attr in SYSTEM and ast.unparse(node.value) in ("os", "os.path"):
            yield node.lineno, ast.unparse(node)


def test_readers_open_no_file_by_themselves() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): breaches(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "udfs").rglob("*.py"))
    }
    assert breaches((ROOT / DOOR).read_text(encoding="utf-8")), "the door itself must open files"
    del found[DOOR], found[TEMPORARY], found[REGULAR]
    assert len(found) > 50
    assert not {name: places for name, places in found.items() if places}, "ask context.files instead"


@pytest.mark.parametrize(
    "text",
    [
        "open(path)",
        "import os\nos.path.getsize(path)",
        "from os import listdir",
        "from pathlib import Path",
        "import sqlite3\nsqlite3.connect(path)",
        "import duckdb\nduckdb.connect(f'{path}')",
        "import zipfile\nzipfile.ZipFile(path)",
        "import pyarrow as pa\npa.memory_map(path)",
        "find = os.stat",
    ],
)
def test_what_is_refused(text: str) -> None:
    assert breaches(text)


@pytest.mark.parametrize(
    "text",
    [
        "context.files.open(path)",
        "import os\nos.path.join(a, b)\nos.preadv(file, [view], 0)",
        "import duckdb\nduckdb.connect(':memory:')",
        "import shutil\nshutil.copyfileobj(a, b)",
    ],
)
def test_what_is_allowed(text: str) -> None:
    assert not breaches(text)
