"""N4 bias field correction of MR by ANTs; it lives here because ANTs does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.filters import finite
from cormack.register.ants_engine import ants_image, load_ants

#: Knots of the field lie about this far apart (mm), as in the paper's experiments on heads.
KNOT_MM = 200.0
#: The field is so smooth that it is fitted on voxels of about this size (mm).
FITTED_MM = 4.0
ROUNDS, TOLERANCE = (50, 50, 50, 50), 1e-6
#: N4 works on logarithms: values are shifted so that the smallest within the mask becomes this share of the range.
_FLOOR_SHARE = 0.01


def n4(volume: Volume, mask: npt.NDArray[np.bool_]) -> tuple[Volume, Volume]:
    """Take the slow shading out of an MR volume (Tustison et al. 2010, doi 10.1109/TMI.2010.2046908).

    Not for CT, where Hounsfield units are calibrated and a slow change (cupping, beam hardening) is additive in HU:
    dividing by a field would change every tissue by its distance from −1000 HU. It can be asked for all the same; then
    values are shifted to be positive, divided, and shifted back.

    The field differs a little from run to run, even on one thread.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), orthogonal.
    mask : bool array, shape (i, j, k)
        Head or brain: the field is fitted there. It is divided out everywhere.

    Returns
    -------
    corrected : Volume
        float32; the mean within the mask is kept.
    field : Volume
        The factor that was divided out, 1 on average within the mask.

    Raises
    ------
    InputError
        If the mask is empty or all values in it are the same.
    GeometryError
        If the mask lies on another grid, or the grid is sheared.
    DependencyError
        If antspyx is missing.
    """
    if mask.shape != volume.shape:
        raise GeometryError(f"the mask has the shape {mask.shape}, the volume {volume.shape}; give one on its grid")
    if not volume.is_orthogonal:
        raise GeometryError("the voxel axes are not at right angles (a tilted stack); rectify the volume first")
    data, measured = finite(volume)
    inside = data[mask]
    if inside.size == 0 or inside.min() == inside.max():
        raise InputError("N4 needs a mask that holds voxels of different values")
    shift = np.float32(max(0.0, _FLOOR_SHARE * float(np.ptp(inside)) - float(inside.min())))
    shifted = np.maximum(data.astype(np.float32) + shift, np.float32(_FLOOR_SHARE * float(np.ptp(inside))))
    field = _field(shifted, mask, volume)
    field /= field[mask].mean()
    corrected = (data.astype(np.float32) + shift) / field
    corrected *= np.float32((inside.mean(dtype=np.float64) + shift) / corrected[mask].mean(dtype=np.float64))
    corrected -= shift
    if measured is not None:
        corrected[~measured] = np.nan
    return volume.with_data(corrected), volume.with_data(field, outside=1.0)


def _field(shifted: AnyArray, mask: npt.NDArray[np.bool_], volume: Volume) -> npt.NDArray[np.float32]:
    """The factor at every voxel, as ANTs fits it within the mask."""
    ants: Any = load_ants()
    extent = [n * step for n, step in zip(volume.shape, volume.spacing_mm, strict=True)]
    knots = [max(1, round(length / KNOT_MM)) for length in extent]
    shrink = max(1, round(FITTED_MM / max(volume.spacing_mm)))
    image = ants_image(ants, shifted, volume.affine)
    found = ants.n4_bias_field_correction(
        image,
        mask=ants_image(ants, mask, volume.affine),
        shrink_factor=shrink,
        convergence={"iters": list(ROUNDS), "tol": TOLERANCE},
        spline_param=knots,
        return_bias_field=True,
    )
    return np.asarray(found.numpy(), dtype=np.float32)
