"""Conditioning: padding told from air, values winsorised to what a CT scanner can measure; an MR's left as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ValuesError
from cormack.core.volume import AnyArray, SliceStack

#: The range of a 12-bit CT (Muschelli 2019, doi 10.3389/fninf.2019.00061).
HU_RANGE = (-1024, 3071)
#: Padding is accepted at or below this value only; a header that calls water padding is not believed.
PADDING_CEILING_HU = -900.0
#: A CT holds air: some voxel lies below this.
AIR_CEILING_HU = -200.0
#: Soft tissue and water (HU), and the least fraction of the measured voxels that must lie there.
SOFT_TISSUE_HU = (-150.0, 150.0)
SOFT_TISSUE_FRACTION = 0.005
#: Water in a CT, and in one that was stored without its rescale intercept.
CT_OFFSETS = (0.0, 1024.0, 1000.0)
#: Of the body (HU) more than this share has values of a CT's soft tissue (HU); in MR nothing is so much alike.
BODY_HU, CT_TISSUE_HU, CT_SHARE = (-300.0, 2000.0), (-20.0, 100.0), 0.5
#: About so many voxels, evenly spread, are looked at to tell whether values are HU.
SAMPLED_VOXELS = 1e6
#: No scanner's extended scale reaches beyond this.
METAL_CEILING_HU = 32767.0


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A stack whose slices are given in int16 HU within `HU_RANGE`, and where they were never measured.

    Nothing is converted until it is asked for: slice by slice (which costs no memory), or all at once.

    Attributes
    ----------
    source : SliceStack
        In HU as stored, padding included.
    padding_hu : tuple of float
        The values that are taken for padding.
    """

    source: SliceStack
    padding_hu: tuple[float, ...]

    @property
    def outside(self) -> float:
        """What padding becomes (HU)."""
        return float(HU_RANGE[0])

    @property
    def dtype(self) -> np.dtype[np.int16]:
        """Data type of the conditioned values."""
        return np.dtype(np.int16)

    @property
    def limits(self) -> tuple[float, float]:
        """The range that interpolation must not leave (HU)."""
        return HU_RANGE

    def slice_padded(self, k: int) -> npt.NDArray[np.bool_]:
        """Where slice k is padding, shape (i, j)."""
        values = self.source.data[:, :, k]
        padded = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool, order="F")
        for padding in self.padding_hu:
            padded |= values == padding
        return np.asarray(padded)

    def slice_values(self, k: int) -> npt.NDArray[np.int16]:
        """Slice k in winsorised HU, shape (i, j); −1024 where it is padding."""
        values = self.source.data[:, :, k]
        # Padding below the range becomes its lower end by clipping alone.
        if values.dtype.kind == "f" or any(value > HU_RANGE[0] for value in self.padding_hu):
            values = np.where(self.slice_padded(k), HU_RANGE[0], values)
        values = np.clip(values, *HU_RANGE)
        return np.asarray(np.rint(values) if values.dtype.kind == "f" else values, dtype=np.int16)

    @cached_property
    def stack(self) -> SliceStack:
        """All slices in winsorised HU."""
        data = np.empty(self.source.data.shape, dtype=np.int16, order="F")
        for k in range(len(self.source.origins)):
            data[:, :, k] = self.slice_values(k)
        return self.source.with_data(data, outside=self.outside)

    @cached_property
    def padded(self) -> npt.NDArray[np.bool_]:
        """Where the stack is padding, shape (i, j, k)."""
        padded = np.empty(self.source.data.shape, dtype=bool, order="F")
        for k in range(len(self.source.origins)):
            padded[:, :, k] = self.slice_padded(k)
        return padded


def condition(stack: SliceStack, padding_hu: Iterable[float] = ()) -> Conditioned:
    """Tell padding from air, and winsorise to [−1024, 3071] HU as int16.

    Parameters
    ----------
    stack : SliceStack
        In HU as stored, padding included.
    padding_hu : iterable of float
        Padding values that the header states, in HU. A constant below −1024 in the corners is found without it.

    Raises
    ------
    ValuesError
        If the values cannot be Hounsfield units.
    """
    accepted = {float(v) for v in padding_hu if v <= PADDING_CEILING_HU} | _corner_padding(stack.data)
    check_hounsfield(stack.data, accepted)
    return Conditioned(stack, tuple(sorted(accepted)))


