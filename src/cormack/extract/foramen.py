"""The plane of the foramen magnum: where the funnel of the posterior fossa becomes a tube."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Directions tried: how far the head may lean in the grid, in degrees about the left-right and the front-back axis.
PITCH_DEG = tuple(range(-35, 36, 5))
ROLL_DEG = (-10, -5, 0, 5, 10)
#: Radius of the cylinder in which cross-sections are taken (mm): twice that of the widest foramen.
CYLINDER_MM = 35.0
#: Distance over which the change of slope is taken (mm).
KNEE_MM = 4
#: Cross-section that a foramen magnum can have, with the tissue at its rim (mm²; adults have 600 to 1100).
AREA_MM2 = (250.0, 1700.0)
#: Least change of slope that counts as a knee (mm² over `KNEE_MM` on either side).
LEAST_KNEE_MM2 = 300.0
#: Directions count whose knee has this share of the sharpest.
NEARLY = 0.8
#: The inner lip of the ring, where the knee is, lies this much above the margin itself (mm).
LIP_MM = 3.0
#: The plane cuts within this radius only, so that it never reaches the frontal or temporal lobes (mm).
REACH_MM = 45.0
#: A canal hangs at most so far below the foramen in what was filled (mm), and holds at most so much (ml).
LONGEST_CANAL_MM = 45.0
LARGEST_CANAL_ML = 40.0


@dataclass(frozen=True)
class ForamenPlane:
    """A plane in millimetres along the voxel axes: its normal points into the skull."""

    centre_mm: FloatArray
    normal: FloatArray

    def below(self, axes_mm: tuple[FloatArray, FloatArray, FloatArray]) -> BoolArray:
        """Grid points under the plane and within reach of it; `axes_mm` are the coordinates along each axis."""
        height = np.zeros((1, 1, 1))
        distance = np.zeros((1, 1, 1))
        for axis, coordinates in enumerate(axes_mm):
            offset = (coordinates - self.centre_mm[axis]).reshape([-1 if a == axis else 1 for a in range(3)])
            height = height + offset * self.normal[axis]
            distance = distance + offset**2
        return np.asarray((height < 0) & (distance < REACH_MM**2))


def foramen_plane(
    region: BoolArray, axes_mm: tuple[FloatArray, FloatArray, FloatArray], midline_mm: float
) -> ForamenPlane | None:
    """Find the foramen magnum as the sharpest knee in the cross-section of the space inside the skull.

    Going down, the cross-section shrinks fast while the floor of the posterior fossa closes in and hardly at all in
    the spinal canal. For each direction that the head may have, the second difference of the cross-section is greatest
    at the ring; of all directions the plane of the ring gives the sharpest knee.

    Parameters
    ----------
    region : bool array, shape (i, j, k)
        Soft tissue inside the skull, running down into the canal; k grows upwards.
    axes_mm : three float arrays
        Coordinates of the voxels along each axis, in millimetres.
    midline_mm : float
        Where along i the head's midline lies.

    Returns
    -------
    ForamenPlane or None
        None where no knee is found: the foramen is out of the field of view, and nothing is to be cut off.
    """
    points = np.stack([axes_mm[a][n] for a, n in enumerate(np.nonzero(region))], axis=1)
    voxel_mm3 = float(np.prod([a[1] - a[0] if len(a) > 1 else 1.0 for a in axes_mm]))
    central = points[np.abs(points[:, 0] - midline_mm) < 25]
    if len(central) == 0:
        return None
    canal = central[central[:, 2] < central[:, 2].min() + 8].mean(axis=0)
    near = points[np.linalg.norm(points - canal, axis=1) < 2 * REACH_MM] - canal
    floor = float(axes_mm[2][0] - canal[2])
    found = []
    for pitch in PITCH_DEG:
        for roll in ROLL_DEG:
            knee = _knee(near, _direction(pitch, roll), voxel_mm3, floor)
            if knee is not None:
                # A tie goes to the upright head: the sharpness of a knee is known to some per cent only.
                found.append((knee[0] * (1.0 - abs(pitch) / 200.0 - abs(roll) / 100.0), _direction(pitch, roll)))
    sharpest = max((value for value, _ in found), default=0.0)
    if sharpest < LEAST_KNEE_MM2:
        return None
    # The mean of all directions that are nearly as sharp: in thick slices the sharpest alone is a matter of chance.
    normal = sum(max(0.0, value - NEARLY * sharpest) * direction for value, direction in found)
    normal = np.asarray(normal / np.linalg.norm(normal))
    knee = _knee(near, normal, voxel_mm3, floor)
    if knee is None:
        return None
    height = knee[1]
    plane = ForamenPlane(canal + normal * (height - LIP_MM), normal)
    cut_ml = np.count_nonzero(((near + canal - plane.centre_mm) @ normal) < 0) * voxel_mm3 / 1000.0
    return plane if cut_ml <= LARGEST_CANAL_ML else None


def _direction(pitch_deg: float, roll_deg: float) -> FloatArray:
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return np.array([np.sin(roll), np.sin(pitch) * np.cos(roll), np.cos(pitch) * np.cos(roll)])


def _knee(points: FloatArray, normal: FloatArray, voxel_mm3: float, floor_mm: float) -> tuple[float, int] | None:
    """Sharpness (mm²) and height (mm above the canal's end) of the knee along one direction, if there is one."""
    height = points @ normal
    radius = np.linalg.norm(points - height[:, None] * normal, axis=1)
    lowest, highest = -15, 70
    bins = np.clip(np.round(height[radius < CYLINDER_MM]).astype(int) - lowest, 0, highest - lowest)
    area = np.bincount(bins, minlength=highest - lowest + 1)[:-1] * voxel_mm3
    area = ndimage.gaussian_filter1d(area, 1.5)
    d = KNEE_MM
    at = np.arange(lowest, highest)[d:-d]
    sharpness = area[2 * d :] - 2 * area[d:-d] + area[: -2 * d]
    # Where the disc below leaves the field of view its area shrinks for that reason alone.
    lowest_of_disc = (at - d) * normal[2] - 0.6 * CYLINDER_MM * np.sqrt(max(0.0, 1 - normal[2] ** 2))
    valid = (area[d:-d] > AREA_MM2[0]) & (area[d:-d] < AREA_MM2[1]) & (at < LONGEST_CANAL_MM)
    valid &= lowest_of_disc > floor_mm
    if not valid.any():
        return None
    best = int(np.argmax(np.where(valid, sharpness, -np.inf)))
    return float(sharpness[best]), int(at[best])
