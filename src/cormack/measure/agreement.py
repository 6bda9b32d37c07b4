"""How far a label map agrees with a reference, structure by structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from scipy import ndimage

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, FloatArray
from cormack.measure.boxes import BoolArray, Box, bounding_box
from cormack.measure.confusion import Confusion
from cormack.measure.surface import SurfaceDistances, area_distances, voxel_distances

#: Surfaces no farther apart than this count as equal in surface Dice, if nothing else is said (mm).
TOLERANCE_MM = 1.0


@dataclass(frozen=True)
class StructureAgreement:
    """One structure of a prediction against the reference.

    What is not defined is NaN, never 0 or 1: `cormack.measure.metrics` says why, and lists every metric.

    Attributes
    ----------
    index : int
    name : str
    counts : Confusion
        Voxels, and all shares that follow from them.
    voxel_volume_ml : float
    hausdorff_mm, hausdorff95_mm : float
        Greatest distance between the surfaces, and the 95th percentile; of both directions the greater one.
    average_surface_distance_mm : float
        Mean distance over both surfaces.
    surface_dice : float
        Share of both surfaces' area that lies within the tolerance.
    slices_left_out : int
        Where single slices are compared: slices that only one of both shows, which have no distance.
    """

    index: int
    name: str
    counts: Confusion
    voxel_volume_ml: float
    hausdorff_mm: float = nan
    hausdorff95_mm: float = nan
    average_surface_distance_mm: float = nan
    surface_dice: float = nan
    slices_left_out: int = 0

    @property
    def dice(self) -> float:
        """Sørensen–Dice coefficient; NaN if absent in both."""
        return self.counts.dice

    @property
    def reference_ml(self) -> float:
        """Volume in the reference, by voxel counting, within what was compared."""
        return self.counts.reference * self.voxel_volume_ml

    @property
    def predicted_ml(self) -> float:
        """Volume in the prediction."""
        return self.counts.predicted * self.voxel_volume_ml

    @property
    def difference_ml(self) -> float:
        """Predicted minus reference volume."""
        return self.predicted_ml - self.reference_ml

    @property
    def difference_percent(self) -> float:
        """Difference in percent of the reference volume; NaN if that is 0."""
        return 100 * self.difference_ml / self.reference_ml if self.counts.reference else nan


def compare_labels(
    reference: LabelMap,
    predicted: LabelMap,
    *,
    tolerance_mm: float = TOLERANCE_MM,
    slices: Sequence[int] | None = None,
    undecided: int | None = None,
    surfaces: bool = True,
) -> tuple[StructureAgreement, ...]:
    """Compare every structure of two label maps.

    Structures are those of both tables, and whatever else occurs in either map, in ascending order of their numbers;
    names are the reference's where it has one.

    Parameters
    ----------
    reference, predicted : LabelMap
        On one grid, shape (i, j, k).
    tolerance_mm : float
        Of surface Dice.
    slices : sequence of int, optional
        Only these k count, for a reference that was drawn on some slices alone (`drawn_slices` finds them). Distances
        are then measured within each slice.
    undecided : int, optional
        Number of the reference that stands for voxels on which its observers could not agree: these do not count.
        Surfaces are measured as if the prediction were right there.
    surfaces : bool
        Without surfaces their metrics are NaN, and the comparison is several times faster.

    Raises
    ------
    GeometryError
        If the maps do not lie on one grid.
    InputError
        If a slice does not exist, the tolerance is negative, or a structure has another number in each map.
    """
    _check(reference, predicted, tolerance_mm)
    truth, answer = reference.data, predicted.data
    if slices is not None:
        chosen = _chosen(slices, truth.shape[2])
        truth, answer = truth[:, :, chosen], answer[:, :, chosen]
    open_ = None
    if undecided is not None and (truth == undecided).any():
        open_ = truth == undecided
        truth = np.where(open_, answer, truth)
    steps_mm = reference.affine[:3, :3]
    found = []
    for index, name, box in _structures(reference, predicted, truth, answer, undecided):
        a, b = truth[box] == index, answer[box] == index
        counted = None if open_ is None else ~open_[box]
        total = truth.size if open_ is None else truth.size - int(np.count_nonzero(open_))
        agreement = StructureAgreement(index, name, _counts(a, b, counted, total), reference.voxel_volume_ml)
        if surfaces:
            agreement = _with_surfaces(agreement, a, b, steps_mm, tolerance_mm, flat=slices is not None)
        found.append(agreement)
    return tuple(found)


def drawn_slices(labels: LabelMap) -> tuple[int, ...]:
    """The k on which anything is drawn."""
    return tuple(np.flatnonzero(labels.data.any(axis=(0, 1))).tolist())


def _check(reference: LabelMap, predicted: LabelMap, tolerance_mm: float) -> None:
    a, b = reference, predicted
    if a.data.shape != b.data.shape or not np.allclose(a.affine, b.affine, atol=1e-3):
        raise GeometryError(
            f"the prediction of shape {b.data.shape} does not lie on the grid of the reference, shape {a.data.shape}; "
            "bring it there first (cormack transform --labels)"
        )
    numbers = {label.name: label.index for label in b.table}
    for label in a.table:
        if numbers.get(label.name, label.index) != label.index:
            raise InputError(
                f"structure {label.name} is number {label.index} in the reference, but {numbers[label.name]} in the "
                "prediction; renumber one of them"
            )
    if not tolerance_mm >= 0:
        raise InputError(f"tolerance_mm is {tolerance_mm}; give 0 or more")


def _chosen(slices: Sequence[int], count: int) -> list[int]:
    chosen = sorted(set(slices))
    if not chosen or chosen[0] < 0 or chosen[-1] >= count:
        raise InputError(f"slices to compare must be some of 0 to {count - 1}; given are {chosen or 'none'}")
    return chosen


def _structures(
    reference: LabelMap, predicted: LabelMap, truth: AnyArray, answer: AnyArray, undecided: int | None
) -> Iterator[tuple[int, str, Box]]:
    """Number, name and common bounding box of every structure; an empty box where it is absent."""
    names = {label.index: label.name for table in (predicted.table, reference.table) for label in table}
    boxes = [_boxes(data) for data in (truth, answer)]
    for index in sorted({*names, *boxes[0], *boxes[1]} - {undecided}):
        spans = [found[index] for found in boxes if index in found]
        box = tuple(
            slice(min(s[axis].start for s in spans), max(s[axis].stop for s in spans)) if spans else slice(0, 0)
            for axis in range(3)
        )
        yield index, names.get(index, f"label {index}"), (box[0], box[1], box[2])


def _boxes(data: AnyArray) -> dict[int, Box]:
    """Bounding box of every number but 0."""
    # The search takes its time per voxel; the box around everything is found several times faster.
    whole = bounding_box(data)
    inner = data[whole]
    if not inner.size:
        return {}
    found = ndimage.find_objects(inner.view(np.uint8) if inner.dtype == np.bool_ else inner)
    return {index: _shifted(box, whole) for index, box in enumerate(found, start=1) if box is not None}


def _shifted(box: Box, whole: Box) -> Box:
    i, j, k = (slice(s.start + w.start, s.stop + w.start) for s, w in zip(box, whole, strict=True))
    return i, j, k


def _counts(a: BoolArray, b: BoolArray, counted: BoolArray | None, total: int) -> Confusion:
    """Counts within the box that holds both; all beyond is in neither."""
    if counted is not None:
        a, b = a & counted, b & counted
    both, first, second = (int(np.count_nonzero(m)) for m in (a & b, a, b))
    return Confusion(both, second - both, first - both, total - first - second + both)


def _with_surfaces(
    agreement: StructureAgreement, a: BoolArray, b: BoolArray, steps_mm: FloatArray, tolerance_mm: float, *, flat: bool
) -> StructureAgreement:
    """The same with the metrics of surfaces, over the slices that both show if each is compared alone."""
    if not flat:
        if not (a.any() and b.any()):
            return agreement
        pairs = [(a, b)]
    else:
        shown = [m.any(axis=(0, 1)) for m in (a, b)]
        pairs = [(a[:, :, k : k + 1], b[:, :, k : k + 1]) for k in np.flatnonzero(shown[0] & shown[1])]
        agreement = replace(agreement, slices_left_out=int(np.count_nonzero(shown[0] ^ shown[1])))
        if not pairs:
            return agreement
    voxels = _pooled([voxel_distances(*pair, steps_mm, flat=flat) for pair in pairs])
    areas = _pooled([area_distances(*pair, steps_mm, flat=flat) for pair in pairs])
    return replace(
        agreement,
        hausdorff_mm=voxels.percentile_mm(100),
        hausdorff95_mm=voxels.percentile_mm(95),
        average_surface_distance_mm=voxels.mean_mm,
        surface_dice=areas.share_within(tolerance_mm),
    )


def _pooled(parts: Sequence[SurfaceDistances]) -> SurfaceDistances:
    """The elements of several surfaces as those of one."""
    if len(parts) == 1:
        return parts[0]
    return SurfaceDistances(
        np.concatenate([part.to_second for part in parts]),
        np.concatenate([part.to_first for part in parts]),
        np.concatenate([part.first_weights for part in parts]),
        np.concatenate([part.second_weights for part in parts]),
    )
