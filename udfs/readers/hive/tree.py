"""The keys of a hive as arrays, in the order of a depth-first walk.

Contract: ``build`` never raises for damage and never recurses. It reads one level of the tree at a time: all subkey
lists of a level are expanded by one set of numpy gathers, so Python's work grows with the depth (at most 600 levels)
and not with the number of keys. Subtree sizes then give every key its place in the depth-first order.

What is damaged in one place is taken from another where the hive says the same thing twice: a subkey names its parent,
a key counts what its list counts, cells follow each other through a bin. In sound hives these always agree.

A key that two lists name is shown at both places (four independent readers agree on a test hive made to show it); a
key that is its own ancestor ends that branch. The number of keys is bounded by how many nk cells a file of that length
can hold, so lists that share their elements cannot multiply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.readers.hive.image import BASE, I64, NK, NONE, U32, Cancelled, Damage, HiveImage, Mask
from udfs.readers.hive.text import ends

_LF, _LH, _LI, _RI = 0x666C, 0x686C, 0x696C, 0x6972
_MAX_DEPTH = 600  # Windows stops at 512; every level of a forged chain costs a look at all its ancestors
_MAX_NAME = 512  # bytes; Windows allows 255 characters, a longer one is a forged length
_MIN_NK = 80
_NO_I64: I64 = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class KeyTree:
    """n keys in depth-first order; children in the order of their list.

    ``at``: content position of the nk. ``parent``: index of the parent, -1 for the root. ``depth``: 0 for the root.
    ``span``: number of keys in the subtree, itself included. ``path_bytes``: stored bytes of the full path.
    """

    at: I64
    parent: I64
    depth: I64
    span: I64
    path_bytes: I64


@dataclass(frozen=True)
class _Level:
    at: I64
    owner: I64  # index into the level above, ascending
    path_bytes: I64


@dataclass(frozen=True)
class _Elements:
    """What subkey lists name: stored offsets, where each stands, whose child it is, and whether it is a list again."""

    target: I64
    refs: I64
    owner: I64
    is_list: Mask
    extra: Mask


def name_fields(image: HiveImage, at: I64) -> tuple[I64, I64, Mask]:
    """Position, length in bytes and "is UTF-16" of the names of keys; a name is cut where its cell ends."""
    length = (image.word(at, 72) & 0xFFFF).astype(np.int64)
    length = np.minimum(length, np.clip(image.reach(at, length + 76) - 76, 0, _MAX_NAME))
    wide = (image.word(at, 0) >> 16) & 0x20 == 0
    return at + 76, length, wide


def build(image: HiveImage, damage: Damage, cancelled: Cancelled) -> KeyTree:
    """All keys reachable from the root; an empty tree for an image without one. Stops early when ``cancelled``."""
    if image.root < 0:
        return KeyTree(_NO_I64, _NO_I64, _NO_I64, _NO_I64, _NO_I64)
    root = np.array([image.root], dtype=np.int64)
    levels = [_Level(root, np.zeros(1, dtype=np.int64), name_fields(image, root)[1])]
    seen = np.zeros((image.size >> 3) + 2, dtype=np.bool_)
    seen[root >> 3] = True
    budget = image.size // _MIN_NK
    while len(levels[-1].at) and not cancelled():
        level = _below(image, levels, seen, budget, damage)
        budget -= len(level.at)
        if len(levels) > _MAX_DEPTH and len(level.at):
            damage.one("keys-too-deep", int(level.at[0]), len(level.at))
            break
        levels.append(level)
    return _depth_first([level for level in levels if len(level.at)])


def _below(image: HiveImage, levels: list[_Level], seen: Mask, budget: int, damage: Damage) -> _Level:
    """The children of the last level."""
    above = levels[-1]
    claimed = image.word(above.at, 20).astype(np.int64)
    listed = image.word(above.at, 28)
    owner = np.flatnonzero((claimed > 0) | _has_list(image, claimed, listed))
    children, refs, owner, extra = _expand(image, above.at, claimed, listed, owner, budget, damage)
    at = image.content(children, 76)
    good = at >= 0
    mark = np.zeros(len(at), dtype=np.bool_)
    mark[good] = (image.word(at[good], 0) & 0xFFFF) == NK
    if not mark.all() or extra.any():
        # A key whose mark is damaged is known by its parent; so is one that the list's count leaves out, or the key's.
        doubtful = np.flatnonzero(good & (mark == extra))
        good = mark & ~extra
        good[doubtful] = _is_child(image, at[doubtful], above.at[owner[doubtful]], mark[doubtful])
    bad = ~good & ~extra
    if bad.any():
        damage.at("damaged-key", refs[bad])
    if not good.all():
        at, refs, owner, mark = at[good], refs[good], owner[good], mark[good]
    if not mark.all():
        damage.at("key-without-mark", at[~mark])
    # Only a key that was seen before and has subkeys can be its own ancestor.
    again = np.flatnonzero(seen[at >> 3] & (image.word(at, 20) > 0))
    if len(again):
        loop = again[_is_ancestor(levels, at[again], owner[again])]
        damage.at("key-loop", refs[loop])
        at, owner = np.delete(at, loop), np.delete(owner, loop)
    seen[at >> 3] = True
    length = name_fields(image, at)[1]
    cut = length < (image.word(at, 72) & 0xFFFF)
    if cut.any():
        damage.at("key-name-cut", at[cut])
    path_bytes = above.path_bytes[owner] + 1 + length
    return _Level(at, owner, path_bytes)


def _has_list(image: HiveImage, claimed: I64, listed: U32) -> Mask:
    """Keys with a count of 0 that name a list in use all the same: a sound key without subkeys names none."""
    result = np.zeros(len(claimed), dtype=np.bool_)
    rows = np.flatnonzero((claimed == 0) & (listed != NONE))
    at = image.content(listed[rows], 4)
    rows, at = rows[at >= 0], at[at >= 0]
    mark = image.word(at, 0) & 0xFFFF
    result[rows] = ((mark == _LF) | (mark == _LH) | (mark == _LI) | (mark == _RI)) & image.in_use(at)
    return result


def _is_child(image: HiveImage, at: I64, parent: I64, marked: Mask) -> Mask:
    """Whether cells hold a key that calls ``parent`` its parent; one with a mark must not be a freed one, one without
    must have a name that its cell can hold."""
    named = image.word(at, 16).astype(np.int64) + BASE + 4 == parent
    length = (image.word(at, 72) & 0xFFFF).astype(np.int64)
    fits = (length > 0) & (length <= _MAX_NAME) & (length + 76 <= image.room(at))
    result: Mask = named & np.where(marked, image.in_use(at), fits)
    return result


def _is_ancestor(levels: list[_Level], at: I64, owner: I64) -> Mask:
    found = np.zeros(len(at), dtype=np.bool_)
    for level in reversed(levels):
        found |= level.at[owner] == at
        owner = level.owner[owner]
    return found


def _expand(
    image: HiveImage, parents: I64, claimed: I64, listed: U32, owner: I64, budget: int, damage: Damage
) -> tuple[I64, I64, I64, Mask]:
    """Subkey lists to their elements, in order: stored nk offsets, where each stands, whose child it is, and whether
    it is extra: an element that either the list's count or the key's count of subkeys leaves out.

    ``parents``, ``claimed``, ``listed``: position, count of subkeys and list of all keys of the level; ``owner``:
    those to expand. ``ri`` lists name further lists; they are replaced by their elements in place, so the order holds.
    Windows nests them once; deeper than eight is damage.
    """
    target, refs = listed[owner].astype(np.int64), parents[owner] + 28
    is_list = np.ones(len(target), dtype=np.bool_)
    extra = np.zeros(len(target), dtype=np.bool_)
    hurt = np.zeros(len(parents), dtype=np.bool_)
    room = budget + image.size // 16
    for step in range(8):
        if not is_list.any():
            break
        old = _Elements(target, refs, owner, is_list, extra)
        found = _expand_once(image, old, claimed[owner], step == 0, room, damage, hurt)
        target, refs, owner, is_list, extra = found.target, found.refs, found.owner, found.is_list, found.extra
    if is_list.any():
        damage.at("subkey-list-nesting", refs[is_list])
        target, refs, owner, extra = target[~is_list], refs[~is_list], owner[~is_list], extra[~is_list]
    if len(target) > budget:
        damage.one("too-many-keys", int(refs[budget]), len(target) - budget)
        target, refs, owner, extra = target[:budget], refs[:budget], owner[:budget], extra[:budget]
        hurt[:] = True
    sound = np.bincount(owner[~extra], minlength=len(parents))
    differs = ((sound != claimed) | ((claimed == 0) & (np.bincount(owner, minlength=len(parents)) > 0))) & ~hurt
    if differs.any():
        damage.at("subkey-count-differs", parents[differs] + 20)
    return target, refs, owner, extra


def _expand_once(
    image: HiveImage, old: _Elements, most: I64, own: bool, room: int, damage: Damage, hurt: Mask
) -> _Elements:
    """One step: lists replaced by what they name. ``most``: the count of subkeys of the key whose child it is;
    ``own``: these are the keys' own lists, not parts of one. ``hurt`` is set for owners with a damaged list: their
    counts cannot agree."""
    claim = most if own else np.full(len(most), -1)
    at = np.where(old.is_list, image.content(old.target, 4), 0)
    readable = old.is_list & (at >= 0)
    head = np.zeros(len(at), dtype=np.uint32)
    head[readable] = image.word(at[readable], 0)
    kind = head & 0xFFFF
    double = readable & ((kind == _LF) | (kind == _LH))
    single = readable & ((kind == _LI) | (kind == _RI))
    known = double | single
    bad = old.is_list & ~known
    if bad.any():
        damage.at("damaged-subkey-list", old.refs[bad])
        hurt[old.owner[bad]] = True
    stride = np.where(double, 8, 4)
    stated = np.where(known, head >> 16, 0).astype(np.int64)
    fits, cell = (np.zeros(len(at), dtype=np.int64) for _ in range(2))
    # The last element may lack its hash: where the file is cut in the middle of it.
    cell[known] = image.room(at[known]) // stride[known] - (stride[known] == 4)
    need = stated[known] * stride[known] + np.where(stride[known] == 4, 4, 0)
    fits[known] = image.reach(at[known], need) // stride[known] - (stride[known] == 4)
    # Behind the end of the cell only as many as the key itself counts, and those must prove that they are its own.
    fits = np.maximum(cell, np.minimum(fits, most))
    short = known & (stated > fits)
    if short.any():
        damage.at("subkey-list-cut", at[short])
        hurt[old.owner[short]] = True
    count = np.minimum(np.maximum(stated, np.where(kind == _RI, 0, claim)), fits)
    count = np.where(old.is_list, count, 1)
    before = ends(count)
    if before[-1] > room:
        # Lists that overlap: more elements than the file has words for them.
        damage.one("subkey-lists-overlap", int(old.refs[0]), int(before[-1]) - room)
        count = np.clip(room - before[:-1], 0, count)
        before = ends(count)
        hurt[:] = True
    rows = np.repeat(np.arange(len(at)), count)
    inside = np.arange(before[-1]) - before[rows]
    place = at[rows] + 4 + inside * stride[rows]
    of_list = old.is_list[rows]
    place[~of_list] = old.refs[rows][~of_list]
    stored = old.target[rows]
    stored[of_list] = image.words[place[of_list] >> 2]
    extra = np.where(
        of_list, (inside >= np.minimum(stated, cell)[rows]) | (claim[rows] == 0) | old.extra[rows], old.extra[rows]
    )
    return _Elements(stored, place, old.owner[rows], (kind == _RI)[rows] & of_list, extra)


def _depth_first(levels: list[_Level]) -> KeyTree:
    """Level arrays to depth-first arrays, by subtree sizes from the bottom and positions from the top."""
    spans: list[I64] = []
    befores: list[I64] = []  # keys of earlier siblings' subtrees, counted from the start of the level
    firsts: list[I64] = []
    below: I64 = _NO_I64
    for depth in range(len(levels) - 1, -1, -1):
        span = np.ones(len(levels[depth].at), dtype=np.int64)
        if depth + 1 < len(levels):
            upto = ends(below)
            limits = ends(np.bincount(levels[depth + 1].owner, minlength=len(span)))
            span += upto[limits[1:]] - upto[limits[:-1]]
            befores.append(upto[:-1])
            firsts.append(upto[limits[:-1]])
        spans.append(span)
        below = span
    spans.reverse()
    befores.reverse()
    firsts.reverse()
    total = int(spans[0][0]) if levels else 0
    at, parent, depths, spread, path_bytes = (np.empty(total, dtype=np.int64) for _ in range(5))
    place = np.zeros(1, dtype=np.int64)
    for depth, level in enumerate(levels):
        up = np.full(1, -1, dtype=np.int64)
        if depth:
            up = place[level.owner]
            place = up + 1 + befores[depth - 1] - firsts[depth - 1][level.owner]
        at[place], parent[place], depths[place] = level.at, up, depth
        spread[place], path_bytes[place] = spans[depth], level.path_bytes
    return KeyTree(at, parent, depths, spread, path_bytes)
