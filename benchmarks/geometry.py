"""Figures of geometry: positions, markers, volumes and padding on phantoms, and what dcm2niix makes of the same files.

    python benchmarks/geometry.py [--full]

`tests/test_geometry_contract.py` holds the same functions to the limits below.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pydicom
from scipy import ndimage

from cormack.core.volume import SliceStack
from cormack.dicom.read import read_scan
from cormack.dicom.write import Series, Study, write_ct_series
from cormack.imaging.rectify import Rectified, rectify
from cormack.physics.phantom import Ball, Composition, Ellipsoid, rotation_matrix
from cormack.physics.scanner import (
    ScannerSettings,
    SliceGeometry,
    acquire,
    even_positions,
    grouped_positions,
)

#: The program of the Python package of that name, or the one on the path.
DCM2NIIX = shutil.which("dcm2niix", path=str(Path(sys.executable).parent)) or shutil.which("dcm2niix")
POSITION_LIMIT_MM = 0.01
MARKER_LIMIT_VOXELS = 0.5
VOLUME_LIMIT = 0.01

TILTS_DEG = (-25.0, -18.0, -8.5, 0.0, 8.5, 18.0, 25.0)
ORIENTATIONS = ("axial", "coronal", "sagittal", "oblique")
SPACINGS = ("even", "uneven", "missing")
MARKERS_MM = ((3.0, 2.0, -1.0), (-30.0, 15.5, 22.0), (26.5, -32.0, -20.0), (14.0, 30.0, -24.0))
#: A stand-in for a head, off centre and turned, whose volume is known exactly.
HEAD = Ellipsoid((4.0, -6.0, 3.0), (62.0, 74.0, 58.0), rotation_matrix(8, -5, 12), hu=40.0)


def scan_geometry(orientation: str, tilt_deg: float, spacing: str) -> SliceGeometry:
    """A small scan of 2 mm pixels with even, uneven (4 and 7 mm) or missing slices."""
    positions = grouped_positions(((23, 4.0), (12, 7.0))) if spacing == "uneven" else even_positions(44, 4.0)
    geometry = SliceGeometry(
        positions, orientation, tilt_deg, 112, 120, (1.75, 2.0), 7.0 if spacing == "uneven" else 4.0, (2.0, -3.0, 5.0)
    )
    return geometry.without_slice(_slice_far_from_markers(geometry)) if spacing == "missing" else geometry


def _slice_far_from_markers(geometry: SliceGeometry) -> int:
    """The slice whose loss takes no marker with it; what was not measured cannot be in the right place."""
    normal = geometry.frame()[2]
    slices = geometry.origins()[2:-2] @ normal
    return 2 + int(np.abs(slices[:, None] - np.array(MARKERS_MM) @ normal).min(axis=1).argmax())


def through_dicom(stack: SliceStack, folder: Path, stated_tilt_deg: float | None = None) -> SliceStack:
    """The stack after it was written as DICOM and read again."""
    write_ct_series(stack, folder, series=Series(stated_tilt_deg=stated_tilt_deg), study=Study("geometry"))
    return read_scan(folder).assembly.stack


def header_error_mm(native: SliceStack, folder: Path) -> float:
    """Greatest distance between voxel centres of `native` and where the headers put them.

    The formula is PS3.3 C.7.6.2.1.1 in LPS, written anew; edges and middle of the slices are compared.
    """
    ni, nj, _ = native.data.shape
    rows, columns = (a.ravel() for a in np.meshgrid([0, 1, nj // 2, nj - 1], [0, 1, ni // 2, ni - 1]))
    worst = 0.0
    place = {uid: k for k, uid in enumerate(native.sop_instance_uids)}
    for path in sorted(folder.iterdir()):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        orientation = np.array(header.ImageOrientationPatient, dtype=float)
        lps = (
            np.array(header.ImagePositionPatient, dtype=float)
            + np.outer(columns * float(header.PixelSpacing[1]), orientation[:3])
            + np.outer(rows * float(header.PixelSpacing[0]), orientation[3:])
        )
        k = np.full_like(rows, place.pop(header.SOPInstanceUID))
        ras = native.world(np.column_stack([columns, rows, k]))
        worst = max(worst, float(np.linalg.norm(ras * [-1, -1, 1] - lps, axis=1).max()))
    return worst if not place else float("inf")


def marker_errors_mm(
    data: npt.NDArray[np.integer], affine: npt.NDArray[np.float64], near_mm: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Centroid of each bright marker minus its true place, RAS+ millimetres, shape (markers, 3).

    The centroid is that of HU above the tissue around it, within 13 mm of the truth or of `near_mm`, where a marker is
    known to have gone. NaN where there is no marker.
    """
    truth = np.array(MARKERS_MM)
    bright = np.argwhere(np.abs(data - HEAD.hu) > 2)
    world = bright @ affine[:3, :3].T + affine[:3, 3]
    weights = data[tuple(bright.T)].astype(float) - HEAD.hu
    errors = np.full((len(truth), 3), np.nan)
    for n, place in enumerate(truth if near_mm is None else near_mm):
        near = np.linalg.norm(world - place, axis=1) < 13.0
        if near.any() and weights[near].max() > 200:
            errors[n] = np.average(world[near], axis=0, weights=weights[near]) - truth[n]
    return errors


