"""Time and memory of comparing label maps, beside distance transforms and SimpleITK.

    CORMACK_SHARED=../shared python benchmarks/compare_labels.py

The brain on 512 x 512 x 239 voxels: the two reference masks of `head_ct/reference/cq500_cta` against each other (which
differ by half a voxel to a voxel all round). Sixteen structures: the label map of `neuroanatomy` against itself, moved
by one voxel. Distance transforms (scipy) and SimpleITK's filter, both on the box of the two masks, give a Hausdorff
distance and (scipy) a mean alone; `voxel_distances` gives just these. Best of three; of SimpleITK one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses
from scipy import ndimage

from cormack.core.labels import BRAIN, LabelMap, LabelTable
from cormack.measure.agreement import StructureAgreement, compare_labels
from cormack.measure.boxes import bounding_box
from cormack.measure.surface import boundary, voxel_distances

ROUNDS = 3
BoolArray = npt.NDArray[np.bool_]


def shared_data() -> Path:
    return Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"


def load(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    image = nib.load(path)
    return np.asarray(image.dataobj).astype(np.uint8), np.asarray(image.affine)


def timed(name: str, work: Callable[[], Any], rounds: int = ROUNDS) -> Any:
    seconds, result = [], None
    for _ in range(rounds):
        start = perf_counter()
        result = work()
        seconds.append(perf_counter() - start)
    print(f"{name:<58} {min(seconds):6.2f} s")
    return result


def by_trees(a: BoolArray, b: BoolArray, steps_mm: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Hausdorff and mean distance as `compare_labels` finds them."""
    box = bounding_box(a | b)
    found = voxel_distances(a[box], b[box], steps_mm)
    return found.percentile_mm(100), found.mean_mm


def by_distance_transforms(a: BoolArray, b: BoolArray, spacing_mm: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Hausdorff and mean distance by a Euclidean distance transform per surface."""
    box = bounding_box(a | b)
    edges = boundary(a[box]), boundary(b[box])
    to_b = ndimage.distance_transform_edt(~edges[1], sampling=spacing_mm)[edges[0]]
    to_a = ndimage.distance_transform_edt(~edges[0], sampling=spacing_mm)[edges[1]]
    return max(to_a.max(), to_b.max()), float(np.concatenate([to_a, to_b]).mean())


def by_simpleitk(a: BoolArray, b: BoolArray, spacing_mm: npt.NDArray[np.float64]) -> float:
    """Hausdorff distance of the contours."""
    images, box = [], bounding_box(a | b)
    for mask in (a, b):
        image = sitk.GetImageFromArray(np.ascontiguousarray(mask[box].T).view(np.uint8))
        image.SetSpacing(spacing_mm.tolist())
        images.append(sitk.LabelContour(image, fullyConnected=False))
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(*images)
    return hausdorff.GetHausdorffDistance()


def brain() -> None:
    folder = shared_data() / "head_ct" / "reference" / "cq500_cta"
    (a, affine), (b, _) = load(folder / "mask.nii.gz"), load(folder / "mask_inner.nii.gz")
    maps = LabelMap(a, affine, BRAIN), LabelMap(b, affine, BRAIN)
    print(f"the brain on {' x '.join(map(str, a.shape))} voxels")
    timed("compare_labels, all metrics", lambda: compare_labels(*maps))
    timed("compare_labels, no surfaces", lambda: compare_labels(*maps, surfaces=False))
    spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
    found = compare_labels(*maps)[0]
    timed("voxel_distances (Hausdorff, mean)", lambda: by_trees(a > 0, b > 0, affine[:3, :3]))
    edt = timed("distance transforms (Hausdorff, mean)", lambda: by_distance_transforms(a > 0, b > 0, spacing_mm))
    itk = timed("SimpleITK (Hausdorff)", lambda: by_simpleitk(a > 0, b > 0, spacing_mm), 1)
    _say(found)
    print(f"  distance transforms: Hausdorff {edt[0]:.4f} mm, mean {edt[1]:.4f} mm; SimpleITK: Hausdorff {itk:.4f} mm")
    print("  (both take the grid for orthogonal; this one is sheared, which compare_labels heeds)")


def structures() -> None:
    data, affine = load(shared_data() / "neuroanatomy" / "mayo_1.nii.gz")
    print(f"{len(np.unique(data)) - 1} structures on {' x '.join(map(str, data.shape))} voxels")
    maps = (LabelMap(m, affine, LabelTable(())) for m in (data, np.roll(data, 1, axis=0)))
    reference, moved = maps
    timed("compare_labels, all metrics", lambda: compare_labels(reference, moved))


def _say(found: StructureAgreement) -> None:
    print(
        f"  Dice {found.dice:.4f}, HD95 {found.hausdorff95_mm:.4f} mm, Hausdorff {found.hausdorff_mm:.4f} mm, mean "
        f"{found.average_surface_distance_mm:.4f} mm, surface Dice at 1 mm {found.surface_dice:.4f}"
    )


if __name__ == "__main__":
    brain()
    structures()
