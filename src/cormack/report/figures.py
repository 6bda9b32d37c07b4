"""The figures of a report: which planes are shown, how they are cropped, what is drawn over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Volume
from cormack.report.kinds import View, kind_of
from cormack.report.planes import AXIAL, CORONAL, SAGITTAL, Box, Panel, panel

#: Axial sections in the montage, from base to vertex.
MONTAGE_SECTIONS = 15
#: Axial sections without contours beside one coronal and one sagittal.
WHOLE_SECTIONS = 3
#: Air shown around the head (mm).
MARGIN_MM = 8.0


@dataclass(frozen=True)
class Figures:
    """Pictures by row: the three planes, the axial montage, the whole head without contours; and how they are shown.

    `soft` is the view of the first two rows, `hard` that of the last.
    """

    planes: tuple[Panel, ...]
    montage: tuple[Panel, ...]
    whole: tuple[Panel, ...]
    soft: View
    hard: View


def figures(volume: Volume, head: LabelMap, brain: LabelMap, template_brain: LabelMap | None = None) -> Figures:
    """Cut all pictures of a report.

    Parameters
    ----------
    volume : Volume
        HU of a CT or values of no unit of an MR, shape (i, j, k), axes closest to right, anterior, superior.
    head, brain : LabelMap
        On the grid of the volume; an empty brain mask is replaced by the head, an empty head by the whole grid.
    template_brain : LabelMap, optional
        Outlined, too.
    """
    head_profiles = _profiles(head.data)
    brain_profiles = _profiles(brain.data)
    box = _crop(volume, head_profiles)
    centred_on = brain_profiles if all(p.any() for p in brain_profiles) else head_profiles
    centre = [_median(profile) for profile in centred_on]
    masks = {"head": head, "brain": brain}
    if template_brain is not None:
        masks["template"] = template_brain
    soft, hard = kind_of(volume).views(volume, head, brain)

    def cut(axis: int, index: int, *, whole: bool = False) -> Panel:
        view = hard if whole else soft
        kind = view.name if whole else f"{view.name} with the contours of head and brain mask"
        plane = ("Sagittal", "Coronal", "Axial")[axis]
        alt = f"{plane} section {'ijk'[axis]} = {index} of the head in the {kind}."
        return panel(volume, axis, index, box, view.window, {} if whole else masks, alt=alt)

    sections = _spread(centred_on[2], MONTAGE_SECTIONS)
    return Figures(
        planes=tuple(cut(axis, centre[axis]) for axis in (AXIAL, CORONAL, SAGITTAL)),
        montage=tuple(cut(AXIAL, k) for k in sections),
        whole=(
            *(cut(AXIAL, k, whole=True) for k in _spread(centred_on[2], WHOLE_SECTIONS)),
            cut(CORONAL, centre[1], whole=True),
            cut(SAGITTAL, centre[0], whole=True),
        ),
        soft=soft,
        hard=hard,
    )


def _profiles(data: AnyArray) -> list[npt.NDArray[np.int64]]:
    """Number of voxels of a mask in each plane, along i, j and k."""
    # Every other voxel is enough to find a middle and an end, and four to eight times faster.
    step = tuple(max(1, n // 128) for n in data.shape)
    thin = data[:: step[0], :: step[1], :: step[2]] > 0
    counts = (np.count_nonzero(thin, axis=tuple(a for a in range(3) if a != axis)) for axis in range(3))
    return [np.repeat(c, s)[:n] for c, s, n in zip(counts, step, data.shape, strict=True)]


def _crop(volume: Volume, profiles: list[npt.NDArray[np.int64]]) -> Box:
    """The box that holds the head with a margin, within the grid."""
    spans = []
    for profile, spacing in zip(profiles, volume.spacing_mm, strict=True):
        filled = np.flatnonzero(profile)
        first, last = (int(filled[0]), int(filled[-1])) if len(filled) else (0, len(profile) - 1)
        margin = int(np.ceil(MARGIN_MM / spacing))
        spans.append(slice(max(0, first - margin), min(len(profile), last + 1 + margin)))
    return spans[0], spans[1], spans[2]


def _median(profile: npt.NDArray[np.int64]) -> int:
    total = np.cumsum(profile)
    return int(np.searchsorted(total, total[-1] / 2)) if total[-1] else len(profile) // 2


def _spread(profile: npt.NDArray[np.int64], count: int) -> list[int]:
    """Indices of planes spread evenly over the extent of a mask, its outermost planes left out."""
    filled = np.flatnonzero(profile)
    first, last = (int(filled[0]), int(filled[-1])) if len(filled) else (0, len(profile) - 1)
    positions = first + (np.arange(count) + 0.5) * (last - first) / count
    return sorted({round(float(p)) for p in positions})
