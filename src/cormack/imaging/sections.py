"""Plane sections through a volume in patient space, at any angle, on square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Unit, Volume

#: Directions to the right and down in a picture, as radiologists look: the patient's right is on the left.
PLANES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "axial": ((-1, 0, 0), (0, -1, 0)),
    "coronal": ((-1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, -1, 0), (0, 0, -1)),
}
#: Pixels are no smaller than this (mm), and a picture has no more than this many along a side.
FINEST_PIXEL_MM, MOST_PIXELS = 0.3, 2048
#: What counts as body (HU), and as a direction's second letter (share of the first).
BODY_HU, SECOND_LETTER = -300.0, 0.3
#: The body is sought on voxels of about this size, and shown with this margin (mm).
SOUGHT_MM, MARGIN_MM = 4.0, 8.0

FloatImage = npt.NDArray[np.float32]
Box = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """Where the pixels of a section lie.

    Attributes
    ----------
    corner_mm : array, shape (3,)
        RAS+ millimetres of the centre of the upper left pixel.
    right, down : array, shape (3,)
        Unit vectors in RAS+, at right angles.
    shape : (rows, columns)
    pixel_mm : float
    """

    corner_mm: FloatArray
    right: FloatArray
    down: FloatArray
    shape: tuple[int, int]
    pixel_mm: float

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        return self.shape[1] * self.pixel_mm, self.shape[0] * self.pixel_mm

    @property
    def normal(self) -> FloatArray:
        """Unit vector away from the viewer."""
        return np.asarray(np.cross(self.right, self.down), dtype=np.float64)

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Directions at the left, right, upper and lower side."""
        sides = (-self.right, self.right, -self.down, self.down)
        left, right, up, down = (direction_letters(side) for side in sides)
        return left, right, up, down

    def points(self) -> FloatArray:
        """RAS+ millimetres of all pixels, shape (rows, columns, 3)."""
        rows, columns = np.indices(self.shape)
        steps = rows[..., None] * self.down + columns[..., None] * self.right
        return np.asarray(self.corner_mm + steps * self.pixel_mm)


def direction_letters(direction: npt.ArrayLike) -> str:
    """The patient's directions that a vector points to, the main one first.

    >>> direction_letters([-1, 0, 0]), direction_letters([0.1, 0.8, -0.6])
    ('L', 'AI')
    """
    vector = np.asarray(direction, dtype=np.float64)
    order = np.argsort(-np.abs(vector), kind="stable")
    letters = [("RAS" if vector[axis] > 0 else "LPI")[axis] for axis in order]
    named = [abs(vector[axis]) >= SECOND_LETTER * abs(vector[order[0]]) for axis in order]
    return "".join(letter for letter, is_named in zip(letters, named, strict=True) if is_named)


