"""Hippocampus: seconds a crop, and heads against manual and automatic labels of another protocol.

    python benchmarks/hippocampus.py [--crops N]

Dice of crops stands in `experiments/hippocampus`: the packaged network was trained on all of them, so they say only how
long it takes (target: 1 s). Heads are those of $CORMACK_SHARED (default ../shared): four brains without skull with
manual labels of Neuromorphometrics, eight whole heads of 2 mm with automatic labels (DLMUSE: no truth). Both draw the
whole hippocampus to another protocol, without parts: overlap cannot reach that of the cross-validation.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from cormack.core.errors import CormackError
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import read_stack
from cormack.measure.overlap import dice
from cormack.segment.hippocampus import segment_hippocampus

#: Neuromorphometrics and MUSE number both sides alike.
RIGHT, LEFT = 47, 48
SECONDS_A_CROP = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=20)
    given = parser.parse_args()
    root = Path(os.environ.get("CORMACK_SHARED", "../shared")) / "data"
    crops(sorted((root / "hippocampus" / "images").glob("*.nii.gz"))[: given.crops])
    print("| head | voxels mm | left: Dice | mm³ | reference | right: Dice | mm³ | reference | s | noticed |")
    print("|" + " --- |" * 10)
    for name, image, labels in heads(root / "mr_t1"):
        print(head(name, image, labels), flush=True)


def crops(paths: list[Path]) -> None:
    seconds, left = [], 0
    for path in paths:
        volume = read(path)
        started = perf_counter()
        found = segment_hippocampus(volume)
        seconds.append(perf_counter() - started)
        left += "a left one" in found.labels.description
    # The first one reads the network.
    middle = float(np.median(seconds[1:]))
    print(f"{len(paths)} crops: {middle:.2f} s a crop (median; target {SECONDS_A_CROP:g}), {left} told as left\n")


def heads(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    for number, image in enumerate(sorted((folder / "malf_labels").glob("*_SS.nii.gz")), start=1):
        yield f"brain {number}, manual", image, image.with_name(image.name.replace("_SS", "_glm"))
    for number, image in enumerate(sorted((folder / "nichart").glob("*_T1.nii.gz")), start=1):
        yield f"head {number}, automatic", image, image.with_name(image.name.replace("_T1", "_T1_DLMUSE"))


def head(name: str, image: Path, labels: Path) -> str:
    volume, reference = read(image), read(labels)
    spacing = " x ".join(f"{mm:.2g}" for mm in volume.spacing_mm)
    started = perf_counter()
    try:
        found = segment_hippocampus(volume)
    except CormackError as error:
        return f"| {name} | {spacing} |" + " – |" * 7 + f" {type(error).__name__} |"
    seconds = perf_counter() - started
    cells = []
    for value, parts in ((LEFT, (1, 2)), (RIGHT, (3, 4))):
        drawn, truth = np.isin(found.labels.data, parts), reference.data == value
        each = 1000 * volume.voxel_volume_ml
        cells += [f"{dice(truth, drawn):.3f}", f"{drawn.sum() * each:.0f}", f"{truth.sum() * each:.0f}"]
    noticed = ", ".join(sorted({finding.code for finding in found.findings})) or "–"
    return f"| {name} | {spacing} | {' | '.join(cells)} | {seconds:.1f} | {noticed} |"


def read(path: Path) -> Volume:
    """The values as they are: the files of labels state no unit of length."""
    volume = read_stack(path, assume_mm=True)[0].to_volume()
    return Volume(volume.data, volume.affine, Unit.ARBITRARY, 0.0)


if __name__ == "__main__":
    main()
