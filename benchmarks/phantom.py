"""The intracranial space found in the digital head against its exact truth, and how long the head takes to scan.

    python benchmarks/phantom.py

The truth is analytic: no reader and no other program drew it.
"""

from __future__ import annotations

import time

import numpy as np

from cormack.extract.brain import METHODS, brain_mask
from cormack.extract.head import head_mask
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.physics.demo import DemoOptions, demo

#: Gantry tilt (degrees), slices, slice thickness (mm): all cover the brain.
SCANS = ((-18.0, 40, 4.0), (0.0, 32, 5.0), (0.0, 64, 2.5), (18.0, 42, 4.0))


def main() -> None:
    print("Intracranial space of the digital head by method, against the exact one; 512 x 512, noise 3.5 HU")
    print(f"{'tilt':>5} {'slice':>7} {'scan (s)':>9} {'method':>7} {'Dice':>7} {'volume (ml)':>12} {'error (%)':>10}")
    for tilt_deg, slices, thickness_mm in SCANS:
        started = time.process_time()
        scanned = demo(DemoOptions(tilt_deg, slices, thickness_mm))
        seconds = time.process_time() - started
        conditioned = condition(scanned.head, (scanned.options.padding_hu,))
        volume = rectify(conditioned.stack, padded=conditioned.padded).volume
        truth = scanned.truth.intracranial_mask(volume.affine, volume.shape)
        exact_ml = scanned.truth.intracranial_volume_ml
        head = head_mask(volume)
        for method in METHODS["CT"]:
            found = brain_mask(volume, method=method, head=head)
            mask = found.mask()
            dice = 2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))
            error = 100 * (found.volume_ml() / exact_ml - 1)
            print(
                f"{tilt_deg:5.0f} {thickness_mm:4.1f} mm {seconds:9.1f} {method:>7} {dice:7.4f} "
                f"{found.volume_ml():12.1f} {error:10.2f}",
                flush=True,
            )
    print(f"exact volume {exact_ml:.1f} ml; scan: processor seconds, both threads together")


if __name__ == "__main__":
    main()
