"""The head, told from table, pillow and headrest."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.core.labels import HEAD, LabelMap
from cormack.core.volume import Volume
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid, distance_mm, largest_component

#: Skin and what lies within is brighter than this on the native grid, cushions and air are darker (HU).
TISSUE_HU = -100.0
#: The same on coarse voxels, which hold a share of air at the skin (HU).
COARSE_TISSUE_HU = -250.0
#: Spacing at which the head is told from its surroundings (mm).
COARSE_MM = 2.5
#: Thinner than twice this are tables, headrests, tubes, ears (mm).
THIN_MM = 6.0
#: Thin parts longer than this are the scanner's; shorter ones are ears and a nose's tip (mm).
LONGEST_PART_MM = 90.0
#: A short thin part of which less than this share is tissue is a fold of the pillow, no ear (ears: 0.6 and more).
SOLID_SHARE = 0.3
#: Openings of the nose, mouth and ears are closed up to twice this width (mm).
OPENING_MM = 6.0
#: Native voxels decide within this of the coarse surface (mm): outside it, and inside it.
BAND_MM = (3.0, 1.5)
#: Less than this is no head (ml).
LEAST_ML = 100.0


def head_mask(volume: Volume) -> LabelMap:
    """Head and neck with skull, sinuses and airways; no table, pillow or headrest.

    The largest connected part of the range of soft tissue (−100 to 300 HU), holes filled, so that bone and air inside
    belong to it. Table and headrest that touch the head are taken off as thin, long parts.

    Parameters
    ----------
    volume : Volume
        Rectified head CT in Hounsfield units, shape (i, j, k), axes closest to right, anterior, superior.

    Returns
    -------
    LabelMap
        Label 1, the head, on the grid of the volume.

    Raises
    ------
    ExtractionError
        If nothing as large as a head is brighter than air.

    Examples
    --------
    >>> import numpy as np
    >>> data = np.full((60, 60, 60), -1000, np.int16)
    >>> data[10:50, 10:50, 10:50] = 40
    >>> round(head_mask(Volume(data, np.diag([3.0, 3.0, 3.0, 1.0]))).volume_ml(), -2)
    1700.0
    """
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), volume.spacing_mm, COARSE_MM)  # type: ignore[arg-type]
    solid = _solid(grid.coarsen(volume.data), grid.spacing_mm)
    ml = np.count_nonzero(solid) * float(np.prod(grid.spacing_mm)) / 1000.0
    if ml < LEAST_ML:
        raise ExtractionError(
            f"the largest part brighter than {TISSUE_HU:.0f} HU holds {ml:.0f} ml; a head CT in HU is expected"
        )
    mask = _on_native(volume, grid, solid)
    description = "head and neck: soft tissue from -100 HU, largest part, filled (bone and air inside belong to it)"
    return LabelMap(mask.astype(np.uint8), volume.affine, HEAD, description)


def _solid(hu: FloatImage, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """The head on the coarse grid."""
    tissue = hu > COARSE_TISSUE_HU
    filled = fill_openings(tissue)
    trunk = distance_mm(filled, spacing_mm) > THIN_MM
    opened = distance_mm(~largest_component(trunk), spacing_mm) <= THIN_MM
    near = distance_mm(~opened, spacing_mm)
    head = opened & filled
    parts, _ = ndimage.label(filled & ~opened)
    for label, box in enumerate(ndimage.find_objects(parts), start=1):
        extent = max((s.stop - s.start) * h for s, h in zip(box, spacing_mm, strict=True))
        part = parts[box] == label
        if extent >= LONGEST_PART_MM:
            # A long part may be a table, or all of the skin's bumps joined: what hugs the head stays.
            part &= near[box] < spacing_mm[0]
        elif np.mean(hu[box][part] > TISSUE_HU) < SOLID_SHARE:
            continue
        head[box] |= part & (near[box].min() < 2 * max(spacing_mm))
    head = largest_component(head)
    closed = close_openings(head, spacing_mm)
    return fill_openings(head | (closed & fill_openings(closed | head)))


def close_openings(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Openings closed; the field of view's border is no wall, so that nothing grows between the mask and it."""
    margin = [(int(np.ceil(OPENING_MM / step)) + 1,) * 2 for step in spacing_mm]
    padded = np.pad(mask, margin)
    closed = distance_mm(distance_mm(~padded, spacing_mm) <= OPENING_MM, spacing_mm) > OPENING_MM
    return np.asarray(closed[tuple(slice(low, n - high) for (low, high), n in zip(margin, closed.shape, strict=True))])


def fill_openings(mask: BoolArray) -> BoolArray:
    """Holes filled in three dimensions and in each axial slice: airways are open below, seldom in a slice."""
    filled = ndimage.binary_fill_holes(mask)
    for k in range(filled.shape[2]):
        filled[:, :, k] = ndimage.binary_fill_holes(filled[:, :, k])
    return np.asarray(filled)


def _on_native(volume: Volume, grid: WorkGrid, solid: BoolArray) -> BoolArray:
    """The coarse head with its surface placed by the native voxels."""
    depth = distance_mm(solid, grid.spacing_mm) - distance_mm(~solid, grid.spacing_mm)
    mask = np.zeros(volume.shape, dtype=bool, order="F")
    for k, plane in grid.native_planes(depth):
        mask[:, :, k] = (plane > BAND_MM[1]) | ((plane > -BAND_MM[0]) & (volume.data[:, :, k] > TISSUE_HU))
    return mask