def marker_phantom() -> Composition:
    """Markers of 5 mm in soft tissue."""
    return Composition((HEAD, *(Ball(m, 2.5) for m in MARKERS_MM)))


def marker_error_voxels(rectified: Rectified) -> float:
    """Greatest error of a marker along any voxel axis, in voxels; infinite if one is lost."""
    volume = rectified.volume
    errors = marker_errors_mm(volume.data, volume.affine) @ np.linalg.inv(volume.affine[:3, :3]).T
    return float("inf") if np.isnan(errors).any() else float(np.abs(errors).max())


def volume_error(rectified: Rectified) -> float:
    """Relative error of the volume of `HEAD`, by threshold at half height."""
    half = (HEAD.hu - 1000.0) / 2
    return rectified.volume.voxel_volume_ml * np.count_nonzero(rectified.volume.data > half) / HEAD.volume_ml - 1


def lost_voxels(native: SliceStack, rectified: Rectified) -> int:
    """Native voxels of the head that lie outside the rectified grid, or where it was not measured or holds air."""
    volume, lost = rectified.volume, 0
    for k in range(native.data.shape[2]):
        ij = np.argwhere(native.data[:, :, k] > -100)
        ijk = np.column_stack([ij, np.full(len(ij), k)])
        voxels = np.rint(volume.voxel(native.world(ijk))).astype(int)
        inside = ((voxels >= 0) & (voxels < volume.shape)).all(axis=1)
        kept = rectified.measured[tuple(voxels[inside].T)] & (volume.data[tuple(voxels[inside].T)] > -900)
        lost += len(ij) - int(np.count_nonzero(kept))
    return lost


