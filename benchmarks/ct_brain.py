"""Where the brain on head CT is lost: synthetic heads with every pathology, and real heads made worse.

    python benchmarks/ct_brain.py [--anatomies DIR] [--heads N] [--method NAME] [--part real|synthetic]

Synthetic: heads of BrainWeb's models 44 and 45, which `experiments/ct-brain` never trains on, on voxels of 1 mm, or as
high as their slices lie apart; their truth is exact. Real: the heads of $CORMACK_SHARED and their semi-automatic masks,
turned and flipped without a word in the header, in 5 mm slices with every third one missing, cut at the top or the
base, with a sharper kernel, with three times the noise. Targets: synthetic median 0.985 and worst 0.95; no Dice below
0.95 on a real one. `--anatomies` keeps what is made of the models (half a minute each).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

import brain
from cormack.core.errors import CormackError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Volume
from cormack.extract.brain import DEFAULT_METHOD, METHODS, brain_mask
from cormack.extract.head import head_mask
from cormack.files.minc import read_brainweb
from cormack.imaging.blocks import block_mean
from cormack.imaging.reslice import reslice
from cormack.measure.overlap import dice
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy, save_anatomy
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.head import head_anatomy
from cormack.physics.synthesis.options import CtSynthesis

HELD_OUT = ("subject44", "subject45")
LEAST_MEDIAN, LEAST_SYNTHETIC, LEAST_REAL = 0.985, 0.95, 0.95
#: The grid of the synthetic heads: 224 x 256 x 224 mm.
SHAPE = (224, 256, 224)

Pair = tuple[Volume, LabelMap]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anatomies", type=Path)
    parser.add_argument("--heads", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--method", choices=tuple(METHODS["CT"]), default=DEFAULT_METHOD)
    parser.add_argument("--part", choices=("synthetic", "real"), action="append")
    chosen = parser.parse_args()
    parts = chosen.part or ["real", "synthetic"]
    missed = real(chosen.method) if "real" in parts else 0
    if "synthetic" in parts:
        missed += synthetic(
            anatomies(chosen.anatomies), range(chosen.first, chosen.first + chosen.heads), chosen.method
        )
    return 1 if missed else 0


def score(pair: Pair, method: str) -> float:
    """Dice of a method; 0 where it refuses."""
    volume, truth = pair
    try:
        found = brain_mask(volume, method=method, head=head_mask(volume))
    except CormackError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 0.0
    return dice(found.data > 0, truth.data > 0)


def synthetic(heads: list[Anatomy], numbers: range, method: str) -> int:
    found = []
    for number in numbers:
        volume, truth = synthetic_head(heads[number % len(heads)], number)
        found.append(score((volume, truth), method))
        if found[-1] < 0.97:
            print(f"head {number}: Dice {found[-1]:.4f}; {truth.description}", flush=True)
    values = np.array(found)
    print(
        f"synthetic, {method}: {len(values)} heads, Dice median {np.median(values):.4f}, "
        f"5 % {np.quantile(values, 0.05):.4f}, worst {values.min():.4f}"
    )
    return int(np.median(values) < LEAST_MEDIAN) + int(values.min() < LEAST_SYNTHETIC)


def synthetic_head(anatomy: Anatomy, number: int) -> Pair:
    """A head by its number, on voxels of 1 mm; of slices that lie farther apart no more are kept than were made."""
    rng = np.random.default_rng([2026, number])
    made = synthesize_ct(anatomy, rng, CtSynthesis(), shape=SHAPE, spacing_mm=(1.0, 1.0, 1.0))
    step = max(1, round(float(made.facts["gap_mm"])))
    affine = made.volume.affine @ np.diag([1.0, 1.0, step, 1.0])
    truth = (made.target.data[:, :, ::step] >= 0.5).astype(np.uint8)
    return Volume(made.volume.data[:, :, ::step], affine), LabelMap(truth, affine, BRAIN, description=str(made.facts))


def anatomies(folder: Path | None) -> list[Anatomy]:
    """Anatomies of the models that were held out, kept in a folder if there is one."""
    made = []
    for number, name in enumerate(HELD_OUT):
        path = folder / f"{name}-judge.npz" if folder else None
        if path and path.exists():
            made.append(load_anatomy(path))
            continue
        model = brain.shared_data().parent / "atlas" / "brainweb" / f"{name}_crisp_v.mnc.gz"
        made.append(head_anatomy(read_brainweb(model), np.random.default_rng([44, number]), name=name))
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_anatomy(made[-1], path)
    return made


def real(method: str) -> int:
    missed = 0
    print(f"| head | change | Dice of {method} |")
    print("| --- | --- | --- |")
    for subject in brain.SUBJECTS:
        volume = brain.load(brain.shared_data() / subject)
        image = nib.load(brain.shared_data() / "reference" / subject / "mask.nii.gz")
        share = Volume((np.asarray(image.dataobj) > 0).astype(np.float32), image.affine, outside=0.0)
        truth = reslice(share, volume.affine, volume.shape).data >= 0.5
        pair = volume, LabelMap(truth.astype(np.uint8), volume.affine, BRAIN)
        for name, change in CHANGES.items():
            value = score(change(*pair), method)
            missed += value < LEAST_REAL
            print(f"| {subject} | {name} | {value:.4f} |", flush=True)
    return missed


def both(volume: Volume, mask: LabelMap, change: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]]) -> Pair:
    """Image and mask with their voxels moved about, as if the header had never known; voxels keep their sizes."""
    # A turned array of unequal voxels needs its sizes turned, too: the same change shows where each axis went.
    sizes = np.diag([*volume.spacing_mm, 1.0])
    order = np.array(change(np.empty((2, 3, 4))).shape) - 2
    turned = np.diag([*np.array(volume.spacing_mm)[order], 1.0])
    affine = volume.affine @ np.linalg.inv(sizes) @ turned
    image = np.ascontiguousarray(change(volume.data))
    return (
        Volume(image, affine, volume.unit, volume.outside, volume.acquisition),
        LabelMap(np.ascontiguousarray(change(mask.data)).astype(np.uint8), affine, BRAIN),
    )


def turned(axes: tuple[int, int], quarters: int) -> Callable[[Volume, LabelMap], Pair]:
    return lambda volume, mask: both(volume, mask, lambda data: np.rot90(data, quarters, axes))


def flipped(axis: int) -> Callable[[Volume, LabelMap], Pair]:
    return lambda volume, mask: both(volume, mask, lambda data: np.flip(data, axis))


def thick(volume: Volume, mask: LabelMap) -> Pair:
    """Slices of 5 mm, every third one lost and filled from its neighbours."""
    step = max(1, round(5.0 / volume.spacing_mm[2]))
    count = volume.shape[2] // step
    shrink = (slice(None), slice(None), slice(0, count * step))
    data = block_mean(volume.data[shrink], (1, 1, step))
    truth = block_mean(mask.data[shrink], (1, 1, step)) >= 0.5
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (step - 1) / 2
    affine[:3, 2] *= step
    for k in range(2, count - 1, 3):
        data[:, :, k] = (data[:, :, k - 1] + data[:, :, k + 1]) / 2
    return Volume(data, affine, outside=volume.outside), LabelMap(truth.astype(np.uint8), affine, BRAIN)


def cut(low_mm: float, high_mm: float) -> Callable[[Volume, LabelMap], Pair]:
    """Without what lies below `low_mm` over the mask's base, or above `high_mm` under its top."""

    def change(volume: Volume, mask: LabelMap) -> Pair:
        planes = np.flatnonzero(mask.data.any(axis=(0, 1)))
        first = planes[0] + round(low_mm / volume.spacing_mm[2]) if low_mm else 0
        last = planes[-1] - round(high_mm / volume.spacing_mm[2]) if high_mm else volume.shape[2]
        affine = volume.affine.copy()
        affine[:3, 3] += affine[:3, 2] * first
        part = (slice(None), slice(None), slice(first, last))
        return Volume(volume.data[part], affine, outside=volume.outside), LabelMap(mask.data[part], affine, BRAIN)

    return change


