"""Where outliers begin: a border on the scores of the training rows.

Contract
- ``contamination`` is the share of the training rows that are outliers, as scikit-learn's parameter: a row is one where
  ``IsolationForest(contamination=...).predict`` says -1. ``quantile`` says the same from the other side: 0.99 of the
  scores of the training rows lie below the border.
- A model trained for one query has its border from all of its training rows; a stored one from quantiles kept with it.
- A score above the border is an outlier. Where all scores are equal none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logsql.diagnostics.losses import Fate, loss
from logsql.ml.defaults import Share
from logsql.ml.model import Manifest, TrainedModel
from udfs.inference import BatchScorer

if TYPE_CHECKING:
    from logsql.planner.runtime import Losses

TIES = loss(
    "equal-scores-at-the-border",
    (
        "training rows that share the score at which outliers begin: fewer rows are marked than was asked for",
        "이상치가 시작되는 점수를 함께 가진 학습 행: 요청한 비율보다 적게 표시됩니다",
    ),
    fate=Fate.DOUBTFUL,
)
#: Of a stored model: quantiles of the scores in steps of 1 %, above 0.9 of 0.1 %, above 0.99 of 0.01 %.
POSITIONS: NDArray[np.float64] = np.unique(
    np.round(np.concatenate([np.linspace(0, 1, 101), np.linspace(0.9, 1, 101), np.linspace(0.99, 1, 101)]), 6)
)
#: Rows that a stored model's quantiles are taken from at most: the border of 0.01 is then off by 0.0003.
QUANTILE_ROWS = 100_000


@dataclass(frozen=True)
class Bordered(TrainedModel):
    """A model with the border of its own training rows."""

    border: float = 0.0


def border(scores: NDArray[np.float64], share: Share) -> float:
    """The score above which a row is an outlier, from all scores of the training rows."""
    if share.contamination is not None:
        # As scikit-learn takes it, of negative scores from below: 1 - 0.1 is not quite 0.9, and a row lies on it.
        return -float(np.percentile(-scores, 100.0 * share.contamination))
    return float(np.quantile(scores, share.quantile or 0.0))


def bordered(model: TrainedModel, rows: pa.Table, share: Share, loss: Losses) -> Bordered:
    """The model with its border on ``rows``, which it was trained on. Ties that make outliers fewer are told."""
    scores = BatchScorer(model, memory=0)(rows)["_score"].to_numpy(zero_copy_only=False)
    limit = border(scores, share)
    few = float((scores > limit).mean()) < share.above / 2
    tied = int((scores == limit).sum())
    if few and tied > 1:
        loss.lost("anomalies", TIES.name, tied)
    facts = {f.name: getattr(model, f.name) for f in fields(TrainedModel) if f.init}
    return Bordered(**facts, border=limit)


def quantiles(scores: NDArray[np.float64]) -> tuple[float, ...]:
    """What a stored model keeps of the scores of its training rows: their values at ``POSITIONS``."""
    return tuple(np.quantile(scores, POSITIONS).tolist())


def keeps_border(manifest: Manifest) -> bool:
    """Whether a stored model can tell outliers: models of before kept no quantiles."""
    training = manifest.training
    return training is not None and training.scores is not None and len(training.scores.quantiles) == len(POSITIONS)


def kept_border(kept: Sequence[float], share: Share) -> float:
    """The border by the quantiles of a stored model; between two of them on the straight line."""
    return float(np.interp(1.0 - share.above, POSITIONS, kept))


def border_of(model: TrainedModel, share: Share | None) -> float | None:
    """The border of a model that has one or keeps quantiles; None where none was asked for."""
    if share is None:
        return None
    if isinstance(model, Bordered):
        return model.border
    scores = model.training.scores
    assert scores is not None
    return kept_border(scores.quantiles, share)
