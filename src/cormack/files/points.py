"""Tables of points: comma- or tab-separated text with the columns x, y and z, RAS+ mm."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError, OutputError
from cormack.core.volume import FloatArray

#: What separates the columns, by the ending of the name.
SEPARATORS = {".csv": ",", ".tsv": "\t"}
AXES = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class PointTable:
    """Points and whatever else their table holds.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of dict
        Text by column.
    points_mm : array, shape (n, 3)
        The columns x, y and z, RAS+ mm.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    points_mm: FloatArray

    def moved(self, points_mm: FloatArray) -> PointTable:
        """The same table with other points."""
        return replace(self, points_mm=points_mm)


def check_points_name(path: Path) -> None:
    """Refuse a name that says neither comma- nor tab-separated.

    Raises
    ------
    OutputError
        If it does.
    """
    if path.suffix.lower() not in SEPARATORS:
        raise OutputError(f"{path}: the name of a table of points must end in {' or '.join(SEPARATORS)}")


def read_points(path: Path) -> PointTable:
    """Read a table of points; its first line names the columns.

    Raises
    ------
    InputError
        If the file is missing, its name has another ending, or x, y or z is not a number in every row.
    """
    separator = SEPARATORS.get(path.suffix.lower())
    if separator is None or not path.is_file():
        raise InputError(f"{path}: give an existing table of points, {' or '.join(SEPARATORS)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.DictReader(f, delimiter=separator, strict=True)
            columns = tuple(reader.fieldnames or ())
            rows = tuple(reader)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable table ({type(error).__name__})") from error
    if not set(AXES) <= set(columns):
        raise InputError(f"{path}: the first line must name the columns x, y and z (RAS+ mm)")
    try:
        points = np.array([[float(row[axis]) for axis in AXES] for row in rows], dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: x, y and z must be numbers in every row") from error
    if not np.isfinite(points).all() or any(None in row for row in rows):
        raise InputError(f"{path}: x, y and z must be finite numbers, and no row longer than the first line")
    return PointTable(columns, rows, points)


def write_points(path: Path, table: PointTable, separator: str) -> None:
    """Write a table of points, to a micrometre; all other columns as they were read."""
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.DictWriter(f, table.columns, delimiter=separator, lineterminator="\n")
        writer.writeheader()
        for row, point in zip(table.rows, table.points_mm, strict=True):
            writer.writerow({**row, **{axis: f"{value:.3f}" for axis, value in zip(AXES, point, strict=True)}})
