"""Coverage-guided fuzzing of the readers; needs ``atheris`` (``pip install atheris``), which is no dependency.

    python bench/fuzz.py KIND [CORPUS_FOLDER] [libFuzzer options, for example -max_total_time=600]

KIND is a command that reads files, or a registry view (without one they are listed). Anything but rows or a
ReaderError is a finding. Without a corpus folder it starts from the small sound files of the damage tests.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from tests.readers.damage_support import Kind


def target(kind: Kind, folder: Path) -> Callable[[bytes], None]:
    """A function that reads one input: valid Arrow batches of a sane number of rows, or one ReaderError."""
    from udfs.readers.base import ReaderError, null_context

    path = folder / "input"

    def one(data: bytes) -> None:
        made = kind.finish(data)
        path.write_bytes(made)
        rows = 0
        try:
            for batch in kind.make(str(path)).scan(None, null_context()):
                batch.validate(full=True)
                rows += batch.num_rows
        except ReaderError:
            return
        if rows > kind.most_rows(len(made)):
            raise RuntimeError(f"{rows} rows from {len(made)} bytes")

    return one


def main() -> None:
    """Start the fuzzer, or say what is missing."""
    try:
        import atheris
    except ImportError:
        sys.exit("fuzzing needs atheris: pip install atheris")
    with atheris.instrument_imports(include=["udfs"]):
        from tests.readers.damage_kinds import KINDS
        from tests.readers.damage_text import TEXT_KINDS
    kinds = KINDS | TEXT_KINDS
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        sys.exit(f"{(__doc__ or '').strip()}\n\nKinds: {', '.join(kinds)}")
    kind = kinds[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as folder:
        if not any(Path(name).is_dir() for name in sys.argv[1:]):
            corpus = Path(folder, "corpus")
            corpus.mkdir()
            for number, seed in enumerate(kind.seeds()):
                (corpus / str(number)).write_bytes(seed)
            sys.argv.append(str(corpus))
        atheris.Setup(sys.argv, target(kind, Path(folder)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
