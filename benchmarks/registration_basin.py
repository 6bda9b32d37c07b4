"""Whether registration ends in the same place wherever it begins: random headers on real heads.

    python benchmarks/registration_basin.py [--starts N] [--head NAME] [--kind NAME]

Before each registration to the CT template the head's affine is turned by up to 60 degrees and shifted by up to 80 mm
about and along every axis. Afterwards, the places where the template's brain comes to lie in the head are compared with
those of the untouched header: within 1 mm on average counts. Target: at least 98 %.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import perf_counter

import numpy as np
from scipy.spatial.transform import Rotation

from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.pipeline.progress import Silent
from cormack.pipeline.templates import load_template
from cormack.register.register import register_volumes
from registration_data import HEADS, head, shared_data

TARGET_SHARE, WITHIN_MM = 0.98, 1.0


def turned(volume: Volume, rng: np.random.Generator) -> np.ndarray:
    centre = volume.world((np.array(volume.shape) - 1) / 2)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-60, 60, 3), degrees=True).as_matrix()
    matrix[:3, 3] = centre + rng.uniform(-80, 80, 3) - matrix[:3, :3] @ centre
    return matrix


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--head", choices=HEADS, action="append")
    parser.add_argument("--kind", choices=("rigid", "affine"), default="affine")
    arguments = parser.parse_args()
    template = load_template("ct", folder=shared_data() / "ct_template", progress=Silent())
    points = Volume(template.brain.data, template.brain.affine).world(np.argwhere(template.brain.data > 0)[::50])
    missed = 0
    for name in arguments.head or HEADS:
        volume, brain = head(name)
        rng = np.random.default_rng(0)

        def place(volume: Volume, mask: LabelMap) -> tuple[np.ndarray, float]:
            begun = perf_counter()
            made = register_volumes(
                volume, template.volume, arguments.kind, moving_mask=mask, fixed_mask=template.brain
            )
            return made.transform.apply(points), perf_counter() - begun

        true, _ = place(volume, brain)
        distances, seconds = [], []
        for _ in range(arguments.starts):
            matrix = turned(volume, rng)
            moved = replace(volume, affine=matrix @ volume.affine)
            found, took = place(moved, LabelMap(brain.data, moved.affine, brain.table))
            back = (found - matrix[:3, 3]) @ matrix[:3, :3]
            distances.append(float(np.linalg.norm(back - true, axis=1).mean()))
            seconds.append(took)
            print(f"  {name} start {len(distances)}: {distances[-1]:.3f} mm, {took:.1f} s", flush=True)
        share = np.mean(np.array(distances) <= WITHIN_MM)
        print(f"{name}: {share:.0%} of {len(distances)} within {WITHIN_MM} mm, median {np.median(distances):.3f} mm, "
              f"largest {max(distances):.2f} mm, {np.mean(seconds):.1f} s each", flush=True)  # fmt: skip
        missed += int(share < TARGET_SHARE)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
