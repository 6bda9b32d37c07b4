"""How a head lies in its grid, by its brain mask alone: points of a cranium laid on the mask's surface.

The points (`data/cranium.csv`, made by `scripts/make_cranium.py`) lie on the inner surface of the digital head's skull.
Nine numbers bring them onto a brain mask: three turns, three shifts and three sizes. Where the field of view cuts the
brain, points beyond it tell nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from scipy import ndimage, optimize, spatial
from scipy.spatial.transform import Rotation

from cormack.core.errors import ExtractionError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid, distance_mm

#: The table's points lie on evenly spread rays from here (mm of the digital head).
MIDDLE = (0.0, -7.0, 18.0)
#: Spacing of the grid on which the mask's surface is looked up (mm).
GRID_MM = 3.0
#: Points farther from the surface than this pull no more than those at it (mm).
SOFT_MM = 4.0
#: What a point beyond the field of view costs (mm): about as much as one of a good fit, so that none is drawn in.
UNSEEN_MM = 2.0
#: How far from the grid's axes heads lean, and how their sizes vary: widths of the priors (degrees, logarithm).
LEAN_DEG, SIZE_SPREAD = 25.0, 0.10
#: Each axis is leant by so much, either way, to begin with (degrees); the best of all beginnings is taken.
STARTS_DEG = (0.0, 22.0, -22.0)
#: A median distance of the seen points to the surface above this is no brain's (mm); real heads have 1 to 3.
WORST_FIT_MM = 5.0
#: Fewer points than this in the field of view say too little about the pose.
LEAST_SEEN = 0.35
#: Sizes relative to the digital head beyond which no skull lies.
SIZES = (0.6, 1.4)


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Where the coordinates of the digital head lie in a scan.

    Attributes
    ----------
    matrix : array, shape (4, 4)
        RAS+ millimetres of the digital head (x right, y anterior, z superior in the head itself; origin between
        forehead and occiput above the sella) to RAS+ millimetres of the scan.
    fit_mm : float
        Median distance of the points to the mask's surface.
    seen : float
        Share of the points within the field of view.
    """

    matrix: FloatArray
    fit_mm: float
    seen: float

    @property
    def lean_deg(self) -> float:
        """Angle between the head's axes and those of the scan, as one turn."""
        turn, _ = np.linalg.qr(self.matrix[:3, :3])
        turn = turn * np.sign(np.diag(turn))
        return float(np.degrees(Rotation.from_matrix(turn).magnitude()))


@lru_cache(maxsize=1)
def cranium_points() -> FloatArray:
    """Points on the inner surface of the digital head's skull, RAS+ mm, shape (points, 3)."""
    table = files("cormack.extract").joinpath("data/cranium.csv").read_text(encoding="utf-8")
    return np.array([[float(cell) for cell in line.split(",")] for line in table.splitlines()[1:]])


def head_pose(volume: Volume, brain: LabelMap) -> HeadPose:
    """Lay the cranium on the surface of a brain mask.

    Parameters
    ----------
    volume : Volume
        Orthogonal, shape (i, j, k), axes within 45° of right, anterior, superior of the head; its values are not used.
    brain : LabelMap
        On the grid of the volume.

    Raises
    ------
    ExtractionError
        If the mask does not look like a brain: too few points within the field of view, sizes of no human head, or
        points too far from its surface.
    """
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), volume.spacing_mm, GRID_MM)  # type: ignore[arg-type]
    inside = grid.coarsen(brain.data, lambda slab: (slab > 0).astype(np.float32)) >= 0.5
    if not inside.any():
        raise ExtractionError("the brain mask is empty: the head's pose cannot be told from it")
    surface = distance_mm(inside, grid.spacing_mm) - distance_mm(~inside, grid.spacing_mm)
    axes = volume.affine[:3, :3] / np.asarray(volume.spacing_mm)
    fit = _Fit(surface, grid, np.asarray(volume.spacing_mm))
    best = min((fit.solve(start) for start in _starts()), key=lambda found: float(found.cost))
    local, distances, seen = fit.matrix(best.x), *fit.distances(best.x, cranium_points())
    matrix = np.eye(4)
    matrix[:3] = axes @ local
    matrix[:3, 3] += volume.affine[:3, 3]
    pose = HeadPose(matrix, float(np.median(np.abs(distances[seen]))) if seen.any() else np.inf, float(seen.mean()))
    _check(pose, np.exp(best.x[6:]))
    return pose


