"""Bias field correction beside ANTs, on real heads with a known field laid over them.

    python benchmarks/n4.py [--subjects N] [--repeats N]

Heads of $CORMACK_SHARED/data/mr_t1/nichart (default ../shared; T1, 2 mm). A field of about 2.2 to 1 is laid over each;
both programs are given the same image, mask, knots and iterations, on one thread. A head has a shading of its own: what
counts is the field found with the one laid over it, divided by the field found without it and by the one laid over it.
Its coefficient of variation inside the brain is 0 if all of it was found, and that of the field laid over (`laid over`)
if nothing was. Each is run several times: ANTs may differ from run to run; median, best and worst are printed. `white
matter` is the coefficient of variation of the head's own values within the automatic labels of white matter, without
their rim, before and after: noise, partial volume and true differences stay.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from time import process_time

os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import ants
import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import Volume
from cormack.imaging.n4 import FITTED_MM, KNOT_MM, ROUNDS, TOLERANCE, n4
from cormack.imaging.orient import reorient
from cormack.pipeline.bias_field import foreground
from cormack.register.ants_engine import ants_image
from t1_brain import load, nichart

#: Numbers of the lobes' white matter, right and left, among the labels (DLMUSE).
WHITE_MATTER = range(81, 89)

FloatArray = npt.NDArray[np.float32]


def white_matter(subject: int) -> npt.NDArray[np.bool_]:
    """Inside the automatic labels of white matter of the lobes, on RAS+ axes."""
    labels = nib.load(nichart() / f"Subj{subject}_T1_DLMUSE.nii.gz")
    drawn, _ = reorient(np.isin(np.asarray(labels.dataobj), WHITE_MATTER), labels.affine)
    return np.asarray(ndimage.binary_erosion(drawn))


def variation(values: npt.NDArray[np.generic]) -> float:
    return float(values.std(dtype=np.float64) / values.mean(dtype=np.float64))


def laid_over(shape: tuple[int, ...]) -> FloatArray:
    i, j, k = (np.linspace(0, 1, n) for n in shape)
    field = 0.6 * np.cos(2.5 * i)[:, None, None] * np.sin(2 * j)[:, None] + 0.4 * k
    return np.exp(field - field.mean(), dtype=np.float32)


def peer(volume: Volume, mask: npt.NDArray[np.bool_]) -> FloatArray:
    image = ants_image(ants, np.maximum(volume.data, np.float32(0.01 * np.ptp(volume.data[mask]))), volume.affine)
    extent = [n * step for n, step in zip(volume.shape, volume.spacing_mm, strict=True)]
    field = ants.n4_bias_field_correction(
        image,
        mask=ants_image(ants, mask, volume.affine),
        shrink_factor=max(1, round(FITTED_MM / max(volume.spacing_mm))),
        convergence={"iters": list(ROUNDS), "tol": TOLERANCE},
        spline_param=[max(1, round(length / KNOT_MM)) for length in extent],
        return_bias_field=True,
    )
    return np.asarray(field.numpy(), dtype=np.float32)


def ours(volume: Volume, mask: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(n4(volume, mask)[1].data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    programs: dict[str, Callable[[Volume, npt.NDArray[np.bool_]], FloatArray]] = {"ANTs": peer, "cormack": ours}
    print("| head | laid over | program | left, median | best | worst | white matter | processor s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    ratios = []
    for subject in range(1, options.subjects + 1):
        volume, brain = load(subject)
        over = laid_over(volume.shape)
        shaded = volume.with_data(volume.data * over)
        mask, white = foreground(volume), white_matter(subject)
        cost = {}
        for name, program in programs.items():
            left, seconds = [], []
            for _ in range(options.repeats):
                start = process_time()
                found = program(shaded, mask)
                seconds.append(process_time() - start)
                own = program(volume, mask)
                left.append(variation((found / own / over)[brain]))
            cost[name] = statistics.median(seconds)
            print(
                f"| {subject} | {variation(over[brain]):.4f} | {name} | {statistics.median(left):.4f} "
                f"| {min(left):.4f} | {max(left):.4f} | {variation(volume.data[white]):.4f} -> "
                f"{variation((volume.data / own)[white]):.4f} | {cost[name]:.2f} |",
                flush=True,
            )
        ratios.append(cost["ANTs"] / cost["cormack"])
    print(f"ANTs takes {min(ratios):.0f} to {max(ratios):.0f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
