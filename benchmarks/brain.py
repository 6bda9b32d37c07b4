"""Figures of brain extraction: overlap with the reference masks, volume and time, per head and method.

    python benchmarks/brain.py [--subject NAME] [--method NAME]

Reads the heads and their semi-automatic reference masks from $CORMACK_SHARED (default ../shared). `mask` is at half the
step from brain to bone, `mask_inner` at the visible inner edge of bone (130 HU; in contrast 250 HU). A mask of ours is
resampled linearly onto the reference's grid. Surface distances are taken on every other in-plane voxel where voxels are
smaller than 0.6 mm. The target, by the default method against `mask`: Dice at least 0.975, HD95 at most 4 mm.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import nibabel as nib
import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.dicom.read import read_scan
from cormack.extract.brain import METHODS, brain_mask
from cormack.extract.head import head_mask
from cormack.extract.methods import DEFAULT_METHOD
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.imaging.reslice import reslice
from cormack.measure.overlap import average_surface_distance_mm, dice, hausdorff_mm

SUBJECTS = ("ge_tilted", "cq500_cta", "toshiba_2mm")
REFERENCES = ("mask", "mask_inner")
LEAST_DICE, GREATEST_HD95_MM = 0.975, 4.0
#: In-plane voxels smaller than this are thinned for surface distances (mm).
THIN_BELOW_MM = 0.6


def shared_data() -> Path:
    return Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data" / "head_ct"


def load(folder: Path) -> Volume:
    """A DICOM folder as the rectified volume that extraction works on."""
    assembly = read_scan(folder).assembly
    return rectify(condition(assembly.stack, assembly.padding_hu).stack).volume


def agreement(mask: LabelMap, reference: Path) -> tuple[float, float, float, float]:
    """Dice, HD95 (mm), average surface distance (mm) and the reference's volume (ml)."""
    image = nib.load(reference)
    truth = np.asarray(image.dataobj) > 0
    share = Volume(mask.data.astype(np.float32), mask.affine, unit=Unit.PROBABILITY, outside=0.0)
    ours = reslice(share, image.affine, truth.shape).data >= 0.5
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    step = tuple(2 if h < THIN_BELOW_MM else 1 for h in spacing)
    thin = tuple(slice(None, None, s) for s in step)
    distances = {"spacing_mm": spacing * step}
    return (
        dice(ours, truth),
        hausdorff_mm(ours[thin], truth[thin], **distances),
        average_surface_distance_mm(ours[thin], truth[thin], **distances),
        float(np.count_nonzero(truth) * abs(np.linalg.det(image.affine[:3, :3])) / 1000),
    )


def rows(
    subjects: tuple[str, ...], methods: tuple[str, ...]
) -> Iterator[tuple[str, str, str, npt.NDArray[np.float64]]]:
    """Subject, method, reference and [Dice, HD95, ASSD, ml, reference ml, s], one row at a time."""
    data = shared_data()
    for subject in subjects:
        volume = load(data / subject)
        start = perf_counter()
        head = head_mask(volume)
        print(f"{subject}: head {head.volume_ml():.0f} ml in {perf_counter() - start:.1f} s", file=sys.stderr)
        for method in methods:
            start = perf_counter()
            mask = brain_mask(volume, method=method, head=head)
            seconds = perf_counter() - start
            for name in REFERENCES:
                path = data / "reference" / subject / f"{name}.nii.gz"
                if path.exists():
                    overlap, hd95, mean, truth_ml = agreement(mask, path)
                    yield subject, method, name, np.array([overlap, hd95, mean, mask.volume_ml(), truth_ml, seconds])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", choices=SUBJECTS, action="append")
    parser.add_argument("--method", choices=tuple(METHODS["CT"]), action="append")
    chosen = parser.parse_args()
    missed = 0
    print("| head | method | reference | Dice | HD95 mm | mean distance mm | ml | reference ml | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for subject, method, name, v in rows(tuple(chosen.subject or SUBJECTS), tuple(chosen.method or METHODS["CT"])):
        print(
            f"| {subject} | {method} | {name} "
            f"| {v[0]:.4f} | {v[1]:.2f} | {v[2]:.2f} | {v[3]:.0f} | {v[4]:.0f} | {v[5]:.1f} |",
            flush=True,
        )
        if method == DEFAULT_METHOD and name == "mask":
            missed += v[0] < LEAST_DICE or v[1] > GREATEST_HD95_MM
    print(f"default method: {DEFAULT_METHOD}; heads that miss the target: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