def condition_intensities(stack: SliceStack, padding: Iterable[float] = ()) -> SliceStack:
    """An MR with 0 where nothing was measured; all other values stay as they are.

    Parameters
    ----------
    stack : SliceStack
        Values of no unit, as stored.
    padding : iterable of float
        Values that the header calls padding.

    Raises
    ------
    ValuesError
        If the image is empty or constant, or its values are those of a CT.
    """
    data = stack.data
    unknown = ~np.isfinite(data) if data.dtype.kind == "f" else np.zeros(data.shape, dtype=bool, order="F")
    for value in padding:
        unknown |= data == value
    if unknown.any():
        data = np.where(unknown, data.dtype.type(0), data)
    low, high = float(data.min()), float(data.max())
    if low == high:
        raise ValuesError(f"the image is constant ({low:g}): it shows nothing; an MR of a head is expected")
    if looks_like_ct(data):
        raise ValuesError(
            f"values run from {low:g} to {high:g}, half of the body within the narrow range of soft tissue in a CT; an "
            "MR is expected: give one, or, where a command takes a CT in Hounsfield units too, say --modality CT"
        )
    return replace(stack, data=data, outside=0.0)


def looks_like_ct(data: AnyArray) -> bool:
    """True if values are Hounsfield units, or such that were stored without their rescale intercept."""
    return any(_soft_tissue_share(data, offset) > CT_SHARE for offset in CT_OFFSETS)


def _soft_tissue_share(data: AnyArray, offset: float) -> float:
    """Share of the body that has values of soft tissue if `offset` is water; 0 where there would be no air."""
    sample = _sample(data)
    sample = sample[np.isfinite(sample)].astype(np.float32) - np.float32(offset)
    if not sample.size or sample.min() >= AIR_CEILING_HU:
        return 0.0
    body = sample[(sample > BODY_HU[0]) & (sample < BODY_HU[1])]
    return float(np.mean((body > CT_TISSUE_HU[0]) & (body < CT_TISSUE_HU[1]))) if body.size else 0.0


def holds_air(data: AnyArray) -> bool:
    """True if some value is as low as only air is in a CT."""
    return bool(np.nanmin(_sample(data)) < AIR_CEILING_HU)


def _sample(data: AnyArray) -> AnyArray:
    """About `SAMPLED_VOXELS` evenly spread voxels, shape (i, j, k)."""
    step = max(1, round((data.size / SAMPLED_VOXELS) ** (1 / 3)))
    return data[::step, ::step, ::step]


def _corner_padding(data: AnyArray) -> set[float]:
    """The constant below air that fills most corners of the slices, if there is one."""
    corners = data[:: max(1, data.shape[0] - 1), :: max(1, data.shape[1] - 1), :].ravel()
    corners = corners[np.isfinite(corners)]
    if corners.size == 0:
        return set()
    values, counts = np.unique(corners, return_counts=True)
    common = float(values[counts.argmax()])
    return {common} if common < HU_RANGE[0] and counts.max() > corners.size / 2 else set()


def check_hounsfield(data: AnyArray, padding_hu: Iterable[float] = ()) -> None:
    """Refuse numbers that cannot be Hounsfield units.

    Parameters
    ----------
    data : array, shape (i, j, k)
    padding_hu : iterable of float
        Values that do not count.

    Raises
    ------
    ValuesError
        If there is no air, hardly any soft tissue, or a value beyond every CT scale; says which, and what was found.
    """
    sample = _sample(data)
    known = np.isfinite(sample)
    for padding in padding_hu:
        known &= sample != padding
    measured = sample[known]
    if measured.size == 0:
        raise ValuesError("the image holds no measured value, only padding or NaN")
    low, high = float(measured.min()), float(measured.max())
    found = f"values run from {low:g} to {high:g}"
    if low == high:
        raise ValuesError(f"the image is constant ({low:g}); a CT holds air, tissue and bone")
    lowest = float(np.nanmin(sample))  # padding counts as air here: it may hold all the air there is
    if lowest >= AIR_CEILING_HU:
        raise ValuesError(
            f"{found}, but a CT in Hounsfield units holds air near -1000: this looks like an MR, a label map, "
            "or a CT stored without its rescale intercept"
        )
    if high > METAL_CEILING_HU:
        raise ValuesError(f"{found}; no CT scale reaches beyond {METAL_CEILING_HU:g} HU")
    soft = np.count_nonzero((measured > SOFT_TISSUE_HU[0]) & (measured < SOFT_TISSUE_HU[1])) / measured.size
    if soft < SOFT_TISSUE_FRACTION:
        raise ValuesError(
            f"{found}, and only {100 * soft:.2f} % of the voxels lie between {SOFT_TISSUE_HU[0]:g} and "
            f"{SOFT_TISSUE_HU[1]:g}: too little soft tissue for Hounsfield units of a body"
        )
