"""`cormack segment neuroanatomy`: a head, or a brain alone, with its mask found or given; labels, figures, maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, Label, LabelMap, LabelTable
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import AnyArray, SliceStack, Volume
from cormack.extract.brain import brain_mask
from cormack.imaging import condition as conditioning
from cormack.imaging.orient import reorient
from cormack.imaging.reslice import reslice
from cormack.imaging.sides import LEFT
from cormack.imaging.stripped import alone, outside_of_brain
from cormack.measure.scan import measure_scan
from cormack.pipeline.grids import GRID_STEPS, Grids
from cormack.pipeline.label_files import read_labels
from cormack.pipeline.load import Loaded
from cormack.pipeline.neuroanatomy import Structures, find_structures, network_is_here
from cormack.pipeline.neuroanatomy_record import structures_record
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress
from cormack.pipeline.runner import Step
from cormack.segment.neuroanatomy import certainty
from cormack.segment.neuroanatomy_network import NAME
from cormack.segment.segmentation import Segmentation

#: Choices of the task, by the names of its options.
Own = Mapping[str, Any]

#: Of what measuring a scan notices, this bears on its structures.
RELEVANT = (
    "contrast-stated",
    "contrast-suspected",
    "metal-suspected",
    "intracranial-volume-small",
    "intracranial-volume-large",
    "vertex-cut",
    "base-cut",
    "brain-cut-laterally",
    "kernel-sharp",
    "kernel-sharp-suspected",
    "noise-high",
    "slices-thick",
    "slices-gapped",
    "brain-hu-implausible",
)
#: Structures that come in pairs, by abbreviation: with `sides` they have labels of their own on the left …
PAIRED = ("CN", "LN", "IC", "ICap", "CS", "CB", "FL", "PL", "OL", "TL", "Th")
#: … which are greater by this.
LEFT_STEP = 100


def check_choices(method: str, own: Own) -> None:
    """Refuse what cannot be done before anything is read.

    Raises
    ------
    InputError
        If the method has no network, or there is nothing to compare it with.
    """
    if method == "network" and own.get("network") is None and not network_is_here():
        raise InputError(
            f"no network {NAME!r} comes with this version of Cormack: give --method atlas --atlases DIR, "
            "or one of your own by --network DIR"
        )
    if own.get("disagreement") is not None and (own.get("atlases") is None or method == "atlas"):
        raise InputError("--disagreement compares the network with atlases: give --atlases, and no other method")


def find_alone(loaded: Loaded) -> float | None:
    """The constant around a brain without skull, or None."""
    return outside_of_brain(loaded.stack.data)


def condition(loaded: Loaded, brain_alone: float | None) -> conditioning.Conditioned | SliceStack:
    """Tell padding from air and winsorise; what surrounds a brain alone becomes air."""
    if brain_alone is None:
        return conditioning.condition(loaded.stack, loaded.padding_hu)
    data, outside = loaded.stack.data, conditioning.HU_RANGE[0]
    values = np.where(alone(data, brain_alone), data, outside)
    limited = np.clip(np.nan_to_num(values, nan=outside), *conditioning.HU_RANGE)
    return loaded.stack.with_data(np.asfortranarray(np.rint(limited).astype(np.int16)), outside=float(outside))


def brain(grids: Grids, loaded: Loaded, brain_alone: float | None, load_options: LoadOptions, own: Own) -> LabelMap:
    """The intracranial space: given, all that there is, or extracted."""
    volume = grids.volume
    if own.get("brain") is not None:
        return _given_brain(Path(own["brain"]), volume, loaded.stack, load_options)
    if brain_alone is None:
        return brain_mask(volume)
    halfway = (conditioning.HU_RANGE[0] + 0.0) / 2
    mask = alone(np.where(volume.data > halfway, volume.data, conditioning.HU_RANGE[0]), conditioning.HU_RANGE[0])
    return LabelMap(mask.astype(np.uint8), volume.affine, BRAIN, "what the scan, a brain without skull, holds")


def structures(grids: Grids, brain: LabelMap, method: str, own: Own, progress: Progress) -> Structures:
    """Find structures, sides and measures."""
    atlases, network = (None if own.get(name) is None else Path(own[name]) for name in ("atlases", "network"))
    return find_structures(grids.volume, brain, method=method, atlases=atlases, network=network, progress=progress)


def segmentation(grids: Grids, brain: LabelMap, structures: Structures, own: Own) -> Segmentation:
    """Labels as asked for, what is to be told of them, and further maps."""
    volume, found = grids.volume, structures.found
    fine = bool(own.get("fine"))
    labels = found.labels if fine else found.eleven()
    maps: dict[str, Volume | LabelMap] = {}
    if own.get("confidence") is not None:
        maps["confidence"] = certainty(volume, brain, found)
    if own.get("disagreement") is not None and structures.second is not None:
        maps["disagreement"] = _disagreement(labels, structures.second)
    if own.get("sides"):
        labels = with_sides(labels, structures.sides)
    return Segmentation(
        labels,
        (*brain.findings, *_noticed(volume, brain), *structures.findings),
        structures_record(structures, NEUROANATOMY_FINE if fine else NEUROANATOMY, brain),
        maps,
    )


def with_sides(labels: LabelMap, sides: AnyArray) -> LabelMap:
    """Paired structures with numbers of their own on the left; `sides` as in `Structures`."""
    paired = [label for label in labels.table if label.abbreviation in PAIRED]
    step = np.zeros(256, dtype=np.uint8)
    step[[label.index for label in paired]] = LEFT_STEP
    data = labels.data.copy(order="K")
    for k in range(data.shape[2]):
        data[:, :, k] += np.where(sides[:, :, k] == LEFT, step[labels.data[:, :, k]], np.uint8(0))
    named = [_on_side(label, "right") if label in paired else label for label in labels.table]
    table = LabelTable((*named, *(_on_side(label, "left") for label in paired)))
    return LabelMap(data, labels.affine, table, labels.description)


def _on_side(label: Label, side: str) -> Label:
    """A structure of one side; on the left its number is greater, its colour darker."""
    step, shade = (LEFT_STEP, 0.6) if side == "left" else (0, 1.0)
    red, green, blue = (round(shade * value) for value in label.color)
    name, abbreviation = f"{side} {label.name}", f"{side[0].upper()}-{label.abbreviation}"
    return Label(label.index + step, name, abbreviation, (red, green, blue), label.snomed_ct)


def _given_brain(path: Path, volume: Volume, stack: SliceStack, options: LoadOptions) -> LabelMap:
    """The mask of a file, on the voxels of the scan or of its rectified grid."""
    given = read_labels(path, assume_mm=options.assume_mm)
    mask = replace(given, data=(given.data > 0).astype(np.uint8), table=BRAIN, description="as given")
    if mask.on_grid_of(volume):
        return mask
    if stack.affine is not None:
        native = stack.to_volume()
        data, affine = reorient(native.data, native.affine)
        if data.shape == mask.data.shape and np.allclose(affine, mask.affine, atol=1e-3):
            moved = reslice(Volume(mask.data, mask.affine, outside=0), volume.affine, volume.shape, order=0)
            return replace(mask, data=moved.data, affine=volume.affine)
    raise InputError(
        f"{path}: the brain mask (shape {given.data.shape}) lies on another grid than the scan (shape {volume.shape}); "
        "make it of the same file, with `cormack extract brain`"
    )


def _noticed(volume: Volume, brain: LabelMap) -> tuple[Finding, ...]:
    measured = measure_scan(volume, brain, brain)
    return tuple(finding for finding in measured.findings if finding.code in RELEVANT)


def _disagreement(labels: LabelMap, second: LabelMap) -> LabelMap:
    """What the second route says where it disagrees, 0 elsewhere."""
    other = second.data if labels.table is NEUROANATOMY_FINE else COARSE_OF_FINE[second.data]
    data = np.where(other == labels.data, np.uint8(0), other)
    return LabelMap(data, labels.affine, labels.table, "what atlases say where they disagree with the network")


#: From what was found on disk to structures.
NEUROANATOMY_STEPS = (
    Step("checked", "Looking for what the method needs", check_choices),
    GRID_STEPS[0],
    Step("brain_alone", "Looking for a skull", find_alone),
    Step("conditioned", "Conditioning values", condition),
    GRID_STEPS[2],
    Step("brain", "Extracting the brain", brain),
    Step("structures", "Finding structures", structures),
    Step("segmentation", "Measuring", segmentation),
)
