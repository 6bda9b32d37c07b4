"""Structures of a head: its brain, what the routes say of it, sides, volumes and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.clinical import ClinicalMeasure
from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.imaging.filled_box import filled_box
from cormack.imaging.sides import LEFT, RIGHT, midline_surface
from cormack.imaging.workgrid import Box
from cormack.measure.neuroanatomy import clinical_measures
from cormack.nn.grid import WayBack
from cormack.nn.store import load_network, networks
from cormack.pipeline.progress import Progress, Silent
from cormack.segment.neuroanatomy import Neuroanatomy, draw_structures
from cormack.segment.neuroanatomy_network import NAME, network_opinion
from cormack.segment.neuroanatomy_slices import NAME as SLICES
from cormack.segment.neuroanatomy_slices import corrected_in_slices
from cormack.segment.opinion import FloatImage, Opinion, overlap
from cormack.segment.plausible import without_islands

#: Measures are taken on voxels of about this size (mm), which move no line by more than a fraction of that …
MEASURED_MM = 1.25
#: … while these are the volumes of structures, on all voxels.
WHOLE = {
    "ventricular volume": ("ventricular system",),
    "CSF outside the ventricles": ("subarachnoid space", "central sulcus"),
}
#: A half of the head that holds less than this share of both is missing (or the midline was not found) …
HALF_SHARE = 0.3
#: … and so it is where a brain is narrower than this share of its length; heads have 0.65 and more.
NARROW = 0.6

Sides = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Structures:
    """The structures of a head, told apart by side and measured.

    Attributes
    ----------
    found : Neuroanatomy
    sides : uint8 array, shape (i, j, k)
        1 right, 2 left, 0 outside the brain.
    volumes_ml : mapping of str to (right, left)
        By the structure's name in either table.
    measures : tuple of ClinicalMeasure
    second : LabelMap or None
        What the other route says, on the same grid; sixteen labels.
    routes : mapping of str to float
        Sørensen–Dice of the two routes, by the structure's name in either table.
    findings : tuple of Finding
    """

    found: Neuroanatomy
    sides: Sides
    volumes_ml: Mapping[str, tuple[float, float]]
    measures: tuple[ClinicalMeasure, ...] = ()
    second: LabelMap | None = None
    routes: Mapping[str, float] | None = None
    findings: tuple[Finding, ...] = ()


def network_is_here() -> bool:
    """True if the network of this task came with the package."""
    return NAME in networks()


def find_structures(
    volume: Volume,
    brain: LabelMap,
    *,
    method: str = "network",
    atlases: Path | None = None,
    network: Path | None = None,
    slices: Path | None = None,
    progress: Progress | None = None,
) -> Structures:
    """Find the structures of a brain by one route, or by both.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), rectified.
    brain : LabelMap
        The intracranial space on the same grid.
    method : "network" or "atlas"
        Whose labels are given.
    atlases : Path, optional
        Folder of labelled atlases; with the network they are a second opinion.
    network : Path, optional
        Folder of another one than the packaged network. What it says is not corrected in slices, unless it is said
        by whom.
    slices : Path, optional
        Folder of another network that corrects in slices.
    progress : Progress, optional
        Told of every atlas.

    Raises
    ------
    InputError
        If atlases are needed and missing, or the mask lies on another grid.
    ExtractionError
        If the mask holds no brain.
    RegistrationError
        If no atlas could be registered.
    WeightsError
        If the network is missing or damaged.
    """
    if method == "atlas" and atlases is None:
        raise InputError("method atlas: give the folder of labelled atlases (--atlases); none come with Cormack")
    findings: tuple[Finding, ...] = ()
    by_atlas: Opinion | None = None
    if atlases is not None:
        # Registration takes a third of a second to import.
        from cormack.pipeline.neuroanatomy_atlas import atlas_opinion

        listener = progress or Silent()
        by_atlas, findings = atlas_opinion(volume, brain, atlases, on_progress=listener.advance)
    second = routes = None
    if method == "network" or by_atlas is None:
        found = _by_network(volume, brain, network, slices)
        if by_atlas is not None:
            second = draw_structures(volume, brain, by_atlas).labels
            routes = overlap(found.labels.data, second.data)
    else:
        found = draw_structures(volume, brain, by_atlas)
    midline = _midline(found.coarse)
    sides = _sides(found, midline)
    volumes = _volumes_ml(found.labels, sides)
    findings = (*findings, *found.findings, *_half(sides, midline))
    return Structures(found, sides, volumes, _measures(found.labels, brain, volumes), second, routes, findings)


def _by_network(volume: Volume, brain: LabelMap, network: Path | None, slices: Path | None) -> Neuroanatomy:
    codes = _lies(brain)
    opinion = network_opinion(volume, brain, network=load_network(network or NAME), codes=codes)
    if slices is None and (network is not None or SLICES not in networks()):
        return draw_structures(volume, brain, opinion)
    coarse = without_islands(opinion)
    corrected = corrected_in_slices(coarse, volume, brain, network=load_network(slices or SLICES), codes=codes)
    return draw_structures(volume, brain, corrected, coarse=coarse)


def _lies(brain: LabelMap) -> str | None:
    """How the head lies in the volume, where the brain's method saw that it is not as the header says."""
    for finding in brain.findings:
        if finding.code == "orientation-suspected":
            return str(finding.evidence["axes"])
    return None


