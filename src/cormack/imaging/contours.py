"""Contours filled on the slices of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.contours import ContouredStructure
from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray, SliceStack

#: A contour may leave its plane by this share of the slice distance, or by this much (mm), whichever is more.
PLANE_SHARE, PLANE_MM = 0.25, 0.1
#: Contours closer than this along the normal are of one plane (mm).
SAME_PLANE_MM = 0.01


@dataclass(frozen=True, eq=False)
class Filled:
    """What came of filling contours.

    Attributes
    ----------
    data : array of uint8 or uint16, shape of the stack
        Structure n as the number n + 1; where structures overlap the later one stands.
    overlap : int
        Voxels that more than one structure claims.
    left_out : int
        Contours that lie on no slice: beyond the stack, or between slices of which another contour is nearer.
    """

    data: npt.NDArray[np.integer]
    overlap: int
    left_out: int


def fill_contours(structures: Sequence[ContouredStructure], stack: SliceStack) -> Filled:
    """Fill the contours of every structure.

    A pixel is inside if its centre is. Each slice takes the contours of the nearest plane within half the distance to
    its neighbours, so that slices between planes that were drawn farther apart stay empty: those were not drawn.

    Parameters
    ----------
    structures : sequence of ContouredStructure
    stack : SliceStack
        The slices on which the contours were drawn; its values are not used.

    Raises
    ------
    GeometryError
        If a contour does not run within a plane parallel to the slices.
    """
    data = np.zeros(stack.data.shape, dtype=np.uint8 if len(structures) < 256 else np.uint16)
    overlap = left_out = 0
    for number, structure in enumerate(structures, start=1):
        by_slice, lost = _by_slice(structure, stack)
        left_out += lost
        for k, contours in by_slice.items():
            inside = np.zeros(data.shape[:2], dtype=bool)
            for contour in contours:
                inside ^= _inside(contour, stack, k)
            overlap += int(np.count_nonzero(data[:, :, k][inside]))
            data[:, :, k][inside] = number
    return Filled(data, overlap, left_out)


def _by_slice(structure: ContouredStructure, stack: SliceStack) -> tuple[dict[int, list[FloatArray]], int]:
    """The contours that each slice takes, and how many no slice takes."""
    positions = stack.slice_positions_mm
    gaps = stack.slice_distances_mm
    # Half way to the nearer neighbour; a single slice has its own thickness, or nothing but itself.
    lone = stack.acquisition.slice_thickness_mm or 1.0
    reach = np.minimum(np.append(np.inf, gaps), np.append(gaps, np.inf)) / 2 if len(gaps) else np.array([lone / 2])
    chosen: dict[int, tuple[float, list[FloatArray]]] = {}
    lost = 0
    for contour in structure.contours:
        heights = (contour - stack.origins[0]) @ stack.normal
        height = float(heights.mean())
        k = int(np.abs(positions - height).argmin())
        if float(np.ptp(heights)) > max(PLANE_MM, 2 * PLANE_SHARE * float(reach[k])):
            raise GeometryError(
                f"a contour leaves the plane of the slices by {np.ptp(heights):.2f} mm; give the series on which the "
                "contours were drawn as the reference"
            )
        apart = abs(float(positions[k]) - height)
        nearest = chosen.get(k, (np.inf, []))[0]
        if apart > reach[k] + SAME_PLANE_MM or apart > nearest + SAME_PLANE_MM:
            lost += 1
        elif apart < nearest - SAME_PLANE_MM:
            lost += len(chosen[k][1]) if k in chosen else 0
            chosen[k] = (apart, [contour])
        else:
            chosen[k][1].append(contour)
    return {k: contours for k, (_, contours) in chosen.items()}, lost


def _inside(contour: FloatArray, stack: SliceStack, k: int) -> npt.NDArray[np.bool_]:
    """Pixels of slice k whose centres the polygon surrounds, shape (i, j)."""
    # Loaded when first needed: it takes a while.
    from skimage.draw import polygon

    i, j = (((contour - stack.origins[k]) @ step) / (step @ step) for step in (stack.step_i, stack.step_j))
    mask = np.zeros(stack.data.shape[:2], dtype=bool)
    mask[polygon(i, j, shape=mask.shape)] = True
    return mask
