"""Agreement of two masks in one number each: Sørensen–Dice, Jaccard, Hausdorff, surface distance, surface Dice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.measure.boxes import BoolArray, bounding_box
from cormack.measure.surface import area_distances, voxel_distances

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
    return voxel_distances(*_surfaces(a, b, key), _steps_mm(a, b, spacing_mm)).percentile_mm(percentile)


def average_surface_distance_mm(
    a: Mask, b: Mask, *, spacing_mm: Sequence[float] | None = None, key: int | str = 1
) -> float:
    """Average symmetric surface distance in millimetres: the mean over both surfaces; arguments as `hausdorff_mm`."""
    return voxel_distances(*_surfaces(a, b, key), _steps_mm(a, b, spacing_mm)).mean_mm


def surface_dice(
    a: Mask, b: Mask, tolerance_mm: float, *, spacing_mm: Sequence[float] | None = None, key: int | str = 1
) -> float:
    """Share of both surfaces' area within a tolerance of the other (Nikolov et al. 2021, doi 10.2196/26151).

    Other arguments and errors as in `hausdorff_mm`.
    """
    return area_distances(*_surfaces(a, b, key), _steps_mm(a, b, spacing_mm)).share_within(tolerance_mm)


def soft_dice(probability: npt.NDArray[np.floating], reference: npt.NDArray[np.bool_]) -> float:
    """Sørensen–Dice of a probability and a mask, 2 Σ p·g / (Σ p + Σ g); NaN where both are empty.

    Parameters
    ----------
    probability : array of float, values 0 to 1
    reference : bool array of the same shape

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    if probability.shape != reference.shape:
        raise GeometryError(f"a probability of shape {probability.shape} and a mask of shape {reference.shape}")
    total = float(probability.sum(dtype=np.float64)) + np.count_nonzero(reference)
    return 2.0 * float(probability[reference].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def _surfaces(a: Mask, b: Mask, key: int | str) -> tuple[BoolArray, BoolArray]:
    """Both masks cut to the box that holds them."""
    x, y = _pair(a, b, key)
    if not x.any() or not y.any():
        raise InputError("a surface distance needs two masks that are not empty")
    box = bounding_box(x | y)
    return x[box], y[box]


def _pair(a: Mask, b: Mask, key: int | str) -> tuple[BoolArray, BoolArray]:
    if isinstance(a, LabelMap) and isinstance(b, LabelMap) and not np.allclose(a.affine, b.affine, atol=1e-3):
        raise GeometryError("the masks have different affines: reslice one onto the grid of the other first")
    x = a.mask(key) if isinstance(a, LabelMap) else np.asarray(a, dtype=bool)
    y = b.mask(key) if isinstance(b, LabelMap) else np.asarray(b, dtype=bool)
    if x.shape != y.shape or x.ndim != 3:
        raise GeometryError(f"two masks on one 3-D grid are compared, not shapes {x.shape} and {y.shape}")
    return x, y


def _steps_mm(a: Mask, b: Mask, spacing_mm: Sequence[float] | None) -> FloatArray:
    """Voxel steps as the columns of a matrix (mm)."""
    if spacing_mm is None:
        for mask in (a, b):
            if isinstance(mask, LabelMap):
                return mask.affine[:3, :3]
        raise GeometryError("spacing_mm is needed where both masks are arrays without an affine")
    if len(spacing_mm) != 3 or min(spacing_mm) <= 0:
        raise GeometryError(f"spacing_mm needs three positive numbers, not {tuple(spacing_mm)}")
    return np.diag(np.asarray(spacing_mm, dtype=np.float64))
