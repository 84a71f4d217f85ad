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


_HOST = 'host="(?<host>pc[0-9])/"'


@pytest.mark.parametrize(
    ("command", "field", "values"),
    [
        ("textfile", "line", {"one": ("pc1/a.log", "pc1"), "two": ("pc1/deep/b.txt", "pc1")}),
        ("csvfile", "k", {"a": ("pc1/t.csv", "pc1"), "b": ("pc2/t.csv", "pc2")}),
        ("xmlfile", "k", {"d": ("pc2/x.xml", "pc2")}),
        ("jsonfile", "k", {"c": ("pc2/e.json", "pc2")}),
    ],
)
def test_rows_of_text_tell_where_they_come_from(
    case: tuple[logsql.Session, Path], command: str, field: str, values: dict[str, tuple[str, str]]
) -> None:
    session, folder = case
    for source, before in ((f"{folder}/c", f"{folder}/c/"), (f"zippath={folder}/c.zip c", f"{folder}/c.zip!c/")):
        rows = session.query(f"{command} {_HOST} {source} | fields {field}, _path, host").rows()
        found = {row[field]: (row["_path"], row["host"]) for row in rows}
        assert {value: found[value] for value in values} == {
            value: (before + path, host) for value, (path, host) in values.items()
        }
        whole = list(session.query(f"{command} {source}").rows())
        assert whole
        assert not {"_path", "host"} & set(whole[0])  # rows that nobody asks more of are what they always were


@pytest.mark.parametrize(
    ("command", "name", "text"),
    [("csvfile", "own.csv", "_path,host\n/a,b\n"), ("jsonfile", "own.json", '{"_path":"/a","host":"b"}\n')],
)
def test_columns_of_the_files_own_stay_theirs(
    case: tuple[logsql.Session, Path], command: str, name: str, text: str
) -> None:
    session, folder = case
    (folder / name).write_text(text, encoding="utf-8")
    rows = session.query(f'{command} host="own" {folder}/{name} | fields _path, host, _host').rows()
    assert list(rows) == [{"_path": "/a", "host": "b", "_host": "own"}]
    assert list(session.query(f"{command} {folder}/{name} | fields _path").rows()) == [{"_path": "/a"}]


@pytest.mark.posix("links to nowhere")
@pytest.mark.parametrize(
    "command", ["textfile", "csvfile", "csvfile types=t", "jsonfile", "jsonfile dates=t", "xmlfile"]
)
def test_a_file_that_is_not_there_stops_no_other(case: tuple[logsql.Session, Path], command: str) -> None:
    """A pattern leads to a link to nowhere: csvfile and jsonfile refused the query, as they look before they read."""
    session, folder = case
    ending = {"textfile": "log", "csvfile": "csv", "jsonfile": "json", "xmlfile": "xml"}[command.split()[0]]
    (folder / "c" / "pc1" / f"aaa.{ending}").symlink_to(folder / "nowhere")
    result = session.query(f"{command} {folder}/c/**/*.{ending} | stats count")
    assert next(iter(result.rows()))["count"] > 0
    assert [(entry.reason, entry.count) for entry in result.ledger] == [("file-not-found", 1)]
    (folder / "only").mkdir()
    (folder / "only" / f"a.{ending}").symlink_to(folder / "nowhere")
    with pytest.raises(SourceError) as caught:
        session.query(f"{command} {folder}/only/*.{ending}").rows()
    assert caught.value.name == "file-not-found"
