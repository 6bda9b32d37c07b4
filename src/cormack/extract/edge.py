"""The edge of a network's brain at native resolution: at half height where bone is near, else where the network has it.

A network on 2 mm voxels knows which side of the skull a place is on, better than any rule, and where the brain ends
without bone: at the foramen magnum, under a craniectomy. Where bone is near, the image itself shows the edge to a
fraction of a millimetre; it is looked for within a few millimetres of the network's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cormack.core.volume import Volume
from cormack.extract.halfheight import AIR_HU, step_field
from cormack.imaging.workgrid import BoolArray, FloatImage, WorkGrid, component_with, signed_distance_mm
from cormack.nn.grid import WayBack

#: The edge is drawn on voxels of about this size (mm).
FINE_MM = 1.0
#: It lies within this distance of the network's (mm) …
REACH_MM = 3.0
#: … and outside of it within this one where bone is no denser than the first of `DENSE_HU`: beyond it there are orbits.
THIN_REACH_MM = 0.5
#: Thin plates of the skull's base, and the vault, on voxels of 2 mm (HU).
DENSE_HU = (300.0, 600.0)
#: Slices thicker than this (mm) wash the top of bone away, and half of what is left of the step lies too far inside:
#: the edge is drawn so much higher for each mm more, at most at the last share of the step.
WASHED_MM, HIGHER_PER_MM, HIGHEST = 3.5, 0.04, 0.65
#: The stated thickness counts where slices are so many times as thick as far apart: interpolated or overlapping. Below,
#: it may be that of the thickest slices of an uneven stack.
OVERLAPPING = 1.8
#: No slice counts as thicker (mm).
THICKEST_MM = 10.0
#: Bone is looked for along the normal of the network's surface: from so far inside it to so far outside (mm).
NORMAL_MM = (-3.0, 5.0)
#: Below the first, nothing dense lies there; above the second it is bone, thin or blurred (HU of a 2 mm voxel).
BONE_HU = (110.0, 170.0)
#: Tongues thinner than twice so many voxels of about 1 mm are taken off, grooves so narrow are bridged.
TONGUE_STEPS, GROOVE_STEPS = 2, 2
#: Contrast medium is suspected where so much of the depth is brighter than the HU.
CONTRAST_HU, CONTRAST_SHARE = (110.0, 600.0), 0.0005
#: What counts as deep inside (mm).
DEEP_MM = 6.0
#: Within so many voxels of padding, air or the end of the image no bone can be seen: the field of view may end there.
UNSEEN_STEPS = 3


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the network's grid shows around its surface.

    Attributes
    ----------
    depth_mm : array, shape (i, j, k)
        Distance to the network's surface, positive inside.
    bone : array, shape (i, j, k)
        From 0 to 1: how surely bone lies along the normal; known within `REACH_MM` of the surface and a voxel more.
    dense : array, shape (i, j, k)
        From 0 to 1: how thick and dense it is; known where `bone` is.
    surface : bool array
        The outermost layer of voxels inside, but for those where the field of view ends: bone cannot be seen there.
    outward : array, shape (3, voxels of the surface)
        Unit normals along the voxel axes.
    contrast : bool
        Vessels inside are brighter than thin bone.
    """

    depth_mm: FloatImage
    bone: FloatImage
    dense: FloatImage
    surface: BoolArray
    outward: FloatImage
    contrast: bool

    @property
    def bony_share(self) -> float:
        """Share of the surface along which bone lies; 0 if no surface is seen."""
        return float(np.mean(self.bone[self.surface] > 0.5)) if self.surface.any() else 0.0


