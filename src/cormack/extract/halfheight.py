"""The surface at half the step from brain to bone, found on a 1 mm grid and drawn on the native one."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.imaging.workgrid import BoolArray, FloatImage, component_with, distance_mm

#: HU of the brain's side of the step.
BRAIN_HU = 30.0
#: Within this distance the greatest HU stands for the inner table (mm).
PEAK_MM = 2.0
#: Where bone is thin or cut obliquely its peak is low: the step never lies below this (HU), nor in contrast below that.
LOWEST_STEP_HU = 130.0
LOWEST_STEP_CONTRAST_HU = 300.0
#: Darker than this is air (HU).
AIR_HU = -200.0
#: Tongues thinner than twice this are not brain but foramina, canals and diploe (mm).
TONGUE_MM = 2.5
#: Grooves narrower than twice this are bridged (mm).
GROOVE_MM = 3.0


def half_height(
    hu: FloatImage,
    potential: FloatImage,
    core: BoolArray,
    forbidden: BoolArray,
    spacing_mm: tuple[float, float, float],
    *,
    slice_mm: float,
    contrast: bool,
) -> FloatImage:
    """A field that is positive inside the skull and crosses zero at half the step from brain to bone.

    Parameters
    ----------
    hu, potential : float arrays, shape (i, j, k)
        Hounsfield units and the potential of the skull's inside on a grid of about 1 mm.
    core : bool array
        Voxels that are inside for sure.
    forbidden : bool array
        Voxels that stay outside: what lies below the foramen magnum.
    slice_mm : float
        Distance of the native slices: bone one slice away is seen from a slice that holds half of it.
    contrast : bool
        Vessels are brighter than thin bone and are inside.
    """
    field = step_field(hu, spacing_mm, slice_mm=slice_mm, contrast=contrast)
    soft = (field > 0) & (potential > 0.4) & (hu > AIR_HU) & ~forbidden
    thick = component_with(distance_mm(soft, spacing_mm) > TONGUE_MM, core)
    # A little wider than the opening, so that corners of the voxel grid are not cut off.
    inside = component_with(soft & (distance_mm(~thick, spacing_mm) <= TONGUE_MM + 0.6), core)
    inside = ndimage.binary_fill_holes(inside)
    closed = distance_mm(distance_mm(~inside, spacing_mm) <= GROOVE_MM, spacing_mm) > GROOVE_MM
    inside |= closed & (field > 0) & ~forbidden
    return np.asarray(np.where(inside, np.maximum(field, 0.1), np.minimum(field, -0.1)), dtype=np.float32)


def step_field(
    hu: FloatImage, spacing_mm: tuple[float, float, float], *, slice_mm: float, contrast: bool, share: float = 0.5
) -> FloatImage:
    """Positive where it is darker than half the step from brain to the bone near by, from -0.5 to 0.5.

    Parameters as of `half_height`; `share` is another part of the step than half of it.
    """
    # Across thick slices an oblique wall is a wide slope: its top is farther away in the plane, too.
    beside, along = max(PEAK_MM, slice_mm / 2), max(PEAK_MM, slice_mm)
    peak = ndimage.grey_dilation(hu, footprint=_ellipsoid((beside, beside, along), spacing_mm))
    step = np.maximum(BRAIN_HU + share * (peak - BRAIN_HU), LOWEST_STEP_CONTRAST_HU if contrast else LOWEST_STEP_HU)
    return np.asarray(np.clip((step - hu) / np.maximum(peak - BRAIN_HU, 200.0), -0.5, 0.5), dtype=np.float32)


def _ellipsoid(radii_mm: tuple[float, float, float], spacing_mm: tuple[float, float, float]) -> BoolArray:
    reach = [int(r / h + 1e-3) for r, h in zip(radii_mm, spacing_mm, strict=True)]
    offsets = np.ogrid[tuple(slice(-n, n + 1) for n in reach)]
    terms = [(o * h / r) ** 2 for o, h, r in zip(offsets, spacing_mm, radii_mm, strict=True)]
    return np.asarray(terms[0] + terms[1] + terms[2] <= 1.001)
