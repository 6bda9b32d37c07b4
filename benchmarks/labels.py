"""Labels through transforms: what is lost out and back, and what fusion gains.

    python benchmarks/labels.py            # out and back, an atlas on grids of real scans
    python benchmarks/labels.py --fusion   # each of four T1 labelled by the other three (manual truth; many minutes)
    python benchmarks/labels.py --fusion --joint   # by joint label fusion, too (much longer)

Out and back: the Harvard-Oxford subcortical atlas (1 mm) goes through a smooth deformation of up to 6 mm and an affine
onto the grid of a scan, and back by the inverse. Printed is the Sørensen-Dice coefficient with where it began, by both
rules of interpolation: all labels together (each voxel of a structure counts once) and the mean of the labels. The
transform is known; registration has no part in it. What the grid alone costs stands beside: the same by the identity.

Fusion: OASIS subjects with manual labels (MICCAI 2012), brains without skull. Real data comes from $CORMACK_SHARED
(default ../shared).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.spatial.transform import Rotation

from cormack.core.fields import DisplacementField
from cormack.core.labels import LabelMap, LabelTable
from cormack.core.transforms import Affine, TransformChain, grid_points
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import read_stack
from cormack.imaging.warp import warp
from cormack.register.atlas import Atlas, carry_labels
from cormack.register.fusion import Fusion, fuse
from cormack.register.register import register_volumes

DATA = Path(os.environ.get("CORMACK_SHARED") or "../shared") / "data"
ATLAS = DATA / "atlas" / "mni152nlin6" / "HarvardOxfordsub-maxprob-thr25_space-MNI152NLin6_res-1x1x1.nii.gz"
#: Voxels of scans: i, j, k (mm).
SCANS = {"1 mm": (1.0, 1.0, 1.0), "thin slices": (0.45, 0.45, 0.625), "2 mm slices": (0.4, 0.4, 2.0),
         "5 mm slices": (0.45, 0.45, 5.0)}  # fmt: skip
SUBJECTS = ("1000", "1001", "1006", "1036")


def read(path: Path) -> Volume:
    return read_stack(path, assume_mm=True)[0].to_volume()


def as_labels(volume: Volume) -> LabelMap:
    return LabelMap(np.rint(volume.data).astype(np.uint8), volume.affine, LabelTable(()))


def known_transform(atlas: LabelMap) -> TransformChain:
    """Points of the atlas to points of a scan: a field of waves that fades at the rim, then a turn and a scaling."""
    coarse = np.diag([2.0, 2.0, 2.0, 1.0])
    shape = tuple(int(np.ceil(n / 2)) + 20 for n in atlas.data.shape)
    corner = np.min([atlas.affine[:3, 3], (atlas.affine @ [*atlas.data.shape, 1])[:3]], axis=0)
    coarse[:3, 3] = corner - 20
    points = grid_points(coarse, shape)  # type: ignore[arg-type]
    rim = [np.sin(np.linspace(0, np.pi, n)) for n in shape]
    window = (rim[0][:, None, None] * rim[1][:, None] * rim[2])[..., None]
    waves = np.stack([np.sin(points[..., (c + 1) % 3] / 22 + c) for c in range(3)], axis=-1)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("zxy", [9, -12, 5], degrees=True).as_matrix() * [1.06, 0.95, 1.02]
    affine[:3, 3] = [4, -7, 9]
    return TransformChain((DisplacementField(6 * waves * window, coarse), Affine(affine)))


def dice(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Over all voxels of structures together, and the mean of the labels."""
    size = int(max(a.max(), b.max())) + 1
    same = np.bincount(a[a == b], minlength=size)[1:]
    both = (np.bincount(a.ravel(), minlength=size) + np.bincount(b.ravel(), minlength=size))[1:]
    drawn = np.bincount(a.ravel(), minlength=size)[1:] > 0
    return 2 * float(same.sum()) / float(both.sum()), float(np.mean(2 * same[drawn] / both[drawn]))


def out_and_back() -> None:
    atlas = as_labels(read(ATLAS))
    chain = known_transform(atlas)
    inverse = chain.inverse()
    print(f"Jacobian of the transform {chain.jacobian(atlas.affine, atlas.data.shape).min():.2f} at least")
    still = grid_points(atlas.affine, atlas.data.shape)[atlas.data > 0].mean(axis=0)
    centre = chain.apply(still)
    for name, spacing in SCANS.items():
        shape = tuple(int(220 / step) for step in spacing)
        grid = np.diag([*spacing, 1.0])
        grid[:3, 3] = centre - np.array(spacing) * (np.array(shape) - 1) / 2
        for order, rule in ((1, "largest share"), (0, "nearest")):
            there = warp(atlas, inverse, grid, shape, order=order)  # type: ignore[arg-type]
            back = warp(there, chain, atlas.affine, atlas.data.shape, order=order)  # type: ignore[arg-type]
            together, mean = dice(atlas.data, back.data)
            print(f"{name:12} {rule:14} Dice together {together:.4f}, mean of labels {mean:.4f}", flush=True)
        grid[:3, 3] += still - centre
        rest = Affine.identity()
        back = warp(warp(atlas, rest, grid, shape), rest, atlas.affine, atlas.data.shape)  # type: ignore[arg-type]
        print(f"{name:12} {'grid alone':14} Dice together {dice(atlas.data, back.data)[0]:.4f}", flush=True)


def fusion(methods: tuple[Fusion, ...]) -> None:
    folder = DATA / "mr_t1" / "malf_labels"
    atlases = []
    for subject in SUBJECTS:
        image = read(folder / f"{subject}_SS.nii.gz")
        brain = image.with_data(image.data.astype(np.float32), unit=Unit.ARBITRARY, outside=0.0)
        atlases.append(Atlas(brain, as_labels(read(folder / f"{subject}_glm.nii.gz"))))
    for number, (subject, target) in enumerate(zip(SUBJECTS, atlases, strict=True)):
        others = [atlas for n, atlas in enumerate(atlases) if n != number]
        start = perf_counter()
        found = [register_volumes(target.volume, atlas.volume, "syn") for atlas in others]
        print(f"target {subject}: three registrations {perf_counter() - start:.0f} s")
        opinions = [carry_labels(a.labels, r.transform, target.volume) for a, r in zip(others, found, strict=True)]
        images = [
            warp(a.volume, r.transform.inverse(), target.volume.affine, target.volume.shape)
            for a, r in zip(others, found, strict=True)
        ]
        for opinion in opinions:
            print(
                "  one atlas   Dice together {:.4f}, mean of labels {:.4f}".format(
                    *dice(target.labels.data, opinion.data)
                )
            )
        for method in methods:
            start = perf_counter()
            fused = fuse(opinions, method, target=target.volume, images=images)
            took = perf_counter() - start
            together, mean = dice(target.labels.data, fused.data)
            print(f"  {method:10}  Dice together {together:.4f}, mean of labels {mean:.4f} ({took:.1f} s)", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fusion", action="store_true")
    parser.add_argument("--joint", action="store_true")
    options = parser.parse_args()
    if options.fusion:
        fusion(tuple(method for method in Fusion if options.joint or method is not Fusion.JOINT))
    else:
        out_and_back()
    return 0


if __name__ == "__main__":
    sys.exit(main())