@dataclass(frozen=True, eq=False)
class _Midline:
    """How far every voxel of the coarse grid is to the right of the midline, and how wide and long the brain is."""

    to_right_mm: FloatImage
    width_mm: float
    length_mm: float


def _midline(opinion: Opinion) -> _Midline:
    surface = midline_surface(LabelMap(opinion.labels(), opinion.affine, NEUROANATOMY_FINE))
    shape = opinion.inside.shape
    places = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    at = surface.plane.coordinates(places @ opinion.affine[:3, :3].T + opinion.affine[:3, 3])
    to_right_mm = (at[:, 0] - surface.offset_at(at[:, 1:])).reshape(shape).astype(np.float32)
    width, length = np.ptp(np.percentile(at[opinion.inside.ravel(), :2], [1, 99], axis=0), axis=0)
    return _Midline(to_right_mm, float(width), float(length))


def _sides(found: Neuroanatomy, midline: _Midline) -> Sides:
    """Right (1) and left (2) on the grid of the labels."""
    labels = found.labels
    sides = np.zeros(labels.data.shape, dtype=np.uint8, order="F")
    box = _labelled(labels)
    affine = labels.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [s.start for s in box]
    i, j, k = (s.stop - s.start for s in box)
    way = WayBack(found.coarse.affine, affine, (i, j, k))
    for n, plane in way.planes(midline.to_right_mm[None]):
        part = (box[0], box[1], box[2].start + n)
        sides[part] = np.where(plane[0] > 0, np.uint8(RIGHT), np.uint8(LEFT)) * (labels.data[part] > 0)
    return sides


def _labelled(labels: LabelMap) -> Box:
    """The part of the grid that holds labels."""
    i, j, k = labels.data.shape
    return filled_box(labels.data) or (slice(0, i), slice(0, j), slice(0, k))


def _measures(
    labels: LabelMap, brain: LabelMap, volumes_ml: Mapping[str, tuple[float, float]]
) -> tuple[ClinicalMeasure, ...]:
    """Clinical measures, taken on every so many voxels; volumes are those of all."""
    thinned = clinical_measures(_thinned(labels), _thinned(brain))
    return tuple(
        replace(measure, value=sum(sum(volumes_ml[name]) for name in WHOLE[measure.name]))
        if measure.name in WHOLE and measure.value is not None
        else measure
        for measure in thinned
    )


def _thinned(labels: LabelMap) -> LabelMap:
    steps = [max(1, round(MEASURED_MM / h)) for h in np.linalg.norm(labels.affine[:3, :3], axis=0)]
    affine = labels.affine @ np.diag([*steps, 1.0])
    return replace(labels, data=labels.data[:: steps[0], :: steps[1], :: steps[2]], affine=affine)


def _volumes_ml(labels: LabelMap, sides: Sides) -> dict[str, tuple[float, float]]:
    """Right and left volume of every structure of both tables."""
    counts = np.zeros((3, len(NEUROANATOMY_FINE) + 1), dtype=np.int64)
    i, j, planes = _labelled(labels)
    for k in range(planes.start, planes.stop):
        both = sides[i, j, k] * np.uint8(counts.shape[1]) + labels.data[i, j, k]
        counts += np.bincount(both.ravel(), minlength=counts.size).reshape(counts.shape)
    ml = counts * labels.voxel_volume_ml
    coarse = {label.name: ml[:, label.index == COARSE_OF_FINE].sum(axis=1) for label in NEUROANATOMY}
    fine = {label.name: ml[:, label.index] for label in NEUROANATOMY_FINE}
    return {name: (float(of[RIGHT]), float(of[LEFT])) for name, of in {**coarse, **fine}.items()}


def _half(sides: Sides, midline: _Midline) -> tuple[Finding, ...]:
    """Warn where one half of the head is much smaller than the other, or the brain much narrower than long."""
    right, left = (int(np.count_nonzero(sides == side)) for side in (RIGHT, LEFT))
    share = min(right, left) / max(right + left, 1)
    narrow = midline.width_mm / max(midline.length_mm, 1.0)
    if share >= HALF_SHARE and narrow >= NARROW:
        return ()
    return (
        Finding(
            "half-missing",
            f"The brain is {midline.width_mm:.0f} mm wide and {midline.length_mm:.0f} mm long, its smaller half holds "
            f"{share:.0%} of both: a part of the head is not in view, or the midline was not found. Sides and "
            "asymmetries cannot be trusted.",
            {
                "share": round(share, 3),
                "width_mm": round(midline.width_mm, 1),
                "length_mm": round(midline.length_mm, 1),
            },
        ),
    )
