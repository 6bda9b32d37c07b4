"""Zip and tar archives that are read in place; what would do harm when unpacked is ignored and counted."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from threading import Lock

from cormack.core.errors import DicomError, InputError
from cormack.dicom.items import Item, Source, read_all

#: All members of an archive together, unpacked.
MAX_ARCHIVE_BYTES = 256 * 2**30
#: What Python raises on damaged archives.
ARCHIVE_ERRORS = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error)


def open_archive(path: Path) -> Source | None:
    """Open a file that is a zip or tar archive by its content; None if it is neither.

    Raises
    ------
    InputError
        If it is one but damaged, or cannot be read.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(132)
        # A DICOM preamble may begin with anything, so that its mark goes first.
        if head[128:132] != b"DICM":
            if head[:2] == b"PK" and zipfile.is_zipfile(path):
                return ZipSource(path)
            if tarfile.is_tarfile(path):
                return TarSource(path)
    except ARCHIVE_ERRORS as error:
        raise InputError(f"the file {path} cannot be read; check its permissions") from error
    return None


class ZipSource(Source):
    """Members of a zip archive, read in place; links, encrypted members and unsafe names are ignored and counted."""

    kind = "zip"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._lock = Lock()
        try:
            self._archive = zipfile.ZipFile(path)
            members = self._archive.infolist()
        except (*ARCHIVE_ERRORS, zipfile.BadZipFile) as error:
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
                self.add(member.file_size, member)

    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one member, the first `limit` of them if given; raises DicomError if it cannot be unpacked."""
        member = item.where
        if not isinstance(member, zipfile.ZipInfo):
            raise DicomError("an item of another source was asked for")
        try:
            with self._lock, self._archive.open(member) as handle:
                # The stated size bounds what is unpacked: a bomb that states less than it holds is cut.
                return read_all(handle, item.size if limit is None else min(limit, item.size))
        except (*ARCHIVE_ERRORS, zipfile.BadZipFile) as error:
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
        except (*ARCHIVE_ERRORS, tarfile.TarError) as error:
            raise InputError(f"the tar archive {path} cannot be opened; it may be damaged") from error
        try:
            self._list()
            if not _ends_as_tar(path):
                self.skipped["archive without its end: it may be cut short"] += 1
        except (*ARCHIVE_ERRORS, tarfile.TarError) as error:
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
                self.add(member.size, member)

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
                return read_all(handle, item.size if limit is None else min(limit, item.size))
        except (*ARCHIVE_ERRORS, tarfile.TarError) as error:
            raise DicomError("an entry of the tar archive cannot be unpacked; the archive may be damaged") from error

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


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
