"""How long a synthetic image takes, and how its Hounsfield units compare with those of real heads.

    python benchmarks/synthesis.py [FOLDER_OF_ANATOMIES] [--images 40]

Anatomies are `.npz` files as training keeps them; without a folder two are made of the digital head. Real heads need
the shared data; without it their rows are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import Volume
from cormack.dicom.read import read_scan
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.imaging.warp import warp
from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy
from cormack.physics.synthesis.ct import CtSynthesis, synthesize_ct
from cormack.physics.synthesis.digital import digital_anatomy
from cormack.physics.synthesis.image import SyntheticImage
from cormack.physics.synthesis.mr import synthesize_mr
from registration_data import HEADS, shared_data, working_grid

PERCENTILES = (5, 25, 50, 75, 95)
#: The shell outside the surface in which bone is sought, in voxels of 2 mm.
SHELL = 3
AIR_HU = -300.0
FloatImage = npt.NDArray[np.float32]


def timed(
    name: str, make: Callable[[Anatomy, np.random.Generator], SyntheticImage], anatomies: list[Anatomy], images: int
) -> list[SyntheticImage]:
    seconds, made = [], []
    for seed in range(images):
        anatomy = anatomies[seed % len(anatomies)]
        started = time.process_time()
        made.append(make(anatomy, np.random.default_rng(seed)))
        seconds.append(time.process_time() - started)
    low, middle, high = np.percentile(seconds, (10, 50, 90))
    print(
        f"{name}: {middle:.2f} s of one core (10 % below {low:.2f}, 10 % above {high:.2f}), {images} images", flush=True
    )
    return made


def around(hu: FloatImage, share: FloatImage) -> tuple[FloatImage, FloatImage]:
    """HU inside the intracranial space, and of what is not air within 6 mm outside."""
    shell = (share < 0.02) & ndimage.binary_dilation(share > 0.5, iterations=SHELL) & (hu > AIR_HU)
    return hu[share > 0.98], hu[shell]


def row(name: str, inside: FloatImage, shell: FloatImage) -> None:
    cells = " ".join(f"{value:6.0f}" for part in (inside, shell) for value in np.percentile(part, PERCENTILES))
    soft = inside[(inside > 0) & (inside < 80)]
    print(f"{name:24} {cells} {soft.std():6.1f}", flush=True)


def real_heads() -> None:
    for name in HEADS:
        assembly = read_scan(shared_data() / "head_ct" / name).assembly
        volume = rectify(condition(assembly.stack, assembly.padding_hu)).volume
        volume = volume.with_data(np.nan_to_num(volume.data.astype(np.float32), nan=-1000.0))
        affine, shape = working_grid(volume, 2.0)
        image = nib.load(shared_data() / "head_ct" / "reference" / name / "mask.nii.gz")
        mask = LabelMap((np.asanyarray(image.dataobj) > 0).astype(np.uint8), image.affine, BRAIN)
        share = warp(Volume(mask.data.astype(np.float32), mask.affine, outside=0.0), Affine.identity(), affine, shape)
        row(name, *around(warp(volume, Affine.identity(), affine, shape).data, share.data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anatomies", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=40)
    given = parser.parse_args()
    if given.anatomies is None:
        anatomies = [digital_anatomy(np.random.default_rng(seed)) for seed in range(2)]
    else:
        anatomies = [load_anatomy(path) for path in sorted(given.anatomies.glob("*.npz"))]
    print(f"112 x 128 x 112 voxels of 2 mm, {len(anatomies)} anatomies, one thread")
    scans = timed("CT", lambda anatomy, rng: synthesize_ct(anatomy, rng, CtSynthesis()), anatomies, given.images)
    timed("MR", synthesize_mr, anatomies, given.images)
    print("HU, percentiles 5 25 50 75 95: inside | of what is not air within 6 mm outside | SD of 0 to 80 HU inside")
    if shared_data().is_dir():
        real_heads()
    parts = [around(made.volume.data, made.target.data) for made in scans]
    for n, (made, part) in enumerate(zip(scans[:8], parts, strict=False)):
        row(f"synthetic {n} ({made.facts['kernel']})", *part)
    row(f"synthetic, {len(scans)} scans", *(np.concatenate(part) for part in zip(*parts, strict=True)))


if __name__ == "__main__":
    main()
