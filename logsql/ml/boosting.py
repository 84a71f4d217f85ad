"""Gradient-boosted trees as plain arrays: what is stored of them, and the trees that score made from it again.

Nothing stored is an object of scikit-learn: a file of plain arrays needs no class to be named when it is read, and
every index in it is looked at before scikit-learn's compiled code walks it (a child or feature out of range reads
foreign memory there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from logsql.ml.encoders import Encoder
from logsql.ml.features import FeatureSpec
from logsql.ml.untyped import Estimator, Values
from udfs.estimators import BoostedTrees

Arrays = Mapping[str, Values]
#: Stored array -> field of scikit-learn's nodes and the type that it has in the file.
_NODES: dict[str, tuple[str, str]] = {
    "value": ("value", "f8"),
    "rows": ("count", "u4"),
    "feature": ("feature_idx", "i8"),
    "threshold": ("num_threshold", "f8"),
    "missing_left": ("missing_go_to_left", "u1"),
    "lower": ("left", "u4"),
    "upper": ("right", "u4"),
    "gain": ("gain", "f8"),
    "depth": ("depth", "u4"),
    "leaf": ("is_leaf", "u1"),
    "texts": ("is_categorical", "u1"),
    "bitset": ("bitset_idx", "u4"),
}
_OTHERS = {
    "baseline": "f8",
    "sizes": "i8",
    "bitset_sizes": "i8",
    "bitsets": "u4",
    "known": "u4",
    "index": "u4",
    "order": "i8",
    "place_sizes": "i8",
    "places": "f8",
}


def stored_boosting(estimator: Estimator, features: Sequence[FeatureSpec]) -> dict[str, Values]:
    """The arrays to store of a fitted ``HistGradientBoosting*``."""
    trees = [tree for trees in estimator._predictors for tree in trees]
    out = {
        name: np.ascontiguousarray(np.concatenate([tree.nodes[field] for tree in trees]).astype(type_))
        for name, (field, type_) in _NODES.items()
    }
    known, index = estimator._bin_mapper.make_known_categories_bitsets()
    marks = [spec.encoder is Encoder.CATEGORIES for spec in features for _ in range(spec.size)]
    first = [column for column, mark in enumerate(marks) if mark]
    places = _places(estimator, [spec for spec in features if spec.encoder is Encoder.CATEGORIES])
    others = {
        "baseline": estimator._baseline_prediction.ravel(),
        "sizes": [len(tree.nodes) for tree in trees],
        "bitset_sizes": [len(tree.raw_left_cat_bitsets) for tree in trees],
        "bitsets": np.concatenate([tree.raw_left_cat_bitsets.reshape(-1, 8) for tree in trees]),
        "known": known.reshape(-1, 8),
        "index": index,
        "order": [*first, *(column for column, mark in enumerate(marks) if not mark)],
        "place_sizes": [len(place) for place in places],
        "places": np.concatenate(places) if places else [],
    }
    for name, values in others.items():
        out[name] = np.ascontiguousarray(np.asarray(values, dtype=_OTHERS[name]))
    return out


def _places(estimator: Estimator, specs: Sequence[FeatureSpec]) -> list[NDArray[np.float64]]:
    """Per field of texts: our code -> the code among the texts of the training rows, which is what the trees split."""
    if not specs:
        return []
    found = []
    categories = estimator._preprocessor.named_transformers_["encoder"].categories_
    for spec, seen in zip(specs, categories, strict=True):
        place = np.full(max(1, len(spec.values)), np.nan)
        codes = seen[~np.isnan(seen)].astype(np.int64)
        place[codes] = np.arange(len(codes))
        found.append(place)
    return found


def boosted_trees(stored: Arrays, width: int, classes: tuple[str, ...]) -> BoostedTrees:
    """The model made from stored arrays. Raises ValueError, KeyError or TypeError where they do not fit together."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    check_boosting(stored, width, len(classes))
    nodes = np.zeros(len(stored["value"]), dtype=PREDICTOR_RECORD_DTYPE)
    for name, (field, _) in _NODES.items():
        nodes[field] = stored[name]
    ends, bit_ends = np.cumsum(stored["sizes"]), np.cumsum(stored["bitset_sizes"])
    trees = []
    for number, end in enumerate(ends.tolist()):
        start = end - int(stored["sizes"][number])
        bit_end = int(bit_ends[number])
        bits = np.ascontiguousarray(stored["bitsets"][bit_end - int(stored["bitset_sizes"][number]) : bit_end])
        trees.append(TreePredictor(nodes[start:end].copy(), bits, bits))
    columns = len(stored["baseline"])
    rounds = tuple(tuple(trees[start : start + columns]) for start in range(0, len(trees), columns))
    cuts: list[int] = np.cumsum(stored["place_sizes"])[:-1].tolist()
    places = tuple(np.split(stored["places"], cuts)) if len(stored["place_sizes"]) else ()
    return BoostedTrees(
        (),
        width,
        classes,
        rounds=rounds,
        baseline=stored["baseline"],
        known=stored["known"],
        index=stored["index"],
        order=stored["order"],
        places=places,
    )


