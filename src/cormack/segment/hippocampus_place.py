"""Where a hippocampus is: the network's own response, tried where in a head it belongs. No template is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray, Volume
from cormack.imaging.workgrid import bounding_box, largest_component
from cormack.nn.store import Network
from cormack.segment.hippocampus_views import Seen, look, mirrored

#: What a window holds at most and at least, and around the hippocampus, as the crops of the training do (mm).
WINDOW_MM, LEAST_WINDOW_MM, AROUND_MM = (40.0, 56.0, 40.0), (33.0, 48.0, 33.0), 6.0
#: Larger than this along any axis (mm), an image is searched through.
LARGEST_CROP_MM = (50.0, 66.0, 50.0)
#: Where centres are looked for: beside the middle, before the back, below the top of a head with skull or without (mm).
BESIDE_MM, BEFORE_BACK_MM, BELOW_TOP_MM = (10.0, 46.0), (50.0, 140.0), (55.0, 135.0)
#: Voxels of a head are brighter than this share of the bright ones.
HEAD_SHARE = 0.12
#: Responses that are looked at closely, the least of them, their distance (mm), and steps to a better centre.
CANDIDATES, LEAST_RESPONSE, APART_MM, STEPS = 4, 0.03, 12.0, 4
#: A hippocampus has a volume within this (mm³), each part at least this share of it, and its posterior end lies this
#: way from its anterior end (RAS; left).
PLAUSIBLE_MM3, LEAST_PART = (1500.0, 7000.0), 0.25
BACKWARDS = np.array([-0.10, -0.92, 0.37])


@dataclass(frozen=True, eq=False)
class Place:
    """A window on the network's grid around a hippocampus, and what the network saw there.

    Attributes
    ----------
    window : Volume
        Of a right hippocampus mirrored.
    seen : Seen
        In the plain view alone.
    """

    window: Volume
    seen: Seen

    @property
    def score(self) -> float:
        """Confidence, less where volume, parts or direction are not those of a hippocampus; 0 to 1."""
        labels = self.seen.labels
        volume = np.count_nonzero(labels) * self.window.voxel_volume_ml * 1000
        if not (labels == 1).any() or not (labels == 2).any():
            return 0.0
        low, high = PLAUSIBLE_MM3
        size = min(1.0, volume / low, high / volume)
        parts = np.bincount(labels.ravel(), minlength=3)[1:]
        balance = min(1.0, float(parts.min() / parts.sum()) / LEAST_PART)
        along = (_middle(labels == 2) - _middle(labels == 1)) * self.window.spacing_mm
        ahead = max(0.0, float(along @ BACKWARDS / (np.linalg.norm(along) * np.linalg.norm(BACKWARDS))))
        return self.seen.confidence * size * balance * ahead


def is_crop(grid: Volume) -> bool:
    """True if an image is no larger than what surrounds one hippocampus."""
    extent = np.multiply(grid.shape, grid.spacing_mm)
    return bool((extent <= LARGEST_CROP_MM).all())


def find_place(grid: Volume, network: Network) -> Place | None:
    """The best window of a part of a head, None if the network responds nowhere.

    Parameters
    ----------
    grid : Volume
        On the network's grid, shape (i, j, k), axes to R, A, S; mirrored for a right hippocampus.
    network : Network
    """
    if not grid.data.any():
        return None
    if is_crop(grid):
        return Place(grid, look(grid, network, 0))
    found = [_refined(grid, centre, network) for centre in _candidates(grid, network)]
    return max(found, key=lambda place: place.score, default=None)


def left_and_right(grid: Volume) -> tuple[Volume, Volume]:
    """The parts of a head where the left and the right hippocampus are looked for; the right one mirrored.

    Parameters
    ----------
    grid : Volume
        A head with skull or without, on the network's grid, axes to R, A, S.
    """
    low, high = _head(grid)
    middle = (low[0] + high[0]) / 2
    room = np.divide(WINDOW_MM, 2) / grid.spacing_mm
    ranges = BESIDE_MM, BEFORE_BACK_MM, BELOW_TOP_MM
    beside, before, below = (np.divide(mm, step) for mm, step in zip(ranges, grid.spacing_mm, strict=True))
    first = np.array([middle - beside[1], low[1] + before[0], high[2] - below[1]]) - room
    last = np.array([middle - beside[0], low[1] + before[1], high[2] - below[0]]) + room
    right_first, right_last = first.copy(), last.copy()
    right_first[0], right_last[0] = 2 * middle - last[0], 2 * middle - first[0]
    return _cut(grid, first, last), mirrored(_cut(grid, right_first, right_last))


def _head(grid: Volume) -> tuple[FloatArray, FloatArray]:
    """First and last voxel of the head along each axis."""
    values = ndimage.gaussian_filter(grid.data[::2, ::2, ::2], 1.0)
    positive = values[values > 0]
    level = HEAD_SHARE * float(np.percentile(positive, 98)) if positive.size else 0.0
    box = bounding_box(largest_component(values > level))
    low, high = (np.array([getattr(s, end) * 2.0 for s in box]) for end in ("start", "stop"))
    return low, np.minimum(high, grid.shape) - 1


def _cut(grid: Volume, first: FloatArray, last: FloatArray) -> Volume:
    """The voxels between two corners, as far as there are any."""
    start = np.clip(np.floor(first), 0, np.subtract(grid.shape, 1)).astype(int)
    stop = np.maximum(np.clip(np.ceil(last) + 1, 0, grid.shape).astype(int), start + 1)
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world(start)
    part = grid.data[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    return Volume(part, affine, grid.unit, grid.outside, grid.acquisition)


def _candidates(grid: Volume, network: Network) -> Iterator[FloatArray]:
    """Middles of the strongest responses, the strongest first."""
    response = look(grid, network, 0).prediction.probability.sum(axis=0)
    spacing = np.asarray(grid.spacing_mm)
    smooth = ndimage.gaussian_filter(response, APART_MM / 2 / spacing)
    highest = ndimage.maximum_filter(smooth, size=tuple(2 * np.rint(APART_MM / spacing).astype(int) + 1))
    peaks = np.argwhere((smooth == highest) & (smooth > LEAST_RESPONSE))
    order = np.argsort(-smooth[tuple(peaks.T)], kind="stable")
    yield from peaks[order[:CANDIDATES]].astype(np.float64)


def _refined(grid: Volume, centre: FloatArray, network: Network) -> Place:
    """A window around a response, moved and sized until it holds the structure and what surrounds it."""
    half = np.divide(WINDOW_MM, 2) / grid.spacing_mm
    around = AROUND_MM / np.asarray(grid.spacing_mm)
    first, last = centre - half, centre + half - 1
    for step in range(STEPS):
        window = _cut(grid, first, last)
        place = Place(window, look(window, network, 0))
        found = np.argwhere(place.seen.labels > 0)
        if step == STEPS - 1 or not len(found):
            break
        start = np.rint(grid.voxel(window.world((0, 0, 0))))
        before = first, last
        first, last = start + found.min(axis=0) - around, start + found.max(axis=0) + around
        # Within limits, or a wrong response beside it would widen the window, and a part that is not seen narrow it.
        middle = (first + last) / 2
        reach = np.clip((last - first) / 2, half * np.divide(LEAST_WINDOW_MM, WINDOW_MM), half)
        first, last = middle - reach, middle + reach
        if np.abs(np.subtract(before, (first, last))).max() <= 1:
            break
    return place


def _middle(mask: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(np.argwhere(mask).mean(axis=0))
