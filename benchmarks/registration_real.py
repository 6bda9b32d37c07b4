"""Real heads to the CT template: overlap of the brains, Jacobian, way out and back, seconds and memory.

    python benchmarks/registration_real.py [--head NAME] [--metric NAME] [--threads N]

Runs `cormack register HEAD ct OUT --kind syn` from the DICOM files, each in a fresh process, and reads its evidence.
Targets: Sørensen-Dice at least 0.96, out and back at most 0.3 mm on average, Jacobian above 0, 45 s on two cores, 3 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from registration_data import HEADS, shared_data

LEAST_DICE, MOST_BACK_MM, MOST_SECONDS, MOST_GB = 0.96, 0.3, 45.0, 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--head", choices=HEADS, action="append")
    parser.add_argument("--metric", choices=("auto", "mi", "nmi", "ls", "cc"), default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="leave the outputs in this folder")
    arguments = parser.parse_args()
    print("| head | metric | Dice | Jacobian | back mm | s | GB so far |\n| --- | --- | --- | --- | --- | --- | --- |")
    missed = 0
    for name in arguments.head or HEADS:
        with tempfile.TemporaryDirectory() as folder:
            out = (arguments.keep or Path(folder)) / name
            words = [sys.executable, "-m", "cormack", "register", str(shared_data() / "head_ct" / name), "ct", str(out)]
            words += ["--kind", "syn", "--metric", arguments.metric, "--threads", str(arguments.threads), "-q"]
            words += ["--template-dir", str(shared_data() / "ct_template")]
            begun = perf_counter()
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            seconds = perf_counter() - begun
            if done.returncode:
                print(done.stderr, file=sys.stderr)
            record = json.loads((out / "registration.json").read_text())
            found = record["Evidence"]
        memory_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        jacobian = f"{found['jacobian_min']:.2f} to {found['jacobian_max']:.2f}"
        print(
            f"| {name} | {record['Metric']} | {found['overlap']:.4f} | {jacobian} "
            f"| {found['inverse_consistency_mm']:.3f} | {seconds:.1f} | {memory_gb:.2f} |",
            flush=True,
        )
        good = found["overlap"] >= LEAST_DICE and found["inverse_consistency_mm"] <= MOST_BACK_MM
        missed += not (good and found["jacobian_min"] > 0 and seconds <= MOST_SECONDS and memory_gb <= MOST_GB)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
