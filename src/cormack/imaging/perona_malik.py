"""Edge-preserving smoothing: the anisotropic diffusion of Perona and Malik, in millimetres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.filters import check_positive, finite

FloatImage = npt.NDArray[np.float32]
Conductance = Literal["exponential", "rational"]
CONDUCTANCES: tuple[Conductance, ...] = ("exponential", "rational")

#: Processor threads; a slab of planes is the unit of work.
THREADS = 2
#: Planes along i per slab: what is worked on stays in the processor's cache.
_SLAB = 8
#: Share of the largest stable step that is taken.
_SAFETY = 0.9
#: More steps than this are refused: the Gaussian of that width smooths as well, edges and all.
MAX_STEPS = 1000


def perona_malik(
    volume: Volume,
    sigma_mm: float,
    *,
    edge_per_mm: float,
    conductance: Conductance = "exponential",
) -> Volume:
    """Smooth where the image is even, and leave edges as they are.

    ∂I/∂t = div(c(|∇I|) ∇I), discretised as in Perona and Malik 1990 (doi 10.1109/34.56205, eq. 7 to 10): the
    conductance between two voxels follows from their difference, here per millimetre, so that thick slices are not
    smoothed across as if they were thin. "exponential" is c = exp(−(g/K)²), which favours strong edges over weak ones;
    "rational" is c = 1/(1 + (g/K)²), which favours wide regions over narrow ones.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), orthogonal. NaN does not take part and stays NaN.
    sigma_mm : float
        How far to smooth: where there is no edge, as far as a Gaussian of this width (t = σ²/2).
    edge_per_mm : float
        K: the gradient, in values per millimetre, from which on a step counts as an edge.
    conductance : "exponential" or "rational"

    Returns
    -------
    Volume
        float32.

    Raises
    ------
    InputError
        If a number is not positive, the conductance unknown, the grid sheared, or too many steps were needed.
    """
    check_positive(sigma_mm, "the width", "millimetres")
    check_positive(edge_per_mm, "the gradient of an edge", "values per millimetre")
    if conductance not in CONDUCTANCES:
        raise InputError(f"conductance {conductance!r}: give {' or '.join(CONDUCTANCES)}")
    if not volume.is_orthogonal:
        raise InputError("the voxel axes are not at right angles (a tilted stack); rectify the volume first")
    spacing = volume.spacing_mm
    steps, time_mm2 = time_steps(sigma_mm, spacing)
    data, measured = finite(volume)
    now = np.array(data, dtype=np.float32, order="C")  # a copy: it is written to
    after = np.empty_like(now)
    barrier = None if measured is None else np.ascontiguousarray(measured)
    weights = [(time_mm2 / h**2, 1.0 / (h * edge_per_mm)) for h in spacing]
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(steps):
            starts = range(0, now.shape[0], _SLAB)
            list(pool.map(lambda start, source=now, target=after: _advance(
                source, target, start, weights, conductance, barrier), starts))  # fmt: skip
            now, after = after, now
    return volume.with_data(now if measured is None else np.where(measured, now, np.float32(np.nan)))


def time_steps(sigma_mm: float, spacing_mm: tuple[float, float, float]) -> tuple[int, float]:
    """How many explicit steps reach t = σ²/2, and their length in mm²: below the limit of stability 1 / (2 Σ 1/h²).

    Raises
    ------
    InputError
        If there would be more than `MAX_STEPS`.
    """
    limit = _SAFETY / (2 * sum(1 / h**2 for h in spacing_mm))
    total = sigma_mm**2 / 2
    steps = int(np.ceil(total / limit))
    if steps > MAX_STEPS:
        raise InputError(
            f"a width of {sigma_mm:g} mm takes {steps} steps on voxels of {min(spacing_mm):.3g} mm, more than "
            f"{MAX_STEPS}; give a smaller width, or resample to larger voxels first"
        )
    return steps, total / steps


def _advance(
    source: FloatImage,
    target: FloatImage,
    start: int,
    weights: list[tuple[float, float]],
    conductance: Conductance,
    measured: AnyArray | None,
) -> None:
    """One step of the planes from `start` on along i; nothing flows across the border of the grid or into NaN."""
    stop = min(start + _SLAB, len(source))
    low, high = max(0, start - 1), min(len(source), stop + 1)
    part = source[low:high]
    known = None if measured is None else measured[low:high]
    change = np.zeros_like(part)
    for axis, (share, scale) in enumerate(weights):
        here, there = _pair(part, axis)
        flow = there - here
        squared = flow * np.float32(scale)
        squared *= squared
        if conductance == "exponential":
            np.negative(squared, out=squared)
            np.exp(squared, out=squared)
            flow *= squared
        else:
            squared += 1
            flow /= squared
        if known is not None:
            flow *= np.logical_and(*_pair(known, axis))
        flow *= np.float32(share)
        before, behind = _pair(change, axis)
        before += flow
        behind -= flow
    kept = slice(start - low, stop - low)
    np.add(part[kept], change[kept], out=target[start:stop])


def _pair(array: AnyArray, axis: int) -> tuple[AnyArray, AnyArray]:
    """Views of all voxels but the last along an axis, and of their neighbours."""
    first, second = [slice(None)] * 3, [slice(None)] * 3
    first[axis], second[axis] = slice(None, -1), slice(1, None)
    return array[tuple(first)], array[tuple(second)]
