"""`cormack convert` beside dcm2niix and dicom2nifti, and the speed of `cormack scan`.

    python benchmarks/convert.py [--repeats 5] [subject ...]

Each repeat runs the converters one after the other on the same folder (warm cache), each as a process of its own, after
one run that does not count (an installed Cormack is compiled to bytecode, a checkout when it first runs); printed are
medians, of wall time and of processor time, which hardly minds a busy machine, and the median of the ratios of wall
times peer / Cormack, pair by pair. `made` is a series of 512 x 512 x 300
written here from an ellipse and noise, uncompressed. dicom2nifti takes part where it is installed (`pip install
dicom2nifti`). Real scans come from $CORMACK_SHARED (default ../shared).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import dcm2niix
import numpy as np

from cormack.core.volume import SliceStack
from cormack.dicom.write import write_ct_series

SUBJECTS = ("cq500_cta", "toshiba_2mm", "made")
MADE_SHAPE = (512, 512, 300)
#: `cormack scan` reads so many copies of the made series.
SCANNED_COPIES = 8
DICOM2NIFTI = (
    "import sys, dicom2nifti, dicom2nifti.settings as s; s.disable_validate_slice_increment(); "
    "dicom2nifti.convert_directory(sys.argv[1], sys.argv[2], compression=True, reorient=False)"
)
TARGETS = {"dcm2niix": 1.3, "dicom2nifti": 3.0}


def made_series(folder: Path) -> Path:
    """A head-sized ellipse with noise as uncompressed CT files."""
    rng = np.random.default_rng(0)
    i, j = np.mgrid[-1 : 1 : MADE_SHAPE[0] * 1j, -1 : 1 : MADE_SHAPE[1] * 1j]
    radius = np.hypot(i / 0.7, j / 0.85)
    plain = np.where(radius < 0.9, 35, np.where(radius < 1, 900, -1000))
    data = np.empty(MADE_SHAPE, dtype=np.int16, order="F")
    for k in range(MADE_SHAPE[2]):
        data[:, :, k] = plain + rng.normal(0, 6, plain.shape)
    origins = np.c_[np.full(MADE_SHAPE[2], 115.0), np.full(MADE_SHAPE[2], 115.0), np.arange(MADE_SHAPE[2]) * 0.625]
    write_ct_series(SliceStack(data, np.array([-0.45, 0, 0]), np.array([0, -0.45, 0]), origins), folder)
    return folder


class Cost(NamedTuple):
    """Wall and processor seconds, peak memory (MB) and exit code of a process."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int


def timed(command: list[str], bytecode: Path) -> Cost:
    """Run a process to its end; compiled Python goes to the folder `bytecode`."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = perf_counter() - start
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, process.returncode)


def commands(source: Path, out: Path) -> dict[str, list[str]]:
    """The converters' command lines; outputs go below `out`."""
    made = {
        "cormack": [sys.executable, "-m", "cormack", "convert", "-q", str(source), str(out / "c.nii.gz")],
        "dcm2niix": [dcm2niix.bin, "-z", "y", "-o", str(out), str(source)],
    }
    if importlib.util.find_spec("dicom2nifti"):
        made["dicom2nifti"] = [sys.executable, "-c", DICOM2NIFTI, str(source), str(out)]
    return made


def compare(name: str, source: Path, repeats: int, bytecode: Path) -> None:
    runs: dict[str, list[Cost]] = {}
    for repeat in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            for tool, command in commands(source, Path(folder)).items():
                before = len(list(Path(folder).glob("*.nii*")))
                cost = timed(command, bytecode)
                wrote = len(list(Path(folder).glob("*.nii*"))) > before
                if repeat:
                    runs.setdefault(tool, []).append(cost if wrote else cost._replace(code=1))
    ours = runs["cormack"]
    for tool, costs in runs.items():
        failed = any(cost.code for cost in costs)
        ratio = statistics.median(peer.wall_s / own.wall_s for peer, own in zip(costs, ours, strict=True))
        target = f">= {TARGETS[tool]}" if tool in TARGETS else ""
        wall, cpu = (statistics.median(getattr(cost, field) for cost in costs) for field in ("wall_s", "cpu_s"))
        print(
            f"{name:12} {tool:12} {wall:8.2f} {cpu:8.2f} {max(cost.peak_mb for cost in costs):9.0f} "
            f"{'failed' if failed else f'{ratio:.2f}':>8} {target:>7}"
        )


def scan_speed(source: Path, repeats: int, bytecode: Path) -> None:
    files = sum(1 for path in source.rglob("*") if path.is_file())
    command = [sys.executable, "-m", "cormack", "scan", "-q", str(source)]
    seconds = statistics.median(timed(command, bytecode).wall_s for _ in range(repeats))
    rate = files / seconds
    print(f"cormack scan: {files} files in {seconds:.2f} s, {rate:.0f} files/s (target 1500, start-up included)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", default=SUBJECTS)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    shared = Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data/head_ct"
    print(f"{'subject':12} {'tool':12} {'median s':>8} {'cpu s':>8} {'peak MB':>9} {'ratio':>8} {'target':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.subjects:
            source = made_series(Path(folder) / "made") if name == "made" else shared / name
            compare(name, source, options.repeats, Path(folder) / "bytecode")
        if (Path(folder) / "made").is_dir():
            many = Path(folder) / "many"
            for copy in range(SCANNED_COPIES):
                shutil.copytree(Path(folder) / "made", many / str(copy))
            scan_speed(many, options.repeats, Path(folder) / "bytecode")


if __name__ == "__main__":
    main()
