"""Scans of anatomies that no network was trained on, with their truth: CT on native slices, and its brain mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from compose import read
from scipy import ndimage

from cormack.core.labels import BRAIN, Label, LabelMap, LabelTable
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import AnyArray, Volume
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy, save_anatomy
from cormack.physics.synthesis.ct import CtSynthesis, synthesize_ct
from cormack.physics.synthesis.detector import noise
from cormack.physics.synthesis.labelled_head import Fine
from cormack.physics.synthesis.neuromorphometrics import (
    LATERAL_VENTRICLES,
    SINGLE,
    WHITE_MATTER,
    belongs,
    composed_head,
    near,
)
from cormack.physics.synthesis.options import PoseOptions
from cormack.physics.synthesis.pathology import Pathology
from cormack.physics.synthesis.smooth import smooth_field
from cormack.segment.haematoma import HAEMATOMA, VALUE

#: First number of a random state, so that no scan is one of a training.
SEED = 70
#: Field of view along (i, j, k); a brain with the upper canal fits.
VIEW_MM = (192.0, 224.0, 210.0)
#: Samples along the slices' axis, and how many of them make a slice (mm).
SAMPLE_MM = 1.0
SLICE_SAMPLES = (3, 4, 5)
NOISE_HU = (2.0, 6.0)
#: Cutoff and ramp of the noise's spectrum: soft kernels.
NOISE_CUTOFF, NOISE_RAMP = (0.25, 0.5), (0.2, 1.2)
#: Width of the Gaussian that smooths a mask (mm), the greatest error of its level, which is half a millimetre of its
#: surface, and how far such errors reach (mm).
MASK_MM, MASK_LEVEL, ERROR_MM = 1.5, 0.13, 25.0
#: Masks end so far above the lowest label (mm).
MASK_CUT_MM = (0.0, 10.0)
#: Ventricles of the stress set grow to so many times their volume into the white matter, and a little more in the pose
#: with this gain, which widens what lies beside them, too.
GROWTH, WIDE_GAIN = 2.6, (0.2, 0.5)

#: The sixteen and what may have bled beside the brain.
KNOWN = LabelTable((*NEUROANATOMY_FINE, Label(VALUE, HAEMATOMA, "EAH", (128, 0, 0))))

SYNTHESIS = {
    "variation_hu": (0.5, 2.5),
    "thin": 1.0,
    "tilted": 0.0,
    "noise_hu": (0.01, 0.01),
    "sharp": 0.0,
    **dict.fromkeys(("base_cut", "top_cut", "neck", "narrow_view", "rest", "table", "blanket", "motion"), 0.0),
    "pathology": Pathology(healthy=1.0, contrast_agent=0.0, dental_metal=0.0),
}


@dataclass(frozen=True, eq=False)
class Scan:
    """One head.

    Attributes
    ----------
    group : str
        "manual map", "composed", "tight" or "wide ventricles".
    name : str
    volume : Volume
        HU with skull, on native slices.
    brain : LabelMap
        A mask that errs by half a millimetre.
    truth : LabelMap
        The sixteen.
    facts : str
        Slices and noise.
    """

    group: str
    name: str
    volume: Volume
    brain: LabelMap
    truth: LabelMap
    facts: str


def held_out(
    anatomies: Path, names: Sequence[str], cases: int, pixel_mm: float, slices: Sequence[int] = SLICE_SAMPLES
) -> Iterator[Scan]:
    """Scans of anatomies whose names begin so, `cases` of manual maps, of composed ones and of tight ones."""
    paths = sorted(path for path in anatomies.glob("*.npz") if path.name.startswith(tuple(names)))
    for group in ("manual map", "composed", "tight"):
        own = [path for path in paths if group_of(path.name) == group]
        for number in range(cases if own else 0):
            yield scanned(load_anatomy(own[number % len(own)]), group, number, pixel_mm, slices=slices)


def group_of(name: str) -> str:
    """The set that an anatomy's scans belong to."""
    return "tight" if "-tight-" in name else "composed" if name.startswith("malf") else "manual map"


def wide_ventricles(
    data: Path,
    names: Sequence[str],
    kept: Path,
    cases: int,
    pixel_mm: float,
    slices: Sequence[int] = SLICE_SAMPLES,
) -> Iterator[Scan]:
    """Scans of composed anatomies with large ventricles.

    Parameters
    ----------
    data : Path
        Holds `mr_t1/malf_labels`.
    names : sequence of str
        Of subjects, such as malf_1018.
    kept : Path
        Folder where anatomies stay, for the next time.
    cases : int
    pixel_mm : float
    slices : sequence of int
        Millimetres to draw a scan's slices from.
    """
    kept.mkdir(parents=True, exist_ok=True)
    own = [name for name in names if name.startswith("malf")]
    for number in range(cases if own else 0):
        usual, wide = _composed(data, own[number % len(own)], kept)
        scan = scanned(wide, "wide ventricles", number, pixel_mm, WIDE_GAIN, slices=slices)
        factor = _share(scan.truth.data) / _share(usual.targets)
        yield replace(scan, facts=f"{scan.facts}, ventricles x{factor:.1f}")


def _composed(data: Path, name: str, kept: Path) -> tuple[Anatomy, Anatomy]:
    """A subject's anatomy with the ventricles it has, and with wide ones."""
    paths = [kept / f"{name}-{kind}.npz" for kind in ("usual", "wide")]
    if not all(path.exists() for path in paths):
        labels, _ = read(data / "mr_t1" / "malf_labels" / f"{name.removeprefix('malf_')}_glm.nii.gz")
        for path, widen_mm in zip(paths, (0.0, growth_mm(labels)), strict=True):
            rng = np.random.default_rng([SEED, *name.encode()])
            save_anatomy(composed_head(labels, rng, widen_mm=widen_mm, name=path.stem), path)
    usual, wide = (load_anatomy(path) for path in paths)
    return usual, wide


