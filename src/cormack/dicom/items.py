"""What a source of instances is: files with numbers, read by number, so that no name ever becomes a path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO

from cormack.core.errors import DicomError

#: A larger file is not read: no CT or MR series of today needs it, and it has to fit in memory.
MAX_FILE_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a source: its number, its size in bytes, and how the source finds it again."""

    index: int
    size: int
    where: object


class Source(ABC):
    """Files that may be DICOM, in a stable order; `skipped` counts by reason what is no plain file."""

    kind = "source"

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.skipped: Counter[str] = Counter()

    @abstractmethod
    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one file, the first `limit` of them if given.

        Raises
        ------
        DicomError
            If the file cannot be read.
        """

    def close(self) -> None:  # noqa: B027 - a folder holds nothing open
        """Give back what the source holds open."""

    def __enter__(self) -> Source:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def add(self, size: int, where: object) -> None:
        """Take a file in, unless it is empty or too large."""
        if size > MAX_FILE_BYTES:
            self.skipped["larger than 4 GiB"] += 1
        elif size == 0:
            self.skipped["empty file"] += 1
        else:
            self.items.append(Item(len(self.items), size, where))


def read_all(handle: IO[bytes], size: int) -> bytes:
    """Up to `size` bytes; an unbuffered read may return fewer than asked for before the end."""
    chunks = list(_chunks(handle, size))
    if sum(map(len, chunks)) < size:
        raise DicomError("a file is shorter than its folder or archive states; it is cut short")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _chunks(handle: IO[bytes], size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = handle.read(min(size, 64 * 2**20))
        if not chunk:
            return
        size -= len(chunk)
        yield chunk
