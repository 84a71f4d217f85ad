"""``sample_data/ntfs``: generating it again gives the same bytes, and it is small."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sample_data import make_ntfs
from tests.support import ROOT

FOLDER = ROOT / "sample_data" / "ntfs"


def test_generating_again_gives_the_committed_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_ntfs.py", str(tmp_path)])
    make_ntfs.main()
    assert sorted(p.name for p in FOLDER.iterdir()) == sorted(p.name for p in tmp_path.iterdir()) == ["MFT", "UsnJrnl"]
    for made in tmp_path.iterdir():
        kept = (FOLDER / made.name).read_bytes()
        assert made.read_bytes() == kept, made.name
        assert len(kept) < 1_000_000
