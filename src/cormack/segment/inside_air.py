"""Air inside the body on a coarse grid: lungs, airways and bowel, without the air around the patient and the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import ExtractionError
from cormack.imaging.blocks import block_mean
from cormack.imaging.workgrid import BoolArray, FloatImage, largest_component

#: Halfway from lung to soft tissue: darker is air (HU).
AIR_HU = -400.0
#: Soft tissue, bone and fat are brighter (HU).
TISSUE_HU = -300.0
#: Voxels on which the body is told from the table (mm); its thinner parts, table tops above all, fall away.
BODY_MM = 4.0
#: Smaller ones are no trunk (ml).
LEAST_BODY_ML = 500.0

_CROSS = ndimage.generate_binary_structure(2, 1)[:, :, None]


@dataclass(frozen=True, eq=False)
class InsideAir:
    """Air inside the body.

    Attributes
    ----------
    mask : bool array, shape (i, j, k)
    midline : float
        Index along i of the middle of the body.
    """

    mask: BoolArray
    midline: float


def inside_air(hu: FloatImage, spacing_mm: tuple[float, float, float]) -> InsideAir:
    """Find the air that tissue surrounds in axial slices.

    In slices: lungs that the field of view cuts at its upper or lower end stay inside, and air that comes in
    through the mouth does not lead out of them.

    Parameters
    ----------
    hu : float array, shape (i, j, k)
        Axes closest to R, A, S.
    spacing_mm : three floats

    Raises
    ------
    ExtractionError
        If there is no body of the size of a trunk.
    """
    pool = _pool(spacing_mm)
    coarse = block_mean(_padded(hu, pool), pool)
    tissue = coarse > TISSUE_HU
    core = largest_component(ndimage.binary_erosion(tissue, border_value=1))
    body = ndimage.binary_dilation(core, iterations=2) & tissue
    voxel_ml = float(np.prod(spacing_mm)) * int(np.prod(pool)) / 1000
    if np.count_nonzero(core) * voxel_ml < LEAST_BODY_ML:
        raise ExtractionError("no body of the size of a trunk was found; expected a chest CT in Hounsfield units")
    filled = _filled(body)
    inside = _fine(filled, pool, hu.shape)
    middle = np.flatnonzero(filled.any(axis=(1, 2)))
    weights = np.count_nonzero(filled, axis=(1, 2))[middle]
    midline = (float(np.average(middle, weights=weights)) + 0.5) * pool[0] - 0.5
    return InsideAir(np.asarray(inside & (hu < AIR_HU)), midline)


def _pool(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    i, j, k = (max(1, round(BODY_MM / h)) for h in spacing_mm)
    return i, j, k


def _padded(hu: FloatImage, pool: tuple[int, int, int]) -> FloatImage:
    """Edges repeated, so that the last blocks are complete."""
    return np.pad(hu, [(0, -n % p) for n, p in zip(hu.shape, pool, strict=True)], mode="edge")


def _filled(body: BoolArray) -> BoolArray:
    """Each axial slice with its holes filled."""
    outside, _ = ndimage.label(np.pad(~body, [(1, 1), (1, 1), (0, 0)], constant_values=True), _only_in_slices())
    ring = np.zeros(int(outside.max()) + 1, dtype=bool)
    ring[np.unique(outside[0])] = True
    ring[0] = False
    return np.asarray(~ring[outside][1:-1, 1:-1])


def _only_in_slices() -> npt.NDArray[np.bool_]:
    """Neighbours within an axial slice, none across slices."""
    structure = np.zeros((3, 3, 3), dtype=bool)
    structure[:, :, 1:2] = _CROSS
    return structure


def label_slices(mask: BoolArray) -> tuple[npt.NDArray[np.int32], int]:
    """Label the face-connected regions of every axial slice; the labels of two slices differ."""
    labels, count = ndimage.label(mask, _only_in_slices())
    return labels, int(count)


def _fine(mask: BoolArray, pool: tuple[int, int, int], shape: tuple[int, ...]) -> BoolArray:
    i, j, k = (np.arange(n) // p for n, p in zip(shape, pool, strict=True))
    return np.asarray(mask[np.ix_(i, j, k)])
