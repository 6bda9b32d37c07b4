"""Gzip of a head CT by zlib and by ISA-L: processor seconds and size of the digital head's rectified volume.

python benchmarks/compression.py
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

from isal import igzip

from cormack import condition, read_scan, rectify
from cormack.pipeline.phantom import make_phantom_series

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "zlib, level 1": lambda data: gzip.compress(data, 1),
    "zlib, level 6": lambda data: gzip.compress(data, 6),
    "ISA-L, level 1": lambda data: igzip.compress(data, 1),
    "ISA-L, level 3": lambda data: igzip.compress(data, 3),
}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        make_phantom_series(Path(folder) / "head")
        assembly = read_scan(Path(folder) / "head").assembly
    conditioned = condition(assembly.stack, assembly.padding_hu)
    data = rectify(conditioned.stack, padded=conditioned.padded).volume.data.tobytes(order="F")
    print(f"{'int16 volume':<18}{'':>10}{len(data) / 1e6:>12.1f} MB")
    for name, compress in WAYS.items():
        start = process_time()
        size = len(compress(data))
        print(f"{name:<18}{process_time() - start:>8.2f} s{size / 1e6:>12.1f} MB")


if __name__ == "__main__":
    main()
