"""Where instances come from: a folder, one file, or a zip or tar archive that is read in place.

Every file is an `Item` with a number; nothing outside this module sees a path, so no name that an archive or a header
holds can become one. What is not a plain file is counted, not followed.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock
from types import TracebackType
from typing import IO

from cormack.core.errors import DicomError, InputError

#: A larger file is not read: no CT or MR series of today needs it, and it has to fit in memory.
MAX_FILE_BYTES = 4 * 2**30
#: All members of an archive together, unpacked.
MAX_ARCHIVE_BYTES = 256 * 2**30
#: Folders nested deeper than this are not entered.
MAX_FOLDER_DEPTH = 64

_ARCHIVE_ERRORS = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error)


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

    def _add(self, size: int, where: object) -> None:
        if size > MAX_FILE_BYTES:
            self.skipped["larger than 4 GiB"] += 1
        elif size == 0:
            self.skipped["empty file"] += 1
        else:
            self.items.append(Item(len(self.items), size, where))


class FolderSource(Source):
    """All files below a folder, or one file. Links to files are read, links to folders are not entered."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        super().__init__()
        if root.is_file():
            self.kind = "file"
            self._add(root.stat().st_size, root)
        else:
            self._walk(root, 0)

    def _walk(self, folder: Path, depth: int) -> None:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if depth == 0:
                raise InputError(
                    f"the folder {folder} cannot be read ({error.strerror}); check its permissions"
                ) from error
            self.skipped["unreadable folder"] += 1
            return
        for entry in entries:
            self._visit(entry, depth)

    def _visit(self, entry: os.DirEntry[str], depth: int) -> None:
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_FOLDER_DEPTH:
                    self._walk(Path(entry.path), depth + 1)
                else:
                    self.skipped["folder nested too deep"] += 1
                return
            status = entry.stat()
        except OSError:
            self.skipped["broken link"] += 1
            return
        if stat.S_ISDIR(status.st_mode):
            self.skipped["link to a folder"] += 1
        elif stat.S_ISREG(status.st_mode):
            self._add(status.st_size, Path(entry.path))
        else:
            # A pipe or device would block the reader or never end.
            self.skipped["not a plain file"] += 1

    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one file, the first `limit` of them if given; raises DicomError if it cannot be read."""
        path = item.where
        if not isinstance(path, Path):
            raise DicomError("an item of another source was asked for")
        try:
            with path.open("rb", buffering=0) as handle:
                return _read_all(handle, item.size if limit is None else min(limit, item.size))
        except OSError as error:
            raise DicomError(f"a file cannot be read ({error.strerror}); check its permissions") from error


class ZipSource(Source):
    """Members of a zip archive, read in place; links, encrypted members and unsafe names are ignored and counted."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._lock = Lock()
        try:
            self._archive = zipfile.ZipFile(path)
            members = self._archive.infolist()
        except (*_ARCHIVE_ERRORS, zipfile.BadZipFile) as error:
            raise InputError(f"the zip archive {path} cannot be opened; it may be damaged or cut short") from error
        total = 0
        for member in members:
            total += member.file_size
            if member.is_dir():
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                self.skipped["link in an archive"] += 1
            elif _climbs(member.filename):
                self.skipped["archive entry with an unsafe name"] += 1
            elif member.flag_bits & 1:
                self.skipped["encrypted archive entry"] += 1
            elif total > MAX_ARCHIVE_BYTES:
                self.skipped["archive too large when unpacked"] += 1
            else:
                self._add(member.file_size, member)

    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one member, the first `limit` of them if given; raises DicomError if it cannot be unpacked."""
        member = item.where
        if not isinstance(member, zipfile.ZipInfo):
            raise DicomError("an item of another source was asked for")
        try:
            with self._lock, self._archive.open(member) as handle:
                # The stated size bounds what is unpacked: a bomb that states less than it holds is cut.
                return _read_all(handle, item.size if limit is None else min(limit, item.size))
        except (*_ARCHIVE_ERRORS, zipfile.BadZipFile) as error:
            raise DicomError("an entry of the zip archive cannot be unpacked; the archive may be damaged") from error

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class TarSource(Source):
    """Plain files of a tar archive (also compressed), read in place; links and unsafe names are ignored and counted."""

    kind = "tar"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._lock = Lock()
        try:
            self._archive = tarfile.open(path)  # noqa: SIM115 - stays open for reading, see close
        except (*_ARCHIVE_ERRORS, tarfile.TarError) as error:
            raise InputError(f"the tar archive {path} cannot be opened; it may be damaged") from error
        try:
            self._list()
            if not _ends_as_tar(path):
                self.skipped["archive without its end: it may be cut short"] += 1
        except (*_ARCHIVE_ERRORS, tarfile.TarError) as error:
            self._archive.close()
            raise InputError(
                f"the tar archive {path} cannot be read to its end; it may be damaged or cut short"
            ) from error

    def _list(self) -> None:
        total = 0
        for member in self._archive:
            total += member.size
            if total > MAX_ARCHIVE_BYTES:
                self.skipped["archive too large when unpacked"] += 1
                break
            if member.isdir():
                continue
            if not member.isreg():
                self.skipped["link in an archive" if member.issym() or member.islnk() else "not a plain file"] += 1
            elif _climbs(member.name):
                self.skipped["archive entry with an unsafe name"] += 1
            else:
                self._add(member.size, member)

    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one member, the first `limit` of them if given; raises DicomError if it cannot be unpacked."""
        member = item.where
        if not isinstance(member, tarfile.TarInfo):
            raise DicomError("an item of another source was asked for")
        try:
            with self._lock:
                handle = self._archive.extractfile(member)
                if handle is None:
                    raise DicomError("an entry of the tar archive is not a plain file")
                return _read_all(handle, item.size if limit is None else min(limit, item.size))
        except (*_ARCHIVE_ERRORS, tarfile.TarError) as error:
            raise DicomError("an entry of the tar archive cannot be unpacked; the archive may be damaged") from error

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


