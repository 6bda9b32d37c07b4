"""Where instances come from: a folder, one file, or a zip or tar archive that is read in place.

Every file is an `Item` with a number; nothing outside sees a path, so no name that an archive or a header holds can
become one. What is not a plain file is counted, not followed.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from pathlib import Path

from cormack.core.errors import DicomError, InputError
from cormack.dicom.archives import open_archive
from cormack.dicom.items import Item, Source, read_all

__all__ = ["FolderSource", "Item", "Source", "open_source"]

#: Folders nested deeper than this are not entered.
MAX_FOLDER_DEPTH = 64
#: Endings of files in a folder that may be archives; each of them stays open, so many and no more.
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_ARCHIVES = 256


class FolderSource(Source):
    """All files below a folder, archives among them, or one file.

    Links to files are read, links to folders are not entered; archives within archives are not opened.
    """

    kind = "folder"

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._archives: list[Source] = []
        if root.is_file():
            self.kind = "file"
            self.add(root.stat().st_size, root)
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
            if not (entry.name.lower().endswith(ARCHIVE_SUFFIXES) and self._add_archive(Path(entry.path))):
                self.add(status.st_size, Path(entry.path))
        else:
            # A pipe or device would block the reader or never end.
            self.skipped["not a plain file"] += 1

    def _add_archive(self, path: Path) -> bool:
        """Take over the members of an archive; False if the file is none."""
        if len(self._archives) >= MAX_ARCHIVES:
            self.skipped[f"archive beyond the first {MAX_ARCHIVES}"] += 1
            return True
        try:
            archive = open_archive(path)
        except InputError:
            self.skipped["archive that cannot be opened"] += 1
            return True
        if archive is None:
            return False
        self._archives.append(archive)
        self.skipped.update(archive.skipped)
        for member in archive.items:
            self.add(member.size, (archive, member))
        return True

    def read(self, item: Item, limit: int | None = None) -> bytes:
        """Bytes of one file, the first `limit` of them if given; raises DicomError if it cannot be read."""
        path = item.where
        if isinstance(path, tuple):
            archive, member = path
            return bytes(archive.read(member, limit))
        if not isinstance(path, Path):
            raise DicomError("an item of another source was asked for")
        try:
            with path.open("rb", buffering=0) as handle:
                return read_all(handle, item.size if limit is None else min(limit, item.size))
        except OSError as error:
            raise DicomError(f"a file cannot be read ({error.strerror}); check its permissions") from error

    def close(self) -> None:
        """Close the archives."""
        for archive in self._archives:
            archive.close()


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
    source = FolderSource(root) if stat.S_ISDIR(status.st_mode) else open_archive(root) or FolderSource(root)
    if not source.items:
        source.close()
        raise InputError(f"{_what(source)} {root} holds no files{_counts(source.skipped)}; expected DICOM files")
    return source


def _what(source: Source) -> str:
    return {"folder": "the folder", "file": "the file", "zip": "the archive", "tar": "the archive"}[source.kind]


def _counts(skipped: Counter[str]) -> str:
    return " (" + ", ".join(f"{n} x {reason}" for reason, n in sorted(skipped.items())) + ")" if skipped else ""
