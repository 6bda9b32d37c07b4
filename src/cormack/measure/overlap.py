"""Agreement of two masks: Sørensen–Dice, Jaccard, Hausdorff and average surface distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Mask = LabelMap | npt.NDArray[np.bool_]


def dice(a: Mask, b: Mask, *, key: int | str = 1) -> float:
    """Sørensen–Dice coefficient 2|A∩B| / (|A|+|B|) (doi 10.2307/1932409).

    Parameters
    ----------
    a, b : LabelMap or bool array, shape (i, j, k)
        Masks on one grid. Two empty masks agree fully: 1.
    key : int or str
        Label to compare where a LabelMap is given.

    Raises
    ------
    GeometryError
        If the masks do not lie on one grid.

    Examples
    --------
    >>> import numpy as np
    >>> dice(np.array([[[True, True]]]), np.array([[[True, False]]]))
    0.6666666666666666
    """
    x, y = _pair(a, b, key)
    total = np.count_nonzero(x) + np.count_nonzero(y)
    return float(2.0 * np.count_nonzero(x & y) / total) if total else 1.0


def jaccard(a: Mask, b: Mask, *, key: int | str = 1) -> float:
    """Jaccard index |A∩B| / |A∪B| (doi 10.1111/j.1469-8137.1912.tb05611.x); masks as in `dice`."""
    x, y = _pair(a, b, key)
    union = np.count_nonzero(x | y)
    return float(np.count_nonzero(x & y) / union) if union else 1.0


def hausdorff_mm(
    a: Mask,
    b: Mask,
    *,
    spacing_mm: Sequence[float] | None = None,
    percentile: float = 95.0,
    key: int | str = 1,
) -> float:
    """Hausdorff distance of the surfaces at a percentile, in millimetres.

    The surface of a mask is its voxels with a face neighbour outside it; the volume's border counts as outside. The
    percentile is taken of the distances from each surface to the other, and the greater of the two is returned; 100
    gives the Hausdorff distance itself.

    Parameters
    ----------
    a, b : LabelMap or bool array, shape (i, j, k)
    spacing_mm : three numbers, optional
        Voxel spacing along (i, j, k); read from the LabelMap where one is given, needed for arrays.
    percentile : float
        0 to 100.

    Raises
    ------
    GeometryError
        If the masks do not lie on one grid or arrays come without spacing.
    InputError
        If a mask is empty: no surface, no distance.
    """
    to_b, to_a = surface_distances_mm(a, b, spacing_mm=spacing_mm, key=key)
    return float(max(np.percentile(to_b, percentile), np.percentile(to_a, percentile)))


def average_surface_distance_mm(
    a: Mask, b: Mask, *, spacing_mm: Sequence[float] | None = None, key: int | str = 1
) -> float:
    """Average symmetric surface distance in millimetres: the mean over both surfaces; arguments as `hausdorff_mm`."""
    to_b, to_a = surface_distances_mm(a, b, spacing_mm=spacing_mm, key=key)
    return float((to_b.sum() + to_a.sum()) / (to_b.size + to_a.size))


def surface_distances_mm(
    a: Mask, b: Mask, *, spacing_mm: Sequence[float] | None = None, key: int | str = 1
) -> tuple[FloatArray, FloatArray]:
    """Distance of every surface voxel of `a` to the surface of `b`, and the reverse; arguments as `hausdorff_mm`."""
    x, y = _pair(a, b, key)
    if not x.any() or not y.any():
        raise InputError("a surface distance needs two masks that are not empty")
    spacing = _spacing(a, b, spacing_mm)
    box = ndimage.find_objects((x | y).astype(np.int8))[0]
    x, y = x[box], y[box]
    edge_x, edge_y = _surface(x), _surface(y)
    to_y = ndimage.distance_transform_edt(~edge_y, sampling=spacing)[edge_x]
    to_x = ndimage.distance_transform_edt(~edge_x, sampling=spacing)[edge_y]
    return to_y, to_x


def _surface(mask: BoolArray) -> BoolArray:
    return np.asarray(mask & ~ndimage.binary_erosion(mask, border_value=0))


def _pair(a: Mask, b: Mask, key: int | str) -> tuple[BoolArray, BoolArray]:
    if isinstance(a, LabelMap) and isinstance(b, LabelMap) and not np.allclose(a.affine, b.affine, atol=1e-3):
        raise GeometryError("the masks have different affines: reslice one onto the grid of the other first")
    x = a.mask(key) if isinstance(a, LabelMap) else np.asarray(a, dtype=bool)
    y = b.mask(key) if isinstance(b, LabelMap) else np.asarray(b, dtype=bool)
    if x.shape != y.shape or x.ndim != 3:
        raise GeometryError(f"two masks on one 3-D grid are compared, not shapes {x.shape} and {y.shape}")
    return x, y


def _spacing(a: Mask, b: Mask, spacing_mm: Sequence[float] | None) -> tuple[float, ...]:
    if spacing_mm is None:
        for mask in (a, b):
            if isinstance(mask, LabelMap):
                return tuple(float(s) for s in np.linalg.norm(mask.affine[:3, :3], axis=0))
        raise GeometryError("spacing_mm is needed where both masks are arrays without an affine")
    if len(spacing_mm) != 3 or min(spacing_mm) <= 0:
        raise GeometryError(f"spacing_mm needs three positive numbers, not {tuple(spacing_mm)}")
    return tuple(float(s) for s in spacing_mm)
