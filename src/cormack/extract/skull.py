"""Method `skull`: the space inside the skull, closed where the skull has holes.

On 2 mm voxels the brain's core is found by opening with large balls, and the skull is closed by a potential between
core and outside (`potential`); the foramen magnum's plane ends the space below (`foramen`); on 1 mm voxels the surface
is moved to half the step from brain to bone (`halfheight`) and drawn from there on the native grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.extract.foramen import ForamenPlane, foramen_plane
from cormack.extract.halfheight import half_height
from cormack.extract.hull import bone_hull, enclosed_fraction
from cormack.extract.potential import potential, resistance
from cormack.imaging.workgrid import (
    BoolArray,
    FloatImage,
    WorkGrid,
    bounding_box,
    component_with,
    distance_mm,
    largest_component,
)

#: What the mask's surface follows.
SURFACE = (
    "intracranial space: all inside the inner table down to the plane of the foramen magnum; "
    "surface at half the step from brain to bone"
)

#: Voxels above this are bone (HU): above clotted blood and noise, below the thinnest vault.
BONE_HU = 200.0
#: A coarse voxel is bone if this share of its native voxels is.
BONE_SHARE = 0.25
#: The hull takes in bone that is thin or blurred, too (HU of a coarse voxel).
HULL_HU = 110.0
#: A coarse voxel of bone that is thinner than it, or blurred, is still brighter than this (HU).
BLURRED_BONE_HU = 150.0
#: Spacing at which sides are told apart, and at which the surface is placed (mm).
COARSE_MM, FINE_MM = 2.0, 1.0
#: A ball of the first radius fits into the skull but through none of its holes; one of the second fits into all lobes.
LARGE_BALL_MM, SMALL_BALL_MM = 20.0, 10.0
#: The small ball's opening is trusted this far from the large ball's (mm).
REACH_MM = 12.0
#: Fat and air are outside unless in a groove of the core narrower than twice this (mm).
GROOVE_MM = 12.0
#: Nothing lies inside that is farther than this from the core (mm).
FARTHEST_MM = 25.0
#: Darker than this is fat or air (HU).
FAT_HU = -40.0
#: Share of lines of sight from the core that must end on bone.
ENCLOSED_SHARE = 0.4
#: So much of the surface must lie this near to bone (mm); a head with a large craniectomy has 0.87, a chest 0.47.
BONY_SHARE, AT_BONE_MM = 0.7, 3.0
#: Contrast medium is suspected where so much of the core is brighter than the HU.
CONTRAST_HU, CONTRAST_SHARE = 110.0, 0.002
#: A head's skull leaves room for more than this (ml), even in a scan that shows a part of it.
LEAST_ML = 50.0


@dataclass(frozen=True, eq=False)
class Inside:
    """What the coarse grid knows: potential, core, the foramen's plane and whether vessels hold contrast."""

    grid: WorkGrid
    potential: FloatImage
    core: BoolArray
    foramen: ForamenPlane | None
    contrast: bool


def skull_mask(volume: Volume, head: LabelMap | None = None) -> BoolArray:
    """The intracranial space of a rectified head CT.

    Parameters
    ----------
    volume : Volume
        Hounsfield units, shape (i, j, k), axes closest to right, anterior, superior.
    head : LabelMap, optional
        The head on the same grid; without it the skull itself tells where the head is.

    Returns
    -------
    bool array, shape (i, j, k)

    Raises
    ------
    ExtractionError
        If there is no skull, or no space inside it.
    """
    box = _skull_box(volume, head)
    inside = find_inside(volume, box, head)
    mask = _place_surface(volume, inside)
    if np.count_nonzero(mask) * volume.voxel_volume_ml < LEAST_ML:
        raise ExtractionError(
            f"less than {LEAST_ML:.0f} ml lie inside the skull; check that the scan is a CT that shows the head"
        )
    return mask


def find_inside(volume: Volume, box: tuple[slice, slice, slice], head: LabelMap | None = None) -> Inside:
    """Tell inside from outside on the coarse grid; arguments and errors as `skull_mask`."""
    spacing = volume.spacing_mm
    grid = WorkGrid.over(box, spacing, COARSE_MM)
    hu = grid.coarsen(volume.data)
    bone = grid.coarsen(volume.data, lambda slab: (slab > BONE_HU).astype(np.float32)) > BONE_SHARE
    if head is not None:
        bone &= grid.coarsen(head.data, lambda slab: (slab > 0).astype(np.float32)) > 0
    hull = bone_hull(bone | (hu > HULL_HU), grid.spacing_mm)
    core = _core(hu, bone | (hu > BLURRED_BONE_HU), hull, grid.spacing_mm)
    from_core = distance_mm(~core, grid.spacing_mm)
    filled_core = distance_mm(from_core < GROOVE_MM, grid.spacing_mm) > GROOVE_MM
    outside = ((hu < FAT_HU) & ~filled_core) | (from_core > FARTHEST_MM) | ~hull
    field = potential(grid.coarsen(volume.data, resistance), core, outside & ~core, grid.spacing_mm)
    axes = tuple(grid.centres_mm(a, spacing[a]) for a in range(3))
    midline = float(np.median(axes[0][np.nonzero(core)[0]]))
    plane = foramen_plane((field > 0.5) & (hu > -50) & (hu < BONE_HU), axes, midline)  # type: ignore[arg-type]
    _check_enclosed(field > 0.5, bone | (hu > BLURRED_BONE_HU), grid.spacing_mm)
    # Vessels are told from bone by where they are: deep in the core.
    deep = hu[distance_mm(core, grid.spacing_mm) > 3]
    contrast = bool(deep.size) and float(np.mean((deep > CONTRAST_HU) & (deep < 600))) > CONTRAST_SHARE
    return Inside(grid, field, core, plane, contrast)


