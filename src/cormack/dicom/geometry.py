"""From ImagePositionPatient and ImageOrientationPatient (LPS+) to slices in RAS+: steps, origins, order, gaps.

Standard: PS3.3 C.7.6.2.1.1 (Image Plane) and C.7.6.1.1.1. File order and InstanceNumber play no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError

FloatArray = npt.NDArray[np.float64]

#: LPS+ to RAS+: the first two axes change sign. The determinant is +1, so cross products keep their handedness.
LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
#: Direction cosines of one stack agree to this in each component (0.06°); scanners round them differently.
ORIENTATION_TOLERANCE = 1e-3
#: Row and column direction are at right angles when the cosine between them is below this.
ROW_COLUMN_COSINE = 1e-3
#: A direction has unit length to within this.
UNIT_LENGTH_TOLERANCE = 1e-2
#: Two slices are at one position when they are closer than this along the normal (mm).
SAME_POSITION_MM = 0.01
#: Distances between slices count as equal when they differ by less than this (mm); headers round to 0.001 to 0.01.
EQUAL_SPACING_MM = 0.02
#: Slices lie on one straight line when none is farther from it than this in the plane (mm).
STRAIGHT_LINE_MM = 0.05
#: A distance is a gap when it exceeds the usual one on both sides by this factor.
GAP_FACTOR = 1.5
#: How many distances on each side say what is usual.
GAP_NEIGHBOURS = 3
#: A stack is axial, coronal or sagittal when its normal is within this angle of the axis (degrees).
PLANE_LIMIT_DEG = 40.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where slices are missing: after slice `after`, a distance, and how many would have fitted."""

    after: int
    distance_mm: float
    usual_mm: float

    @property
    def missing(self) -> int:
        """Number of slices that are missing by the usual distance."""
        return max(1, round(self.distance_mm / self.usual_mm) - 1)


