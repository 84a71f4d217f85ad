"""Reading a stored forest without running anything that the file says.

A joblib file is a program for the unpickler. This reader lets it name eleven things and nothing else, hands out
checking stand-ins for four of them, and looks at every tree *before* scikit-learn copies it into its own memory:

- a ``Tree`` state with a node count larger than its node array makes scikit-learn read past the array;
- a ``Tree`` built with more outputs than class counts does so in its constructor;
- a child index outside the tree crashes the interpreter while scoring (SIGSEGV);
- object arrays nest a second pickle stream, and a state set on a *class* would change that class for the whole program.

Any of them ends in ``MlError`` (unsafe or damaged file); the interpreter survives.
"""

from __future__ import annotations

import io
import math
import pickle
import zlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from logsql.diagnostics.messages import Text
from logsql.diagnostics.modelfiles import (
    ARRAY_TYPE,
    DAMAGED_FOREST,
    NAMES_A_THING,
    NO_NUMBER,
    OBJECT_ARRAY,
    SETS_A_STATE,
    STATE_IS_NO_TABLE,
    UNPACKS_TO_MORE,
    UNSAFE_FILE,
    UNUSUAL_ARRAY,
    UNUSUAL_TYPE_STATE,
)
from logsql.diagnostics.models import MlError
from logsql.ml.boosting import boosted_trees
from logsql.ml.linear import linear_model
from logsql.ml.model import ModelKind
from logsql.ml.untyped import Estimator, Values
from udfs.estimators import RegressionForest
from udfs.forests import Forest, classification_forest, isolation_forest

# A forest of 1000 trees over 10 million nodes unpacks to less; of a zip bomb no more than this is unpacked.
MAX_UNPACKED = 1 << 30
# Plain number types a forest file holds, by their pickled letter code.
NUMBER_CODES = ("b1", "u1", "i4", "i8", "u4", "u8", "f4", "f8")


# Stands for the class numpy.ndarray, which a file may name as the kind of an array but not call.
_NDARRAY = object()


class _Refused(Exception):
    """The file asks for something a forest never needs: ``what`` of the catalogue."""

    def __init__(self, what: Text, **facts: object) -> None:
        super().__init__(what.fill(**facts))


