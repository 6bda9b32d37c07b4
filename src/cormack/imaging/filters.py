"""Gaussian and median filters in millimetres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.sample import as_type

#: Processor threads; a slab of slices is the unit of work.
THREADS = 2
#: Slices per slab of the median.
_SLAB = 16
#: A Gaussian is cut off at this many standard deviations.
_TRUNCATE = 4.0


def gaussian(volume: Volume, sigma_mm: float, *, in_plane: bool = False) -> Volume:
    """Smooth by a Gaussian of one width in millimetres along all axes.

    NaN takes no part: what is near it is averaged over the measured voxels alone, and it stays NaN.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k); of a sheared grid the axes are taken as they are.
    sigma_mm : float
        Standard deviation; the full width at half maximum is 2.355 times as large.
    in_plane : bool
        Along i and j only.

    Returns
    -------
    Volume
        float32.

    Raises
    ------
    InputError
        If the width is not positive.

    Examples
    --------
    >>> spike = np.zeros((9, 9, 9)); spike[4, 4, 4] = 1
    >>> smooth = gaussian(Volume(spike, np.diag([1, 1, 2, 1])), 1.5)
    >>> bool(smooth.data[3, 4, 4] > smooth.data[4, 4, 3])
    True
    """
    check_positive(sigma_mm, "the width of the Gaussian", "millimetres")
    sigma = [sigma_mm / step for step in volume.spacing_mm]
    if in_plane:
        sigma[2] = 0.0
    data, measured = finite(volume)

    def smoothed(array: AnyArray) -> AnyArray:
        return np.asarray(ndimage.gaussian_filter(array, sigma, output=np.float32, mode="nearest", truncate=_TRUNCATE))

    if measured is None:
        return volume.with_data(smoothed(data))
    share = smoothed(measured.astype(np.float32))
    smooth = smoothed(np.where(measured, data, 0)) / np.maximum(share, 1e-6)
    return volume.with_data(np.where(measured, smooth, np.float32(np.nan)))


def median(volume: Volume, radius_mm: float) -> Volume:
    """Replace every voxel by the median of those whose centres lie within a radius: spikes go, edges stay.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k). NaN counts as `outside` (0 if that is NaN), and stays NaN.
    radius_mm : float
        At least the smallest spacing, or nothing would change.

    Returns
    -------
    Volume
        Of the same data type.

    Raises
    ------
    InputError
        If the radius reaches no neighbour.
    """
    check_positive(radius_mm, "the radius", "millimetres")
    steps = np.array(volume.spacing_mm)
    reach = (radius_mm / steps + 1e-6).astype(int)
    if not reach.any():
        raise InputError(
            f"a radius of {radius_mm:g} mm reaches no other voxel; give at least {steps.min():.3g} mm for these voxels"
        )
    offsets = np.moveaxis(np.indices(tuple(2 * reach + 1)), 0, -1) - reach
    ball = np.linalg.norm(offsets * steps, axis=-1) <= radius_mm * (1 + 1e-6)
    data, measured = finite(volume)
    result, halo, length = np.empty_like(data), int(reach[2]), data.shape[2]

    def fill(start: int) -> None:
        stop = min(start + _SLAB, length)
        low, high = max(0, start - halo), min(length, stop + halo)
        part = ndimage.median_filter(data[:, :, low:high], footprint=ball, mode="nearest")
        result[:, :, start:stop] = part[:, :, start - low : stop - low]

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(0, length, _SLAB)))
    return volume.with_data(result if measured is None else np.where(measured, result, np.nan))


def finite(volume: Volume) -> tuple[AnyArray, np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None]:
    """The data with `outside` (0 if that is NaN) for NaN, and where they were finite; None if everywhere."""
    if volume.data.dtype.kind != "f":
        return volume.data, None
    measured = np.isfinite(volume.data)
    if measured.all():
        return volume.data, None
    instead = volume.outside if np.isfinite(volume.outside) else 0.0
    return np.where(measured, volume.data, volume.data.dtype.type(instead)), measured


def check_positive(value: float, what: str, unit: str) -> None:
    """Refuse a number that is not positive.

    Raises
    ------
    InputError
        Naming what it is.
    """
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"{what} is {value:g}; give a positive number of {unit}")


def in_type_of(filtered: Volume, original: Volume) -> Volume:
    """The filtered values in the data type of the original, rounded where that holds whole numbers."""
    return filtered.with_data(as_type(filtered.data, original.data.dtype))