def growth_mm(labels: AnyArray) -> float:
    """How far lateral ventricles must grow into the white matter for ventricles of `GROWTH` times their volume."""
    right, left = (near(labels == label, 12) for label in LATERAL_VENTRICLES)
    free = belongs(labels, WHITE_MATTER) & (np.abs(right - left) > 2)
    missing = round((GROWTH - 1) * np.count_nonzero(belongs(labels, SINGLE[Fine.VENTRICLES])))
    return float(np.partition(np.minimum(right, left)[free], missing)[missing])


def _share(labels: AnyArray) -> float:
    """Ventricles' share of what is labelled."""
    return float(np.count_nonzero(labels == Fine.VENTRICLES) / np.count_nonzero(labels))


def scanned(
    anatomy: Anatomy,
    group: str,
    number: int,
    pixel_mm: float,
    ventricles: tuple[float, float] = (-0.25, 0.5),
    finding: str = "",
    slices: Sequence[int] = SLICE_SAMPLES,
) -> Scan:
    """One CT of an anatomy: noise of 2 to 6 HU, slices of a random one of these thicknesses (mm); always the same.

    With a `finding` of `Pathology` it has this one; haematomas beside the brain are then `VALUE` in the truth.
    """
    rng = np.random.default_rng([SEED, number, *anatomy.name.encode()])
    pose = PoseOptions(
        scale=(0.95, 1.05), stretch=0.04, turn_deg=8.0, wide_turn=0.0, shift_mm=3.0, ventricles=ventricles
    )
    samples = int(rng.choice(slices))
    options = CtSynthesis(pose=pose, **(SYNTHESIS | (_with(finding) if finding else {})))
    volume, fine, noise_hu = sliced(anatomy, rng, options, pixel_mm, samples, lambda: rng.uniform(*NOISE_HU))
    affine = volume.affine
    truth = largest_share(fine)
    brain = nearly_exact_mask(fine, pixel_mm, samples * SAMPLE_MM, rng)
    lowest = np.flatnonzero(brain.any(axis=(0, 1)))[0]
    truth[:, :, :lowest] = 0
    return Scan(
        group,
        f"{anatomy.name} {number}",
        volume,
        LabelMap(np.asfortranarray(brain.astype(np.uint8)), affine, BRAIN),
        LabelMap(np.asfortranarray(truth), affine, KNOWN if finding else NEUROANATOMY_FINE),
        f"{samples * SAMPLE_MM:.0f} mm, {noise_hu:.1f} HU",
    )


def sliced(
    anatomy: Anatomy,
    rng: np.random.Generator,
    options: CtSynthesis,
    pixel_mm: float,
    samples: int,
    noise_hu: Callable[[], float],
) -> tuple[Volume, AnyArray, float]:
    """A CT whose slices are means of so many millimetres, with noise of a soft kernel on them.

    Returns
    -------
    tuple
        The volume; labels of shape (i, j, k, samples); and the noise (HU).
    """
    i, j, k = (round(mm / h) for mm, h in zip(VIEW_MM, (pixel_mm, pixel_mm, SAMPLE_MM * samples), strict=True))
    spacing_mm = (pixel_mm, pixel_mm, SAMPLE_MM)
    made = synthesize_ct(anatomy, rng, options, shape=(i, j, k * samples), spacing_mm=spacing_mm)
    fine = made.target.data.reshape(i, j, k, samples)
    image = made.volume.data.reshape(i, j, k, samples).mean(axis=3)
    size = noise_hu()
    image += np.float32(size) * noise(image.shape, rng.uniform(*NOISE_CUTOFF), rng.uniform(*NOISE_RAMP), rng)
    affine = made.volume.affine @ np.diag([1.0, 1.0, samples, 1.0])
    affine[2, 3] += (samples - 1) / 2 * SAMPLE_MM
    return Volume(np.asfortranarray(np.rint(image).astype(np.int16)), affine), fine, size


def _with(finding: str) -> dict[str, object]:
    """Settings of a head with one finding and no other."""
    chances = {field.name: float(field.name == finding) for field in fields(Pathology)}
    return {"pathology": Pathology(**chances), "haematoma_target": VALUE}


def largest_share(samples: AnyArray) -> AnyArray:
    """The label with most samples in each voxel, shape (i, j, k, samples) to (i, j, k); the smaller one of equals."""
    best = np.zeros(samples.shape[:3], dtype=np.uint8)
    labels = np.zeros_like(best)
    for label in range(int(samples.max()) + 1):
        count = (samples == label).sum(axis=3, dtype=np.uint8)
        labels[count > best] = label
        np.maximum(best, count, out=best)
    return labels


def nearly_exact_mask(samples: AnyArray, pixel_mm: float, slice_mm: float, rng: np.random.Generator) -> AnyArray:
    """The intracranial space of labels with samples, its surface off by up to half a millimetre, without its end."""
    share = (samples > 0).mean(axis=3, dtype=np.float32)
    for axis in (0, 1):
        share = ndimage.gaussian_filter1d(share, MASK_MM / pixel_mm, axis=axis)
    level = 0.5 + np.clip(MASK_LEVEL / 2 * smooth_field(share.shape, ERROR_MM / pixel_mm, rng), -MASK_LEVEL, MASK_LEVEL)
    mask = share > level
    lowest = np.flatnonzero(mask.any(axis=(0, 1)))[0] + round(rng.uniform(*MASK_CUT_MM) / slice_mm)
    mask[:, :, :lowest] = False
    return mask
