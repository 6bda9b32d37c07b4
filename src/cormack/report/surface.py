"""A shaded picture of a head's surface: a depth map seen from afar, lit from the viewer's side (Lambert's law)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray, FloatArray, Volume

GreyImage = npt.NDArray[np.uint8]

#: Pixels of a picture, and steps along the line of sight (mm).
PIXEL_MM = 1.0
#: The surface is smoothed by a Gaussian of this width before it is shaded (mm): noise casts shadows.
SMOOTHING_MM = 0.8
#: Half the side of the picture (mm): a head with its neck fits.
HALF_SIDE_MM = 128.0
#: Direction of the light relative to the viewer: from above the viewer's left shoulder.
LIGHT = (-0.35, 0.45, 0.82)
#: Grey of what is not lit, and of the background.
AMBIENT, BACKGROUND = 0.16, 0


@dataclass(frozen=True)
class View:
    """From where a head is looked at: `azimuth_deg` 0 from the front, 90 from the head's left, in RAS+ mm."""

    name: str
    azimuth_deg: float
    elevation_deg: float = 0.0


#: What the reports show.
VIEWS = (View("front", 0.0), View("oblique", 42.0), View("side", 90.0))


def render_surface(
    volume: Volume, level: float, view: View, *, centre_mm: npt.ArrayLike, axes: FloatArray | None = None
) -> GreyImage:
    """The surface at one level as a shaded picture, orthographic.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), any affine; values above `level` are solid, what lies outside is not.
    level : float
        In the unit of the volume.
    view : View
    centre_mm : three floats
        RAS+ millimetres of the picture's middle.
    axes : array, shape (3, 3), optional
        The head's own right, anterior and superior as columns, unit vectors in RAS+; those of the scan by default.

    Returns
    -------
    uint8 array, shape (rows, columns)
        From top to bottom; the patient's right is on the left when seen from the front.
    """
    right, up, towards = _frame(view, np.eye(3) if axes is None else np.asarray(axes))
    n = int(2 * HALF_SIDE_MM / PIXEL_MM)
    # Columns: along the picture's row, up the picture, away from the viewer.
    steps = np.column_stack([right, -up, -towards]) * PIXEL_MM
    corner = np.asarray(centre_mm, dtype=np.float64) - steps @ np.full(3, (n - 1) / 2)
    inverse = np.linalg.inv(volume.affine)
    matrix = inverse[:3, :3] @ steps
    offset = inverse[:3, :3] @ corner + inverse[:3, 3]
    values = ndimage.affine_transform(
        _smooth(volume), matrix, offset, output_shape=(n, n, n), order=1, mode="constant", cval=float(volume.outside)
    )
    return _shade(_depth_mm(values, level)).T


def _smooth(volume: Volume) -> npt.NDArray[np.float32]:
    data = np.asarray(np.nan_to_num(volume.data, nan=volume.outside), dtype=np.float32)
    return np.asarray(ndimage.gaussian_filter(data, [SMOOTHING_MM / h for h in volume.spacing_mm]))


def _frame(view: View, axes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors of a view: to the right of the picture, up, and towards the viewer."""
    a, e = np.radians(view.azimuth_deg), np.radians(view.elevation_deg)
    towards = axes @ np.array([-np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    up = axes @ np.array([np.sin(a) * np.sin(e), -np.cos(a) * np.sin(e), np.cos(e)])
    return np.cross(up, towards), up, towards


def _depth_mm(values: AnyArray, level: float) -> npt.NDArray[np.float32]:
    """Distance from the front plane to the first crossing of the level, linearly between voxels; NaN where none is."""
    solid = values > level
    first = solid.argmax(axis=2)
    hit = np.take_along_axis(solid, first[..., None], axis=2)[..., 0]
    here = np.take_along_axis(values, first[..., None], axis=2)[..., 0]
    before = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], axis=2)[..., 0]
    fraction = np.where(first > 0, (here - level) / np.maximum(here - before, 1e-6), 0.0)
    depth = (first - np.clip(fraction, 0, 1)) * PIXEL_MM
    return np.where(hit, depth, np.nan).astype(np.float32)


def _shade(depth_mm: npt.NDArray[np.float32]) -> GreyImage:
    """Lambert's law on a depth map of shape (columns, rows)."""
    filled = np.where(np.isnan(depth_mm), np.float32(2 * HALF_SIDE_MM), depth_mm)
    across, down = np.gradient(filled, PIXEL_MM)
    # The surface z = −depth, x to the right, y up: its normal is (∂depth/∂x, −∂depth/∂row, 1).
    normal = np.stack([across, -down, np.ones_like(across)])
    normal /= np.linalg.norm(normal, axis=0)
    light = np.asarray(LIGHT) / np.linalg.norm(LIGHT)
    lit = np.clip(np.einsum("c,cij->ij", light, normal), 0, 1)
    grey = np.where(np.isnan(depth_mm), BACKGROUND, 255 * (AMBIENT + (1 - AMBIENT) * lit))
    return np.asarray(np.rint(grey), dtype=np.uint8)