def inside_cranium(pose: HeadPose, affine: FloatArray, shape: tuple[int, int, int]) -> BoolArray:
    """Which voxel centres of a grid lie inside the cranium where a pose puts it; bool of shape (i, j, k)."""
    points = cranium_points()
    middle = np.array(MIDDLE)
    radii = np.linalg.norm(points - middle, axis=1)
    directions = spatial.cKDTree((points - middle) / radii[:, None])
    to_head = np.linalg.inv(pose.matrix) @ affine
    inside = np.zeros(shape, dtype=bool)
    i, j = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    for k in range(shape[2]):
        offset = np.stack([i, j], axis=-1) @ to_head[:3, :2].T + to_head[:3, 2] * k + to_head[:3, 3] - middle
        radius = np.linalg.norm(offset, axis=-1)
        near = radius < radii.max()
        if near.any():
            _, nearest = directions.query(offset[near] / np.maximum(radius[near], 1e-6)[:, None], k=3)
            inside[:, :, k][near] = radius[near] < radii[nearest].mean(axis=1)
    return inside


def _check(pose: HeadPose, sizes: FloatArray) -> None:
    if pose.seen < LEAST_SEEN:
        raise ExtractionError(
            f"only {pose.seen:.0%} of a skull's inner surface would lie in the field of view, less than "
            f"{LEAST_SEEN:.0%}: too little of the brain is there to tell how the head lies"
        )
    if pose.fit_mm > WORST_FIT_MM or sizes.min() < SIZES[0] or sizes.max() > SIZES[1]:
        raise ExtractionError(
            f"the brain mask has not the shape of a brain: a skull lies {pose.fit_mm:.1f} mm from it at best, at "
            f"{sizes.min():.2f} to {sizes.max():.2f} of the usual size; look at the brain mask"
        )


def _starts() -> list[FloatArray]:
    """Beginnings: upright, and leant about one axis at a time."""
    starts = [np.zeros(3)]
    for axis in range(3):
        for degrees in STARTS_DEG[1:]:
            turn = np.zeros(3)
            turn[axis] = np.radians(degrees)
            starts.append(turn)
    return starts


class _Fit:
    """Least squares of the points' distances to a surface; parameters: turn (3), shift (3, mm), log size (3)."""

    def __init__(self, surface: FloatImage, grid: WorkGrid, spacing_mm: FloatArray) -> None:
        self._surface, self._grid, self._spacing = surface, grid, spacing_mm
        index = np.nonzero(surface > 0)
        self._middle = np.array([np.mean(grid.centres_mm(axis, spacing_mm[axis])[index[axis]]) for axis in range(3)])
        self._points = cranium_points()
        self._own_middle = self._points.mean(axis=0)

    def solve(self, turn: FloatArray) -> optimize.OptimizeResult:
        start = np.concatenate([turn, np.zeros(6)])
        return optimize.least_squares(
            self._residuals, start, x_scale=np.array([0.1] * 3 + [5.0] * 3 + [0.05] * 3), max_nfev=40
        )

    def matrix(self, parameters: FloatArray) -> FloatArray:
        """Digital head to millimetres along the grid's axes, shape (3, 4)."""
        turned = Rotation.from_rotvec(parameters[:3]).as_matrix() * np.exp(parameters[6:])
        shift = self._middle + parameters[3:6] - turned @ self._own_middle
        return np.column_stack([turned, shift])

    def distances(self, parameters: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Signed distance of every point to the surface (mm), and which points the grid holds."""
        matrix = self.matrix(parameters)
        native = (points @ matrix[:, :3].T + matrix[:, 3]) / self._spacing
        seen = np.ones(len(points), dtype=bool)
        index = np.empty((3, len(points)))
        for axis in range(3):
            box = self._grid.box[axis]
            seen &= (native[:, axis] >= box.start - 0.5) & (native[:, axis] <= box.stop - 0.5)
            index[axis] = self._grid.index_of(native[:, axis], axis)
        return ndimage.map_coordinates(self._surface, index, order=1, mode="nearest"), seen

    def _residuals(self, parameters: FloatArray) -> FloatArray:
        distances, seen = self.distances(parameters, self._points)
        # Saturating: what lies far off (neck in the mask, a hole) must not turn the head.
        soft = 2 * SOFT_MM * np.tanh(distances / (2 * SOFT_MM))
        data = np.where(seen, soft, UNSEEN_MM) / np.sqrt(len(self._points))
        prior = np.concatenate([parameters[:3] / np.radians(LEAN_DEG), parameters[6:] / SIZE_SPREAD])
        # The priors count as much as one millimetre of misfit at one width.
        return np.concatenate([data, prior])