def look_around(hu: Volume, probability: FloatImage) -> Surroundings:
    """Measure depth and bone around the network's surface.

    Parameters
    ----------
    hu : Volume
        Hounsfield units on the network's grid, shape (i, j, k).
    probability : array, shape (i, j, k)
    """
    spacing = hu.spacing_mm
    inside = probability >= 0.5
    half = float(np.mean(spacing)) / 2
    depth = signed_distance_mm(inside, spacing)
    smooth = ndimage.gaussian_filter(depth, 1.0)
    normal = -np.stack([np.gradient(smooth, h, axis=axis) if smooth.shape[axis] > 1 else np.zeros_like(smooth)
                        for axis, h in enumerate(spacing)])  # fmt: skip
    band = np.abs(depth) <= REACH_MM + 2 * half
    at = np.array(np.nonzero(band), dtype=np.float32)
    outward = normal[:, band] / np.maximum(np.linalg.norm(normal[:, band], axis=0), 1e-6)
    peak = np.full(at.shape[1], -np.inf, dtype=np.float32)
    steps = np.array(spacing, dtype=np.float32)[:, None]
    for t in np.arange(NORMAL_MM[0], NORMAL_MM[1] + 0.1, half):
        seen = at + outward * (depth[band] + t) / steps
        np.maximum(peak, ndimage.map_coordinates(hu.data, seen, np.float32, order=1, mode="nearest"), out=peak)
    bone, dense = (np.zeros(depth.shape, dtype=np.float32) for _ in range(2))
    bone[band], dense[band] = (np.clip((peak - low) / (high - low), 0, 1) for low, high in (BONE_HU, DENSE_HU))
    surface = inside & (depth < 2 * half) & ndimage.binary_erosion(hu.data > hu.outside, iterations=UNSEEN_STEPS)
    deep = hu.data[depth > DEEP_MM]
    bright = (deep > CONTRAST_HU[0]) & (deep < CONTRAST_HU[1])
    contrast = bool(deep.size) and float(np.mean(bright)) > CONTRAST_SHARE
    return Surroundings(depth.astype(np.float32), bone, dense, surface, outward[:, surface[band]], contrast)


def draw_edge(volume: Volume, hu: Volume, probability: FloatImage, around: Surroundings) -> BoolArray:
    """The mask on the native grid.

    Parameters
    ----------
    volume : Volume
        Hounsfield units at native resolution, shape (i, j, k).
    hu, probability, around
        As of `look_around`.

    Returns
    -------
    bool array, shape (i, j, k)
    """
    grid = _fine_grid(volume, hu, around)
    fine = grid.coarsen(volume.data)
    way = WayBack(hu.affine, grid.affine(volume.affine), grid.shape())
    fields = np.stack([probability, around.depth_mm, around.bone, around.dense])
    share, depth, bone, dense = np.stack([plane for _, plane in way.planes(fields)], axis=-1)
    slice_mm = _slice_mm(volume)
    height = min(0.5 + HIGHER_PER_MM * max(slice_mm - WASHED_MM, 0.0), HIGHEST)
    step = step_field(fine, grid.spacing_mm, slice_mm=slice_mm, contrast=around.contrast, share=height)
    field = bone * step + (1 - bone) * (share - 0.5)
    core = depth > REACH_MM
    outward_mm = THIN_REACH_MM + (REACH_MM - THIN_REACH_MM) * dense
    allowed = (depth > -outward_mm) & ~((fine < AIR_HU) & (depth < 0))
    inside = _tidy(field > 0, core, allowed)
    return grid.threshold_native(np.where(inside, np.maximum(field, 0.1), np.minimum(field, -0.1)), volume.shape)


def _slice_mm(volume: Volume) -> float:
    """Thickness of the slices along the last axis: thick ones are thick on closer voxels, too."""
    stated = volume.acquisition.slice_thickness_mm or 0.0
    # In a turned stack slices follow each other along another axis, where voxels are longest.
    closer = stated >= OVERLAPPING * max(volume.spacing_mm)
    return min(stated if closer else volume.spacing_mm[2], THICKEST_MM)


def _fine_grid(volume: Volume, hu: Volume, around: Surroundings) -> WorkGrid:
    """A grid of about 1 mm over all that may lie inside."""
    places = np.argwhere(around.depth_mm > -REACH_MM - max(hu.spacing_mm))
    corners = np.array(np.meshgrid(*np.stack([places.min(axis=0), places.max(axis=0)], axis=1))).reshape(3, -1)
    native = volume.voxel(hu.world(corners.T))
    low = np.clip(np.floor(native.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(native.max(axis=0)) + 1, volume.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return WorkGrid.over(box, volume.spacing_mm, FINE_MM)  # type: ignore[arg-type]


def _tidy(soft: BoolArray, core: BoolArray, allowed: BoolArray) -> BoolArray:
    """What hangs together with the core without thin tongues, grooves bridged and cavities filled."""
    candidates = (soft & allowed) | core
    thick = component_with(ndimage.binary_erosion(candidates, iterations=TONGUE_STEPS, border_value=1) | core, core)
    # A step wider than the opening, so that corners of the voxel grid are not cut off.
    inside = ndimage.binary_dilation(thick, iterations=TONGUE_STEPS + 1, mask=candidates)
    closed = ndimage.binary_closing(np.pad(inside, GROOVE_STEPS, mode="edge"), iterations=GROOVE_STEPS)
    inner = (slice(GROOVE_STEPS, -GROOVE_STEPS),) * 3
    inside = ndimage.binary_fill_holes(inside | (closed[inner] & candidates))
    return np.asarray(inside)
