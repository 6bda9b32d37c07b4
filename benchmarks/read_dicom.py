"""Figures of the DICOM reader: headers per second, seconds and memory to read a scan, and dcm2niix on the same files.

    CORMACK_SHARED=../shared python benchmarks/read_dicom.py [--repeats 5]

Every reading is a fresh process; the programs take turns, so that a busy machine slows both. Medians are printed.
dcm2niix also writes what it reads (uncompressed, and a second volume where it corrects tilt).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

SCANS = ("ge_tilted", "philips_phantom", "toshiba_2mm", "cq500_cta")
DCM2NIIX = shutil.which("dcm2niix", path=str(Path(sys.executable).parent)) or shutil.which("dcm2niix")

ONE_READING = """
import json, resource, sys
from time import perf_counter
from cormack.dicom.assemble import assemble
from cormack.dicom.inventory import take_inventory
from cormack.dicom.select import select_series
from cormack.dicom.source import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = perf_counter()
with open_source(sys.argv[1]) as source:
    inventory = take_inventory(source)
    headers = perf_counter() - start
    stack = assemble(select_series(inventory).entry).stack
print(json.dumps({
    "files_per_s": inventory.n_files / headers,
    "seconds": perf_counter() - start,
    "slices": stack.data.shape[2],
    "volumes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / stack.data.nbytes,
}))
"""


def one_reading(folder: Path) -> dict[str, float]:
    """Read a scan in a fresh process: files per second, seconds, slices, peak memory in sizes of the volume."""
    done = subprocess.run([sys.executable, "-c", ONE_READING, str(folder)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def one_dcm2niix(folder: Path) -> float:
    """Seconds that dcm2niix takes for the same folder."""
    if DCM2NIIX is None:
        return float("nan")
    with tempfile.TemporaryDirectory() as target:
        start = perf_counter()
        subprocess.run([DCM2NIIX, "-z", "n", "-o", target, str(folder)], check=False, capture_output=True)
        return perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    root = Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data" / "head_ct"
    print(f"{'scan':<16}{'slices':>7}{'headers/s':>11}{'read s':>8}{'memory':>8}{'dcm2niix s':>12}")
    for name in SCANS:
        readings, theirs = [], []
        for _ in range(repeats):
            readings.append(one_reading(root / name))
            theirs.append(one_dcm2niix(root / name))
        middle = {key: statistics.median(reading[key] for reading in readings) for key in readings[0]}
        print(
            f"{name:<16}{middle['slices']:>7.0f}{middle['files_per_s']:>11.0f}{middle['seconds']:>8.2f}"
            f"{middle['volumes']:>7.2f}x{statistics.median(theirs):>12.2f}"
        )


if __name__ == "__main__":
    main()
