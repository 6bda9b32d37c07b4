"""Along the normal of the slices: how far apart the rectified planes lie, and which slices make each of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.volume import GRID_TOLERANCE_MM, FloatArray
from cormack.imaging.weights import kernel

#: "finest" takes the smallest distance that at least this share of the gaps does not exceed.
FINEST_SHARE = 0.25
#: A gap is bridged by interpolation up to this multiple of the larger of its neighbours, with a margin for rounding.
BRIDGED_GAP_RATIO = 2.0
GAP_RATIO_MARGIN = 1.05
#: Rules by which the distance of the rectified slices follows from those acquired.
SPACING_RULES = ("finest", "median", "minimum")


def slice_spacing(distances_mm: FloatArray, rule: str | float = "finest") -> float:
    """The distance between rectified slices, in millimetres.

    Parameters
    ----------
    distances_mm : array, shape (k − 1,)
        Distances between neighbouring native slices.
    rule : "finest", "median", "minimum" or a number of millimetres
        "finest" is the smallest distance that a quarter of the gaps do not exceed: thin groups keep their resolution,
        one odd pair of slices does not decide.

    Raises
    ------
    InputError
        If the rule is unknown or the distance is not positive.
    """
    ordered = np.sort(np.asarray(distances_mm, dtype=np.float64))
    if rule == "finest":
        return float(ordered[max(0, int(np.ceil(FINEST_SHARE * len(ordered))) - 1)])
    if rule == "median":
        return float(np.median(ordered))
    if rule == "minimum":
        return float(ordered[0])
    try:
        spacing = float(rule)
    except ValueError:
        spacing = np.nan
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"slice spacing {rule!r}: give {', '.join(SPACING_RULES)} or a positive number of millimetres")
    return spacing


def wide_gaps(distances_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which gaps are wider than twice the larger of their neighbours, shape (k − 1,)."""
    neighbours = np.full(len(distances_mm), -np.inf)
    neighbours[1:] = distances_mm[:-1]
    neighbours[:-1] = np.maximum(neighbours[:-1], distances_mm[1:])
    return np.asarray((distances_mm > BRIDGED_GAP_RATIO * GAP_RATIO_MARGIN * neighbours) & np.isfinite(neighbours))


def slice_weights(
    positions_mm: FloatArray, step_mm: float, count: int, *, gaps: npt.NDArray[np.bool_], order: int = 1
) -> list[tuple[tuple[int, float], ...]]:
    """Which slices make each plane, and how much of each; none in a gap.

    Parameters
    ----------
    positions_mm : array, shape (k,)
        Ascending positions of the slices; the planes lie at 0, step_mm, 2 · step_mm …
    step_mm, count : float, int
    gaps : bool array, shape (k − 1,)
        Distances that are not bridged.
    order : 1 linear, 3 cubic convolution (for even distances)
    """
    planes: list[tuple[tuple[int, float], ...]] = []
    thickness = np.gradient(positions_mm)
    for position in np.arange(count) * step_mm:
        nearest = int(np.abs(positions_mm - position).argmin())
        below = int(np.clip(np.searchsorted(positions_mm, position) - 1, 0, len(gaps) - 1))
        distance = positions_mm[below + 1] - positions_mm[below]
        exact = abs(positions_mm[nearest] - position) <= GRID_TOLERANCE_MM
        if position > positions_mm[-1] or (exact and step_mm <= distance + GRID_TOLERANCE_MM):
            planes.append(((nearest, 1.0),))
        elif gaps[below] and not exact:
            planes.append(())
        elif order == 1 and step_mm <= distance + GRID_TOLERANCE_MM:
            share = float((position - positions_mm[below]) / distance)
            planes.append(((below, 1.0 - share), (below + 1, share)))
        else:
            away = np.abs(positions_mm - position) / max(distance, step_mm)
            weights = kernel(away, order) * thickness
            slices = np.flatnonzero(weights)
            planes.append(tuple((int(k), float(weights[k] / weights.sum())) for k in slices))
    return planes