def sharp(volume: Volume, mask: LabelMap) -> Pair:
    """A bone kernel: edges overshoot, noise grows."""
    data = volume.data.astype(np.float32)
    sigma = [0.8 / h if n < 2 else 0.0 for n, h in enumerate(volume.spacing_mm)]
    rng = np.random.default_rng(3)
    grain = rng.normal(0, 60, data.shape).astype(np.float32)
    return volume.with_data(data + 1.5 * (data - ndimage.gaussian_filter(data, sigma)) + grain), mask


def noisy(volume: Volume, mask: LabelMap) -> Pair:
    """Three times the noise that is there."""
    data = volume.data.astype(np.float32)
    inside = ndimage.binary_erosion(mask.data[::2, ::2] > 0, iterations=4)
    residual = data[::2, ::2] - ndimage.median_filter(data[::2, ::2], (3, 3, 1))
    sd = 1.4826 * float(np.median(np.abs(residual[inside]))) * 1.2
    grain = np.random.default_rng(5).normal(0, np.sqrt(8.0) * sd, data.shape).astype(np.float32)
    return volume.with_data(data + grain), mask


CHANGES: dict[str, Callable[[Volume, LabelMap], Pair]] = {
    "none": lambda volume, mask: (volume, mask),
    **{
        f"{90 * q}° in {name}": turned(axes, q)
        for name, axes in (("axial", (0, 1)), ("sagittal", (1, 2)), ("coronal", (0, 2)))
        for q in (1, 2, 3)
    },
    **{f"flipped {name}": flipped(axis) for axis, name in enumerate(("left-right", "front-back", "up-down"))},
    "5 mm, every third slice lost": thick,
    "top cut by 40 mm": cut(0, 40),
    "base cut by 30 mm": cut(30, 0),
    "bone kernel": sharp,
    "3 x noise": noisy,
}

if __name__ == "__main__":
    sys.exit(main())
