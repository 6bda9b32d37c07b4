"""Do crops 2n - 1 and 2n of Task04 show one person? How alike neighbours in number are, against any two crops.

    python experiments/hippocampus/pairs.py FOLDER

Prints mean differences in standard deviations (1.13 for two independent ones of a normal distribution): logarithm of
the largest value, quartiles of the values over the 95th percentile, volumes of both parts.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np

from cormack.files.nifti import read_stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    known = {}
    for path in sorted((folder / "images").glob("*.nii.gz")):
        image, labels = (read_stack(folder / part / path.name)[0].data for part in ("images", "labels"))
        number = int(re.findall(r"\d+", path.name)[-1])
        top = np.percentile(image, 95)
        quarters = np.percentile(image, [25, 50, 75]) / top
        known[number] = np.array([np.log(image.max()), *quarters, (labels == 1).sum(), (labels == 2).sum()])
    table = np.array(list(known.values()))
    known = {number: (row - table.mean(axis=0)) / table.std(axis=0) for number, row in known.items()}
    print("| crops | pairs | largest value | lower quartile | median | upper quartile | anterior | posterior |")
    print("|" + " --- |" * 8)
    for name, step, first in (
        ("2n - 1, 2n", 1, 1),
        ("2n, 2n + 1", 1, 0),
        ("m, m + 2", 2, None),
        ("m, m + 10", 10, None),
    ):
        pairs = [(n, n + step) for n in known if n + step in known and (first is None or n % 2 == first)]
        apart = np.mean([np.abs(known[a] - known[b]) for a, b in pairs], axis=0)
        print(f"| {name} | {len(pairs)} | {' | '.join(f'{value:.2f}' for value in apart)} |")


if __name__ == "__main__":
    main()