def dump_forest(estimator: Any) -> bytes:
    """The estimator as a compressed joblib file."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=3)
    return buffer.getvalue()


def load_forest(payload: bytes, kind: ModelKind, n_features: int, classes: tuple[str, ...], owner: str) -> Forest:
    """Forest stored in ``payload``, verified: kind, number of features and classes, every node index.

    Raises MlError UNSAFE_FILE when the file names a forbidden thing, DAMAGED_FILE when it is no consistent forest.
    """
    try:
        estimator = _reader()(_unpack(payload)).load()
        return _forest(estimator, kind, n_features, classes)
    except _Refused as refused:
        raise MlError(UNSAFE_FILE, owner=owner, reason=refused) from None
    except Exception as error:  # a damaged pickle can raise anything; nothing of it ran outside the allow list
        raise MlError(DAMAGED_FOREST, owner=owner, reason=f"{type(error).__name__}: {error}") from None


def _unpack(payload: bytes) -> bytes:
    """The bytes of a payload. They are counted first, and not held: 3 MB that unpack to 3 GB took 2 GB before they
    were refused."""
    engine, size = zlib.decompressobj(), 0
    for start in range(0, len(payload), 1 << 16):  # zlib makes at most a thousand bytes of one
        size += len(engine.decompress(payload[start : start + (1 << 16)]))
        if size > MAX_UNPACKED:
            break
    engine = zlib.decompressobj()
    data = engine.decompress(payload, MAX_UNPACKED) if size <= MAX_UNPACKED else b""
    if size > MAX_UNPACKED or engine.unconsumed_tail:
        raise _Refused(UNPACKS_TO_MORE, limit=MAX_UNPACKED >> 30)
    if not engine.eof:
        raise ValueError("the compressed data ends early")
    return data


def _checked_dtype(code: Any, align: Any = False, copy: Any = True) -> np.dtype[Any]:
    from sklearn.tree._tree import NODE_DTYPE

    if code not in (*NUMBER_CODES, f"V{NODE_DTYPE.itemsize}"):
        raise _Refused(ARRAY_TYPE, code=code)
    copied: np.dtype[Any] = np.dtype(code, False, True)
    return copied  # a copy: the state that follows must not reach numpy's shared objects


def _checked_scalar(dtype: Any, data: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.names or dtype.hasobject or not isinstance(data, bytes):
        raise _Refused(NO_NUMBER)
    if len(data) != dtype.itemsize:
        raise ValueError("scalar length")
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _checked_tree(n_features: Any, n_classes: Any, n_outputs: Any) -> Any:
    from sklearn.tree._tree import Tree

    if not isinstance(n_features, int) or not 0 < n_features < 2**31:
        raise ValueError("number of features of a tree")
    if n_outputs != 1 or not isinstance(n_classes, np.ndarray) or n_classes.dtype != np.intp or n_classes.shape != (1,):
        raise ValueError("outputs of a tree")
    if not 0 < int(n_classes[0]) < 2**24:
        raise ValueError("number of classes of a tree")
    return Tree(n_features, n_classes, 1)


def _check_tree_state(tree: Any, state: Any) -> None:
    """Refuse a state that would make scikit-learn read or jump outside the node array."""
    from sklearn.tree._tree import NODE_DTYPE

    if not isinstance(state, dict) or set(state) != {"max_depth", "node_count", "nodes", "values"}:
        raise ValueError("state of a tree")
    nodes, values, count = state["nodes"], state["values"], state["node_count"]
    if type(count) is not int or count < 1 or not isinstance(nodes, np.ndarray) or not isinstance(values, np.ndarray):
        raise ValueError("nodes of a tree")
    if nodes.dtype != NODE_DTYPE or nodes.shape != (count,) or not nodes.flags.c_contiguous:
        raise ValueError("node array of a tree")
    if values.dtype != np.float64 or values.shape != (count, 1, tree.max_n_classes) or not values.flags.c_contiguous:
        raise ValueError("value array of a tree")
    if type(state["max_depth"]) is not int or not 0 <= state["max_depth"] <= count:
        raise ValueError("depth of a tree")
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    inner = left != -1
    own = np.arange(count)
    if (inner != (right != -1)).any():
        raise ValueError("a node with one child")
    for child in (left[inner], right[inner]):
        if (child <= own[inner]).any() or (child >= count).any():
            raise ValueError("a child outside its tree")
    if (feature[inner] < 0).any() or (feature[inner] >= tree.n_features).any():
        raise ValueError("a split on a feature that does not exist")
    if not (nodes["n_node_samples"] > 0).all() or not np.isfinite(values).all():
        raise ValueError("values of a tree")


def _check_dtype_state(dtype: np.dtype[Any], state: Any) -> None:
    from sklearn.tree._tree import NODE_DTYPE

    model = NODE_DTYPE if dtype.kind == "V" else np.dtype(dtype.str)
    reduced: Any = model.__reduce__()
    if state != reduced[2]:
        raise _Refused(UNUSUAL_TYPE_STATE)


def _check_array(wrapper: Any, room: int) -> None:
    """``wrapper``: joblib's description of the array that follows in the stream; ``room``: bytes left in the file."""
    shape, dtype = vars(wrapper).get("shape"), vars(wrapper).get("dtype")
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise _Refused(OBJECT_ARRAY)
    if vars(wrapper).get("subclass") is not _NDARRAY or vars(wrapper).get("order") not in ("C", "F"):
        raise _Refused(UNUSUAL_ARRAY)
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("shape of an array")
    if math.prod(shape) * dtype.itemsize > room:
        raise ValueError("an array larger than its file")
    wrapper.subclass = np.ndarray
    wrapper.allow_mmap = False


#: Where the estimators come from whose state a file may set.
_ESTIMATORS = ("sklearn.ensemble._forest", "sklearn.ensemble._iforest", "sklearn.tree._classes")


