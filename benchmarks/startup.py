"""Seconds until Cormack answers: `import cormack` and `cormack --help`, medians of fresh processes.

python benchmarks/startup.py [--repeats 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from time import perf_counter

#: What is started, and the target in seconds.
STARTS = (
    ("python -c 'pass' (for comparison)", ["-c", "pass"], None),
    ("import cormack", ["-c", "import cormack"], 0.25),
    ("cormack --help", ["-m", "cormack", "--help"], 0.4),
    ("cormack run --help", ["-m", "cormack", "run", "--help"], 0.4),
)


def seconds(arguments: list[str], repeats: int) -> list[float]:
    """Wall seconds of fresh interpreters, after one that warms the disk's cache."""
    taken = []
    for _ in range(repeats + 1):
        start = perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        taken.append(perf_counter() - start)
    return taken[1:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    print(f"{'start':<36}{'median (s)':>12}{'least (s)':>12}{'target (s)':>12}")
    for name, arguments, target in STARTS:
        taken = seconds(arguments, repeats)
        shown = "" if target is None else f"<= {target}"
        print(f"{name:<36}{statistics.median(taken):>12.3f}{min(taken):>12.3f}{shown:>12}")


if __name__ == "__main__":
    main()
