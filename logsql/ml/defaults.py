"""What holds for a model that is asked for without saying otherwise. Imports nothing: declarations read it."""

from __future__ import annotations

from dataclasses import dataclass

TREES = 100
"""Trees of a forest: ``size=`` of rforest and anomalies, ``trees=`` of ml.createModel."""
FEW_ROWS = 50
"""Fewer rows than this to learn from are told (decisions.md 38)."""
#: Most texts of a field that boosted trees split as sets: a byte, less the missing value.
MOST_CATEGORIES = 254
#: Most columns that a linear model makes of the texts of one field.
MOST_COLUMNS = 50
#: Most numbers of a list that is a feature.
MOST_NUMBERS = 10_000


@dataclass(frozen=True)
class Share:
    """How many training rows are outliers: ``contamination=`` or ``quantile=`` of anomalies, one of the two."""

    contamination: float | None = None
    quantile: float | None = None

    @property
    def above(self) -> float:
        """The share of rows above the border, where no scores are equal."""
        return self.contamination if self.contamination is not None else 1.0 - (self.quantile or 0.0)
