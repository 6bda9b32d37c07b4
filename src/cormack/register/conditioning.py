"""Volumes as engines like them: soft tissue stretched over 0 to 1, background 0, even voxels, table and metal gone.

Most engines were tuned for MR, whose background is 0 and whose range is that of the brain. In Hounsfield units air is
-1000 and bone 1000 and more, so that the brain fills a hundredth of the range: similarity would be that of skulls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import AnyArray, FloatArray, Unit, Volume
from cormack.imaging.blocks import block_mean
from cormack.imaging.units import hu_to_cormack
from cormack.imaging.warp import warp
from cormack.register.engine import BoolArray

FloatImage = npt.NDArray[np.float32]
Values = Literal["window", "cormack"]

#: Soft tissue is stretched over this range: below it air and fat are 0, above it bone, calcium, metal and most contrast
#: medium are 1 (HU).
SOFT_TISSUE_HU = (-50.0, 110.0)
#: In Cormack units the whole range up to dense bone counts, soft tissue taking half of it (HU).
CORMACK_RANGE_HU = (-1000.0, 1000.0)
#: Volumes without units reach from 0 to this percentile of their foreground.
BRIGHT_PERCENT = 99.5
#: Fewer voxels than this along an axis are no volume to be registered.
LEAST_VOXELS = 4
#: Voxels longer than this multiple of their shortest edge tell too little along that edge.
MOST_ANISOTROPY = 20.0
#: Foreground is sought on voxels of about this size (mm) and brighter than this (0 to 1).
FOREGROUND_MM, FOREGROUND_LEVEL = 4.0, 0.06
#: Kept around the foreground (mm).
MARGIN_MM = 12.0


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A volume ready for an engine.

    Attributes
    ----------
    volume : Volume
        float32, 0 (background) to 1, orthogonal even grid over the foreground and a margin.
    foreground : bool array, shape of the volume
        Head, brain or whatever the mask held.
    counted : bool array, shape of the volume, or None
        False where similarity must not look (lesions); None if it may look everywhere.
    """

    volume: Volume
    foreground: BoolArray
    counted: BoolArray | None = None

    @property
    def centre_mm(self) -> FloatArray:
        """Centre of mass of the foreground, RAS+ mm, shape (3,)."""
        return self.volume.world(ndimage.center_of_mass(self.foreground))


def check(volume: Volume, mask: LabelMap | None, name: str) -> None:
    """Refuse what cannot be registered, before time is spent; `name` is "moving" or "fixed".

    Raises
    ------
    GeometryError
        If the volume is flat, its voxels are too long, or the mask lies on another grid.
    InputError
        If the volume is constant or the mask empty.
    """
    if min(volume.shape) < LEAST_VOXELS:
        size = " x ".join(str(n) for n in volume.shape)
        raise GeometryError(
            f"the {name} volume is {size}; registration needs at least {LEAST_VOXELS} voxels along each axis"
        )
    ratio = max(volume.spacing_mm) / min(volume.spacing_mm)
    if ratio > MOST_ANISOTROPY * (1 + 1e-6):
        raise GeometryError(
            f"the voxels of the {name} volume are {ratio:.0f} times as long as wide; at most {MOST_ANISOTROPY:.0f} "
            "times can be registered: resample it to larger pixels first (--spacing)"
        )
    if mask is not None:
        if not mask.on_grid_of(volume):
            raise GeometryError(
                f"the {name} mask (shape {mask.data.shape}) is not on the grid of its volume (shape {volume.shape}): "
                "reslice it first"
            )
        if not mask.data.any():
            raise InputError(f"the {name} mask is empty; leave it out, or give one that holds the head or the brain")
    values = volume.data if mask is None else volume.data[mask.data > 0]
    low, high = np.nanmin(values), np.nanmax(values)
    if not high > low:
        raise InputError(f"the {name} volume holds one value only ({low:g}); there is nothing to register by")


def condition(
    volume: Volume,
    *,
    mask: LabelMap | None = None,
    lesions: LabelMap | None = None,
    spacing_mm: float = 2.0,
    values: Values = "window",
) -> Conditioned:
    """Stretch, blank and resample a volume for registration.

    Parameters
    ----------
    volume : Volume
        Any grid; HU, Cormack units, or numbers without unit whose background is low (MR).
    mask : LabelMap, optional
        On the grid of the volume: everything outside becomes background. Without it, what is not connected with the
        largest bright part does (table, pillow).
    lesions : LabelMap, optional
        On the grid of the volume: what similarity must not look at (cost-function masking, Brett et al. 2001,
        doi 10.1006/nimg.2001.0845).
    spacing_mm : float
        Edge of the voxels that the engine sees.
    values : "window" or "cormack"
        What a volume in HU is stretched by: the window of soft tissue, or Cormack units from air to dense bone.

    Raises
    ------
    InputError
        If nothing but background is left.
    """
    low, high = _range(volume, mask, values)
    clipped = _clipped(volume, values, low, high)
    if mask is not None:
        clipped = np.where(mask.data > 0, clipped, clipped.dtype.type(low))
    a, b, c = (max(1, int(spacing_mm / s + 0.05)) for s in volume.spacing_mm)
    factors = (a, b, c)
    pooled = (block_mean(clipped, factors) - np.float32(low)) / np.float32(high - low)
    coarse = Volume(pooled, _pooled_affine(volume.affine, factors), unit=Unit.ARBITRARY, outside=0.0)
    front = foreground(coarse) if mask is None else block_mean((mask.data > 0).astype(np.uint8), factors) >= 0.5
    if not front.any():
        raise InputError("nothing but background in the volume (or its mask); check the units: HU are expected of a CT")
    if mask is None:
        around = ndimage.distance_transform_edt(~front, sampling=coarse.spacing_mm) > MARGIN_MM
        coarse = coarse.with_data(np.where(around, np.float32(0), pooled))
    ready = _resampled(coarse, front, spacing_mm)
    return ready if lesions is None else replace(ready, counted=~_touched(lesions, ready.volume))


