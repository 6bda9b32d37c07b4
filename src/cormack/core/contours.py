"""Structures as closed contours in space, as radiotherapy and annotation tools store them."""

from __future__ import annotations

from dataclasses import dataclass

from cormack.core.volume import FloatArray


@dataclass(frozen=True, eq=False)
class ContouredStructure:
    """One structure as its outlines.

    Attributes
    ----------
    name : str
    color : three int or None
        Red, green and blue, 0 to 255.
    contours : tuple of array, shape (points, 3)
        Closed planar polygons, RAS+ mm; the last point is joined to the first. What an even number of them
        surrounds is outside.
    """

    name: str
    color: tuple[int, int, int] | None
    contours: tuple[FloatArray, ...]
