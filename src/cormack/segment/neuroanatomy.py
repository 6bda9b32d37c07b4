"""Structures of a head on its native voxels, whichever route found them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import Unit, Volume
from cormack.imaging.filled_box import filled_box
from cormack.nn.grid import WayBack
from cormack.segment.brain_grid import brain_box
from cormack.segment.opinion import Confidence, FloatImage, Labels, Opinion, confidence, likeliest
from cormack.segment.plausible import without_islands

#: What lies inside the skull and what no route names is fluid around the brain.
_FLUID = NEUROANATOMY_FINE["subarachnoid space"].index
#: A structure is doubtful whose mean probability, or whose observers' agreement, is less.
SURE, AGREED = 0.6, 0.6
#: Threads that draw planes; numpy leaves the interpreter to the other while it works.
WORKERS = 2
#: Planes that are drawn by one of them at a time, in a box that holds the brain of these alone.
TOGETHER = 24

#: Where a plane of a volume lies.
Part = tuple[slice, slice, int]


@dataclass(frozen=True, eq=False)
class Neuroanatomy:
    """The structures of one head.

    Attributes
    ----------
    labels : LabelMap
        The sixteen, on the grid of the scan; every voxel of the intracranial space has one, but for bone and air that
        the mask holds, where the opinion tells them.
    confidence : mapping of str to Confidence
        By the structure's name in either table.
    opinion : Opinion
        What it was drawn from.
    coarse : Opinion
        The same or, where that was corrected in slices, what was said before, on an even grid.
    findings : tuple of Finding
    """

    labels: LabelMap
    confidence: Mapping[str, Confidence]
    opinion: Opinion
    coarse: Opinion
    findings: tuple[Finding, ...] = ()

    def eleven(self) -> LabelMap:
        """The eleven structures on the same voxels."""
        return LabelMap(COARSE_OF_FINE[self.labels.data], self.labels.affine, NEUROANATOMY, self.labels.description)


def draw_structures(
    volume: Volume, brain: LabelMap, opinion: Opinion, *, coarse: Opinion | None = None
) -> Neuroanatomy:
    """Bring an opinion onto the voxels of a scan.

    Pieces that no head has are taken away, then every voxel of the intracranial space gets the likeliest structure,
    between the voxels of the coarse grid by linear interpolation; none where background is likelier.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), at right angles.
    brain : LabelMap
        The intracranial space, on the same grid.
    opinion : Opinion
    coarse : Opinion, optional
        What was said on a coarse grid, `without_islands`, if `opinion` is that corrected in slices.

    Raises
    ------
    InputError
        If the mask lies on another grid.
    ExtractionError
        If it holds no brain.
    """
    plausible = without_islands(opinion)
    labels = np.zeros(volume.shape, dtype=np.uint8, order="F")

    def draw(part: Part, found: Labels, _: FloatImage) -> None:
        labels[part] = np.where(brain.data[part] > 0, found, 0)

    _by_planes(volume, brain, plausible, draw)
    sure = confidence(plausible)
    drawn = LabelMap(
        labels,
        volume.affine,
        NEUROANATOMY_FINE,
        f"structures of the intracranial space; {opinion.description}; every voxel inside the brain mask has a label"
        + (", but for bone and air" if opinion.background is not None else ""),
    )
    return Neuroanatomy(drawn, sure, plausible, coarse or plausible, (*opinion.findings, *_findings(sure)))


def certainty(volume: Volume, brain: LabelMap, found: Neuroanatomy) -> Volume:
    """The probability, among the eleven, of the structure that every voxel was given; float32, 0 outside the brain."""
    out = np.zeros(volume.shape, dtype=np.float32, order="F")

    def draw(part: Part, labels: Labels, share: FloatImage) -> None:
        out[part] = share * ((brain.data[part] > 0) & (labels > 0))

    _by_planes(volume, brain, found.opinion, draw)
    return Volume(out, volume.affine, unit=Unit.PROBABILITY, outside=0.0)


def _by_planes(
    volume: Volume, brain: LabelMap, opinion: Opinion, draw: Callable[[Part, Labels, FloatImage], None]
) -> None:
    """Draw every plane of constant k that holds brain: where it lies, its labels, and their probabilities."""
    box = brain_box(volume, brain)
    # With the slices of the coarse grid in one piece each, going through them takes half of the time.
    probability = np.moveaxis(np.ascontiguousarray(np.moveaxis(opinion.probability, 3, 0)), 0, 3)

    def draw_some(planes: slice) -> None:
        held = filled_box(brain.data[:, :, planes])
        if held is None:
            return
        i, j, k = held
        k = slice(planes.start + k.start, planes.start + k.stop)
        affine = volume.affine.copy()
        affine[:3, 3] = volume.world([i.start, j.start, k.start])
        way = WayBack(opinion.affine, affine, (i.stop - i.start, j.stop - j.start, k.stop - k.start))
        beyond = repeat(None) if opinion.background is None else way.planes(opinion.background[None])
        for (number, plane), background in zip(way.planes(probability), beyond, strict=False):
            labels, share = likeliest(plane)
            np.copyto(labels, np.uint8(_FLUID), where=labels == 0)
            if background is not None:
                np.copyto(labels, np.uint8(0), where=background[1][0] > share)
            draw((i, j, k.start + number), labels, share)

    with ThreadPoolExecutor(WORKERS) as pool:
        starts = range(box[2].start, box[2].stop, TOGETHER)
        for done in [pool.submit(draw_some, slice(start, min(start + TOGETHER, box[2].stop))) for start in starts]:
            done.result()


def _findings(sure: Mapping[str, Confidence]) -> tuple[Finding, ...]:
    findings = []
    missing = [label.name for label in NEUROANATOMY_FINE if label.name not in sure]
    if missing:
        findings.append(
            Finding(
                "structures-missing",
                f"Not found: {', '.join(missing)}. They may be destroyed, displaced, or outside of the field of view.",
                {"structures": missing},
            )
        )
    doubtful = {
        name: value
        for name, value in sure.items()
        if value.probability < SURE or (value.agreement is not None and value.agreement < AGREED)
    }
    if doubtful:
        findings.append(
            Finding(
                "structures-unsure",
                f"Doubtful: {', '.join(doubtful)}. Their mean probability is below {SURE:.0%}, or views of one brain "
                f"agree less than {AGREED:.0%} (Dice); look at the labels.",
                {name: round(value.probability, 3) for name, value in doubtful.items()},
            )
        )
    return tuple(findings)
