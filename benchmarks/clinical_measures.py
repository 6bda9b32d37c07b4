"""Figures of the clinical measures: the head's axes against the commissures, sides against labels by hand, time.

    python benchmarks/clinical_measures.py

Reads the twenty brains of the MICCAI 2012 labels and the SPM12 atlas of the same protocol from $CORMACK_SHARED (default
../shared). Where the commissures of a brain lie is told by the affine map from the atlas that brings the centres of all
structures together (132 of them); in the atlas's space they were placed by hand (anatomical fiducials of the AFIDs
project on MNI152NLin2009bAsym). Against that, the axes from the few landmarks of
`cormack.measure.neuroanatomy_frame`, whose table is the mean of the other nineteen brains for each one. Prints the
table itself, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.imaging.sides import LEFT, RIGHT, split_sides
from cormack.measure.neuroanatomy import clinical_measures
from cormack.measure.neuroanatomy_frame import LANDMARKS

FloatArray = npt.NDArray[np.float64]

ANTERIOR_MM, POSTERIOR_MM = np.array([-0.20, 2.72, -4.88]), np.array([-0.01, -25.05, -2.21])
GROUPS = {
    "caudate nucleus": (36, 37),
    "lentiform nucleus": (55, 56, 57, 58),
    "thalamus": (59, 60),
    "insular cortex": (102, 103, 172, 173),
    "cerebellum": (38, 39, 40, 41, 71, 72, 73),
}
#: Fluid and vessels: their centres say little.
VAGUE = (46, 63, 64)


def shared_data() -> Path:
    return Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"


class Brain:
    """Labels of one brain with the centres (RAS+ mm) and sizes of its structures."""

    def __init__(self, path: Path) -> None:
        image = nib.load(path)
        self.affine = image.affine
        self.data = np.asarray(image.dataobj).astype(np.int16)
        numbers = np.unique(self.data)
        self.numbers = [int(n) for n in numbers if n > 0]
        middles = np.array(ndimage.center_of_mass(np.ones_like(self.data), self.data, self.numbers))
        self.centre = dict(zip(self.numbers, nib.affines.apply_affine(image.affine, middles), strict=True))
        counts = np.bincount(self.data.ravel())
        self.size = {n: int(counts[n]) for n in self.numbers}

    def group(self, numbers: tuple[int, ...]) -> FloatArray:
        """The common centre of some structures (RAS+ mm)."""
        present = [n for n in numbers if n in self.centre]
        weights = np.array([self.size[n] for n in present], dtype=float)
        return weights @ np.array([self.centre[n] for n in present]) / weights.sum()


def commissures(atlas: Brain, brain: Brain) -> FloatArray:
    """Anterior and posterior commissure and a point above, in the space of a brain, shape (3, 3)."""
    common = [n for n in atlas.numbers if n in brain.size and min(atlas.size[n], brain.size[n]) > 50 and n not in VAGUE]
    there = np.array([[*atlas.centre[n], 1.0] for n in common])
    here = np.array([brain.centre[n] for n in common])
    weights = np.ones(len(common))
    for _ in range(10):
        matrix = np.linalg.lstsq(there * weights[:, None], here * weights[:, None], rcond=None)[0]
        weights = 1 / np.sqrt(1 + (np.linalg.norm(there @ matrix - here, axis=1) / 3) ** 2)
    above = ANTERIOR_MM + np.array([0.0, 0.0, 60.0])
    return np.column_stack([np.stack([ANTERIOR_MM, POSTERIOR_MM, above]), np.ones(3)]) @ matrix


def in_axes(points: FloatArray, of: FloatArray) -> FloatArray:
    """Anterior and superior coordinates relative to the commissures."""
    anterior = (of[0] - of[1]) / np.linalg.norm(of[0] - of[1])
    up = of[2] - of[0]
    superior = up - anterior * (up @ anterior)
    superior /= np.linalg.norm(superior)
    return (points - of[0]) @ np.stack([anterior, superior], axis=1)


def fitted(table: Mapping[str, FloatArray], found: Mapping[str, FloatArray]) -> tuple[complex, complex]:
    """Factor and shift (complex numbers) from the table to the centres, as `head_frame` finds them."""
    weights = np.array([LANDMARKS[name][2] ** -2 for name in found])
    weights /= weights.sum()
    a = np.array([complex(*table[name]) for name in found])
    b = np.array([complex(*found[name]) for name in found])
    da, db = a - weights @ a, b - weights @ b
    factor = (weights * da.conj()) @ db / (weights @ np.abs(da) ** 2)
    return factor, weights @ b - factor * (weights @ a)


def report_axes(brains: list[Brain], atlas: Brain) -> None:
    truth = [commissures(atlas, brain) for brain in brains]
    centres = [
        {name: in_axes(brain.group(numbers), at) for name, numbers in GROUPS.items()}
        for brain, at in zip(brains, truth, strict=True)
    ]
    posterior = np.array([in_axes(at[1], at) for at in truth])
    for name in GROUPS:
        every = np.array([centre[name] for centre in centres])
        print(f"{name}: {every.mean(0).round(1)}, standard deviation {every.std(0).round(1)}")
    print(f"posterior commissure: {posterior.mean(0).round(1)}")
    for left_out in ("", "thalamus", "cerebellum"):
        errors = []
        for n, centre in enumerate(centres):
            others = [c for m, c in enumerate(centres) if m != n]
            table = {name: np.mean([c[name] for c in others], axis=0) for name in GROUPS}
            kept = {name: at for name, at in centre.items() if name != left_out}
            factor, shift = fitted(table, kept)
            behind = factor * complex(*np.delete(posterior, n, 0).mean(0)) + shift - complex(*posterior[n])
            errors.append((np.degrees(np.angle(factor)), abs(shift), abs(behind)))
        turns, front, back = np.array(errors).T
        print(
            f"axes{' without ' + left_out if left_out else ''}: inclination SD {turns.std():.1f} degrees, largest "
            f"{np.abs(turns).max():.1f}; anterior commissure {front.mean():.1f} mm, posterior {back.mean():.1f} mm off"
        )


def fine_labels(brain: Brain) -> tuple[LabelMap, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Every other voxel of a brain as our labels, without septum and dura, and which are left and right by hand."""
    found = brain.data[::2, ::2, ::2]
    cortex = found >= 100
    left = (cortex & (found % 2 == 1)) | np.isin(found, [37, 39, 41, 45, 52, 56, 58, 60])
    right = (cortex & (found % 2 == 0)) | np.isin(found, [36, 38, 40, 44, 51, 55, 57, 59])
    data = np.where(cortex | np.isin(found, [44, 45]), 12, 0).astype(np.uint8)
    for name, numbers in GROUPS.items():
        data[np.isin(found, numbers)] = NEUROANATOMY_FINE[name].index
    data[np.isin(found, [4, 11, 49, 50, 51, 52])] = NEUROANATOMY_FINE["ventricular system"].index
    data[np.isin(found, [35, 61, 62])] = 1
    data[ndimage.binary_closing(data > 0, iterations=3) & (data == 0)] = NEUROANATOMY_FINE["subarachnoid space"].index
    return LabelMap(data, brain.affine @ np.diag([2.0, 2.0, 2.0, 1.0]), NEUROANATOMY_FINE), left, right


