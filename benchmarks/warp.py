"""Time and memory of warping onto a 1 mm template grid, beside ANTs on the same files.

    python benchmarks/warp.py [--threads 1] [--repeats 5]

The grid is 181 x 217 x 181 voxels of 1 mm, the transforms a smooth displacement field on it and an affine, as a
non-linear registration leaves them; `there` is the field then the affine, `back` the inverse affine then a field. The
image is a CT of 512 x 512 x 60 or a 1 mm volume; labels are 30 slabs. Printed are medians of wall and processor seconds
and the largest difference from ANTs, which reads the transforms from files each time, as it must.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from cormack.core.fields import DisplacementField
from cormack.core.labels import LabelMap, LabelTable
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Volume
from cormack.files.itk import write_affine
from cormack.files.transforms import write_field
from cormack.imaging import warp as warping

SHAPE = (181, 217, 181)
GRID = np.array([[1.0, 0, 0, -90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])
TURN = Affine(np.array([[1.05, 0.02, 0.03, 3], [-0.03, 0.97, 0.1, -5], [0.01, -0.1, 1, 7], [0, 0, 0, 1]]))
CT_GRID = np.array([[-0.45, 0, 0, 115], [0, -0.45, 0, 110], [0, 0, 2.5, -80], [0, 0, 0, 1]])


def smooth_field() -> DisplacementField:
    i = np.indices(SHAPE, dtype=np.float32)
    waves = [4 * np.sin(i[c] / 20) * np.cos(i[(c + 1) % 3] / 17) for c in range(3)]
    rim = [np.sin(np.linspace(0, np.pi, n)).astype(np.float32) for n in SHAPE]
    window = rim[0][:, None, None] * rim[1][:, None] * rim[2]
    return DisplacementField(np.stack([wave * window for wave in waves], axis=-1), GRID)


def smooth_image(shape: tuple[int, int, int], affine: np.ndarray) -> Volume:
    i, j, k = np.ogrid[tuple(slice(n) for n in shape)]
    data = 500 * np.sin(i / 9.0) * np.cos(j / 11.0) + 10 * k
    return Volume(data.astype(np.float32), affine)


def seconds(repeats: int, function: Callable[[], object]) -> str:
    """Medians of wall and processor seconds."""
    costs = []
    for _ in range(repeats):
        start = perf_counter(), process_time()
        function()
        costs.append((perf_counter() - start[0], process_time() - start[1]))
    wall, processor = (statistics.median(column) for column in zip(*costs, strict=True))
    return f"{wall:6.2f} s wall {processor:6.2f} s processor"


def ants_image(volume: Volume) -> object:
    import ants

    spacing = volume.spacing_mm
    flip = np.array([-1.0, -1, 1])
    return ants.from_numpy(
        volume.data,
        origin=(volume.affine[:3, 3] * flip).tolist(),
        spacing=spacing,
        direction=volume.affine[:3, :3] / spacing * flip[:, None],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warping.THREADS = options.threads
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(options.threads)
    import ants

    field = smooth_field()
    there, back = TransformChain((field, TURN)), TransformChain((TURN.inverse(), field))
    ct, mr = smooth_image((512, 512, 60), CT_GRID), smooth_image((200, 220, 200), GRID)
    slabs = LabelMap((np.indices(mr.shape).sum(axis=0) // 21).astype(np.uint8), GRID, LabelTable(()))
    cases = {
        "there, CT, linear": (ct, there, 1),
        "there, 1 mm, linear": (mr, there, 1),
        "there, 1 mm, cubic": (mr, there, 3),
        "back, 1 mm, linear": (mr, back, 1),
        "there, labels by share": (slabs, there, 1),
        "there, labels nearest": (slabs, there, 0),
    }
    print(f"{options.threads} thread(s), median of {options.repeats}")
    for name, (image, chain, order) in cases.items():
        cost = seconds(options.repeats, lambda i=image, c=chain, o=order: warping.warp(i, c, GRID, SHAPE, order=o))
        print(f"cormack  {name:24} {cost}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, images and field included")
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / "warp.nii.gz"), str(Path(folder) / "affine.mat")]
        write_field(Path(names[0]), field)
        write_affine(Path(names[1]), TURN)
        fixed, moving = ants_image(Volume(np.zeros(SHAPE, np.float32), GRID)), ants_image(mr)
        made: list[np.ndarray] = []

        def apply() -> None:
            made.append(ants.apply_transforms(fixed, moving, names, defaultvalue=mr.outside).numpy())

        print(f"ANTs     there, 1 mm, linear      {seconds(options.repeats, apply)}, files read each time")
        ours = warping.warp(mr, there, GRID, SHAPE).data
        both = (ours != mr.outside) & (made[-1] != mr.outside)
        difference = np.abs(ours - made[-1])[both].max()
        print(f"largest difference from ANTs: {difference:.4f} of a range of {np.ptp(mr.data):.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