def _touched(labels: LabelMap, grid: Volume) -> BoolArray:
    """Voxels of a grid of which some part is labelled."""
    share = Volume((labels.data > 0).astype(np.float32), labels.affine, unit=Unit.PROBABILITY, outside=0.0)
    return np.asarray(warp(share, Affine.identity(), grid.affine, grid.shape).data > 0.05)


def _range(volume: Volume, mask: LabelMap | None, values: Values) -> tuple[float, float]:
    """The values that become 0 and 1."""
    hu = SOFT_TISSUE_HU if values == "window" else CORMACK_RANGE_HU
    if volume.unit is Unit.CORMACK or (volume.unit is Unit.HU and values == "cormack"):
        return float(hu_to_cormack(hu[0])), float(hu_to_cormack(hu[1]))
    if volume.unit is Unit.HU:
        return hu
    if volume.unit is Unit.SHIFTED_HU:
        return hu[0] + 1025, hu[1] + 1025
    inside = volume.data if mask is None else volume.data[mask.data > 0]
    inside = inside[np.isfinite(inside)]
    low = min(0.0, float(inside.min()))
    bright = inside[inside > low + 0.1 * (float(np.percentile(inside, BRIGHT_PERCENT)) - low)]
    return low, float(np.percentile(bright, BRIGHT_PERCENT)) if bright.size else float(inside.max())


def _clipped(volume: Volume, values: Values, low: float, high: float) -> AnyArray:
    data: AnyArray = volume.data
    if volume.unit is Unit.HU and values == "cormack":
        data = hu_to_cormack(data)
    if data.dtype.kind in "iu" and np.iinfo(data.dtype).min <= low and high <= np.iinfo(data.dtype).max:
        return np.asarray(np.clip(data, int(low), int(np.ceil(high))))
    return np.clip(np.nan_to_num(data.astype(np.float32), nan=low), low, high)


def _pooled_affine(affine: FloatArray, factors: tuple[int, ...]) -> FloatArray:
    pooled = affine.copy()
    pooled[:3, :3] = affine[:3, :3] * factors
    pooled[:3, 3] += affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    return pooled


def foreground(volume: Volume) -> BoolArray:
    """The largest bright part of a conditioned volume, thin connections cut and holes filled; shape of the volume."""
    step = tuple(max(1, round(FOREGROUND_MM / s)) for s in volume.spacing_mm)
    bright = volume.data[:: step[0], :: step[1], :: step[2]] > FOREGROUND_LEVEL
    labels, n = ndimage.label(ndimage.binary_opening(bright))
    if n:
        core = labels == np.bincount(labels.ravel())[1:].argmax() + 1
        bright = ndimage.binary_fill_holes(ndimage.binary_dilation(core, mask=bright))
    whole = bright.repeat(step[0], 0).repeat(step[1], 1).repeat(step[2], 2)
    i, j, k = volume.shape
    return np.asarray(whole[:i, :j, :k])


def _resampled(coarse: Volume, front: BoolArray, spacing_mm: float) -> Conditioned:
    """On even voxels over the foreground and a margin, within the volume."""
    affine, shape = working_grid(coarse, front, spacing_mm)
    if shape == coarse.shape and np.allclose(affine, coarse.affine, atol=1e-3):
        return Conditioned(coarse, front)
    identity = Affine.identity()
    share = coarse.with_data(front.astype(np.float32))
    return Conditioned(
        warp(coarse, identity, affine, shape), np.asarray(warp(share, identity, affine, shape).data >= 0.5)
    )


def working_grid(coarse: Volume, front: BoolArray, spacing_mm: float) -> tuple[FloatArray, tuple[int, int, int]]:
    """Even voxels along the axes of the volume (of the world, if it is sheared), over the foreground with a margin."""
    axes = coarse.affine[:3, :3] / coarse.spacing_mm if coarse.is_orthogonal else np.eye(3)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in coarse.shape])).reshape(3, -1).T
    extent = coarse.world(corners) @ np.linalg.inv(axes).T
    filled = coarse.world(np.argwhere(front)) @ np.linalg.inv(axes).T
    low = np.maximum(extent.min(axis=0), filled.min(axis=0) - MARGIN_MM)
    high = np.minimum(extent.max(axis=0), filled.max(axis=0) + MARGIN_MM)
    if np.allclose(coarse.spacing_mm, spacing_mm, rtol=0.05) and coarse.is_orthogonal:
        # Voxels that are right already are kept, not resampled: only the grid is cut.
        steps = np.array(coarse.spacing_mm)
        low = extent.min(axis=0) + np.floor((low - extent.min(axis=0)) / steps + 1e-6) * steps
    else:
        steps = np.full(3, spacing_mm)
    count = np.maximum(np.ceil((high - low) / steps - 1e-6).astype(int), LEAST_VOXELS)
    affine = np.eye(4)
    affine[:3, :3] = axes * steps
    affine[:3, 3] = axes @ (low + steps / 2)
    i, j, k = (int(n) for n in count)
    return affine, (i, j, k)