def report_sides(brains: list[Brain]) -> None:
    shares = []
    for brain in brains:
        labels, left, right = fine_labels(brain)
        sides = split_sides(labels)
        wrong = np.count_nonzero(left & (sides == RIGHT)) + np.count_nonzero(right & (sides == LEFT))
        shares.append(100 * wrong / np.count_nonzero(left | right))
    print(f"sides: {np.mean(shares):.2f} % of the hemispheres' voxels on the wrong side, at most {max(shares):.2f} %")


def report_maps() -> None:
    for path in sorted((shared_data() / "neuroanatomy").glob("*.nii.gz")):
        image = nib.load(path)
        data = np.asarray(image.dataobj).astype(np.uint8)
        brain = LabelMap((data > 0).astype(np.uint8), image.affine, BRAIN)
        start = process_time()
        found = clinical_measures(LabelMap(data, image.affine, NEUROANATOMY_FINE), brain)
        print(f"{path.name}: {process_time() - start:.1f} s of processor time")
        print("  " + "; ".join(f"{m.name} {m.text}" for m in found if not m.name.startswith("asymmetry")))


def main() -> None:
    atlas = Brain(shared_data() / "atlas" / "spm12" / "labels_Neuromorphometrics.nii")
    brains = [Brain(path) for path in sorted((shared_data() / "mr_t1" / "malf_labels").glob("*_glm.nii.gz"))]
    report_axes(brains, atlas)
    report_sides(brains)
    report_maps()


if __name__ == "__main__":
    main()
