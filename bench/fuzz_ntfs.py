"""Coverage-guided fuzzing of the NTFS readers; needs ``atheris`` (``pip install atheris``), which is no dependency.

    python bench/fuzz_ntfs.py mft|usnjrnl|logfile [CORPUS_FOLDER] [libFuzzer options, for example -max_total_time=600]

Anything but rows or a ReaderError is a finding. For a corpus to start from: ``sample_data/make_ntfs.py FOLDER``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def target(kind: str, folder: Path) -> Callable[[bytes], None]:
    """A function that reads one input: valid Arrow batches or one ReaderError."""
    from udfs.readers.base import ReaderError, null_context
    from udfs.readers.ntfs_logfile import LogFileReader
    from udfs.readers.ntfs_mft import MftReader
    from udfs.readers.ntfs_usnjrnl import UsnJrnlReader

    reader = {"mft": MftReader, "usnjrnl": UsnJrnlReader, "logfile": LogFileReader}[kind]
    path = folder / "input"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try:
            for batch in reader(str(path)).scan(None, null_context()):
                batch.validate(full=True)
        except ReaderError:
            return

    return one


def main() -> None:
    """Start the fuzzer, or say what is missing."""
    try:
        import atheris
    except ImportError:
        sys.exit("fuzzing needs atheris: pip install atheris")
    if len(sys.argv) < 2 or sys.argv[1] not in ("mft", "usnjrnl", "logfile"):
        sys.exit((__doc__ or "").strip())
    kind = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        with atheris.instrument_imports():
            one = target(kind, Path(folder))
        atheris.Setup(sys.argv, one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