def _reader() -> Any:
    """The restricted unpickler, made here because its base class belongs to joblib."""
    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler
    from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor
    from sklearn.tree._tree import Tree

    allowed: dict[tuple[str, str], Any] = {
        ("sklearn.ensemble._forest", "RandomForestClassifier"): RandomForestClassifier,
        ("sklearn.ensemble._iforest", "IsolationForest"): IsolationForest,
        ("sklearn.ensemble._forest", "RandomForestRegressor"): RandomForestRegressor,
        ("sklearn.tree._classes", "DecisionTreeClassifier"): DecisionTreeClassifier,
        ("sklearn.tree._classes", "DecisionTreeRegressor"): DecisionTreeRegressor,
        ("sklearn.tree._classes", "ExtraTreeRegressor"): ExtraTreeRegressor,
        ("sklearn.tree._tree", "Tree"): _checked_tree,
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): NumpyArrayWrapper,
        ("numpy", "ndarray"): _NDARRAY,
        ("numpy", "dtype"): _checked_dtype,
        ("numpy._core.multiarray", "scalar"): _checked_scalar,
    }
    estimators = tuple(value for (module, _), value in allowed.items() if module in _ESTIMATORS)

    class ForestReader(NumpyUnpickler):  # type: ignore[misc]
        dispatch: ClassVar[dict[int, Any]] = dict(NumpyUnpickler.dispatch)

        def __init__(self, data: bytes) -> None:
            self._size = len(data)
            super().__init__("", io.BytesIO(data), ensure_native_byte_order=True)

        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in allowed:
                raise _Refused(NAMES_A_THING, module=module, name=name)
            return allowed[module, name]

        def load_build(self) -> None:
            target, state = self.stack[-2], self.stack[-1]
            kind = type(target)
            if kind is Tree:
                _check_tree_state(target, state)
            elif isinstance(target, np.dtype):
                _check_dtype_state(target, state)
            elif kind is NumpyArrayWrapper:
                _check_plain_state(state)
                vars(target).update(state)
                _check_array(target, self._size - self.file_handle.tell())
                self.stack[-1] = dict(vars(target))
            elif kind in estimators:
                _check_plain_state(state)
            else:  # classes, arrays, functions: nothing whose state a forest file sets
                raise _Refused(SETS_A_STATE, kind=kind.__name__)
            super().load_build()

        dispatch[pickle.BUILD[0]] = load_build

    return ForestReader


def _check_plain_state(state: Any) -> None:
    if type(state) is not dict or not all(type(key) is str for key in state):
        raise _Refused(STATE_IS_NO_TABLE)


def _forest(estimator: Any, kind: ModelKind, n_features: int, classes: tuple[str, ...]) -> Forest:
    """Check the parts that scoring uses and leave the estimator itself behind."""
    if kind in _PLAIN:
        if type(estimator) is not dict or not all(type(key) is str for key in estimator):
            raise ValueError(f"it holds a {type(estimator).__name__}")
        return _PLAIN[kind](estimator, n_features, classes)
    trees, facts = _members(estimator, kind, bool(classes))
    width = len(classes) if classes else 1
    for tree in trees:
        if type(tree).__name__ != "Tree" or tree.node_count < 1:
            raise ValueError("an empty tree")
        if tree.n_features != n_features or tree.max_n_classes != width:
            raise ValueError("features or classes that differ from the manifest")
    if classes:
        _check_classes(facts["classes_"], width)
        return classification_forest(trees, n_features, classes)
    if kind is ModelKind.RFOREST:
        return RegressionForest(tuple(trees), n_features)
    sample = facts["_max_samples"]
    if type(sample) is not int or not 1 <= sample < 2**31:
        raise ValueError("sample size of the forest")
    return isolation_forest(trees, n_features, sample)


#: Models that are stored as plain arrays by name, and what makes them again.
_PLAIN: dict[ModelKind, Callable[[dict[str, Values], int, tuple[str, ...]], Forest]] = {
    ModelKind.GBOOST: boosted_trees,
    ModelKind.LOGIT: linear_model,
}


def _members(estimator: Estimator, kind: ModelKind, classes: bool) -> tuple[list[Estimator], Mapping[str, Any]]:
    """The trees of a forest and its own facts, when it is of the class that the manifest says."""
    from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

    outer, inner = (IsolationForest, ExtraTreeRegressor)
    if kind is ModelKind.RFOREST and classes:
        outer, inner = (RandomForestClassifier, DecisionTreeClassifier)
    elif kind is ModelKind.RFOREST:
        outer, inner = (RandomForestRegressor, DecisionTreeRegressor)
    if type(estimator) is not outer:
        raise ValueError(f"it holds a {type(estimator).__name__}")
    facts = vars(estimator)
    members = facts["estimators_"]
    if type(members) is not list or not members or any(type(member) is not inner for member in members):
        raise ValueError("trees of the forest")
    return [vars(member)["tree_"] for member in members], facts


def _check_classes(found: Any, width: int) -> None:
    known: NDArray[np.int64] = np.arange(width)
    if not isinstance(found, np.ndarray) or found.shape != known.shape or not (found == known).all():
        raise ValueError("class codes of the forest")
