"""N4 bias field correction of MR (Tustison et al. 2010, doi 10.1109/TMI.2010.2046908).

Shading is a smooth addition to the logarithm of the image. In turns, the histogram is sharpened by deconvolution with a
narrow Gaussian (Sled et al. 1998, doi 10.1109/42.668698), which says what each value would be without shading, and a
cubic B-spline is fitted to what that takes away (Lee et al. 1997, doi 10.1109/2945.620490), on four lattices, each
twice as fine as the one before. Voxels lie on a grid, so that sums over them are products of one matrix per axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.filters import finite

#: Knots of the first lattice lie about this far apart (mm), as in the paper's experiments on heads.
KNOT_MM = 200.0
#: The field is so smooth that it is fitted on voxels of about this size (mm).
FITTED_MM = 4.0
#: Most iterations on each lattice, and the change of the field (coefficient of variation) at which it has settled.
ROUNDS, TOLERANCE = (50, 50, 50, 50), 1e-6
#: Bins of the histogram, full width at half maximum of the Gaussian on log values, and noise of the Wiener filter: the
#: defaults of ITK's N4.
BINS, FWHM, WIENER_NOISE = 200, 0.15, 0.01
#: N4 works on logarithms: values are shifted so that the smallest within the mask becomes this share of the range.
_FLOOR_SHARE = 0.01


def n4(volume: Volume, mask: npt.NDArray[np.bool_]) -> tuple[Volume, Volume]:
    """Take the slow shading out of an MR volume by N4 (Tustison et al. 2010, doi 10.1109/TMI.2010.2046908).

    Not for CT, where Hounsfield units are calibrated and a slow change (cupping, beam hardening) is additive in HU:
    dividing by a field would change every tissue by its distance from −1000 HU. It can be asked for all the same; then
    values are shifted to be positive, divided, and shifted back.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), orthogonal.
    mask : bool array, shape (i, j, k)
        Head or brain: the field is fitted there. It is divided out everywhere.

    Returns
    -------
    corrected : Volume
        float32; the mean within the mask is kept.
    field : Volume
        The factor that was divided out, 1 on average within the mask.

    Raises
    ------
    InputError
        If the mask is empty or all values in it are the same.
    GeometryError
        If the mask lies on another grid, or the grid is sheared.
    """
    if mask.shape != volume.shape:
        raise GeometryError(f"the mask has the shape {mask.shape}, the volume {volume.shape}; give one on its grid")
    if not volume.is_orthogonal:
        raise GeometryError("the voxel axes are not at right angles (a tilted stack); rectify the volume first")
    data, measured = finite(volume)
    inside = data[mask]
    if inside.size == 0 or inside.min() == inside.max():
        raise InputError("N4 needs a mask that holds voxels of different values")
    shift = np.float32(max(0.0, _FLOOR_SHARE * float(np.ptp(inside)) - float(inside.min())))
    shifted = np.maximum(data.astype(np.float32) + shift, np.float32(_FLOOR_SHARE * float(np.ptp(inside))))
    field = _field(shifted, mask, volume)
    field /= field[mask].mean(dtype=np.float64)
    corrected = (data.astype(np.float32) + shift) / field
    corrected *= np.float32((inside.mean(dtype=np.float64) + shift) / corrected[mask].mean(dtype=np.float64))
    corrected -= shift
    if measured is not None:
        corrected[~measured] = np.nan
    return volume.with_data(corrected), volume.with_data(field, outside=1.0)


def _field(shifted: AnyArray, mask: npt.NDArray[np.bool_], volume: Volume) -> npt.NDArray[np.float32]:
    """The factor at every voxel, fitted to some of those within the mask."""
    positions = [_fitted(n, step) for n, step in zip(volume.shape, volume.spacing_mm, strict=True)]
    some = np.ix_(*positions)
    if not mask[some].any():
        positions, some = [np.arange(n) for n in volume.shape], np.ix_(*map(np.arange, volume.shape))
    inside = mask[some]
    given = np.log(shifted[some], dtype=np.float64)
    knots = [max(1, round(n * step / KNOT_MM)) for n, step in zip(volume.shape, volume.spacing_mm, strict=True)]
    field = np.zeros(volume.shape)
    found = np.zeros(given.shape)
    for level, rounds in enumerate(ROUNDS):
        intervals = [n << level for n in knots]
        bases = [_basis(at, n, m) for at, n, m in zip(positions, volume.shape, intervals, strict=True)]
        lattice = np.zeros([m + 3 for m in intervals])
        fit = _Fit(bases, inside)
        for _ in range(rounds):
            seen = given[inside] - found[inside]
            change = fit(seen - _sharpened(seen))
            lattice += change
            step = _along(bases, change)
            found += step
            factor = np.exp(step[inside])
            if factor.std() < TOLERANCE * factor.mean():
                break
        everywhere = [_basis(np.arange(n), n, m) for n, m in zip(volume.shape, intervals, strict=True)]
        field += _along(everywhere, lattice)
    return np.exp(field).astype(np.float32)


def _fitted(count: int, step_mm: float) -> npt.NDArray[np.intp]:
    """The voxels along an axis at which the field is fitted."""
    every = min(count, max(1, round(FITTED_MM / step_mm)))
    return np.arange((count - 1) % every // 2, count, every)


def _basis(at: npt.NDArray[np.intp], count: int, intervals: int) -> FloatArray:
    """Cubic B-splines of an axis of `count` voxels cut into `intervals`, at some voxels: (voxel, intervals + 3)."""
    place = at * (intervals / max(count - 1, 1))
    first = np.minimum(place.astype(np.intp), intervals - 1)
    t = place - first
    values = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    basis = np.zeros((len(at), intervals + 3))
    np.put_along_axis(basis, first[:, None] + np.arange(4), values, axis=1)
    return basis


def _along(matrices: Sequence[FloatArray], values: FloatArray) -> FloatArray:
    """Each axis of three times its matrix: (i, a), (j, b), (k, c) and (a, b, c) give (i, j, k)."""
    for matrix in matrices:
        values = np.asarray(np.tensordot(values, matrix, axes=(0, 1)), dtype=np.float64)
    return values


class _Fit:
    """The lattice of B-splines nearest to values inside a mask, all of the same weight, by eq. 3 to 5 of Lee et al."""

    def __init__(self, bases: Sequence[FloatArray], inside: npt.NDArray[np.bool_]) -> None:
        self.inside = inside
        self.cubes = [(basis**3 / np.sum(basis**2, axis=1, keepdims=True)).T for basis in bases]
        weights = _along([(basis**2).T for basis in bases], inside.astype(np.float64))
        self.share = np.divide(1, weights, out=np.zeros(weights.shape), where=weights > 0)

    def __call__(self, values: FloatArray) -> FloatArray:
        grid = np.zeros(self.inside.shape)
        grid[self.inside] = values
        return np.asarray(_along(self.cubes, grid) * self.share)


def _sharpened(values: FloatArray) -> FloatArray:
    """What each log value is expected to be without shading, by deconvolution of their histogram."""
    lowest, highest = values.min(), values.max()
    width = (highest - lowest) / (BINS - 1)
    if not width > 0:
        return values
    place = (values - lowest) / width
    first = np.minimum(place.astype(np.intp), BINS - 2)
    upper = place - first
    size = 2 << int(np.ceil(np.log2(BINS)))
    before = (size - BINS) // 2
    histogram = np.bincount(first + before, 1 - upper, size) + np.bincount(first + before + 1, upper, size)
    distance = np.fft.fftfreq(size, 1 / size) * width / FWHM
    gauss = np.fft.fft(2 * np.sqrt(np.log(2) / np.pi) * width / FWHM * np.exp(-4 * np.log(2) * distance**2))
    wiener = np.real(np.conj(gauss) / (np.abs(gauss) ** 2 + WIENER_NOISE))
    sharp = np.maximum(np.real(np.fft.ifft(np.fft.fft(histogram) * wiener)), 0)
    value = lowest + (np.arange(size) - before) * width

    def blurred(counts: FloatArray) -> FloatArray:
        return np.asarray(np.real(np.fft.ifft(np.fft.fft(counts) * gauss)))

    total = blurred(sharp)
    expected = np.divide(blurred(sharp * value), total, out=np.zeros(size), where=total != 0)[before : before + BINS]
    return np.asarray(expected[first] + (expected[first + 1] - expected[first]) * upper)
