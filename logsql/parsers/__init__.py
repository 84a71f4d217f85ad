"""Named log parsers of ``parse NAME``: one file per format, one registry row each."""

from __future__ import annotations

from logsql.parsers.base import PARSERS, load_all

__all__ = ["PARSERS"]

load_all()
