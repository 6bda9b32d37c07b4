"""Whether a head lies in its scan as the header says: told by the shape of the space inside the skull.

The inside of the skull is flat below, round above, narrower in front than behind. Laid on the mask in each of the 24
ways in which axes can be exchanged, a skull's inner surface fits one way better than the others. A mirrored head fits
as well as the true one: left and right cannot be told from a shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

import numpy as np
from scipy.spatial.transform import Rotation

from cormack.core.findings import Finding
from cormack.core.volume import FloatArray, Volume
from cormack.extract.pose import MIDDLE, cranium_points
from cormack.imaging.orient import reorient
from cormack.imaging.workgrid import BoolArray, FloatImage

#: Every way is tried with the head leaning so far about each of its axes (degrees) and shifted along its height (mm).
PITCH_DEG, OTHER_DEG, SHIFT_MM = (-30, -15, 0, 15, 30), (-15, 0, 15), (-10.0, 0.0, 10.0)
#: Every so many points of the table are enough.
EVERY = 4
#: Farther than this counts no more (mm).
FARTHEST_MM = 15.0
#: The head lies otherwise than the header says if another way fits better by so much (mm), and well (mm).
BETTER_MM, FITS_MM = 1.2, 5.0
#: A head that fits so well as the header says lies so; upright ones have 2.3 to 2.8 mm, turned ones 3.9 and more.
UPRIGHT_MM = 3.0
#: Fewer points than this in the field of view say nothing.
LEAST_SEEN = 0.6
#: Sizes relative to the digital head that are tried at most.
SIZES = (0.8, 1.15)
_POSITIVE, _NEGATIVE = "RAS", "LPI"


@dataclass(frozen=True)
class Lie:
    """How a head lies on a grid: where its axes point in truth, and the misfit (mm) so and as the header says."""

    codes: str
    misfit_mm: float
    stated_misfit_mm: float

    @property
    def turned(self) -> bool:
        """True if the header is doubted."""
        return self.misfit_mm < min(self.stated_misfit_mm - BETTER_MM, FITS_MM)


def turned(volume: Volume, codes: str) -> Volume:
    """A volume with its axes brought to right, anterior and superior, if they point to `codes` in truth."""
    data, affine = reorient(volume.data, volume.affine, "RAS", present=codes)
    return Volume(np.ascontiguousarray(data), affine, volume.unit, volume.outside, volume.acquisition)


def orientation_finding(lie: Lie) -> Finding:
    """The head lies otherwise than the header says."""
    return Finding(
        "orientation-suspected",
        "the head seems to lie otherwise in the volume than its header says: the axes called right, anterior, superior "
        f"point to {lie.codes} by the shape of the skull; sides cannot be trusted",
        {"axes": lie.codes, "misfit_mm": lie.misfit_mm, "as_stated_mm": lie.stated_misfit_mm},
    )


def how_it_lies(inside: BoolArray, depth_mm: FloatImage, spacing_mm: tuple[float, float, float]) -> Lie:
    """Find the way in which a skull's inner surface fits a mask best.

    Parameters
    ----------
    inside : bool array, shape (i, j, k)
        The space inside the skull on a grid whose axes point right, anterior and superior according to the header.
    depth_mm : array, shape (i, j, k)
        Distance to the surface of `inside`, positive inside.
    spacing_mm : three floats

    Returns
    -------
    Lie
        `codes` says where the axes of the grid point in truth: RAS if the header is right.
    """
    points, centre, ml = _skull()
    found = np.argwhere(inside)
    size = np.clip((len(found) * float(np.prod(spacing_mm)) / 1000 / ml) ** (1 / 3), *SIZES)
    leans = [(points - centre) @ lean.T + [0, 0, shift] for lean in _leans() for shift in SHIFT_MM]
    poses, middle = np.stack(leans) * size, found.mean(axis=0)

    def misfit(codes: str) -> float:
        return _misfit_mm(poses @ ways()[codes].T / spacing_mm + middle, depth_mm)

    stated = misfit("RAS")
    if stated < UPRIGHT_MM:
        return Lie("RAS", stated, stated)
    misfits = {codes: misfit(codes) for codes in ways()}
    best = min(misfits, key=misfits.__getitem__)
    return Lie(best, misfits[best], stated)


def _misfit_mm(at: FloatArray, depth_mm: FloatImage) -> float:
    """Mean distance to the surface in the best of several poses, shape (pose, point, 3) of voxel indices."""
    seen = np.all((at >= -0.5) & (at <= np.array(depth_mm.shape) - 0.5), axis=-1)
    index = np.clip(np.rint(at), 0, np.array(depth_mm.shape) - 1).astype(np.intp)
    distance = np.abs(depth_mm[tuple(np.moveaxis(index, -1, 0))])
    total = np.where(seen, np.minimum(distance, FARTHEST_MM), 0).sum(axis=1)
    counted = seen.sum(axis=1)
    enough = counted >= LEAST_SEEN * at.shape[1]
    return float(np.where(enough, total / np.maximum(counted, 1), FARTHEST_MM).min())


@lru_cache(maxsize=1)
def ways() -> dict[str, FloatArray]:
    """The 24 turns of axes into each other: the codes of the turned axes, and the matrix from the head to them."""
    turns = {}
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                codes = "".join((_POSITIVE if s > 0 else _NEGATIVE)[o] for o, s in zip(order, signs, strict=True))
                turns[codes] = matrix
    return turns


def _leans() -> list[FloatArray]:
    angles = product(PITCH_DEG, OTHER_DEG, OTHER_DEG)
    return [Rotation.from_euler("xyz", triple, degrees=True).as_matrix() for triple in angles]


@lru_cache(maxsize=1)
def _skull() -> tuple[FloatArray, FloatArray, float]:
    """Points on the inner surface, the centre of mass of what they enclose, and its volume (ml)."""
    points = cranium_points()
    rays = points - np.array(MIDDLE)
    radii = np.linalg.norm(rays, axis=1)
    # Evenly spread rays are cones of the same solid angle.
    centre = np.array(MIDDLE) + 0.75 * (radii[:, None] ** 3 * rays).sum(axis=0) / (radii**3).sum()
    return points[::EVERY], centre, float(4 / 3 * np.pi * np.mean(radii**3) / 1000)
