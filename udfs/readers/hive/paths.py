"""Full key paths in bulk: one Arrow join a level of the tree instead of one Python string a key.

Paths begin with the root key's own name and join the parts with a backslash. Only the keys that the rows of a batch
need are named, and of their ancestors only two levels of finished paths are alive at a time besides the rows' own.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.hive import text
from udfs.readers.hive.image import I64, HiveImage
from udfs.readers.hive.tree import KeyTree, name_fields


def key_paths(image: HiveImage, tree: KeyTree, keys: I64) -> pa.Array:
    """Arrow strings: the path of every element of ``keys`` (ascending tree indices, repeats allowed)."""
    if len(keys) == 0:
        return pa.array([], pa.string())
    needed = _with_ancestors(tree, keys)
    order = np.argsort(tree.depth[needed], kind="stable")
    needed = needed[order]
    start, length, wide = name_fields(image, tree.at[needed])
    names = text.names(image.data, start, length, wide)
    limits = np.searchsorted(tree.depth[needed], np.arange(int(tree.depth[needed[-1]]) + 2))
    wanted = np.zeros(len(tree.at), np.bool_)
    wanted[keys] = True
    parts: list[pa.Array] = []
    own: list[I64] = []
    above = names.slice(0, 1)
    previous = needed[:0]
    for depth in range(len(limits) - 1):
        low, high = int(limits[depth]), int(limits[depth + 1])
        level = needed[low:high]
        if depth:
            parents = np.searchsorted(previous, tree.parent[level])
            above = pc.binary_join_element_wise(above.take(text.indices(parents)), names.slice(low, high - low), "\\")
        previous = level
        mine = np.flatnonzero(wanted[level])
        if len(mine):
            parts.append(above.take(text.indices(mine)))
            own.append(level[mine])
    found = np.concatenate(own)
    back = np.argsort(found)
    return pa.concat_arrays(parts).take(text.indices(back[np.searchsorted(found[back], keys)]))


def _with_ancestors(tree: KeyTree, keys: I64) -> I64:
    """Ascending indices of ``keys`` and all their ancestors: the keys whose subtree holds one of them."""
    first, last = int(keys[0]), int(keys[-1])
    spine = []
    at = int(tree.parent[first])
    while at >= 0:
        spine.append(at)
        at = int(tree.parent[at])
    inside = np.arange(first, last + 1)
    held = np.searchsorted(keys, inside + tree.span[first : last + 1]) > np.searchsorted(keys, inside)
    return np.concatenate([np.array(spine[::-1], dtype=np.int64), inside[held]])
