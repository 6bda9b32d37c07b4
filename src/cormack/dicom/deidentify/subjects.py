"""A list of chosen subject names: which PatientID gets which new one."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from cormack.core.errors import InputError

#: New names become PatientID (LO, 64 characters), PatientName and the name of a folder.
_SAFE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")
#: First lines that are headings.
_HEADINGS = frozenset({("old", "new"), ("original", "new"), ("patientid", "new"), ("patientid", "subject")})
LARGEST_LIST_BYTES = 64 * 2**20


def read_subjects(path: Path) -> Mapping[str, str]:
    """Read `old,new` lines: the PatientID as stored, and the one it becomes. A heading is optional.

    Messages give line numbers, never an old PatientID.

    Raises
    ------
    InputError
        If the file cannot be read, a line has not two values, an old or a new name comes twice, or a new name is not
        made of letters, digits, `_`, `-` and `.`, 64 at most.
    """
    subjects: dict[str, str] = {}
    places: dict[str, int] = {}
    for line, (old, new) in _pairs(path):
        if not _SAFE_NAME.fullmatch(new):
            raise InputError(
                f"{path}, line {line}: the new name must be 1 to 64 letters, digits, _, - or . and begin and end with "
                "a letter or digit; it becomes the name of a folder"
            )
        if old in subjects:
            raise InputError(f"{path}, line {line}: this old PatientID has a new name already; give each one once")
        # Folders of some file systems do not tell capitals from small letters.
        if new.casefold() in places:
            raise InputError(
                f"{path}, line {line}: this new name was given in line {places[new.casefold()]} already; two patients "
                "would become one"
            )
        if new == old:
            raise InputError(f"{path}, line {line}: old and new name are the same; choose a new one")
        subjects[old] = new
        places[new.casefold()] = line
    if not subjects:
        raise InputError(f"{path}: no line with an old and a new name; expected a CSV file with lines `old,new`")
    return subjects


def _pairs(path: Path) -> list[tuple[int, tuple[str, str]]]:
    """Line numbers and pairs, without a heading and empty lines."""
    try:
        if path.stat().st_size > LARGEST_LIST_BYTES:
            raise InputError(f"{path}: larger than {LARGEST_LIST_BYTES // 2**20} MiB; expected lines `old,new`")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: the list of subjects cannot be read ({error.strerror or 'unknown error'})"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the list of subjects is not UTF-8 text; save it so") from error
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    pairs: list[tuple[int, tuple[str, str]]] = []
    reader = csv.reader(text.splitlines(), delimiter=separator, strict=True)
    try:
        for cells in reader:
            values = tuple(cell.strip() for cell in cells)
            if not any(values) or (not pairs and tuple(value.casefold() for value in values) in _HEADINGS):
                continue
            if len(values) != 2 or not all(values):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(values)} values, or an empty one; "
                    "expected an old and a new name"
                )
            pairs.append((reader.line_num, (values[0], values[1])))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not CSV; expected lines `old,new`") from error
    return pairs
