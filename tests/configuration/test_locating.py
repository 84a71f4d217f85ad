"""The line of every key: each form that TOML has for one, against lines counted by hand."""

from __future__ import annotations

import tomllib

import pytest

from logsql.configuration.locating import KeyPath, lines, shown

DOCUMENT = '''\
# a comment with [brackets] = and "quotes"
plain = 1
a.b."c d".'e.f' = "x"
text = """
[no.header]
key = "\\""
""" # behind
raw = \'\'\'
plain = 2\'\'\'\'
list = [ # opened
  1, "]", # a comment, with a comma
  { inner = { deep = [ 1,
      2 ] }, "q\\"uote" = 3 },
]

[table] # t
when = 1979-05-27 07:32:00
[table.sub."quo.ted"]
  key = 'v'

[[many]]
x = 1
[many.child]
y = 2
[[many.grand]]
z = 3
[[many.grand]]
z = 4
[[many]]
x = 5
[[many.grand]]
dotted.key = 6
'''

EXPECTED: dict[KeyPath, int] = {
    ("plain",): 2,
    ("a", "b", "c d", "e.f"): 3,
    ("text",): 4,
    ("raw",): 8,
    ("list",): 10,
    ("list", 1): 11,
    ("list", 2, "inner", "deep"): 12,
    ("list", 2, "inner", "deep", 1): 13,
    ("list", 2, 'q"uote'): 13,
    ("table",): 16,
    ("table", "when"): 17,
    ("table", "sub", "quo.ted"): 18,
    ("table", "sub", "quo.ted", "key"): 19,
    ("many", 0): 21,
    ("many", 0, "x"): 22,
    ("many", 0, "child", "y"): 24,
    ("many", 0, "grand", 0, "z"): 26,
    ("many", 0, "grand", 1, "z"): 28,
    ("many", 1): 29,
    ("many", 1, "x"): 30,
    ("many", 1, "grand", 0): 31,
    ("many", 1, "grand", 0, "dotted", "key"): 32,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_has_its_line(newline: str) -> None:
    found = lines(DOCUMENT.replace("\n", newline))
    assert {path: found.get(path) for path in EXPECTED} == EXPECTED


def paths(value: object, path: KeyPath = ()) -> list[KeyPath]:
    """Every place of a document that tomllib read."""
    if isinstance(value, dict):
        return [path, *(p for key, item in value.items() for p in paths(item, (*path, key)))]
    if isinstance(value, list):
        return [path, *(p for index, item in enumerate(value) for p in paths(item, (*path, index)))]
    return [path]


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT,
        "",
        "\n\n# nothing",
        "a = []",
        "a = [[], [[1]], {}]",
        "a = \"\"\nb = ''\nc = \"\"\"\"\"\"\nd = ''''''",
        'a = """x""""" # two quotes at the end',
        '"" = 1\n[x.""]\n\'\'.y = 2',
        "[ a . b ]\n c . d = 1",
        "[[ a ]]\n[[ a ]]\n[a . b]\nc=1",
        "a=1\tb=2".replace("\t", "\n"),
        "ключ = 1\n".replace("ключ", '"ключ"') + '[x."목록"]\ny=[\n{a=1},\n{a=2}]',
    ],
)
def test_no_key_is_without_a_line(text: str) -> None:
    found = lines(text)
    assert set(paths(tomllib.loads(text))) - {()} == set(found)


def test_a_place_is_shown_as_it_is_written() -> None:
    assert shown(("network", "hosts", "www.a.example", "rate")) == 'network.hosts."www.a.example".rate'
    assert shown(("receiver", 0, "framming")) == "receiver[0].framming"
    assert shown(('a"b', "c")) == '"a\\"b".c'
