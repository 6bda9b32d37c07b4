"""How much of a face is gone: the share of its surface that no surface near by stands in for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray, Volume
from cormack.imaging.blocks import block_mean
from cormack.imaging.workgrid import largest_component

#: A point of the old surface is gone when the new one keeps farther from it than this (mm).
GONE_MM = 5.0
#: Surfaces are compared on voxels of about this size (mm).
GRID_MM = 1.5
#: Brows, eyes, nose, mouth and chin, in millimetres of the digital head: lowest and highest x, y, z.
FACE_BOX = ((-50.0, 50.0), (45.0, 140.0), (-120.0, 10.0))


def removed_surface_share(before: Volume, after: Volume, level: float, head_to_world: FloatArray) -> float | None:
    """Share of the surface in the face box that is farther than `GONE_MM` from every surface that is left.

    Parameters
    ----------
    before, after : Volume
        On one grid, orthogonal, shape (i, j, k).
    level : float
        Of the surface, in their unit; noise in the air must lie below.
    head_to_world : array, shape (4, 4)
        Millimetres of the digital head to RAS+ millimetres.

    Returns
    -------
    float or None
        None where no surface lies in the box: the field of view ends above the face.
    """
    factors = tuple(max(1, round(GRID_MM / h)) for h in before.spacing_mm)
    spacing = np.array(before.spacing_mm) * factors
    old, new = (largest_component(block_mean(v.data, factors) > level) for v in (before, after))  # type: ignore[arg-type]
    index = np.argwhere(_surface(old))
    points = before.world(index * factors + (np.array(factors) - 1) / 2)
    inverse = np.linalg.inv(head_to_world)
    own = points @ inverse[:3, :3].T + inverse[:3, 3]
    low, high = np.array(FACE_BOX).T
    index = index[np.all((own > low) & (own < high), axis=1)]
    if len(index) == 0:
        return None
    distance = ndimage.distance_transform_edt(~_surface(new), sampling=spacing)
    return float(np.mean(distance[tuple(index.T)] > GONE_MM))


def _surface(solid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Voxels of a body that border on what air outside reaches; cavities have no surface, nor has the grid's border."""
    outside, _ = ndimage.label(np.pad(~solid, 1, constant_values=True))
    reached = (outside == outside[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return np.asarray(solid & ndimage.binary_dilation(reached))