def plane_axes(plane: str | npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Directions to the right and down in the picture of a plane.

    Parameters
    ----------
    plane : "axial", "coronal", "sagittal", or three floats
        The normal of an oblique plane in RAS+; the picture is turned as that of the nearest of the three.

    Raises
    ------
    InputError
        If it is none of these, or has no length.
    """
    if isinstance(plane, str):
        if plane not in PLANES:
            raise InputError(f"plane {plane!r}: give {', '.join(PLANES)}, or a normal")
        right, down = PLANES[plane]
        return np.array(right, dtype=np.float64), np.array(down, dtype=np.float64)
    normal = np.asarray(plane, dtype=np.float64)
    if normal.shape != (3,) or not np.isfinite(normal).all() or np.linalg.norm(normal) < 1e-9:
        raise InputError("the normal of a plane needs three numbers that are not all 0")
    nearest = ("sagittal", "coronal", "axial")[int(np.abs(normal).argmax())]
    level, below = (np.array(axis, dtype=np.float64) for axis in PLANES[nearest])
    normal = normal / np.linalg.norm(normal)
    level = level - normal * (level @ normal)
    level = level / np.linalg.norm(level)
    across = np.cross(level, normal)
    return level, np.asarray(across if across @ below > 0 else -across)


def frame(
    volume: Volume, plane: str | npt.ArrayLike, at_mm: npt.ArrayLike, *, box: Box, pixel_mm: float | None = None
) -> Frame:
    """The pixels of a plane through a point that show a box.

    Parameters
    ----------
    volume : Volume
        Gives the size of pixels unless that is stated.
    plane : "axial", "coronal", "sagittal", or three floats
    at_mm : three floats
        RAS+ millimetres.
    box : array, shape (2, 3)
        Lowest and highest RAS+ millimetres of what is to be seen.
    pixel_mm : float, optional
    """
    right, down = plane_axes(plane)
    at = np.asarray(at_mm, dtype=np.float64)
    corners = np.array(list(product(*box.T))) - at
    low = np.array([(corners @ right).min(), (corners @ down).min()])
    high = np.array([(corners @ right).max(), (corners @ down).max()])
    pixel = pixel_mm or max(FINEST_PIXEL_MM, min(volume.spacing_mm), float((high - low).max()) / MOST_PIXELS)
    columns, rows = (max(2, int(np.ceil(length / pixel))) for length in high - low)
    first = (low + high) / 2 - (np.array([columns, rows]) - 1) / 2 * pixel
    return Frame(at + right * first[0] + down * first[1], right, down, (rows, columns), pixel)


def section(image: Volume | LabelMap, where: Frame) -> FloatImage:
    """Values at the pixels of a frame, linear between voxels, of labels the nearest; NaN outside the voxels."""
    grid = np.linalg.inv(image.affine)
    points = where.points()
    voxels = np.moveaxis(points @ grid[:3, :3].T + grid[:3, 3], -1, 0)
    last = np.array(image.data.shape)[:, None, None] - 1
    inside = np.all((voxels >= -0.5) & (voxels <= last + 0.5), axis=0)
    order = 0 if isinstance(image, LabelMap) else 1
    values = ndimage.map_coordinates(
        image.data, np.clip(voxels, 0, last), np.float32, order=order, mode="nearest", prefilter=False
    )
    return np.where(inside, values, np.float32(np.nan))


def body_box(volume: Volume) -> Box:
    """The part of the patient's space that holds the largest body, without thin table tops; shape (2, 3), RAS+ mm.

    The whole volume where nothing stands out.
    """
    steps = [max(1, int(SOUGHT_MM / step)) for step in volume.spacing_mm]
    data = volume.data[:: steps[0], :: steps[1], :: steps[2]]
    level = BODY_HU if volume.unit is Unit.HU else _foreground_level(data)
    with np.errstate(invalid="ignore"):
        solid = ndimage.binary_opening(np.pad(data > level, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    pieces, count = ndimage.label(solid)
    if count:
        pieces = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    filled = np.argwhere(pieces) if count else np.array([[0, 0, 0], np.array(data.shape) - 1])
    low = (filled.min(axis=0) - 0.5) * steps
    high = np.minimum((filled.max(axis=0) + 0.5) * steps, np.array(volume.shape) - 0.5)
    corners = volume.world(list(product(*zip(np.maximum(low, -0.5), high, strict=True))))
    ends = volume.world(list(product(*((-0.5, n - 0.5) for n in volume.shape))))
    return np.array(
        [
            np.maximum(corners.min(axis=0) - MARGIN_MM, ends.min(axis=0)),
            np.minimum(corners.max(axis=0) + MARGIN_MM, ends.max(axis=0)),
        ]
    )


def _foreground_level(data: FloatImage) -> float:
    """A tenth of the way from the darkest to the bright: above background, below tissue."""
    finite = data[np.isfinite(data)]
    low, high = np.quantile(finite, [0.0, 0.99]) if finite.size else (0.0, 0.0)
    return float(low + 0.1 * (high - low))
