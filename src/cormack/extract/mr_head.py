"""Head and brain in MR by rules: the head's outline, and a generous region that protects the brain, no measurement.

The region: BET's surface (Smith 2002, doi 10.1002/hbm.10062) on the image with its slow shading taken out, joined with
the inside of a cranium laid on it (`pose`), grown by a few millimetres. It holds cerebrospinal fluid, and bone in
places.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.core.volume import AnyArray, Volume
from cormack.extract.bet import brain_surface
from cormack.extract.head import close_openings, fill_openings
from cormack.extract.mesh import voxels_inside
from cormack.extract.pose import head_pose, inside_cranium
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid, distance_mm, largest_component

#: The head is worked on at about this spacing (mm).
GRID_MM = 2.0
#: Brighter than this quantile of what is not zero is fat and vessels near the coil.
BRIGHTEST = 0.995
#: Tissue is brighter than this share of Otsu's threshold.
TISSUE_SHARE = 0.4
#: Shading changes over this distance (mm, standard deviation of the Gaussian that takes it out).
SHADING_MM = 25.0
#: The flattened image is cut off here: the mean of the tissue around is 1.
BRIGHTEST_FLAT = 1.6
#: BET's fractional intensity. Its usual 0.5 stops short of the temporal lobes here; 0.1 runs out of the skull.
FRACTIONAL_INTENSITY = 0.25
#: The region is grown by so much (mm). On eight heads no voxel of the automatic labels is altered from 2 mm on.
GROWN_MM = 3.0
#: Less than this is no brain (ml).
LEAST_ML = 300.0
_BINS = 256


def mr_brain_region(volume: Volume) -> LabelMap:
    """A region that holds the brain of a T1-weighted head, with room to spare.

    Parameters
    ----------
    volume : Volume
        Any unit, tissue bright on a dark ground, shape (i, j, k), orthogonal, axes within 45° of right, anterior,
        superior of the head.

    Raises
    ------
    ExtractionError
        If no tissue stands out, or what BET finds has not the shape of a brain.
    """
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), volume.spacing_mm, GRID_MM)  # type: ignore[arg-type]
    coarse = volume.with_data(grid.coarsen(np.nan_to_num(volume.data, nan=0.0)))
    flat = _flattened(coarse.data, grid.spacing_mm)
    vertices, topology = brain_surface(flat, grid.spacing_mm, fractional_intensity=FRACTIONAL_INTENSITY)
    inside = voxels_inside(vertices / np.asarray(grid.spacing_mm), topology.triangles, flat.shape)
    ml = np.count_nonzero(inside) * float(np.prod(grid.spacing_mm)) / 1000
    if ml < LEAST_ML:
        raise ExtractionError(f"the surface that BET finds holds {ml:.0f} ml; a T1-weighted MR of a head is expected")
    affine = grid.affine(volume.affine)
    found = LabelMap(inside.astype(np.uint8), affine, BRAIN)
    pose = head_pose(Volume(flat, affine), found)
    joined = inside | inside_cranium(pose, affine, inside.shape)
    field = distance_mm(joined, grid.spacing_mm) - distance_mm(~joined, grid.spacing_mm) + np.float32(GROWN_MM)
    mask = grid.threshold_native(field, volume.shape)
    return LabelMap(
        mask.astype(np.uint8),
        volume.affine,
        BRAIN,
        f"brain with room to spare: BET's surface joined with a cranium laid on it, grown by {GROWN_MM:g} mm",
    )


def mr_head_mask(volume: Volume) -> LabelMap:
    """Head and neck: all that is brighter than air, openings closed and filled.

    Parameters
    ----------
    volume : Volume
        Any unit, tissue bright on a dark ground, shape (i, j, k), orthogonal, axes closest to right, anterior,
        superior.

    Raises
    ------
    ExtractionError
        If no tissue stands out, or too little for a head.
    """
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), volume.spacing_mm, GRID_MM)  # type: ignore[arg-type]
    coarse = grid.coarsen(volume.data)
    tissue = largest_component(ndimage.binary_opening(coarse > tissue_threshold(coarse)))
    solid = fill_openings(tissue | close_openings(tissue, grid.spacing_mm))
    ml = np.count_nonzero(solid) * float(np.prod(grid.spacing_mm)) / 1000
    if ml < LEAST_ML:
        raise ExtractionError(f"the largest part brighter than air holds {ml:.0f} ml; an MR of a head is expected")
    mask = grid.threshold_native(solid.astype(np.float32) - np.float32(0.5), volume.shape)
    description = "head and neck: brighter than air, largest part, openings closed and filled"
    return LabelMap(mask.astype(np.uint8), volume.affine, HEAD, description)


def tissue_threshold(data: AnyArray) -> float:
    """A level between air and tissue: a share of Otsu's threshold (doi 10.1109/TSMC.1979.4310076).

    Raises
    ------
    ExtractionError
        If the image is constant.
    """
    finite = np.asarray(data[np.isfinite(data)], dtype=np.float32)
    if finite.size == 0 or finite.max() <= finite.min():
        raise ExtractionError("the image is constant: no head stands out from its background")
    positive = finite[finite > finite.min()]
    return TISSUE_SHARE * _otsu(np.minimum(finite, np.quantile(positive, BRIGHTEST)))


def _otsu(values: FloatImage) -> float:
    counts, edges = np.histogram(values, _BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * centres)
    above = values.size - below
    between = (sums[-1] * below / values.size - sums[:-1]) ** 2 / np.maximum(below * above, 1)
    return float(centres[:-1][between.argmax()])


def _flattened(data: FloatImage, spacing_mm: tuple[float, float, float]) -> FloatImage:
    """The image over the mean of the tissue around every voxel."""
    tissue: BoolArray = data > tissue_threshold(data)
    clipped = np.clip(data, 0, np.quantile(data[tissue], BRIGHTEST))
    width = [SHADING_MM / h for h in spacing_mm]
    total = ndimage.gaussian_filter(np.where(tissue, clipped, 0), width)
    share = ndimage.gaussian_filter(tissue.astype(np.float32), width)
    shading = total / np.maximum(share, 0.01)
    # Far from all tissue there is nothing to divide by.
    flat = clipped / np.maximum(shading, np.quantile(shading[tissue], 0.05))
    return np.asarray(np.clip(flat, 0, BRIGHTEST_FLAT), dtype=np.float32)
