"""Anatomies for the network of eleven structures, from manual label maps of CT and of MR.

    python experiments/neuroanatomy/compose.py SHARED_DATA OUT_DIR [--variants N] [--manual-variants N] [--tight N]
        [--manual-tight N] [--processes N]

SHARED_DATA holds `neuroanatomy` (two maps of head CT) and `mr_t1/malf_labels` (Neuromorphometrics labels of 20
subjects). Writes `NAME-VARIANT.npz`, and `NAME-tight-VARIANT.npz` of heads that their brain fills, where there is none
yet, and prints the volume of every structure (ml).
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np

from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.physics.synthesis.anatomy import Anatomy, save_anatomy
from cormack.physics.synthesis.between_slices import between_slices
from cormack.physics.synthesis.labelled_head import manual_head
from cormack.physics.synthesis.neuromorphometrics import composed_head

MARGIN = 6
#: Fluid so close to the brain becomes brain in tight variants (mm).
TIGHTEN_MM = (1.0, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variants", type=int, default=2, help="of the composed maps")
    parser.add_argument("--manual-variants", type=int, default=8)
    parser.add_argument("--tight", type=int, default=0, help="further variants of the composed maps, narrow sulci")
    parser.add_argument("--manual-tight", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    manual = sorted((given.data / "neuroanatomy").glob("*.nii.gz"))
    composed = sorted((given.data / "mr_t1" / "malf_labels").glob("*_glm.nii.gz"))
    wanted = [
        *jobs(manual, given.manual_variants, given.out),
        *jobs(composed, given.variants, given.out),
        *jobs(manual, given.manual_tight, given.out, tight=True),
        *jobs(composed, given.tight, given.out, tight=True),
    ]
    print("name".ljust(14), *(label.abbreviation.rjust(6) for label in NEUROANATOMY_FINE), "   all", flush=True)
    with ProcessPoolExecutor(given.processes) as pool:
        for line in pool.map(written, *zip(*wanted, strict=True)):
            print(line, flush=True)


def jobs(maps: list[Path], variants: int, out: Path, *, tight: bool = False) -> list[tuple[Path, Path, bool]]:
    """The first variant of every map, then the second of every map, and so on; without those that are there."""
    kind = "-tight" if tight else ""
    wanted = [(path, out / f"{subject_of(path)}{kind}-{n + 1}.npz", tight) for n in range(variants) for path in maps]
    return [job for job in wanted if not job[1].exists()]


def subject_of(path: Path) -> str:
    """The first part of an anatomy's name."""
    name = path.name.partition(".")[0]
    return f"malf_{name.removesuffix('_glm')}" if name.endswith("_glm") else name


def written(path: Path, out: Path, tight: bool) -> str:
    """Make and write one anatomy; a line of its volumes."""
    subject, _, variant = out.stem.rpartition("-")
    labels, spacing_mm = read(path)
    rng = np.random.default_rng([int(variant), *subject.encode()])
    tighten_mm = rng.uniform(*TIGHTEN_MM) if tight else 0.0
    anatomy = made(labels, spacing_mm, rng, out.stem, tighten_mm, manual=not subject.startswith("malf"))
    part = out.with_name(f".{out.stem}.part.npz")
    save_anatomy(anatomy, part)
    part.replace(out)
    volumes = np.bincount(anatomy.targets.ravel(), minlength=len(NEUROANATOMY_FINE) + 1)[1:] / 1000
    return anatomy.name.ljust(14) + "".join(f"{v:7.1f}" for v in [*volumes, volumes.sum()])


def read(path: Path) -> tuple[np.ndarray, list[float]]:
    """Labels with RAS+ axes, cut to what is labelled, and the distances of their voxels (mm)."""
    image = nib.as_closest_canonical(nib.load(path))
    labels = np.asarray(image.dataobj).astype(np.uint8)
    places = np.argwhere(labels)
    box = (slice(max(a - MARGIN, 0), b + MARGIN) for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True))
    return labels[tuple(box)], [float(step) for step in image.header.get_zooms()]


def made(
    labels: np.ndarray,
    spacing_mm: list[float],
    rng: np.random.Generator,
    name: str,
    tighten_mm: float,
    *,
    manual: bool,
) -> Anatomy:
    """The anatomy of a map of the structures themselves, or of Neuromorphometrics labels."""
    if manual:
        return manual_head(between_slices(labels, spacing_mm), rng, tighten_mm=tighten_mm, name=name)
    # A brain that fills its skull has no wide ventricles.
    return composed_head(labels, rng, widen_mm=0.0 if tighten_mm else None, tighten_mm=tighten_mm, name=name)


if __name__ == "__main__":
    main()