@dataclass(frozen=True, eq=False)
class StackGeometry:
    """Slices in space, one per position, ascending along the normal step_i × step_j.

    Parameters
    ----------
    step_i, step_j : array, shape (3,)
        RAS+ millimetres from column to column and from row to row.
    origins : array, shape (k, 3)
        RAS+ millimetres of the centre of the first voxel of each slice.
    order : tuple of int, length k
        Which of the given slices lies where.
    doubled : tuple of int
        Those left out because an earlier one has their position.
    orientation_spread : float
        Greatest difference of a slice's direction cosine from the one that is followed.
    """

    step_i: FloatArray
    step_j: FloatArray
    origins: FloatArray
    order: tuple[int, ...]
    doubled: tuple[int, ...]
    orientation_spread: float = 0.0

    @property
    def normal(self) -> FloatArray:
        """Unit normal in RAS+."""
        n = np.cross(self.step_i, self.step_j)
        return np.asarray(n / np.linalg.norm(n))

    @property
    def positions_mm(self) -> FloatArray:
        """Position along the normal, shape (k,), the first one being 0."""
        return np.asarray((self.origins - self.origins[0]) @ self.normal)

    @property
    def distances_mm(self) -> FloatArray:
        """Distance from each slice to the next, shape (k − 1,)."""
        return np.diff(self.positions_mm)

    @property
    def extent_mm(self) -> float:
        """Distance from the first slice to the last."""
        return float(self.positions_mm[-1])

    @property
    def spacing_mm(self) -> float | None:
        """Median distance between slices; None for a single one."""
        return float(np.median(self.distances_mm)) if len(self.order) > 1 else None

    @property
    def evenly_spaced(self) -> bool:
        """True if all distances agree."""
        d = self.distances_mm
        return bool(d.size < 2 or d.max() - d.min() < EQUAL_SPACING_MM)

    @property
    def tilt_deg(self) -> float:
        """Lean of the stack along j in degrees, by least squares from the positions; see SliceStack.tilt_deg."""
        if len(self.order) < 2:
            return 0.0
        along = self.positions_mm - self.positions_mm.mean()
        lean = (self.origins - self.origins.mean(axis=0)) @ (self.step_j / np.linalg.norm(self.step_j))
        return float(np.degrees(np.arctan2(along @ lean, along @ along)))

    @property
    def off_line_mm(self) -> float:
        """Greatest distance of an origin from the straight line through all of them."""
        if len(self.order) < 3:
            return 0.0
        along = self.positions_mm - self.positions_mm.mean()
        centred = self.origins - self.origins.mean(axis=0)
        slope = along @ centred / (along @ along)
        return float(np.linalg.norm(centred - along[:, None] * slope, axis=1).max())

    @property
    def plane(self) -> str:
        """`axial`, `coronal`, `sagittal` or `oblique`."""
        cosines = np.abs(self.normal)
        axis = int(cosines.argmax())
        if cosines[axis] < np.cos(np.radians(PLANE_LIMIT_DEG)):
            return "oblique"
        return ("sagittal", "coronal", "axial")[axis]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Where slices are missing."""
        return find_gaps(self.distances_mm)


def find_gaps(distances_mm: FloatArray) -> tuple[Gap, ...]:
    """Distances greater than usual on both of their sides.

    A change from thin to thick slices is not a gap: beyond it the greater distance is usual.
    """
    gaps = []
    for m, distance in enumerate(distances_mm):
        left = distances_mm[max(0, m - GAP_NEIGHBOURS) : m]
        right = distances_mm[m + 1 : m + 1 + GAP_NEIGHBOURS]
        sides = [float(np.median(side)) for side in (left, right) if side.size]
        if len(sides) == 1:
            # At either end one side alone decides: it needs two distances, and the nearest counts as usual, too.
            if max(left.size, right.size) < 2:
                continue
            sides.append(float(left[-1] if left.size else right[0]))
        if sides and distance > GAP_FACTOR * max(sides):
            gaps.append(Gap(m, float(distance), max(sides)))
    return tuple(gaps)


def directions(orientation: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """Unit direction of a row (towards greater column index) and of a column, in RAS+.

    Raises
    ------
    GeometryError
        If they are no two unit vectors at right angles.
    """
    values = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    lengths = np.linalg.norm(values, axis=1)
    if not np.isfinite(values).all() or np.abs(lengths - 1).max() > UNIT_LENGTH_TOLERANCE:
        raise GeometryError("ImageOrientationPatient does not hold two unit vectors")
    values = values / lengths[:, None]
    if abs(float(values[0] @ values[1])) > ROW_COLUMN_COSINE:
        raise GeometryError("ImageOrientationPatient does not hold two directions at right angles")
    return values[0] * LPS_TO_RAS, values[1] * LPS_TO_RAS


def stack_geometry(
    orientations: npt.ArrayLike, positions: npt.ArrayLike, pixel_spacing: tuple[float, float]
) -> StackGeometry:
    """Order parallel slices by their position along the normal.

    Parameters
    ----------
    orientations : array, shape (n, 6)
        ImageOrientationPatient of each slice (LPS+).
    positions : array, shape (n, 3)
        ImagePositionPatient of each slice (LPS+, mm).
    pixel_spacing : (float, float)
        PixelSpacing: between rows, between columns (mm).

    Raises
    ------
    GeometryError
        If the slices are not parallel, or a number is missing or absurd.
    """
    cosines = np.asarray(orientations, dtype=np.float64).reshape(-1, 6)
    places = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    if len(places) == 0 or len(cosines) != len(places):
        raise GeometryError("a stack needs one position and one orientation per slice")
    if not np.isfinite(places).all() or np.abs(places).max() > 1e5:
        raise GeometryError("ImagePositionPatient holds no believable position")
    between_rows, between_columns = pixel_spacing
    if not (1e-3 <= between_rows <= 100 and 1e-3 <= between_columns <= 100):
        raise GeometryError("PixelSpacing is not between 0.001 and 100 mm")
    middle = np.median(cosines, axis=0)
    spread = float(np.abs(cosines - middle).max())
    if spread > 2 * ORIENTATION_TOLERANCE:
        raise GeometryError("the slices are not parallel")
    row, column = directions(tuple(middle))
    normal = np.cross(row, column)
    origins = places * LPS_TO_RAS
    along = origins @ (normal / np.linalg.norm(normal))
    order: list[int] = []
    doubled: list[int] = []
    # A stable sort keeps, of slices at one position, the one that was given first.
    for index in np.argsort(np.round(along / SAME_POSITION_MM), kind="stable"):
        if order and along[index] - along[order[-1]] < SAME_POSITION_MM:
            doubled.append(int(index))
        else:
            order.append(int(index))
    steps = row * between_columns, column * between_rows
    return StackGeometry(*steps, origins[order], tuple(order), tuple(doubled), spread)
