"""Wall seconds and peak memory of `cormack run` on every subject of head_ct, beside the targets and dcm2niix.

    python benchmarks/whole_run.py [--repeats 3] [subject ...]

Needs the real scans in $CORMACK_SHARED (default ../shared); `phantom`, the digital head, needs none. The ratio is
that of the whole run to dcm2niix's conversion of the same folder (gzipped, tilt-corrected), both as medians of the same
session. philips_phantom is a plastic head without a brain: it may well be refused.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import dcm2niix

MEMORY_TARGET_MB = 2000.0
TARGETS_S = {"ge_tilted": 12.0, "cq500_cta": 40.0}
SUBJECTS = ("phantom", "ge_tilted", "philips_phantom", "toshiba_2mm", "cq500_cta")


@dataclass(frozen=True)
class Cost:
    """What one process took; memory is the largest resident set of it and its children, in MB (10^6 bytes)."""

    seconds: float
    peak_mb: float
    code: int


def cost_of(command: list[str]) -> Cost:
    """Run a command and take its resource usage from the kernel."""
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(perf_counter() - start, usage.ru_maxrss * unit / 1e6, process.returncode)


def median_cost(make_command: Callable[[Path], list[str]], repeats: int) -> Cost:
    """Median seconds and largest memory over repeats, each into a fresh folder."""
    costs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(cost_of(make_command(Path(folder))))
    return Cost(
        statistics.median(c.seconds for c in costs), max(c.peak_mb for c in costs), max(abs(c.code) for c in costs)
    )


def head_ct() -> Path:
    """The folder of real scans."""
    project = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("CORMACK_SHARED") or project.parent / "shared") / "data" / "head_ct"


def row(name: str, source: Path, repeats: int) -> str:
    """One line of the table."""
    cormack = [sys.executable, "-m", "cormack", "run", "--quiet", str(source)]
    run = median_cost(lambda out: [*cormack, str(out / "out")], repeats)
    if run.code:
        return f"{name:<18}{'failed, exit code ' + str(run.code):>20}"
    converted = median_cost(lambda out: [dcm2niix.bin, "-z", "y", "-o", str(out), str(source)], repeats)
    target = f"<= {TARGETS_S[name]:.0f}" if name in TARGETS_S else ""
    return (
        f"{name:<18}{run.seconds:>10.1f}{target:>10}{run.peak_mb:>12.0f}{f'<= {MEMORY_TARGET_MB:.0f}':>10}"
        f"{converted.seconds:>14.2f}{run.seconds / converted.seconds:>8.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} processors; medians of {arguments.repeats}; peak memory is the largest of all repeats")
    print(
        f"{'subject':<18}{'run (s)':>10}{'target':>10}{'peak (MB)':>12}{'target':>10}{'dcm2niix (s)':>14}{'ratio':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.subjects or SUBJECTS:
            source = head_ct() / name
            if name == "phantom":
                source = Path(folder) / "phantom"
                subprocess.run([sys.executable, "-m", "cormack", "phantom", "--quiet", str(source)], check=True)
            if source.is_dir():
                print(row(name, source, arguments.repeats), flush=True)
            else:
                print(f"{name:<18}{'not here':>10}")


if __name__ == "__main__":
    main()
