"""Figures of brain extraction on MR: real heads, robustness, constructed heads, and from a file to its mask.

    python benchmarks/t1_brain.py [--heads] [--robust] [--time] [--method NAME] [--subjects N]
                                  [--anatomies DIR [--count N] [--unspoilt] [--spacing-mm MM]]

Without any of the parts: real heads, robustness and time.

`--heads`: eight real whole heads (T1, 2 mm) of $CORMACK_SHARED/data/mr_t1/nichart (default ../shared) against the union
of their automatic DLMUSE labels, as it is and with its gaps closed (the labels leave out fluid of the sulci). They are
automatic: agreement with them is a check, no truth. `--robust`: the same heads spoilt, against the labels and against
the mask of the head as it was. `--anatomies`: N constructed heads (default 100) of a folder of anatomies, the truth
being exact; give anatomies that the network was not trained on. Voxels of 1 mm, as of an ordinary T1, or of
`--spacing-mm`. `--unspoilt`: these without lesions, thick slices,
ghosts, ringing and cuts, and with little noise. Beside Dice stand what is missed and what is too much, in shares of the
truth; how much of the true surface in the upper half is seen at all, that is, the share of neighbours inside and
outside of it that differ by a tenth of white matter or more; and what share of either was found to the voxel. `--time`:
a T1 of 256 x 256 x 256 voxels of 1 mm, one of the real heads resampled, from file to mask; targets: 1.5 s, 0.7 s of
inference.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import CormackError
from cormack.core.volume import Unit, Volume
from cormack.extract.brain import METHODS, brain_mask
from cormack.extract.methods import DEFAULT_METHOD
from cormack.files.nifti import write_volume
from cormack.imaging.orient import reorient
from cormack.imaging.reslice import reslice
from cormack.measure.overlap import average_surface_distance_mm, dice, hausdorff_mm

SUBJECTS = 8
LEAST_MEDIAN, LEAST_WORST, LEAST_REAL = 0.985, 0.97, 0.96
MOST_SECONDS, MOST_INFERENCE_S = 1.5, 0.7
#: Closing of the labels' gaps (voxels of 2 mm).
CLOSED = 3
#: Field of view of constructed heads, and how far above its middle they lie (mm): it shows neck and shoulders, as usual
#: for T1.
FIELD_MM = (224, 256, 256)
RAISED_MM = (-5.0, 32.0)
#: Noise of unspoilt heads, and the step of values across a surface that counts as seen (shares of white matter).
LITTLE_NOISE, SEEN = (0.005, 0.03), 0.1

BoolArray = npt.NDArray[np.bool_]
#: An image and masks that belong to it, spoilt; the first mask are the labels.
Spoil = Callable[[Volume, list[BoolArray]], tuple[Volume, list[BoolArray]]]


def nichart() -> Path:
    root = Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    return root / "data" / "mr_t1" / "nichart"


def load(subject: int) -> tuple[Volume, BoolArray]:
    """A head and the union of its automatic labels on RAS+ axes."""
    image, labels = (nib.load(nichart() / f"Subj{subject}_T1{end}.nii.gz") for end in ("", "_DLMUSE"))
    data, affine = reorient(np.asarray(image.dataobj, dtype=np.float32), image.affine)
    drawn, _ = reorient(np.asarray(labels.dataobj) > 0, labels.affine)
    return Volume(np.ascontiguousarray(data), affine, Unit.ARBITRARY, 0.0), np.ascontiguousarray(drawn)


def closed(mask: BoolArray) -> BoolArray:
    """The mask with gaps of sulci closed and cavities filled."""
    wide = np.pad(mask, 2 * CLOSED)
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(wide, iterations=CLOSED))
    inner = (slice(2 * CLOSED, -2 * CLOSED),) * 3
    return np.asarray(filled[inner])


def heads(method: str, subjects: int) -> bool:
    print("| head | Dice, labels | Dice, closed | HD95 mm | mean distance mm | ml | labels, closed ml | warnings | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    worst = 1.0
    for subject in range(1, subjects + 1):
        volume, labels = load(subject)
        start = perf_counter()
        mask = brain_mask(volume, method=method)
        seconds = perf_counter() - start
        ours, whole = mask.data > 0, closed(labels)
        spacing = {"spacing_mm": np.array(volume.spacing_mm)}
        overlap = dice(ours, whole)
        worst = min(worst, overlap)
        print(
            f"| {subject} | {dice(ours, labels):.4f} | {overlap:.4f} | {hausdorff_mm(ours, whole, **spacing):.1f} "
            f"| {average_surface_distance_mm(ours, whole, **spacing):.2f} | {mask.volume_ml():.0f} "
            f"| {np.count_nonzero(whole) * volume.voxel_volume_ml:.0f} "
            f"| {', '.join(f.code for f in mask.findings) or '-'} | {seconds:.2f} |",
            flush=True,
        )
    print(f"worst, labels closed: {worst:.4f} (aim {LEAST_REAL})")
    return worst >= LEAST_REAL


def with_bias(volume: Volume, masks: list[BoolArray]) -> tuple[Volume, list[BoolArray]]:
    """A shading of 4 to 1 from corner to corner."""
    ramp = sum(np.linspace(0, 1 / 3, n).reshape([-1 if a == b else 1 for b in range(3)])
               for a, n in enumerate(volume.shape))  # fmt: skip
    return volume.with_data(np.asarray(volume.data * np.exp(np.log(4) * ramp), dtype=np.float32)), masks


def thick(axis: int) -> Spoil:
    """Slices of 6 mm (three voxels averaged) along an axis."""

    def spoil(volume: Volume, masks: list[BoolArray]) -> tuple[Volume, list[BoolArray]]:
        count = volume.shape[axis] // 3

        def averaged(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
            triples = np.moveaxis(values, axis, -1)[..., : 3 * count].reshape(*np.delete(values.shape, axis), count, 3)
            return np.ascontiguousarray(np.moveaxis(triples.mean(axis=-1, dtype=np.float32), -1, axis))

        to_native = np.eye(4)
        to_native[axis, axis], to_native[axis, 3] = 3, 1
        image = Volume(averaged(volume.data), volume.affine @ to_native, volume.unit, 0.0)
        return image, [averaged(mask) >= 0.5 for mask in masks]

    return spoil


def neck_cut(volume: Volume, masks: list[BoolArray]) -> tuple[Volume, list[BoolArray]]:
    """The field of view ends where the labels do."""
    first = int(np.flatnonzero(masks[0].any(axis=(0, 1)))[0])
    box = (slice(0, volume.shape[0]), slice(0, volume.shape[1]), slice(first, volume.shape[2]))
    return volume.cropped(box), [mask[box] for mask in masks]


def turned(order: tuple[int, int, int], flips: tuple[int, ...]) -> Spoil:
    """Axes exchanged, the header not knowing."""

    def spoil(volume: Volume, masks: list[BoolArray]) -> tuple[Volume, list[BoolArray]]:
        data, *others = (np.ascontiguousarray(np.flip(np.transpose(a, order), flips)) for a in (volume.data, *masks))
        return Volume(data, np.diag([*np.array(volume.spacing_mm)[list(order)], 1.0]), volume.unit, 0.0), others

    return spoil


def noisy(volume: Volume, masks: list[BoolArray]) -> tuple[Volume, list[BoolArray]]:
    """Noise of three times the size that is there, told in the darkest eighth of what was measured."""
    measured = volume.data[volume.data > 0]
    dark = measured[measured <= np.quantile(measured, 0.125)]
    size = 3 * float(np.sqrt(np.mean(np.square(dark)) / 2)) + 10.0
    rng = np.random.default_rng(0)
    real, other = (size * rng.standard_normal(volume.shape, dtype=np.float32) for _ in range(2))
    return volume.with_data(np.hypot(volume.data + real, other)), masks


SPOILT: dict[str, Spoil] = {
    "bias field 4 : 1": with_bias,
    "axial slices of 6 mm": thick(2),
    "sagittal slices of 6 mm": thick(0),
    "cut below the brain": neck_cut,
    "3 x noise": noisy,
    "turned by 180 degrees, upside down": turned((0, 1, 2), (0, 2)),
    "turned by 90 degrees about left-right": turned((0, 2, 1), (1,)),
    "turned by 90 degrees about head-foot": turned((1, 0, 2), (0,)),
}


def robust(method: str, subjects: int) -> None:
    print("| head spoilt by | Dice, labels: median | worst | Dice, mask as it was: median | worst | warned | refused |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    before = {}
    for name, spoil in SPOILT.items():
        found, same, warned, refused = [], [], 0, 0
        for subject in range(1, subjects + 1):
            volume, labels = load(subject)
            if subject not in before:
                before[subject] = brain_mask(volume, method=method).data > 0
            image, (truth, mask_before) = spoil(volume, [closed(labels), before[subject]])
            try:
                mask = brain_mask(image, method=method)
            except CormackError:
                refused += 1
                continue
            found.append(dice(mask.data > 0, truth))
            same.append(dice(mask.data > 0, mask_before))
            warned += bool(mask.findings)
        numbers = [f"{f(v):.4f}" if v else "-" for v in (found, same) for f in (np.median, np.min)]
        print(f"| {name} | {' | '.join(numbers)} | {warned} of {len(found)} | {refused} |", flush=True)


def surface(image: npt.NDArray[np.floating], truth: BoolArray, found: BoolArray) -> tuple[float, float, float]:
    """How much of the true surface is seen, and the share found to the voxel where it is and where it is not.

    In the upper half, between neighbours along i, j and k.
    """
    from cormack.physics.synthesis.mr import WHITE

    half = int(np.median(np.nonzero(truth)[2]))
    steps, right = [], []
    for axis in range(3):
        inside, mask, values = (np.moveaxis(part[:, :, half:], axis, 0) for part in (truth, found, image))
        across = inside[1:] != inside[:-1]
        steps.append(np.abs(np.diff(values.astype(float), axis=0))[across])
        right.append(((mask[1:] == inside[1:]) & (mask[:-1] == inside[:-1]))[across])
    seen, hit = np.concatenate(steps) >= SEEN * WHITE, np.concatenate(right)
    return float(seen.mean()), float(hit[seen].mean()), float(hit[~seen].mean())


def constructed(method: str, folder: Path, count: int, spacing_mm: float, *, unspoilt: bool = False) -> bool:
    from cormack.physics.synthesis.anatomy import load_anatomy
    from cormack.physics.synthesis.mr import synthesize_mr
    from cormack.physics.synthesis.options import MrSynthesis
    from cormack.physics.synthesis.pathology import Pathology

    options = MrSynthesis(raised_mm=RAISED_MM)
    if unspoilt:
        none = dict.fromkeys(("thick", "ghosting", "ringing", "defaced", "neck_cut"), 0.0)
        healthy = Pathology(healthy=1.0, contrast_agent=0.0, dental_metal=0.0)
        options = replace(options, **none, noise=LITTLE_NOISE, pathology=healthy)
    paths = sorted(folder.glob("*.npz"))
    rows = []
    for number in range(count):
        path = paths[number % len(paths)]
        i, j, k = (round(mm / spacing_mm) for mm in FIELD_MM)
        rng = np.random.default_rng([2026, number])
        made = synthesize_mr(load_anatomy(path), rng, options, shape=(i, j, k), spacing_mm=spacing_mm)
        truth = made.target.data >= 0.5
        found = np.zeros_like(truth)
        try:
            found = brain_mask(made.volume, method=method).data > 0
        except CormackError as error:
            print(f"refused: {path.stem}, {made.facts}: {error}")
        overlap = dice(found, truth)
        shares = [np.count_nonzero(part) / np.count_nonzero(truth) for part in (truth & ~found, found & ~truth)]
        shares += surface(made.volume.data, truth, found)
        rows.append((overlap, path.stem, made.facts, shares))
        # As they come, so that what was measured stays if the rest takes too long.
        told = "missed {:.3f}, too much {:.3f}, surface seen {:.2f}, right {:.2f}, unseen {:.2f}".format(*shares)
        print(f"{number + 1} of {count}: {overlap:.4f} {path.stem}, {told}", flush=True)
    rows.sort(key=lambda row: row[0])
    values = np.array([row[0] for row in rows])
    print(
        f"{count} constructed heads of {len(paths)} anatomies, voxels of {spacing_mm:g} mm: "
        f"Dice median {np.median(values):.4f} (aim {LEAST_MEDIAN}), mean {values.mean():.4f}, "
        f"SD {values.std():.4f}, worst {values[0]:.4f} (aim {LEAST_WORST})"
    )
    missed, much, seen, right, unseen = np.median([row[3] for row in rows], axis=0)
    print(f"median missed {missed:.3f}, too much {much:.3f}; surface seen {seen:.2f}, found to the voxel where it is "
          f"{right:.2f}, where it is not {unseen:.2f}")  # fmt: skip
    for overlap, name, facts, _ in rows[:5]:
        print(f"  {overlap:.4f} {name} {facts}")
    return bool(np.median(values) >= LEAST_MEDIAN and values[0] >= LEAST_WORST)


def time_file(method: str) -> bool:
    """From file to mask in a process of its own, which prints its figures."""
    volume, _ = load(1)
    spacing = np.array(volume.spacing_mm)
    middle = volume.world((np.array(volume.shape) - 1) / 2)
    affine = np.eye(4)
    affine[:3, 3] = middle - 127.5
    large = reslice(volume, affine, (256, 256, 256))
    whole = large.with_data(np.rint(np.clip(large.data, 0, 32767)).astype(np.int16))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t1.nii.gz"
        write_volume(path, whole)
        size_mb = path.stat().st_size / 1e6
        print(f"T1 of 256 x 256 x 256 voxels of 1 mm, from a head of {spacing[0]:.0f} mm, {size_mb:.0f} MB", flush=True)
        words = [sys.executable, __file__, "--method", method, "--from", str(path)]
        return subprocess.run(words, check=False).returncode == 0


def time_here(method: str, path: Path) -> bool:
    from cormack.extract import mr_network
    from cormack.nn import predict
    from cormack.pipeline.extract import extract_mask
    from cormack.pipeline.options import LoadOptions, RunOptions

    inference: list[float] = []
    run = predict._run

    def timed(*given: object) -> object:
        start = perf_counter()
        try:
            return run(*given)  # type: ignore[arg-type]
        finally:
            inference.append(perf_counter() - start)

    predict._run = timed  # type: ignore[assignment]
    options = RunOptions(method=method, load=LoadOptions(modality="auto"))
    seconds = []
    for _ in range(4):
        inference.clear()
        start = perf_counter()
        extract_mask(path, path.with_name("mask.nii.gz"), "brain", options)
        seconds.append((perf_counter() - start, sum(inference)))
    (first, _), *later = seconds
    best = min(later)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"{mr_network.NAME if method == DEFAULT_METHOD else method}: {best[0]:.2f} s from file to mask (aim "
          f"{MOST_SECONDS}), of it {best[1]:.2f} s of inference (aim {MOST_INFERENCE_S}); the first time, weights "
          f"read and compiled, {first:.2f} s; peak {peak:.0f} MB")  # fmt: skip
    return best[0] <= MOST_SECONDS and best[1] <= MOST_INFERENCE_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=tuple(METHODS["MR"]), default=DEFAULT_METHOD)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--anatomies", type=Path)
    parser.add_argument("--spacing-mm", type=float, default=1.0)
    parser.add_argument("--unspoilt", action="store_true")
    parser.add_argument("--from", dest="path", type=Path, help=argparse.SUPPRESS)
    for part in ("heads", "robust", "time"):
        parser.add_argument(f"--{part}", action="store_true")
    chosen = parser.parse_args()
    if chosen.path:
        return 0 if time_here(chosen.method, chosen.path) else 1
    every = not (chosen.heads or chosen.robust or chosen.time or chosen.anatomies)
    good = True
    if chosen.heads or every:
        good &= heads(chosen.method, chosen.subjects)
    if chosen.robust or every:
        robust(chosen.method, chosen.subjects)
    if chosen.anatomies:
        good &= constructed(chosen.method, chosen.anatomies, chosen.count, chosen.spacing_mm, unspoilt=chosen.unspoilt)
    if chosen.time or every:
        good &= time_file(chosen.method)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
