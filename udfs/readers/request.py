"""What a query asks of a reader.

A reader class is made by ``of(request)``; where its fields do not depend on the files, ``described(given)`` tells
them without one. Both names are what a command's declaration counts on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

    from udfs.readers.base import ReadContext, Reader
    from udfs.readers.errors import ReaderError
    from udfs.readers.files import InFolder
    from udfs.readers.sources import Member

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """``paths`` as the query writes them, ``options`` by name, ``given``: what the command itself adds (a view).

    ``shared``: what the readers of one query keep for each other, by its class. ``targets``: the files themselves,
    where they are known already and the paths are only their names. ``belongs``: which files of a folder are meant, by
    name and first bytes.
    """

    paths: Sequence[str]
    context: ReadContext
    options: Mapping[str, object] = field(default_factory=dict)
    given: object = None
    shared: MutableMapping[type, object] = field(default_factory=dict)
    targets: Sequence[str | Member] = ()
    belongs: Callable[[str, bytes], bool] | None = None
    found: list[str | Member] = field(default_factory=list, repr=False, compare=False)

    def files(self) -> list[str]:
        """The files that the paths mean, asked for once. ReaderError as :meth:`~udfs.readers.files.Files.expand`."""
        return self._files

    @cached_property
    def _files(self) -> list[str]:
        return [found for path in self.paths for found in self.expanded(path)]

    def expanded(self, path: str, in_folder: InFolder | None = None) -> list[str]:
        """The files that one path means; folders that may not be listed go to the ledger.

        ``in_folder``: which files of a folder are meant.
        """

        def unread(problem: ReaderError) -> None:
            self.context.loss.lost(problem.path, problem.code, 1, None, str(problem))

        return self.context.files.expand(path, in_folder, unread)

    def text(self, name: str) -> str | None:
        """The value of an option that holds text; None when it is not given."""
        return _as(str, name, self.options.get(name))

    def number(self, name: str) -> int | None:
        """The value of an option that holds a whole number; None when it is not given."""
        return _as(int, name, self.options.get(name))

    def flag(self, name: str) -> bool:
        """The value of an option that is on or off; off when it is not given."""
        return bool(_as(bool, name, self.options.get(name)))


def as_paths(paths: str | Sequence[str]) -> tuple[str, ...]:
    """One path or several, as a tuple."""
    return (paths,) if isinstance(paths, str) else tuple(paths)


def _as(kind: type[T], name: str, value: object) -> T | None:
    if value is None or isinstance(value, kind):
        return value
    raise TypeError(f"{name} holds {value!r}, not {kind.__name__}")


class ReaderClass(Protocol):
    """A class of readers, as declarations name it (``udfs.readers.evtx:EvtxReader``)."""

    def of(self, request: Request) -> Reader:
        """The reader of what is asked. Raises :class:`~udfs.readers.errors.ReaderError`."""


class DescribedClass(ReaderClass, Protocol):
    """A class of readers whose fields are the same for every file."""

    def described(self, given: object) -> pa.Schema:
        """The fields, without a file."""
