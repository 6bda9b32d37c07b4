"""Outputs that appear together, whole, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from cormack.core.errors import OutputError

#: Ending of files that are still being written; what a killed run leaves behind carries it and is swept by the next.
PART_SUFFIX = ".cormack-part"


class OutputSet:
    """A set of files under one folder that is renamed into place at the end, or removed on any failure.

    Parameters
    ----------
    root : Path
        Created, with its parents, when the first file is asked for; removed again on failure if it was created here.

    Raises
    ------
    OutputError
        On leaving the context, for any failure of the file system: no space, no permission.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with OutputSet(folder) as outputs:
    ...     _ = outputs.part("a/b.txt").write_text("whole")
    >>> (folder / "a/b.txt").read_text()
    'whole'
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._token = secrets.token_hex(4)
        self._parts: dict[Path, Path] = {}
        self._created: list[Path] = []

    def part(self, relative: str | Path) -> Path:
        """The temporary path to write one output to; its name keeps the output's endings readable for writers."""
        final = self.root / relative
        if final not in self._parts:
            self._make_folder(final.parent)
            self._parts[final] = final.with_name(f".{final.name}.{self._token}{PART_SUFFIX}")
        return self._parts[final]

    def write_text(self, relative: str | Path, text: str) -> None:
        """Write one text file in UTF-8."""
        self.part(relative).write_text(text, encoding="utf-8")

    def __enter__(self) -> OutputSet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._commit()
        except OSError as failure:
            error = failure
        finally:
            if error is not None:
                self._discard()
        if isinstance(error, OSError):
            raise OutputError(explain_os_error(error, self.root)) from error

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            self._created.append(new)

    def _commit(self) -> None:
        for part in self._parts.values():
            with part.open("rb") as f:
                os.fsync(f.fileno())
        for final, part in self._parts.items():
            part.replace(final)

    def _discard(self) -> None:
        for part in self._parts.values():
            with suppress(OSError):  # what could not be made need not be removed
                part.unlink()
        for folder in reversed(self._created):
            with suppress(OSError):  # something else has been put there: it is not ours to remove
                folder.rmdir()


def check_writable(root: Path) -> None:
    """Refuse a folder that cannot be written, before any time is spent.

    Raises
    ------
    OutputError
        If the folder, or the nearest one above it that exists, is no folder or may not be written.
    """
    existing = root
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise OutputError(explain_os_error(OSError(errno.ENOTDIR, ""), root))
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(explain_os_error(OSError(errno.EACCES, ""), root))


def sweep_parts(folder: Path) -> int:
    """Remove unfinished files that killed runs left directly in a folder; returns how many."""
    if not folder.is_dir():
        return 0
    parts = [p for p in folder.iterdir() if p.name.startswith(".") and p.name.endswith(PART_SUFFIX)]
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def explain_os_error(error: OSError, root: Path) -> str:
    """A failure of the file system in plain words, with what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{root}: the disk is full (or a quota is reached); free some space and run again. Nothing was written"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{root}: no permission to write there; choose another folder. Nothing was written"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{root}: a file stands where a folder is needed; choose another folder. Nothing was written"
    return f"{root}: writing failed ({errno.errorcode.get(error.errno or 0, 'unknown error')}). Nothing was written"


def check_apart(source: Path, output: Path, *, allowed: Path | None = None) -> None:
    """Refuse an output that would lie inside the input folder or overwrite the input file.

    Parameters
    ----------
    source, output : Path
    allowed : Path, optional
        A folder inside `source` where outputs may lie (`derivatives` of a BIDS data set).

    Raises
    ------
    OutputError
        If the output is the input or lies inside it.
    """
    inside, outer = output.resolve(), source.resolve()
    if allowed is not None and inside.is_relative_to(allowed.resolve()):
        return
    if inside == outer or (outer.is_dir() and inside.is_relative_to(outer)):
        raise OutputError(
            f"{output}: the output lies inside the input {source}; originals are never modified, choose another place"
        )