def _skull_box(volume: Volume, head: LabelMap | None) -> tuple[slice, slice, slice]:
    """The part of the volume that holds the skull, found on a 4 mm grid."""
    spacing = volume.spacing_mm
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), spacing, 2 * COARSE_MM)  # type: ignore[arg-type]
    bone = grid.coarsen(volume.data) > HULL_HU
    if head is not None:
        bone &= grid.coarsen(head.data, lambda slab: (slab > 0).astype(np.float32)) > 0.5
    if not bone.any():
        raise ExtractionError(
            f"no bone above {HULL_HU:.0f} HU in the volume; a head CT in Hounsfield units with its skull is expected"
        )
    around = bounding_box(largest_component(bone), tuple(int(10 / h) + 1 for h in grid.spacing_mm))  # type: ignore[arg-type]
    return tuple(  # type: ignore[return-value]
        slice(int(s.start * p / q), min(n, -(-s.stop * p // q)))
        for s, p, q, n in zip(around, grid.pool, grid.split, volume.shape, strict=True)
    )


def _core(hu: FloatImage, bone: BoolArray, hull: BoolArray, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Voxels that are inside for sure: what balls reach that pass through no foramen."""
    depth = distance_mm(~bone & hull & (hu > -150), spacing_mm)
    labels, n = ndimage.label(depth > LARGE_BALL_MM)
    best, score = 0, 0.0
    for label in range(1, n + 1):
        deepest = np.unravel_index(np.argmax(np.where(labels == label, depth, 0)), depth.shape)
        enclosed = enclosed_fraction(bone, deepest, spacing_mm)
        size = float(np.count_nonzero(labels == label))
        if enclosed >= ENCLOSED_SHARE and enclosed * size ** (1 / 3) > score:
            best, score = label, enclosed * size ** (1 / 3)
    if best == 0:
        raise ExtractionError(
            "no space as large as a brain is enclosed by bone; a head CT that shows the skull is expected"
        )
    seed = labels == best
    large = distance_mm(~seed, spacing_mm) < LARGE_BALL_MM
    small = (depth > SMALL_BALL_MM) & (distance_mm(~large, spacing_mm) < REACH_MM)
    return distance_mm(~component_with(small, seed), spacing_mm) < SMALL_BALL_MM


def _check_enclosed(inside: BoolArray, bone: BoolArray, spacing_mm: tuple[float, float, float]) -> None:
    """Refuse a space that bone does not surround: soft tissue between vertebrae, ribs or jaws."""
    surface = inside & ~ndimage.binary_erosion(inside, border_value=1)
    share = float(np.mean(distance_mm(~bone, spacing_mm)[surface] <= AT_BONE_MM)) if surface.any() else 0.0
    if share < BONY_SHARE:
        raise ExtractionError(
            f"only {share:.0%} of the largest enclosed space borders on bone, less than {BONY_SHARE:.0%}; "
            "check that the scan shows a head with its skull"
        )


def _place_surface(volume: Volume, inside: Inside) -> BoolArray:
    """The mask on the native grid."""
    coarse = inside.grid
    around = bounding_box(inside.potential > 0.5, tuple(int(6 / h) + 1 for h in coarse.spacing_mm))  # type: ignore[arg-type]
    box = tuple(
        slice(int(b.start + s.start * p / q), min(b.stop, b.start - (-s.stop * p // q)))
        for b, s, p, q in zip(coarse.box, around, coarse.pool, coarse.split, strict=True)
    )
    grid = WorkGrid.over(box, volume.spacing_mm, FINE_MM)  # type: ignore[arg-type]
    hu = grid.coarsen(volume.data)
    axes = tuple(grid.centres_mm(a, volume.spacing_mm[a]) for a in range(3))
    below = np.zeros(hu.shape, dtype=bool) if inside.foramen is None else inside.foramen.below(axes)  # type: ignore[arg-type]
    field = half_height(
        hu,
        coarse.onto(inside.potential, grid),
        coarse.onto(inside.core.astype(np.float32), grid) > 0.5,
        below,
        grid.spacing_mm,
        slice_mm=min(volume.spacing_mm[2], 10.0),
        contrast=inside.contrast,
    )
    return grid.threshold_native(field, volume.shape)