def run_dcm2niix(folder: Path, out: Path) -> dict[str, tuple[npt.NDArray[np.int16], npt.NDArray[np.float64]]]:
    """What dcm2niix writes for a series: data and affine by the file's suffix ("" for the uncorrected stack)."""
    out.mkdir()
    command = [str(DCM2NIIX), "-z", "n", "-b", "n", "-f", "x", "-o", str(out), str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    images = {path.stem[1:]: nib.load(path) for path in sorted(out.glob("*.nii"))}
    return {name: (np.asarray(image.dataobj), image.affine) for name, image in images.items()}


def cases(full: bool) -> Iterator[tuple[str, float, str]]:
    """Orientation, tilt and spacing of every case; without `full` a third of the tilts."""
    for orientation in ORIENTATIONS:
        for tilt_deg in TILTS_DEG if full else (-25.0, 0.0, 18.0):
            for spacing in SPACINGS:
                yield orientation, tilt_deg, spacing


def print_positions(full: bool, tmp: Path) -> None:
    print(
        "\nPositions and markers: worst over tilts", TILTS_DEG if full else (-25.0, 0.0, 18.0), "and a header that lies"
    )
    print(f"{'orientation':12} {'spacing':8} {'native vs header':>17} {'marker':>13} {'head lost':>10}")
    print(f"{'':12} {'':8} {'(mm, <= 0.01)':>17} {'(vx, <= 0.5)':>13} {'(voxels)':>10}")
    worst: dict[tuple[str, str], list[float]] = {}
    for n, (orientation, tilt_deg, spacing) in enumerate(cases(full)):
        stack = acquire(marker_phantom(), scan_geometry(orientation, tilt_deg, spacing))
        native = through_dicom(stack, tmp / str(n), -tilt_deg)
        rectified = rectify(native)
        figures = [
            header_error_mm(native, tmp / str(n)),
            marker_error_voxels(rectified),
            lost_voxels(native, rectified),
        ]
        so_far = worst.setdefault((orientation, spacing), figures)
        worst[orientation, spacing] = [max(a, b) for a, b in zip(so_far, figures, strict=True)]
    for (orientation, spacing), (header, marker, lost) in worst.items():
        print(f"{orientation:12} {spacing:8} {header:17.2e} {marker:13.3f} {lost:10.0f}")


def print_volumes() -> None:
    tilts = (-25.0, -18.0, 0.0, 18.0, 25.0)
    print(
        f"\nVolume of an ellipsoid of {HEAD.volume_ml:.2f} ml in `rectified`, by threshold at half height: "
        "error in % (<= 1)"
    )
    print(f"{'slices':10}" + "".join(f"{f'{t:g} deg':>10}" for t in tilts))
    for label, positions, thickness in volume_scans():
        errors = []
        for tilt_deg in tilts:
            geometry = SliceGeometry(positions, "axial", tilt_deg, 224, 224, (0.9, 0.9), thickness)
            errors.append(volume_error(rectify(acquire(Composition((HEAD,)), geometry))))
        print(f"{label:10}" + "".join(f"{100 * e:10.3f}" for e in errors))


def volume_scans() -> Iterator[tuple[str, tuple[float, ...], float]]:
    """Label, table positions and thickness of the scans whose volumes are judged."""
    for thickness in (1.0, 3.0, 5.0):
        yield f"{thickness:g} mm", even_positions(int(180 / thickness), thickness), thickness
    yield "4 + 7 mm", grouped_positions(((23, 4.0), (12, 7.0))), 5.0


def print_dcm2niix(tmp: Path) -> None:
    print(
        "\ndcm2niix on the same files (axial): markers' mean error (R, A, S) in mm, volume error in %, slice step in mm"
    )
    print(f"{'tilt':>5} {'spacing':8} {'output':22} {'markers (mm)':>24} {'worst':>7} {'volume':>8} {'step':>7}")
    settings = ScannerSettings()
    for tilt_deg in (-25.0, -18.0, 0.0, 18.0, 25.0):
        for spacing in ("even", "uneven"):
            geometry = scan_geometry("axial", tilt_deg, spacing)
            stack = acquire(marker_phantom(), geometry, settings)
            folder = tmp / f"d{tilt_deg}{spacing}"
            native = through_dicom(stack, folder)
            rectified = rectify(native).volume
            results = {"cormack rectified": (rectified.data, rectified.affine)}
            for suffix, result in run_dcm2niix(folder, tmp / f"o{tilt_deg}{spacing}").items():
                results[f"dcm2niix {suffix or '(stack)'}"] = result
            for name, (data, affine) in results.items():
                errors = _matched_errors(data, affine)
                step = np.linalg.norm(affine[:3, 2])
                volume = np.count_nonzero(data > -480) * abs(np.linalg.det(affine[:3, :3])) / 1000 / HEAD.volume_ml - 1
                mean = " ".join(f"{e:7.2f}" for e in errors.mean(axis=0))
                worst = np.abs(errors).max()
                print(f"{tilt_deg:5.0f} {spacing:8} {name:22} {mean:>24} {worst:7.2f} {100 * volume:8.2f} {step:7.3f}")


def _matched_errors(data: npt.NDArray[np.integer], affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """As `marker_errors_mm`, however far the markers went: they are told apart by their order along x."""
    labels, count = ndimage.label(data > 300, structure=np.ones((3, 3, 3)))
    peaks = np.array(ndimage.center_of_mass(labels > 0, labels, range(1, count + 1)))
    world = peaks @ affine[:3, :3].T + affine[:3, 3]
    truth = np.array(MARKERS_MM)
    if len(world) != len(truth):
        return np.full((1, 3), np.nan)
    near = np.empty_like(truth)
    near[np.argsort(truth[:, 0])] = world[np.argsort(world[:, 0])]
    return marker_errors_mm(data, affine, near)


def print_noise(tmp: Path) -> None:
    """Linear interpolation averages neighbours: the noise that is left tells how often it was done."""
    print("\nNoise kept, in % of the scan's (white, 30 HU); one linear interpolation keeps 82 on average, two keep 67")
    print(f"{'tilt':>5} {'spacing':8} {'output':22} {'kept':>6}")
    for tilt_deg, spacing in ((0.0, "even"), (0.0, "uneven"), (-18.0, "even"), (-18.0, "uneven")):
        stack = acquire(Composition((HEAD,)), scan_geometry("axial", tilt_deg, spacing))
        noise = np.random.default_rng(0).normal(0.0, 30.0, stack.data.shape)
        noisy = stack.with_data(np.clip(stack.data + noise, -1024, 3071).astype(np.int16))
        folder = tmp / f"n{tilt_deg}{spacing}"
        rectified = rectify(through_dicom(noisy, folder)).volume
        results = {"cormack rectified": (rectified.data, rectified.affine)}
        for suffix, result in run_dcm2niix(folder, tmp / f"m{tilt_deg}{spacing}").items():
            results[f"dcm2niix {suffix or '(stack)'}"] = result
        for name, (data, _) in results.items():
            middle = data[tuple(slice(n * 2 // 5, n * 3 // 5) for n in data.shape)].astype(float)
            print(f"{tilt_deg:5.0f} {spacing:8} {name:22} {100 * middle.std() / 30.0:6.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all tilts")
    full = parser.parse_args().full
    with tempfile.TemporaryDirectory() as tmp:
        print_positions(full, Path(tmp))
        print_volumes()
        print_dcm2niix(Path(tmp))
        print_noise(Path(tmp))


if __name__ == "__main__":
    main()
