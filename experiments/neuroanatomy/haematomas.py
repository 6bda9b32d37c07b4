"""How much of synthetic haematomas beside the brain `cormack segment neuroanatomy` counts as fluid around it.

    python experiments/neuroanatomy/haematomas.py ANATOMIES [--network DIR ...] [--pixel-mm 0.8]

ANATOMIES are those of `compose.py`; scans are those of `held_out.py`, of subjects that were left out, each with one
subdural or epidural haematoma and nothing else. Prints a table in Markdown: for every network, or the packaged one, the
share of the haematoma's voxels that have the label of the subarachnoid space, and the volume that is told.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from held_out import Scan, scanned

from cormack.physics.synthesis.anatomy import load_anatomy
from cormack.pipeline.neuroanatomy import find_structures
from cormack.segment.haematoma import FLUID, VALUE

#: Finding, anatomy, and the number of the scan.
SCANS = (
    *(("subdural_haematoma", f"malf_{subject}-1", n) for subject in (1018, 1019, 1036) for n in (0, 1)),
    ("subdural_haematoma", "malf_1018-tight-1", 0),
    *(("epidural_haematoma", f"malf_{name}-1", 0) for name in ("1018", "1019", "1036", "1018-tight")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", type=Path)
    parser.add_argument("--network", type=Path, nargs="+", default=[None])
    parser.add_argument("--pixel-mm", type=float, default=0.8)
    given = parser.parse_args()
    titles = [str(network or "packaged") for network in given.network]
    print(f"| haematoma | ml | median HU | {' | '.join(titles)} |\n|{' --- |' * (3 + len(titles))}", flush=True)
    for finding, name, number in SCANS:
        scan = scanned(load_anatomy(given.anatomies / f"{name}.npz"), finding, number, given.pixel_mm, finding=finding)
        blood = scan.truth.data == VALUE
        hu = np.median(scan.volume.data[blood])
        cells = [f"{scan.truth.volume_ml(VALUE):.0f}", f"{hu:.0f}", *found(scan, given.network)]
        print(f"| {finding}, {scan.name} | {' | '.join(cells)} |", flush=True)


def found(scan: Scan, networks: list[Path | None]) -> Iterator[str]:
    """Share of the haematoma that is fluid, and what is told of it, for every network."""
    blood = scan.truth.data == VALUE
    for network in networks:
        structures = find_structures(scan.volume, scan.brain, network=network)
        share = np.mean(structures.found.labels.data[blood] == FLUID.index)
        told = [f"told: {f.evidence['volume_ml']} ml" for f in structures.findings if f.code == "haematoma-suspected"]
        yield ", ".join([f"{share:.2f}", *told])


if __name__ == "__main__":
    main()
