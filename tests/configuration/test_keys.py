"""The table of keys and what derives from it agree: defaults of the settings, sentences, kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from logsql.configuration.declaring import Key, ListOf, MapOf, Scalar, Section
from logsql.configuration.keys import KINDS, PROFILE, ROOT, sections
from logsql.configuration.settings import Configuration, Host, Network, Profile
from tests.house.test_both_languages import fault

SECTIONS = [ROOT, *sections()]
KEYS = [pytest.param(s, k, id=f"{s.title}.{k.name}({','.join(k.of)})") for s in SECTIONS for k in s.keys]


def read_default(key: Key) -> object:
    """The default of a key, read as if it stood in a file."""
    if isinstance(key.kind, Scalar):
        return None if key.default is None else key.kind.read(key.default, "/folder")
    if isinstance(key.kind, ListOf):
        items = key.default or []
        assert isinstance(items, list)
        return tuple(key.kind.item.read(item, "/folder") for item in items)
    assert not key.default
    return {}


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_default_is_that_of_the_settings(section: Section, key: Key) -> None:
    assert isinstance(section.make, type)
    field = next(f for f in dataclasses.fields(section.make) if f.name == (key.sets or key.name))
    if field.default is not dataclasses.MISSING:
        assert field.default == read_default(key)
    elif field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        assert made == ({} if isinstance(made, Mapping) else section_of(key).make())
    else:
        assert key.needed


def section_of(key: Key) -> Section:
    assert not isinstance(key.kind, Scalar | ListOf | MapOf)
    return key.kind.section


@pytest.mark.parametrize("made", [Configuration, Network, Host, Profile])
def test_every_setting_has_a_key(made: type) -> None:
    keys = {key.sets or key.name for section in SECTIONS if section.make is made for key in section.keys}
    assert {field.name for field in dataclasses.fields(made)} - keys <= {"name", "files"}


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_meaning_is_told_in_both_languages(section: Section, key: Key) -> None:
    assert fault(key.meaning) is None
    assert fault(section.meaning) is None
    assert set(key.of) <= set(section.variants)


def test_every_kind_of_profile_is_told() -> None:
    assert {name: fault(kind.meaning) for name, kind in KINDS.items() if fault(kind.meaning)} == {}
    for name in KINDS:
        names = [key.name for key in PROFILE.of(name)]
        assert len(names) == len(set(names)), "one row for each key of a kind"
