"""What holds for a model that is asked for without saying otherwise. Imports nothing: declarations read it."""

from __future__ import annotations

TREES = 100
"""Trees of a forest: ``size=`` of rforest and anomalies, ``trees=`` of ml.createModel."""
