"""Coverage-guided fuzzing of the hive reader; needs ``atheris`` (``pip install atheris``), which is no dependency.

    python bench/fuzz_hive.py [CORPUS_FOLDER] [libFuzzer options, for example -max_total_time=600]

The target reads the input as a hive with all columns.
Anything but rows or a ReaderError is a finding. Without a corpus folder, start from generated small hives.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def target(data: bytes) -> None:
    """One input: valid Arrow batches or one ReaderError."""
    import numpy as np

    from udfs.readers.base import ReaderError, null_context
    from udfs.readers.hive import HiveReader
    from udfs.readers.hive.image import from_bytes
    from udfs.readers.hive.reader import scan_image

    raw = np.zeros((len(data) + 7) // 8 * 8 + 256, dtype=np.uint8)
    raw[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    try:
        for batch in scan_image(from_bytes("fuzz", raw, len(data)), HiveReader.schema, "fuzz", null_context()):
            batch.validate(full=True)
    except ReaderError:
        return


def main() -> None:
    """Start the fuzzer, or say what is missing."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    with atheris.instrument_imports(include=["udfs"]):
        import udfs.readers.hive.reader  # noqa: F401
    arguments = list(sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        if not any(Path(name).is_dir() for name in arguments[1:]):
            from sample_data import make_hive

            for seed in range(8):
                data = make_hive.build(make_hive.small(seed), 3 + 2 * (seed & 1))
                Path(folder, f"{seed}.hive").write_bytes(data)
            arguments.append(folder)
        atheris.Setup(arguments, target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
