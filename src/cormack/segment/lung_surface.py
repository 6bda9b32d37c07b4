"""The surface of the lungs: dents of nodules and vessels closed by rolling balls, edges drawn by the native voxels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray
from cormack.imaging.workgrid import BoolArray, WorkGrid, bounding_box, distance_mm

#: Radius of the ball that rolls over the mediastinal side: fills vessels and small nodules, not the aorta (mm).
MEDIASTINAL_BALL_MM = 8.0
#: Radius of the ball that rolls along the ribs: fills large nodules at the wall (mm).
COSTAL_BALL_MM = 30.0
#: The costal side lies within this of the convex hull of both lungs in a slice, and as far from the midline (mm).
COSTAL_DEPTH_MM, COSTAL_FROM_MIDLINE_MM = 32.0, 45.0
#: Soft tissue beside the lung (HU): the other end of the step at whose half height the surface lies.
SOFT_HU = 40.0
#: Within this of the coarse surface the native voxels decide, in steps of the coarse grid.
BAND_STEPS = 1.0

Labels = npt.NDArray[np.uint8]
Spacing = tuple[float, float, float]


def closed_lungs(sides: Labels, airway: BoolArray, midline: float, spacing_mm: Spacing) -> Labels:
    """Lungs with the dents of nodules and vessels filled.

    Parameters
    ----------
    sides : uint8 array, shape (i, j, k)
        1 right lung, 2 left lung, by their air alone.
    airway : bool array, shape (i, j, k)
        Trachea and main bronchi with walls; never filled.
    midline : float
        Index along i.
    spacing_mm : three floats
    """
    costal = _costal(sides > 0, midline, spacing_mm)
    present = [side for side in (1, 2) if (sides == side).any()]
    with ThreadPoolExecutor(len(present)) as pool:
        filled = list(pool.map(lambda side: _filled(sides == side, costal, spacing_mm), present))
    closed = sides.copy()
    for side, mask in zip(present, filled, strict=True):
        closed[mask & (closed == 0) & ~airway] = side
    return closed


def _filled(lung: BoolArray, costal: BoolArray, spacing_mm: Spacing) -> BoolArray:
    """One lung closed by both balls, each on its side."""
    margin = tuple(int(np.ceil(COSTAL_BALL_MM / h)) + 1 for h in spacing_mm)
    box = bounding_box(lung)
    part = np.pad(lung[box], [(m, m) for m in margin])
    # Beyond the ends of the field of view a lung goes on as it ends: a ball does not roll around the cut.
    if box[2].start == 0:
        part[:, :, : margin[2]] = part[:, :, margin[2], None]
    if box[2].stop == lung.shape[2]:
        part[:, :, -margin[2] :] = part[:, :, -margin[2] - 1, None]
    away = distance_mm(~part, spacing_mm)
    filled = np.zeros_like(lung)
    inner = tuple(slice(m, m + s.stop - s.start) for m, s in zip(margin, box, strict=True))
    for radius_mm, allowed in ((MEDIASTINAL_BALL_MM, None), (COSTAL_BALL_MM, costal)):
        closed = (distance_mm(away <= radius_mm, spacing_mm) > radius_mm)[inner]
        filled[box] |= closed if allowed is None else closed & allowed[box]
    return filled


def _costal(lungs: BoolArray, midline: float, spacing_mm: Spacing) -> BoolArray:
    """Where the ribs are near: just below the convex hull of the lungs in each axial slice, not at the midline."""
    # Imported here: the other rooms do without it.
    from scipy.spatial import ConvexHull

    costal = np.zeros_like(lungs)
    i, j = (np.arange(n, dtype=np.float32) for n in lungs.shape[:2])
    sideways = np.abs(i - midline) * spacing_mm[0] > COSTAL_FROM_MIDLINE_MM
    for k in range(lungs.shape[2]):
        edge = lungs[:, :, k] & ~ndimage.binary_erosion(lungs[:, :, k])
        points = np.argwhere(edge) * np.array(spacing_mm[:2])
        if len(points) < 3 or np.ptp(points, axis=0).min() == 0:
            continue
        depth = np.full(lungs.shape[:2], np.inf, dtype=np.float32)
        for a, b, c in np.unique(ConvexHull(points).equations.astype(np.float32), axis=0):
            plane = (a * spacing_mm[0]) * i[:, None] + (b * spacing_mm[1]) * j[None, :] + c
            np.minimum(depth, -plane, out=depth)
        costal[:, :, k] = (depth > -spacing_mm[0]) & (depth < COSTAL_DEPTH_MM) & sideways[:, None]
    return costal


def native_lungs(
    data: AnyArray,
    grid: WorkGrid,
    closed: Labels,
    air: BoolArray,
    airway: BoolArray,
    lung_hu: float,
) -> Labels:
    """The lungs on the native grid, their surface at half height where lung meets tissue.

    Parameters
    ----------
    data : array, shape (i, j, k)
        Native values in HU.
    grid : WorkGrid
        Grid of the other arrays.
    closed : uint8 array
        Lungs with filled dents.
    air, airway : bool array
        Lungs by their air alone; trachea and main bronchi with walls.
    lung_hu : float
        Of the lung.
    """
    spacing = grid.spacing_mm
    band = BAND_STEPS * max(spacing)
    outside, nearest = ndimage.distance_transform_edt(closed == 0, sampling=spacing, return_indices=True)
    depth = distance_mm(closed > 0, spacing) - outside.astype(np.float32)
    side = closed[tuple(nearest)]
    near_air = np.abs(depth) <= 2 * band
    near_air &= ndimage.binary_dilation(air, iterations=2) & ~ndimage.binary_dilation(airway, iterations=2)
    near_air &= ~ndimage.binary_dilation((closed > 0) & ~air, iterations=1)
    threshold = (lung_hu + SOFT_HU) / 2
    i, j, k = (np.rint(grid.index_of(np.arange(s.start, s.stop), a)).astype(int) for a, s in enumerate(grid.box))
    found = np.zeros(data.shape, dtype=np.uint8, order="F")
    for n, (slice_k, plane) in enumerate(grid.native_planes(depth)):
        if not (plane > -band).any():
            continue
        by_value = near_air[:, :, k[n]][np.ix_(i, j)] & (np.abs(plane) <= band)
        inside = np.where(by_value, data[grid.box[0], grid.box[1], slice_k] < threshold, plane > 0)
        found[grid.box[0], grid.box[1], slice_k] = inside * side[:, :, k[n]][np.ix_(i, j)]
    return found
