"""Folders, ``*`` and ``**`` mean the same for text commands as for evidence, on disk and in archives."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import SourceError

_FILES = {
    "pc1/a.log": "one\n", "pc1/deep/b.txt": "two\nthree\n", "pc1/t.csv": "k,v\na,1\n", "pc2/t.csv": "k,v\nb,2\n",
    "pc2/e.json": '{"k":"c"}\n', "pc2/x.xml": "<r><k>d</k></r>", "pc2/blob.bin": "\x00\x01",
}  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Iterator[tuple[logsql.Session, Path]]:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name, text in _FILES.items():
            (tmp_path / "c" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "c" / name).write_text(text, encoding="utf-8")
            archive.writestr(f"c/{name}", text)
    with logsql.connect(tz="UTC") as session:
        yield session, tmp_path


@pytest.mark.parametrize(
    ("command", "field", "values", "files"),
    [
        ("textfile", "line", ["one", "two", "three"], {"a.log", "b.txt"}),
        ("csvfile", "k", ["a", "b"], {"t.csv"}),
        ("xmlfile", "k", ["d"], {"x.xml"}),
        ("jsonfile", "k", ["c"], {"e.json"}),
    ],
)
def test_a_folder_is_its_files_of_the_kind(
    case: tuple[logsql.Session, Path], command: str, field: str, values: list[str], files: set[str]
) -> None:
    session, folder = case
    places = [f"{folder}/c", f"{folder}/c/**/{'*' if len(files) > 1 else next(iter(files))}"]
    queries = [f"{command} {places[0]}"] + ([f"{command} {places[1]}"] if len(files) == 1 else [])
    if command != "jsonfile":
        queries += [f"{command} zippath={folder}/c.zip {entry}" for entry in ("c", ".")]
        if len(files) == 1:
            queries += [f"{command} zippath={folder}/c.zip c/**/{next(iter(files))}"]
    found = {query: list(session.query(query).rows()) for query in queries}
    assert {query: [row[field] for row in rows] for query, rows in found.items()} == dict.fromkeys(queries, values)
    assert {query: {row["_file"] for row in rows} for query, rows in found.items()} == dict.fromkeys(queries, files)


def test_a_folder_without_such_a_file_says_so(case: tuple[logsql.Session, Path]) -> None:
    session, folder = case
    with pytest.raises(SourceError) as caught:
        session.query(f"csvfile {folder}/c/pc1/deep").rows()
    assert caught.value.name == "is-a-directory"


def test_a_damaged_entry_stops_no_other(case: tuple[logsql.Session, Path]) -> None:
    session, folder = case
    (folder / "c" / "pc2" / "bad.xml").write_text("<r><k>e</r>", encoding="utf-8")
    result = session.query(f"xmlfile {folder}/c")
    assert [row["k"] for row in result.rows() if row["k"]][-1] == "d"
