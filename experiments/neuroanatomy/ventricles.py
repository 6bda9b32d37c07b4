"""Ventricles measured by a threshold within areas drawn by hand, beside what was labelled there.

    python experiments/neuroanatomy/ventricles.py SCAN.nii.gz BRAIN.nii.gz LABELS.nii.gz --areas NAME
    python experiments/neuroanatomy/ventricles.py --anatomies ANATOMIES [--cases 6] [--network DIR]

SCAN as `cormack convert` writes it, BRAIN and LABELS (of the eleven or the sixteen) on its grid. `areas.toml` holds
polygons around the lateral and the third ventricle of the scans of the shared data that we looked at, drawn on the
images, without labels in sight, generously, so that they leave out other fluid and cut nothing else; what lies in none
is not measured.

The threshold is half-way between the median of what is darker and lies deep within and that of the brain around,
repeated until it stays, in slices smoothed by a Gaussian of 0.7 mm. With --anatomies the same is done with synthetic
scans whose truth is known, which tells the measure's own error; the area is what lies up to 4 mm from the true
ventricles and is no other fluid.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import numpy.typing as npt
from evaluate import HELD_OUT
from held_out import held_out
from scipy import ndimage
from skimage.draw import polygon2mask

from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.tables import read_toml
from cormack.core.volume import AnyArray
from cormack.pipeline.neuroanatomy import find_structures

BoolArray = npt.NDArray[np.bool_]

AREAS = Path(__file__).with_name("areas.toml")
#: Width of the Gaussian within slices (mm).
SMOOTH_MM = 0.7
#: Deep within is farther from the edge than this (mm), or than this share of the deepest.
DEEP_MM, DEEP_SHARE = 3.0, 0.6
#: Brain around is so far outside (mm).
AROUND_MM = (3.0, 6.0)
#: Where the search begins, and where it ends (HU).
FIRST_HU, SAME_HU = 18.0, 0.05
#: Areas of synthetic scans reach so far from the truth (mm).
AREA_MM = 4.0
VENTRICLES = "ventricular system"
OTHER_FLUID = ("subarachnoid space", "central sulcus", "dural folds and venous sinuses")


class Measured(NamedTuple):
    """Volume (ml), threshold, and the medians of fluid and brain that it lies between (HU)."""

    ml: float
    threshold: float
    fluid: float
    brain: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="SCAN BRAIN LABELS")
    parser.add_argument("--areas", choices=sorted(read_toml(AREAS)))
    parser.add_argument("--anatomies", type=Path)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--names", nargs="+", default=HELD_OUT)
    parser.add_argument("--network", type=Path)
    given = parser.parse_args()
    if bool(given.anatomies) == bool(given.files) or (given.files and (len(given.files) != 3 or not given.areas)):
        parser.error("give SCAN, BRAIN, LABELS and --areas, or --anatomies")
    if given.anatomies:
        synthetic(given)
    else:
        real(*given.files, given.areas)


def real(scan: Path, brain: Path, labels: Path, name: str) -> None:
    hu, inside, drawn = (np.asarray(nib.load(path).dataobj) for path in (scan, brain, labels))
    spacing_mm = tuple(float(h) for h in nib.load(scan).header.get_zooms()[:3])
    area = drawn_area(read_toml(AREAS)[name], hu.shape)
    measured = half_way(hu, area, inside > 0, spacing_mm)
    table = NEUROANATOMY if drawn.max() <= len(NEUROANATOMY) else NEUROANATOMY_FINE
    labelled = np.count_nonzero((drawn == table[VENTRICLES].index) & area) * np.prod(spacing_mm) / 1000
    print(f"{name}: {told(measured)}; labelled there {labelled:.1f} ml ({labelled / measured.ml - 1:+.1%})")


def synthetic(given: argparse.Namespace) -> None:
    for scan in held_out(given.anatomies, given.names, given.cases, pixel_mm=0.8):
        volume, truth = scan.volume, scan.truth.data
        fluid = [NEUROANATOMY_FINE[name].index for name in OTHER_FLUID]
        true = truth == NEUROANATOMY_FINE[VENTRICLES].index
        near = ndimage.distance_transform_edt(~true, sampling=volume.spacing_mm) <= AREA_MM
        area = near & ~np.isin(truth, fluid)
        measured = half_way(volume.data, area, (truth > 0) & ~np.isin(truth, fluid), volume.spacing_mm)
        found = find_structures(volume, scan.brain, network=given.network).found.labels.data
        labelled, right = (
            np.count_nonzero(ventricles) * volume.voxel_volume_ml
            for ventricles in (found == NEUROANATOMY_FINE[VENTRICLES].index, true)
        )
        print(
            f"{scan.group}, {scan.name} ({scan.facts}): true {right:.1f} ml, {told(measured)} "
            f"({measured.ml / right - 1:+.1%}), network {labelled:.1f} ml ({labelled / right - 1:+.1%})",
            flush=True,
        )


def told(measured: Measured) -> str:
    return (
        f"{measured.ml:.1f} ml below {measured.threshold:.1f} HU "
        f"(half-way from {measured.fluid:.0f} to {measured.brain:.0f})"
    )


def drawn_area(polygons: dict[str, list[list[list[float]]]], shape: tuple[int, int, int]) -> BoolArray:
    """What lies within the polygons of the nearest slice that has some; half a gap beyond the first and the last.

    Polygons are lists of (i, j) in voxels, by the number of their slice; the result has the shape (i, j, k) asked for.
    """
    drawn = sorted(int(k) for k in polygons)
    beyond = (drawn[1] - drawn[0]) // 2
    area = np.zeros(shape, dtype=bool)
    for k in range(max(0, drawn[0] - beyond), min(shape[2], drawn[-1] + beyond + 1)):
        nearest = min(drawn, key=lambda own: (abs(own - k), own))
        for polygon in polygons[str(nearest)]:
            area[:, :, k] |= polygon2mask(shape[:2], np.array(polygon))
    return area


def half_way(hu: AnyArray, area: BoolArray, brain: BoolArray, spacing_mm: tuple[float, float, float]) -> Measured:
    """What is darker than half-way between fluid and brain, within an area.

    Parameters
    ----------
    hu : array, shape (i, j, k)
    area, brain : bool array, shape (i, j, k)
        Where fluid is looked for, and what the brain around it may be measured in.
    spacing_mm : (i, j, k)
    """
    margin = tuple(int(np.ceil((AROUND_MM[1] + 1) / h)) for h in spacing_mm)
    where = np.argwhere(area)
    box = tuple(
        slice(max(0, low - m), high + m + 1) for low, high, m in zip(where.min(0), where.max(0), margin, strict=True)
    )
    hu, area, brain = hu[box].astype(np.float32), area[box], brain[box]
    smooth = ndimage.gaussian_filter(hu, (SMOOTH_MM / spacing_mm[0], SMOOTH_MM / spacing_mm[1], 0.0))
    threshold = FIRST_HU
    for _ in range(30):
        dark = area & (smooth < threshold)
        within = ndimage.distance_transform_edt(dark, sampling=spacing_mm)
        outside = ndimage.distance_transform_edt(~dark, sampling=spacing_mm)
        fluid_hu = float(np.median(hu[within > min(DEEP_MM, DEEP_SHARE * within.max())]))
        brain_hu = float(np.median(hu[brain & (outside > AROUND_MM[0]) & (outside <= AROUND_MM[1])]))
        last, threshold = threshold, (fluid_hu + brain_hu) / 2
        if abs(threshold - last) < SAME_HU:
            break
    return Measured(np.count_nonzero(dark) * float(np.prod(spacing_mm)) / 1000, threshold, fluid_hu, brain_hu)


if __name__ == "__main__":
    main()
