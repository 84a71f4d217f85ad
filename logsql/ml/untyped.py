"""Names for what comes without types: objects of scikit-learn, and arrays whose kind of number a name does not tell."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

#: An estimator or tree of scikit-learn, which ships no types.
Estimator: TypeAlias = Any
#: An array of class codes or of numbers, as the task wants.
Values: TypeAlias = NDArray[Any]
