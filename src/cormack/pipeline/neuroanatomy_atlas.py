"""Route `atlas`: labelled atlases of a folder brought onto the brain of a scan, fused, and checked by its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import is_nifti
from cormack.imaging.orient import reorient
from cormack.nn.task import TaskInput
from cormack.pipeline.images import Kind, read_image
from cormack.register.atlas import Atlas, carry_atlases, carry_image
from cormack.register.engine import Engine, Metric
from cormack.register.fusion import similarity_weights
from cormack.segment.atlas_prior import with_values
from cormack.segment.brain_grid import brain_on_grid
from cormack.segment.brain_values import brain_contrast
from cormack.segment.opinion import FloatImage, Labels, Opinion, overlap

#: End of the name of a label map that stands beside its image `NAME.nii.gz`.
LABEL_ENDINGS = ("_dseg", "_labels")
#: Voxels of the grid that atlases are brought to (mm).
SPACING_MM = 1.5
#: Values beyond do not count: an atlas without skull has none there (HU).
OUTSIDE_HU = -1000.0


def atlas_opinion(
    volume: Volume,
    brain: LabelMap,
    folder: Path,
    *,
    engine: Engine | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Opinion, tuple[Finding, ...]]:
    """What the atlases of a folder say of the structures of a brain, and which of them were left out.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), rectified.
    brain : LabelMap
        On the same grid.
    folder : Path
        See `read_atlases`.
    engine : Engine, optional
        Of registration; ANTs if not given.
    on_progress : callable, optional
        Told how many of how many atlases are registered.

    Raises
    ------
    InputError
        If there is no atlas, or one of them cannot be read.
    RegistrationError
        If none could be registered.
    """
    atlases = read_atlases(folder)
    wanted = TaskInput((), (SPACING_MM,) * 3, pad_value=OUTSIDE_HU)
    scan, inside = brain_on_grid(volume, brain, wanted)
    mask = LabelMap(inside.astype(np.uint8), scan.affine, BRAIN)
    contrast = brain_contrast(scan, inside)
    shown = [replace(atlas, volume=brain_contrast(atlas.volume, atlas.labels.data > 0)) for atlas in atlases]
    carried = carry_atlases(contrast, shown, metric=Metric.CC, scan_mask=mask, engine=engine, on_progress=on_progress)
    said = [np.where(inside, opinion.data, 0).astype(np.uint8) for opinion in carried.opinions]
    # Whether they fit is seen in Hounsfield units: what drew them together says that they do.
    fitting = [(a, done.transform) for a, done in zip(atlases, carried.registrations, strict=True) if done.ok]
    weights = [similarity_weights(scan, carry_image(atlas.volume, way, scan)) for atlas, way in fitting]
    description = f"{len(said)} labelled atlas(es) registered and fused, fluid and tissue told by their values"
    opinion = Opinion(with_values(_votes(said, weights), inside, scan.data), inside, scan.affine, description)
    if len(said) > 1:
        agreement = _mean_overlap(said, opinion.labels())
        opinion = replace(opinion, agreement=agreement, observers="every atlas and what was made of all")
    return opinion, carried.findings


def read_atlases(folder: Path) -> tuple[Atlas, ...]:
    """Read the labelled atlases of a folder.

    Parameters
    ----------
    folder : Path
        Holds pairs `NAME.nii.gz` and `NAME_dseg.nii.gz` (or `NAME_labels.nii.gz`) with the sixteen labels, or anatomies
        `NAME.npz` of `physics.synthesis.anatomy`, which get the mean Hounsfield units of their tissues.

    Raises
    ------
    InputError
        If there are none, an image is no CT in HU, labels are others than the sixteen, or grids differ.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no folder of atlases is there")
    pairs = []
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(".gz").removesuffix(".nii")
        ending = next((end for end in LABEL_ENDINGS if name.endswith(end)), None)
        if is_nifti(path) and ending is not None:
            images = [path.with_name(name.removesuffix(ending) + kind) for kind in (".nii.gz", ".nii")]
            pairs += [(image, path) for image in images if image.is_file()]
    atlases = [_read_pair(image, labels) for image, labels in pairs]
    atlases += [_read_anatomy(path) for path in sorted(folder.glob("*.npz"))]
    if not atlases:
        raise InputError(
            f"{folder}: no labelled atlas is there; expected are images NAME.nii.gz with label maps "
            "NAME_dseg.nii.gz beside them, or anatomies NAME.npz"
        )
    return tuple(atlases)


def _read_pair(image: Path, labels: Path) -> Atlas:
    volume = read_image(image, Kind.VALUES, assume_mm=True).image
    if not isinstance(volume, Volume) or volume.unit is not Unit.HU:
        raise InputError(f"{image}: an atlas needs a CT in Hounsfield units, with air around it")
    drawn = read_image(labels, Kind.LABELS, assume_mm=True).image
    data, affine = reorient(volume.data, volume.affine)
    numbers, place = reorient(drawn.data, drawn.affine)
    if data.shape != numbers.shape or not np.allclose(affine, place, atol=1e-3):
        raise InputError(
            f"{labels}: the label map (shape {numbers.shape}) is not on the grid of its image {data.shape}"
        )
    return _atlas(Volume(data, affine), numbers)


def _read_anatomy(path: Path) -> Atlas:
    # Loaded when there is one: physics has no other part in this.
    from cormack.physics.synthesis.anatomy import Tissue, load_anatomy
    from cormack.physics.synthesis.hounsfield import HU_RANGES

    anatomy = load_anatomy(path)
    if not anatomy.several:
        raise InputError(f"{path}: an anatomy of the brain alone; an atlas needs the labels of neuroanatomy")
    means = np.full(256, OUTSIDE_HU, dtype=np.int16)
    for tissue in Tissue:
        means[tissue] = round(sum(HU_RANGES[tissue.name.lower()]) / 2)
    return _atlas(Volume(means[anatomy.tissues], anatomy.affine), anatomy.targets)


def _atlas(volume: Volume, numbers: Labels) -> Atlas:
    found = set(np.unique(numbers).tolist()) - {0}
    known = {label.index for label in NEUROANATOMY_FINE}
    if not found or found - known:
        raise InputError(
            f"an atlas holds the labels {sorted(found)[:20]}; expected are those of neuroanatomy, 1 to {len(known)}"
        )
    inside = np.asarray(numbers > 0)
    mask = LabelMap(inside.astype(np.uint8), volume.affine, BRAIN)
    return Atlas(volume, LabelMap(numbers.astype(np.uint8), volume.affine, NEUROANATOMY_FINE), mask)


def _votes(said: Sequence[Labels], weights: Sequence[FloatImage]) -> FloatImage:
    """Share of the weights that each structure has, shape (16, i, j, k)."""
    total = np.sum(weights, axis=0, dtype=np.float32)
    votes = [
        sum(np.where(labels == label.index, weight, 0) for labels, weight in zip(said, weights, strict=True)) / total
        for label in NEUROANATOMY_FINE
    ]
    return np.stack(votes)


def _mean_overlap(each: Sequence[Labels], fused: Labels) -> dict[str, float]:
    """Mean Sørensen–Dice of every atlas and the fusion, by name."""
    found = [overlap(labels, fused) for labels in each]
    names = {name for one in found for name in one}
    return {name: float(np.mean([one.get(name, 0.0) for one in found])) for name in sorted(names)}
