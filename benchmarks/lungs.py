"""Figures of lung segmentation: overlap with the exact lungs of a made thorax, nodules kept, and time.

    python benchmarks/lungs.py [--quick]

Both methods are run on scans of the made thorax (thin slices of 512 x 512 pixels, thick slices, noise, one lung, parts
of a chest), where truth is exact, and on the chest_ct example in $CORMACK_SHARED (default ../shared), whose labels are
those of a network: agreement with them is no measure of truth. A nodule counts as kept if at least half of its voxels
are in the mask. The targets, by the default method: Dice at least 0.98 with every nodule at the wall kept; at most 15 s
for the largest scan. `--quick` leaves the largest scan out.
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

from cormack.core.volume import SliceStack, Volume
from cormack.files.nifti import read_stack
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.measure.overlap import dice
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions
from cormack.physics.thorax import LEFT, Thorax, ThoraxParameters
from cormack.segment.lungs import METHODS, segment_lungs

LEAST_DICE, GREATEST_S, LEAST_KEPT = 0.98, 15.0, 0.5
LARGEST = "512 x 512 x 300, 1.1 mm"

#: Name, parameters, pixel (mm), slice (mm), noise (HU), length (mm), middle along z (mm).
SCANS: tuple[tuple[str, ThoraxParameters, float, float, float, float, float], ...] = (
    (LARGEST, ThoraxParameters(), 0.72, 1.1, 25.0, 330.0, -15.0),
    ("1.5 x 2 mm, noise 60 HU", ThoraxParameters(), 1.5, 2.0, 60.0, 330.0, -15.0),
    ("1 x 5 mm", ThoraxParameters(), 1.0, 5.0, 15.0, 330.0, -15.0),
    ("3 mm", ThoraxParameters(), 3.0, 3.0, 15.0, 330.0, -15.0),
    ("2 mm, prone", ThoraxParameters(prone=True), 2.0, 2.0, 15.0, 330.0, -15.0),
    ("2 mm, left lung alone", ThoraxParameters(sides=(LEFT,)), 2.0, 2.0, 15.0, 330.0, -15.0),
    ("2 mm, emphysema (-930 HU)", ThoraxParameters(lung_hu=-930.0), 2.0, 2.0, 15.0, 330.0, -15.0),
    ("2 mm, upper half", ThoraxParameters(), 2.0, 2.0, 15.0, 140.0, 90.0),
    ("2 mm, lower half", ThoraxParameters(), 2.0, 2.0, 15.0, 140.0, -100.0),
)


def scan(
    parameters: ThoraxParameters, pixel_mm: float, slice_mm: float, noise_hu: float, long_mm: float, middle_mm: float
) -> tuple[Thorax, Volume]:
    thorax = Thorax(parameters)
    size = round(368.64 / pixel_mm)
    geometry = SliceGeometry(
        even_positions(round(long_mm / slice_mm), slice_mm),
        columns=size,
        rows=size,
        pixel_spacing_mm=(pixel_mm, pixel_mm),
        thickness_mm=slice_mm,
        center_mm=(0.0, 0.0, middle_mm),
    )
    return thorax, upright(acquire(thorax, geometry, ScannerSettings(noise_hu=noise_hu)))


def upright(stack: SliceStack) -> Volume:
    return rectify(condition(stack).stack).volume


def kept(thorax: Thorax, volume: Volume, mask: npt.NDArray[np.bool_], place: str) -> tuple[int, int, float]:
    """Nodules kept, nodules in view, and the least share of one that is in the mask."""
    shares = []
    for nodule in thorax.nodules:
        box, inside = thorax.nodule_mask(nodule, volume.affine, volume.shape)
        if nodule.place == place and inside.any():
            shares.append(float(mask[box][inside].mean()))
    return sum(share >= LEAST_KEPT for share in shares), len(shares), min(shares, default=1.0)


def made(quick: bool) -> Iterator[bool]:
    """Print a row per scan and method; gives whether the target was met."""
    print("| scan | method | Dice | right, left | volume | nodules at the wall kept (least share) | at the hilum | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, *how in SCANS:
        if quick and name == LARGEST:
            continue
        thorax, volume = scan(*how)
        truth = thorax.labels(volume.affine, volume.shape)
        for method in METHODS:
            start = perf_counter()
            labels = segment_lungs(volume, method=method).labels
            seconds = perf_counter() - start
            mask = labels.data > 0
            overlap = dice(mask, truth > 0)
            sides = [f"{dice(labels.data == i, truth == i):.4f}" for i in (1, 2)] if len(labels.table) > 1 else ["-"]
            volume_error = np.count_nonzero(mask) / np.count_nonzero(truth) - 1
            walls, hila = (kept(thorax, volume, mask, place) for place in ("wall", "hilum"))
            print(
                f"| {name} | {method} | {overlap:.4f} | {', '.join(sides)} | {volume_error:+.1%} "
                f"| {walls[0]} of {walls[1]} ({walls[2]:.2f}) | {hila[0]} of {hila[1]} | {seconds:.1f} |",
                flush=True,
            )
            if method == "3d":
                yield overlap >= LEAST_DICE and walls[0] == walls[1] and (name != LARGEST or seconds <= GREATEST_S)


def example() -> None:
    """Agreement with the automatic labels of the lung lobes, in a scan of the lower ends of the lungs."""
    folder = Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    folder = folder / "data" / "chest_ct"
    if not folder.is_dir():
        print("no chest_ct here: set CORMACK_SHARED")
        return
    volume = upright(read_stack(folder / "example_ct_sm.nii.gz", assume_mm=True)[0])
    lobes = np.asarray(nib.load(folder / "example_seg.nii.gz").dataobj)
    right, left = np.isin(lobes, (12, 13, 14)), np.isin(lobes, (10, 11))
    for method in METHODS:
        labels = segment_lungs(volume, method=method).labels
        both = dice(labels.data > 0, right | left)
        sides = f"right {dice(labels.data == 1, right):.4f}, left {dice(labels.data == 2, left):.4f}"
        apart = sides if len(labels.table) > 1 else "not told apart"
        print(f"chest_ct (automatic labels), {method}: agreement (Dice) {both:.4f}; {apart}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    missed = sum(not met for met in made(parser.parse_args().quick))
    example()
    print(f"scans that miss a target: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
