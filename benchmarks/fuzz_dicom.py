"""Damage real DICOM files for a while and read them: nothing but a result or a CormackError may come out.

    CORMACK_SHARED=../shared python benchmarks/fuzz_dicom.py [--seconds 600] [--seed 1]

Each run changes up to twelve bytes of one file of `dicom_edge`, most in its header, and sometimes cuts it. The last
input lies in the folder that is printed first, so that it is there even if the interpreter itself should die. The quick
form with a fixed budget is `tests/dicom/test_hostile.py`.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from time import monotonic

from cormack.core.errors import CormackError
from cormack.dicom import headers
from cormack.dicom.assemble import assemble
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.inventory import take_inventory
from cormack.dicom.pixels import stored_values
from cormack.dicom.source import open_source

LARGEST_SEED_BYTES = 300_000
HEADER_BYTES = 3_000
SLOW_S = 5.0


def damaged(seed: bytes, rng: random.Random) -> bytes:
    """A file with some bytes changed, sometimes cut short."""
    body = bytearray(seed)
    header = min(len(body), HEADER_BYTES)
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(header if rng.random() < 0.7 else len(body))
        body[at] = rng.choice([0, 0xFF, 0x7F, 0x80, rng.randrange(256)])
    return bytes(body[: rng.randrange(len(body))] if rng.random() < 0.2 else body)


def read_all(path: Path, workers: DecodeWorkers) -> None:
    """All that the reader can do with one file; a CormackError is a good answer."""
    try:
        with open_source(path) as source:
            for entry in take_inventory(source).series:
                try:
                    assemble(entry)
                except CormackError:
                    continue
    except CormackError:
        pass
    # A single slice is no stack: its pixels are decoded here.
    with headers.quiet():
        try:
            stored_values(headers.parse_file(path.read_bytes()), 0, workers)
        except CormackError:
            return


def main() -> int:
    """Fuzz for the time given; 1 if anything else than a CormackError came out, or a run took too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shared = Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    files = [p for p in sorted((shared / "data" / "dicom_edge").rglob("*")) if p.is_file()]
    seeds = [p for p in files if 100 < p.stat().st_size < LARGEST_SEED_BYTES]
    rng, folder = random.Random(options.seed), Path(tempfile.mkdtemp(prefix="fuzz_dicom_"))
    print(f"{len(seeds)} seeds; inputs in {folder}")
    runs = failures = slow = 0
    end = monotonic() + options.seconds
    with DecodeWorkers() as workers:
        while monotonic() < end and failures < 10:
            path = folder / "last"
            path.write_bytes(damaged(rng.choice(seeds).read_bytes(), rng))
            start = monotonic()
            try:
                read_all(path, workers)
            except Exception:  # noqa: BLE001 - this is what the script looks for
                failures += 1
                path.replace(folder / f"failure_{failures}")
                traceback.print_exc()
            if monotonic() - start > SLOW_S:
                slow += 1
            runs += 1
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{runs} runs, {failures} failures, {slow} slow ones, peak memory {peak_mib:.0f} MiB")
    return int(failures > 0 or slow > 0)


if __name__ == "__main__":
    sys.exit(main())