def open_source(path: str | os.PathLike[str]) -> Source:
    """Open a folder, a file, or a zip or tar archive.

    Raises
    ------
    InputError
        If nothing is there, it cannot be read, or it holds no file at all.
    """
    root = Path(path)
    try:
        status = root.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{root} does not exist or cannot be reached; give a folder, a file or an archive") from error
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise InputError(f"{root} is neither a folder nor a plain file; give a folder, a file or an archive")
    if stat.S_ISREG(status.st_mode) and not os.access(root, os.R_OK):
        raise InputError(f"the file {root} cannot be read; check its permissions")
    source = _open(root, stat.S_ISDIR(status.st_mode))
    if not source.items:
        source.close()
        raise InputError(f"{_what(source)} {root} holds no files{_counts(source.skipped)}; expected DICOM files")
    return source


def _open(root: Path, is_folder: bool) -> Source:
    if is_folder:
        return FolderSource(root)
    try:
        with root.open("rb") as handle:
            head = handle.read(132)
        # A DICOM preamble may begin with anything, so that its mark goes first.
        if head[128:132] != b"DICM":
            if head[:2] == b"PK" and zipfile.is_zipfile(root):
                return ZipSource(root)
            if tarfile.is_tarfile(root):
                return TarSource(root)
    except _ARCHIVE_ERRORS as error:
        raise InputError(f"the file {root} cannot be read; check its permissions") from error
    return FolderSource(root)


def _what(source: Source) -> str:
    return {"folder": "the folder", "file": "the file", "zip": "the archive", "tar": "the archive"}[source.kind]


def _counts(skipped: Counter[str]) -> str:
    return " (" + ", ".join(f"{n} x {reason}" for reason, n in sorted(skipped.items())) + ")" if skipped else ""


def _climbs(name: str) -> bool:
    """True for names that would lead out of a folder if somebody unpacked them: such an archive is made to harm."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or name.startswith(("/", "\\")) or "\0" in name or (len(name) > 1 and name[1] == ":")


def _ends_as_tar(path: Path) -> bool:
    """False if a tar archive that is not compressed lacks the zeros at its end; Python reads it without a word."""
    with path.open("rb") as handle:
        if handle.read(2) in (b"\x1f\x8b", b"BZ", b"\xfd7"):
            return True
        handle.seek(0, os.SEEK_END)
        handle.seek(max(0, handle.tell() - tarfile.BLOCKSIZE))
        return not any(handle.read())


def _read_all(handle: IO[bytes], size: int) -> bytes:
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
