"""The way back on real heads: agreement of masks, of values, and what other programs make of the derived series.

    CORMACK_SHARED=../shared python benchmarks/way_back.py [ge_tilted toshiba_2mm cq500_cta]

Reference masks stand twice in the shared data, on a grid of their own and per SOPInstanceUID; both were made by other
means. Programs that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import SliceStack
from cormack.dicom.assemble import assemble
from cormack.dicom.derive import write_derived_series
from cormack.dicom.inventory import take_inventory
from cormack.dicom.select import select_series
from cormack.dicom.source import open_source
from cormack.imaging.condition import condition
from cormack.imaging.native import to_native, volume_to_stack
from cormack.imaging.rectify import rectify

HEADS = ("ge_tilted", "toshiba_2mm", "cq500_cta")


def overlap(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Sørensen–Dice of two masks."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def judge(folder: Path, stack: SliceStack) -> str:
    """What dciodvfy, SimpleITK and dcm2niix say of a derived series; UIDs inherited from the source are not counted."""
    said = []
    if shutil.which("dciodvfy"):
        errors = 0
        for path in sorted(folder.iterdir())[::5]:
            run = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
            lines = (run.stdout + run.stderr).splitlines()
            errors += sum(line.startswith("Error") and "Illegal root for UID" not in line for line in lines)
        said.append(f"dciodvfy {errors} errors")
    try:
        import SimpleITK
    except ImportError:
        return ", ".join(said)
    if stack.affine is not None:
        image = SimpleITK.ReadImage(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
        same = np.array_equal(SimpleITK.GetArrayViewFromImage(image).transpose(2, 1, 0), stack.data)
        last = np.array(stack.data.shape) - 1
        there = np.array(image.TransformIndexToPhysicalPoint(tuple(int(n) for n in last))) * [-1, -1, 1]
        said.append(f"SimpleITK same voxels {same}, last one {np.abs(there - stack.world(last)).max():.4f} mm off")
    return ", ".join(said)


def report(root: Path, name: str, tmp: Path) -> None:
    reference = root / "data" / "head_ct" / "reference" / name
    with open_source(root / "data" / "head_ct" / name) as source:
        entry = select_series(take_inventory(source)).entry
        read = assemble(entry)
        conditioned = condition(read.stack, read.padding_hu)
        stack = conditioned.stack
        by_uid = np.load(reference / "masks_by_sop.npz")
        drawn = np.stack([by_uid[uid].T > 0 for uid in stack.sop_instance_uids], axis=2)
        image = nib.load(reference / "mask.nii.gz")
        began = time.perf_counter()
        back = to_native(LabelMap(np.asarray(image.dataobj), image.affine, BRAIN), stack)
        seconds = time.perf_counter() - began
        print(f"\n{name}: {stack.data.shape} native")
        print(f"  reference on its own grid to the slices: Dice {overlap(back.data > 0, drawn):.4f}, {seconds:.2f} s")
        there = rectify(stack.with_data(drawn.astype(np.int16) * 1000, outside=0)).volume
        again = to_native(LabelMap((there.data >= 500).astype(np.uint8), there.affine, BRAIN), stack).data > 0
        print(f"  mask to the rectified grid and back: Dice {overlap(again, drawn):.5f}")
        volume = rectify(stack, padded=conditioned.padded).volume
        values = to_native(volume, stack)
        difference = np.abs(values.data.astype(np.float32) - stack.data)[drawn]
        print(f"  values there and back, within the mask: mean difference {difference.mean():.2f} HU")
        began = time.perf_counter()
        write_derived_series(values, entry, tmp / name / "native", description="Cormack native")
        seconds = time.perf_counter() - began
        print(f"  derived series on native slices: {seconds:.2f} s; {judge(tmp / name / 'native', values)}")
        own = volume_to_stack(volume)
        write_derived_series(own, entry, tmp / name / "own", description="Cormack rectified")
        print(f"  derived series of the rectified volume: {judge(tmp / name / 'own', own)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=HEADS)
    names = parser.parse_args().names
    root = Path(os.environ.get("CORMACK_SHARED") or "../shared")
    with tempfile.TemporaryDirectory() as tmp:
        for name in names:
            report(root, name, Path(tmp))


if __name__ == "__main__":
    main()
