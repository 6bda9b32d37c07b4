"""Measures as clinicians take them: a number, what it means, and where on the scan it was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.findings import Measurement
from cormack.core.volume import FloatArray


@dataclass(frozen=True, eq=False)
class MeasuredPlane:
    """The plane of the patient's space in which something was measured, by name and axes in RAS+.

    Attributes
    ----------
    name : str
        "axial" or "coronal", of the head, not of the scanner.
    point_mm : array, shape (3,)
        A point of the plane.
    right, up : array, shape (3,)
        Unit vectors within it, at right angles: to the patient's right, and to the top of a picture (anterior in
        axial planes, superior in coronal ones).
    """

    name: str
    point_mm: FloatArray
    right: FloatArray
    up: FloatArray

    @property
    def normal(self) -> FloatArray:
        """Unit normal, shape (3,): superior of axial planes, posterior of coronal ones."""
        return np.asarray(np.cross(self.right, self.up), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class MeasuredLine:
    """What was measured along: points that are joined by straight lines, RAS+ mm, shape (points, 3)."""

    name: str
    points_mm: FloatArray

    @property
    def length_mm(self) -> float:
        """Sum of the lengths from point to point."""
        return float(np.linalg.norm(np.diff(self.points_mm, axis=0), axis=1).sum())


@dataclass(frozen=True, eq=False)
class ClinicalMeasure:
    """One measure of a head, or the reason why it could not be taken. No statement about what is normal.

    Attributes
    ----------
    name : str
    value : float or None
        None where it could not be measured; `reason` then says why.
    unit : str
        "ml", "mm", "°", "%", or empty for a ratio.
    definition : str
    reference : str
        DOI of a publication that uses this definition; empty if there is none.
    side : str
        "left" or "right" where the number has a direction.
    plane : MeasuredPlane or None
        None for what is measured in the whole volume, such as volumes.
    lines : tuple of MeasuredLine
        In that plane.
    reason : str
    """

    name: str
    value: float | None
    unit: str
    definition: str
    reference: str = ""
    side: str = ""
    plane: MeasuredPlane | None = None
    lines: tuple[MeasuredLine, ...] = ()
    reason: str = ""

    @property
    def measurement(self) -> Measurement:
        """The number as a row of a table, without its place."""
        return Measurement(self.name, self.value, self.unit, self.reason if self.value is None else self.definition)

    @property
    def text(self) -> str:
        """Value with unit and side.

        >>> ClinicalMeasure("midline shift", 3.21, "mm", "", side="left").text
        '3.2 mm to the left'
        """
        if self.value is None:
            return f"not measured: {self.reason}"
        digits = {"": 3, "ml": 1, "mm": 1, "°": 0, "%": 1}.get(self.unit, 2)
        words = f"{self.value:.{digits}f} {self.unit}".strip().replace(" °", "°")
        return f"{words} to the {self.side}" if self.side else words
