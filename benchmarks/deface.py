"""Defacing of the shared heads: brain voxels changed, surface of the face removed, brain found afterwards, seconds.

Run: python benchmarks/deface.py [--shared FOLDER]. MR labels are automatic (DLMUSE): they are no truth, but what a user
would miss. Times are of one run on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

from cormack import dice, extract_mask
from cormack.files.nifti import read_stack
from cormack.pipeline.convert import convert
from cormack.pipeline.deface import deface
from cormack.pipeline.deface_report import DefaceOptions
from cormack.pipeline.phantom import make_phantom_series

CT = ("ge_tilted", "cq500_cta", "toshiba_2mm")


def ct_line(name: str, source: Path, folder: Path) -> str:
    """Deface a DICOM series and its rectified NIfTI; find the brain before and after."""
    start = time.perf_counter()
    done = deface(source, folder / "dicom")
    seconds = time.perf_counter() - start
    before, _ = extract_mask(source, folder / "before.nii.gz", "brain")
    after, _ = extract_mask(folder / "dicom", folder / "after.nii.gz", "brain")
    told = json.loads(done.sidecar.read_text(encoding="utf-8"))
    convert(source, folder / "head.nii.gz")
    deface(folder / "head.nii.gz", folder / "defaced.nii.gz", DefaceOptions(parts=("face", "ears")))
    old, new = (read_stack(folder / f)[0].data for f in ("head.nii.gz", "defaced.nii.gz"))
    changed = np.count_nonzero((old != new) & (before.data > 0)) if old.shape == before.data.shape else -1
    return (
        f"{name:<12} CT  {changed:>6}  {100 * (told['FaceSurfaceRemoved'] or 0):>5.1f} %  {dice(before, after):.4f}  "
        f"{told['HeadLean']:>5.1f}°  {told['PoseFit']:>4.1f} mm  {seconds:>5.1f} s"
    )


def mr_line(path: Path, labels: Path, folder: Path) -> str:
    """Deface a T1; count the voxels of its automatic labels that changed."""
    start = time.perf_counter()
    done = deface(path, folder / "mr.nii.gz", DefaceOptions(parts=("face", "ears", "teeth")))
    seconds = time.perf_counter() - start
    told = json.loads(done.sidecar.read_text(encoding="utf-8"))
    old, new = (np.asarray(nib.load(p).dataobj) for p in (path, folder / "mr.nii.gz"))
    labelled = np.asarray(nib.load(labels).dataobj).reshape(old.shape) > 0
    return (
        f"{path.name[:5]:<12} MR  {np.count_nonzero((old != new) & labelled):>6}  "
        f"{100 * (told['FaceSurfaceRemoved'] or 0):>5.1f} %  {'–':>6}  {told['HeadLean']:>5.1f}°  "
        f"{told['PoseFit']:>4.1f} mm  {seconds:>5.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("CORMACK_SHARED") or root.parent / "shared")
    parser.add_argument("--shared", type=Path, default=shared)
    data = parser.parse_args().shared / "data"
    print(
        "head         kind brain*  surface  Dice    lean    fit      time   (* voxels changed: of the brain mask, CT;"
    )
    print("                  changed removed  after                            of automatic labels, MR)")
    with tempfile.TemporaryDirectory() as parent:
        phantom = Path(parent) / "phantom"
        make_phantom_series(phantom)
        for name, source in {"digital head": phantom, **{n: data / "head_ct" / n for n in CT}}.items():
            with tempfile.TemporaryDirectory(dir=parent) as folder:
                print(ct_line(name, source, Path(folder)), flush=True)
        for path in sorted((data / "mr_t1/nichart").glob("*_T1.nii.gz")):
            with tempfile.TemporaryDirectory(dir=parent) as folder:
                labels = path.with_name(path.name.replace("_T1", "_T1_DLMUSE"))
                print(mr_line(path, labels, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
