"""Structures of the head: seconds and memory after brain extraction, volumes, and how sure the network is of itself.

    python benchmarks/neuroanatomy.py SCAN... [--network DIR] [--repeat 3]

SCAN is DICOM or NIfTI. With --network nothing is corrected in slices. Every step is timed on its own, the best of
several times; every scan has a process of its own, whose peak of memory less what it held before is told.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

from cormack.extract.brain import brain_mask
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.nn.store import load_network
from cormack.pipeline.load import locate
from cormack.pipeline.neuroanatomy import find_structures
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Silent
from cormack.segment.neuroanatomy import draw_structures
from cormack.segment.neuroanatomy_network import NAME, network_opinion
from cormack.segment.neuroanatomy_slices import corrected_in_slices
from cormack.segment.plausible import without_islands


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(scan: Path, network: Path | None, repeat: int) -> None:
    loaded = locate(scan, LoadOptions(), Silent()).load(Silent())
    volume = rectify(condition(loaded.stack, loaded.padding_hu).stack).volume
    brain = brain_mask(volume)
    before = peak_mb()
    best = [float("inf")] * 5
    for _ in range(repeat):
        times = [time.perf_counter()]
        chosen = load_network(network or NAME)
        times.append(time.perf_counter())
        opinion = network_opinion(volume, brain, network=chosen)
        times.append(time.perf_counter())
        if network is None:
            opinion = corrected_in_slices(without_islands(opinion), volume, brain)
        times.append(time.perf_counter())
        draw_structures(volume, brain, opinion)
        times.append(time.perf_counter())
        found = find_structures(volume, brain, network=network)
        times.append(time.perf_counter())
        best = [min(old, new - start) for old, (start, new) in zip(best, pairwise(times), strict=True)]
    load, look, correct, draw, whole = best
    print(
        f"{' x '.join(map(str, volume.shape))} voxels; network loaded in {load:.2f} s, looks {look:.2f} s, "
        f"correcting in slices {correct:.2f} s, drawing {draw:.2f} s; everything with sides and measures {whole:.2f} "
        f"s, {peak_mb() - before:.0f} MB more"
    )
    for name, sure in found.found.confidence.items():
        agreed = "" if sure.agreement is None else f", mirrored Dice {sure.agreement:.3f}"
        print(f"  {name}: {sum(found.volumes_ml[name]):.1f} ml, probability {sure.probability:.3f}{agreed}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scans", nargs="+", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    # The peak of a process never falls: that of one scan would hide those of later ones.
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as processes:
        for path in given.scans:
            processes.submit(measure, path, given.network, given.repeat).result()
