"""Another brain in the head of a whole-head model: there are more labelled brains than labelled heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import Anatomy, BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.skull import Foramen, find_foramen, intracranial
from cormack.physics.synthesis.smooth import signed

#: Between the foramen and this height above it, the brainstem is sheared into the canal of the host (mm).
STEM_MM = 45.0
#: The host's tissues move along with the inner table up to so far outside of it, less and less beyond (mm).
WITH_TABLE_MM, FADE_MM = 6.0, 30.0
#: How often a voxel's place in the host is looked for anew, and the width that places are smoothed by (mm).
STEPS, SMOOTH_MM = 4, 3.0
#: Places are looked for in every so many voxels.
COARSE = 2
#: Dura below the inner table (mm).
DURA_MM = 1.0
#: What a guest's tissues are among the classes of BrainWeb.
AS_BRAINWEB = {Tissue.CORD: Tissue.WHITE, Tissue.VEIN: Tissue.VESSEL, Tissue.CALCIFICATION: Tissue.CSF}
#: Classes of the host's brain, which lies nowhere outside of the guest's intracranial space.
HOST_BRAIN = (Tissue.CSF, Tissue.GRAY, Tissue.WHITE)


def transplanted(host: LabelMap, guest: Anatomy) -> LabelMap:
    """A whole-head model with the intracranial space of another anatomy, whose size is made to fit.

    The guest is scaled along the axes to the box of the host's intracranial space above the foramen magnum; what lies
    outside of that space moves along the normals of its surface, so that inner table meets inner table.

    Parameters
    ----------
    host : LabelMap
        A BrainWeb model at 1 mm, RAS+ axes (`files.minc.read_brainweb`), shape (i, j, k).
    guest : Anatomy
        Voxels of 1 mm, RAS+ axes; its targets, whatever their values, fill its intracranial space.

    Returns
    -------
    LabelMap
        On the host's grid, with classes of BrainWeb.
    """
    codes = np.ascontiguousarray(host.data, dtype=np.uint8)
    space = intracranial(codes)
    foramen = find_foramen(space)
    tissues, inside = _fitted(guest, space, foramen)
    depth = signed(inside)
    result = _moved(codes, signed(space), depth)
    result[~inside & (depth > -WITH_TABLE_MM) & np.isin(result, HOST_BRAIN)] = Tissue.BONE
    result[inside] = tissues[inside]
    result[inside & (depth < DURA_MM)] = Tissue.DURA
    # The canal is the host's.
    result[:, :, : foramen.k] = np.where(space | ~inside, codes, result)[:, :, : foramen.k]
    return replace(host, data=result)


def _box(space: BoolArray, foramen: Foramen) -> FloatArray:
    """First and last voxel along i and j above the foramen, and along k from it to the vertex, shape (3, 2)."""
    above = space[:, :, foramen.k :]
    ends = [np.flatnonzero(above.any(axis=tuple(a for a in range(3) if a != axis)))[[0, -1]] for axis in range(3)]
    return np.asarray(np.array(ends, dtype=np.float64) + np.array([[0], [0], [foramen.k]]))


def _fitted(guest: Anatomy, space: BoolArray, foramen: Foramen) -> tuple[Codes, BoolArray]:
    """The guest's tissues as classes of BrainWeb and its intracranial space, on the host's grid."""
    own = guest.targets > 0
    place = find_foramen(own)
    ours, theirs = _box(own, place), _box(space, foramen)
    scale = (ours[:, 1] - ours[:, 0]) / (theirs[:, 1] - theirs[:, 0])
    i, j, k = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in space.shape), indexing="ij", sparse=True)
    x, y, z = (ours[axis, 0] + scale[axis] * (places - theirs[axis, 0]) for axis, places in enumerate((i, j, k)))
    missed = place.j - (ours[1, 0] + scale[1] * (foramen.j - theirs[1, 0]))
    y = y + missed * np.clip(1 - (k - foramen.k) / STEM_MM, 0, 1)
    places = np.stack(np.broadcast_arrays(x, y, z)).astype(np.float32)
    share = ndimage.map_coordinates(own.astype(np.float32), places, order=1)
    inside = np.where(k >= foramen.k, share > 0.5, space)
    table = np.arange(256, dtype=np.uint8)
    for tissue, brainweb in AS_BRAINWEB.items():
        table[tissue] = brainweb
    # Where the label next to a voxel is bone, fluid is the nearest that fits.
    tissues = table[ndimage.map_coordinates(guest.tissues, places, order=0)]
    outer = ndimage.map_coordinates(own.astype(np.uint8), places, order=0) == 0
    tissues[outer] = Tissue.CSF
    return tissues, inside


def _moved(codes: Codes, host_mm: FloatImage, guest_mm: FloatImage) -> Codes:
    """The host's tissues where the guest's depth below the inner table is the host's."""
    shift_mm = _shifts(host_mm[::COARSE, ::COARSE, ::COARSE], guest_mm[::COARSE, ::COARSE, ::COARSE])
    i, j, k = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in codes.shape), indexing="ij", sparse=True)
    coarse = np.stack(np.broadcast_arrays(i, j, k)) / np.float32(COARSE)
    places = [
        along + ndimage.map_coordinates(shift, coarse, order=1, mode="nearest")
        for along, shift in zip((i, j, k), shift_mm, strict=True)
    ]
    return np.asarray(ndimage.map_coordinates(codes, places, order=0, mode="nearest"), dtype=np.uint8)


def _shifts(host_mm: FloatImage, guest_mm: FloatImage) -> FloatImage:
    """From every voxel to the host's that takes its place (mm), shape (3, i, j, k); voxels of `COARSE` mm."""
    width = SMOOTH_MM / COARSE
    share = np.clip(1 - (-guest_mm - WITH_TABLE_MM) / FADE_MM, 0, 1).astype(np.float32)
    inwards = np.stack(np.gradient(ndimage.gaussian_filter(host_mm, width)))
    inwards /= np.maximum(np.sqrt((inwards**2).sum(axis=0)), 0.3 * COARSE)
    grid = np.indices(host_mm.shape, dtype=np.float32)
    shift = np.zeros_like(grid)
    for _ in range(STEPS):
        places = grid + shift / COARSE
        missing = share * (guest_mm - ndimage.map_coordinates(host_mm, places, order=1, mode="nearest"))
        for axis in range(3):
            along = ndimage.map_coordinates(inwards[axis], places, order=1, mode="nearest")
            shift[axis] = ndimage.gaussian_filter(shift[axis] + missing * along, width)
    return shift