def check_boosting(stored: Arrays, width: int, classes: int) -> None:
    """Refuse arrays that would make scikit-learn read or jump outside of them. Raises ValueError or TypeError."""
    types = {**{name: type_ for name, (_, type_) in _NODES.items()}, **_OTHERS}
    if set(stored) != set(types):
        raise ValueError("arrays of boosted trees")
    for name, type_ in types.items():
        array = stored[name]
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype(type_) or not array.flags.c_contiguous:
            raise ValueError(f"array {name}")
        if array.ndim != (2 if name in ("bitsets", "known") else 1):
            raise ValueError(f"shape of array {name}")
    count = len(stored["value"])
    if any(len(stored[name]) != count for name in _NODES):
        raise ValueError("node arrays of different length")
    columns = 1 if classes <= 2 else classes
    sizes, bits = stored["sizes"], stored["bitset_sizes"]
    if len(stored["baseline"]) != columns or not len(sizes) or len(sizes) % columns or len(bits) != len(sizes):
        raise ValueError("number of trees")
    if (sizes < 1).any() or sizes.sum() != count or (bits < 0).any() or bits.sum() != len(stored["bitsets"]):
        raise ValueError("sizes of trees")
    if stored["bitsets"].shape[1] != 8 or stored["known"].shape[1] != 8:
        raise ValueError("sets of texts")
    if not all(np.isfinite(stored[name]).all() for name in ("value", "baseline")):
        raise ValueError("values of trees")
    _check_columns(stored, width)
    _check_nodes(stored)


def _check_columns(stored: Arrays, width: int) -> None:
    order, index, sizes, places = stored["order"], stored["index"], stored["place_sizes"], stored["places"]
    if sorted(order.tolist()) != list(range(width)) or len(index) != width:
        raise ValueError("columns of the trees")
    if len(sizes) != len(stored["known"]) or (sizes < 1).any() or sizes.sum() != len(places):
        raise ValueError("codes of texts")
    seen = places[~np.isnan(places)]
    if ((seen < 0) | (seen > 255) | (seen != np.floor(seen))).any():
        raise ValueError("codes of texts")


def _check_nodes(stored: Arrays) -> None:
    sizes, bits = stored["sizes"], stored["bitset_sizes"]
    own = np.concatenate([np.arange(size) for size in sizes.tolist()])
    size = np.repeat(sizes, sizes)
    inner = stored["leaf"] == 0
    texts = inner & (stored["texts"] != 0)
    for child in (stored["lower"], stored["upper"]):
        if (child[inner] <= own[inner]).any() or (child[inner] >= size[inner]).any():
            raise ValueError("a child outside its tree")
    feature = stored["feature"][inner]
    if (feature < 0).any() or (feature >= len(stored["order"])).any():
        raise ValueError("a split on a column that does not exist")
    if (stored["bitset"][texts] >= np.repeat(bits, sizes)[texts]).any():
        raise ValueError("a set of texts that does not exist")
    if (stored["index"][stored["feature"][texts]] >= len(stored["known"])).any():
        raise ValueError("a column without texts that is split by texts")


def boosted_weights(stored: Arrays, width: int) -> NDArray[np.float64]:
    """What the splits of each column of the matrix gained, as a share of all that was gained."""
    inner = stored["leaf"] == 0
    columns = stored["order"][stored["feature"][inner]]
    gain = np.maximum(stored["gain"][inner], 0.0)
    total: NDArray[np.float64] = np.bincount(columns, weights=gain, minlength=width).astype(np.float64)
    return total / total.sum() if total.sum() > 0 else total
