"""Shaded pictures of a head's surface: a depth map seen from afar, lit from the viewer's side (Lambert's law)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray, Volume
from cormack.imaging.blocks import block_mean

GreyImage = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]

#: Pixels of a picture, and steps along the line of sight (mm).
PIXEL_MM = 1.0
#: The surface is smoothed by a Gaussian of this width before it is shaded (mm): noise casts shadows.
SMOOTHING_MM = 0.8
#: Half the side of the picture (mm): a head with its neck fits.
HALF_SIDE_MM = 124.0
#: Direction of the light relative to the viewer: from above the viewer's left shoulder.
LIGHT = (-0.35, 0.45, 0.82)
#: Grey of what is not lit, and of the background.
AMBIENT, BACKGROUND = 0.16, 0


@dataclass(frozen=True)
class View:
    """From where a head is looked at: `azimuth_deg` 0 from the front, 90 from the head's left."""

    name: str
    azimuth_deg: float


#: What the reports show.
VIEWS = (View("from the front", 0.0), View("oblique", 42.0), View("from the left", 90.0))


def render_surfaces(
    volume: Volume,
    levels: Mapping[str, float],
    *,
    centre_mm: npt.ArrayLike,
    axes: FloatArray | None = None,
    views: Sequence[View] = VIEWS,
) -> dict[tuple[str, str], GreyImage]:
    """The surfaces at some levels as shaded pictures, orthographic.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), any affine; values above a level are solid, what lies outside is not.
    levels : mapping of name to level
        In the unit of the volume.
    centre_mm : three floats
        RAS+ millimetres of the pictures' middle.
    axes : array, shape (3, 3), optional
        The head's own right, anterior and superior as columns, unit vectors in RAS+; those of the scan by default.
    views : sequence of View

    Returns
    -------
    dict of (name of level, name of view) to uint8 array, shape (rows, columns)
        From top to bottom; the patient's right is on the left when seen from the front.
    """
    smooth = _smooth(volume)
    frame = np.eye(3) if axes is None else np.asarray(axes)
    pictures = {}
    for view in views:
        values = _resampled(smooth, view, np.asarray(centre_mm, dtype=np.float64), frame)
        for name, level in levels.items():
            pictures[name, view.name] = shaded(_depth_mm(values, level)).T
    return {(name, view.name): pictures[name, view.name] for name in levels for view in views}


def _smooth(volume: Volume) -> Volume:
    """The volume on voxels of about a pixel's size, smoothed."""
    factors = tuple(max(1, int(PIXEL_MM / h)) for h in volume.spacing_mm)
    data = block_mean(np.nan_to_num(volume.data, nan=volume.outside), factors)  # type: ignore[arg-type]
    affine = volume.affine.copy()
    affine[:3, :3] *= factors
    affine[:3, 3] = volume.world((np.array(factors) - 1) / 2)
    width = [SMOOTHING_MM / h for h in np.linalg.norm(affine[:3, :3], axis=0)]
    return Volume(ndimage.gaussian_filter(data, width), affine, unit=volume.unit, outside=volume.outside)


def _resampled(volume: Volume, view: View, centre_mm: FloatArray, axes: FloatArray) -> FloatImage:
    """Values along the picture's rows, down the picture, and away from the viewer."""
    angle = np.radians(view.azimuth_deg)
    towards, up = axes @ np.array([-np.sin(angle), np.cos(angle), 0.0]), axes[:, 2]
    steps = np.column_stack([np.cross(up, towards), -up, -towards]) * PIXEL_MM
    n = round(2 * HALF_SIDE_MM / PIXEL_MM)
    corner = centre_mm - steps @ np.full(3, (n - 1) / 2)
    inverse = np.linalg.inv(volume.affine)
    values = ndimage.affine_transform(
        volume.data,
        inverse[:3, :3] @ steps,
        inverse[:3, :3] @ corner + inverse[:3, 3],
        output_shape=(n, n, n),
        order=1,
        cval=float(volume.outside),
    )
    return np.asarray(values)


def _depth_mm(values: FloatImage, level: float) -> FloatImage:
    """Distance from the front plane to the first crossing of the level, linearly between voxels; NaN where none is."""
    solid = values > level
    first = solid.argmax(axis=2)

    def at(index: npt.NDArray[np.intp]) -> FloatImage:
        return np.take_along_axis(values, index[..., None], axis=2)[..., 0]

    here, before = at(first), at(np.maximum(first - 1, 0))
    fraction = np.where(first > 0, (here - level) / np.maximum(here - before, 1e-6), 0.0)
    depth = (first - np.clip(fraction, 0, 1)) * PIXEL_MM
    return np.where(here > level, depth, np.nan).astype(np.float32)


def shaded(depth_mm: FloatImage, pixel_mm: float = PIXEL_MM) -> GreyImage:
    """Lambert's law on a depth map of shape (columns, rows); NaN is background."""
    filled = np.where(np.isnan(depth_mm), np.float32(2 * HALF_SIDE_MM), depth_mm)
    across, down = np.gradient(filled, pixel_mm)
    # With x to the right, y up and z towards the viewer the surface is z = −depth: its normal is (∂d/∂x, ∂d/∂y, 1).
    normal = np.stack([across, -down, np.ones_like(across)])
    normal /= np.linalg.norm(normal, axis=0)
    light = np.asarray(LIGHT) / np.linalg.norm(LIGHT)
    lit = np.clip(np.einsum("c,cij->ij", light, normal), 0, 1)
    grey = np.where(np.isnan(depth_mm), BACKGROUND, 255 * (AMBIENT + (1 - AMBIENT) * lit))
    return np.asarray(np.rint(grey), dtype=np.uint8)
