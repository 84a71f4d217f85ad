"""Files are opened, written, renamed, removed and listed in ``logsql/store/`` and nowhere else in ``logsql/``.

A breach is found in the syntax tree, so a comment or a word in a manual is none. Readers of evidence live in ``udfs/``
and are given the function that opens.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import house

ROOT = Path(__file__).resolve().parents[2]
#: Modules that only the store imports, and modules of which it alone uses these names (all of them: ``*``).
FORBIDDEN: dict[str, frozenset[str]] = {
    "tempfile": frozenset("*"),
    "shutil": frozenset("*"),
    "fcntl": frozenset("*"),
    "msvcrt": frozenset("*"),
    "mmap": frozenset("*"),
    "glob": frozenset("*"),
    "filelock": frozenset("*"),
    "platformdirs": frozenset("*"),
    "sqlite3": frozenset({"connect"}),
    "io": frozenset({"open", "open_code", "FileIO"}),
    "codecs": frozenset({"open"}),
    "os": frozenset(
        {
            "access",
            "chmod",
            "chown",
            "fdopen",
            "ftruncate",
            "link",
            "listdir",
            "lstat",
            "makedirs",
            "mkdir",
            "mkfifo",
            "open",
            "readlink",
            "remove",
            "removedirs",
            "rename",
            "renames",
            "replace",
            "rmdir",
            "scandir",
            "stat",
            "symlink",
            "truncate",
            "unlink",
            "utime",
            "walk",
        }
    ),
    "os.path": frozenset(
        {
            "exists",
            "lexists",
            "isfile",
            "isdir",
            "islink",
            "getsize",
            "getmtime",
            "realpath",
            "samefile",
        }
    ),
    "gzip": frozenset({"open", "GzipFile"}),
    "bz2": frozenset({"open", "BZ2File"}),
    "lzma": frozenset({"open", "LZMAFile"}),
    "pyarrow.parquet": frozenset({"write_table", "read_table", "read_schema", "ParquetFile", "read_metadata"}),
    "pyarrow.dataset": frozenset({"dataset", "write_dataset"}),
    "pyarrow.csv": frozenset({"read_csv", "write_csv", "open_csv"}),
    "pyarrow.feather": frozenset("*"),
    "pyarrow": frozenset({"OSFile", "memory_map", "input_stream", "output_stream"}),
    "maxminddb": frozenset({"open_database"}),
}
#: Methods of paths and of nothing else in the program, whatever object they are called on.
METHODS = frozenset(
    {
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "unlink",
        "rmdir",
        "mkdir",
        "touch",
        "rglob",
        "glob",
        "iterdir",
        "exists",
        "is_file",
        "is_dir",
        "is_symlink",
        "hardlink_to",
        "symlink_to",
        "stat",
        "lstat",
        "samefile",
    }
)
#: (file, what it calls): why.
ALLOWED: dict[tuple[str, str], str] = {
    ("cli.py", "os.open"): "the device that swallows what is written, so that nothing complains of a closed pipe",
    ("cli.py", "io.FileIO"): "a stream that the shell closed: the null device stands in its place",
    ("jobs/geoip.py", "maxminddb.open_database"): "the library maps the file itself; its path comes through the door",
    ("connectors/ftp.py", "stat"): "of a server",
    ("connectors/syslogwire.py", "fcntl"): "of a socket: what it has not sent",
    ("connectors/sftp.py", "stat"): "of a server",
    ("connectors/sftp.py", "lstat"): "of a server",
    ("connectors/sftp.py", "mkdir"): "on a server",
    ("render/scatter3d.py", "read_text"): "a page that is part of the program, read as a resource",
}


def breaches(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a module does with files, each with its line."""
    names = _imported(tree)
    for node in house.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _forbidden_imports(node)
        elif isinstance(node, ast.Call):
            found = _called(node, names)
            if found is not None:
                yield found, node.lineno


def _imported(tree: ast.AST) -> dict[str, str]:
    """The module behind each name that an import statement binds."""
    names: dict[str, str] = {}
    for node in house.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _forbidden_imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [node.module or ""]
        for alias in node.names:
            if alias.name in FORBIDDEN.get(node.module or "", ()):
                yield f"{node.module}.{alias.name}", node.lineno
    for module in modules:
        if FORBIDDEN.get(module) == frozenset("*"):
            yield module, node.lineno


def _called(node: ast.Call, names: dict[str, str]) -> str | None:
    dotted = _dotted(node.func)
    if dotted is None:
        return node.func.attr if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS else None
    head, _, rest = dotted.partition(".")
    full = f"{names[head]}.{rest}".rstrip(".") if head in names else dotted
    if full == "open":
        return "open"
    module, _, name = full.rpartition(".")
    if name in FORBIDDEN.get(module, ()):
        return full
    if full == "duckdb.connect" and _opens_a_file(node):
        return full
    if full.startswith("pathlib.Path.") or (isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
        return node.func.attr if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS else None
    return None


def _opens_a_file(node: ast.Call) -> bool:
    """``duckdb.connect(...)`` of anything but nothing or ``:memory:``."""
    first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "database"), None)
    return first is not None and not (isinstance(first, ast.Constant) and first.value == ":memory:")


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        above = _dotted(node.value)
        return None if above is None else f"{above}.{node.attr}"
    return None


def test_only_the_store_touches_files() -> None:
    found: dict[tuple[str, str], list[int]] = {}
    for path in sorted((ROOT / "logsql").rglob("*.py")):
        name = path.relative_to(ROOT / "logsql").as_posix()
        if not name.startswith("store/"):
            for what, line in breaches(house.parsed(path)):
                found.setdefault((name, what), []).append(line)
    refused = {f"{name}:{lines}: {what}" for (name, what), lines in found.items() if (name, what) not in ALLOWED}
    assert not refused, "use logsql.store.files.Files of the session or of the run: it asks the policy first"
    assert not ALLOWED.keys() - found.keys(), "no longer done: take it off the list ALLOWED"


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "import os\nos.replace('a', 'b')",
        "import os as system\nsystem.unlink('a')",
        "from os import listdir\nlistdir('.')",
        "from os import path\npath.exists('a')",
        "import os\nos.path.isfile('a')",
        "from pathlib import Path\nPath('a').read_text()",
        "def f(folder): return [p for p in folder.iterdir()]",
        "import tempfile",
        "from shutil import move",
        "import pyarrow.parquet as pq\npq.write_table(t, 'a')",
        "import pyarrow.dataset as ds\nds.dataset('a')",
        "import duckdb\nduckdb.connect(path)",
        "import sqlite3\nsqlite3.connect('a')",
        "import io\nio.FileIO('a')",
    ],
)
def test_the_search_finds(text: str) -> None:
    assert list(breaches(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["import os\nos.path.join('a', 'b')", "'open(x)'", "import duckdb\nduckdb.connect()", "files.open('x')"]
)
def test_the_search_leaves_alone(text: str) -> None:
    assert not list(breaches(ast.parse(text)))
