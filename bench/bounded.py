"""A hostile file or query that ``python -m bench.bounds`` measures, and how its input is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEMORY, TIME = "the memory", "the time"
MB = 1_000_000


@dataclass(frozen=True)
class Bounded:
    """``make`` writes the input into a folder and gives the query. ``memory``: of ``--memory-limit``, in megabytes;
    ``time``: of ``--timeout``, in seconds, and how much ``late`` it may end. ``most``: megabytes held at most."""

    name: str
    shown: str
    limit: str
    make: Callable[[Path], str]
    memory: int = 200
    time: int | None = None
    late: float = 6.0
    most: int | None = None
    sql: bool = False
    more: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """Words of the command line."""
        return (*self.more, *(("--timeout", str(self.time)) if self.time is not None else ()))


def written(path: Path, *pieces: bytes | tuple[bytes, int]) -> str:
    """A file of pieces, some of them so many times; its name."""
    with path.open("wb") as file:
        for piece in pieces:
            data, times = piece if isinstance(piece, tuple) else (piece, 1)
            block = max(1, min(times, (1 << 20) // max(len(data), 1)))
            for _ in range(times // block):
                file.write(data * block)
            file.write(data * (times % block))
    return path.name


def of_file(
    command: str, *pieces: bytes | tuple[bytes, int], name: str = "input", then: str = ""
) -> Callable[[Path], str]:
    """``command`` over one file of these pieces."""
    return lambda folder: f"{command} {written(folder / name, *pieces)}{then}"


def of_text(query: str) -> Callable[[Path], str]:
    return lambda folder: query
