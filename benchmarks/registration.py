"""Error of registration under known deformations: mean and largest, inside the brain, and seconds.

    python benchmarks/registration.py [--volume NAME] [--kind NAME] [--metric NAME] [--spacing MM] [--seeds N]

Volumes: the unsmoothed CT template, a contrast angiography, a CT made of BrainWeb's anatomy. Rigid: up to 15 degrees
and 15 mm about each axis; affine: also 7 % of scale and 0.05 of shear; deformable: smooth displacements, Gaussian of
20 mm, 3 mm on average. Noise of 5 HU on either volume, grids that do not coincide. The start is sought as always. Set
ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS for the number of threads. Targets, for the default metric or those named: rigid
0.1 mm, affine 0.3 mm, deformable 1.0 mm.
"""

from __future__ import annotations

import argparse
from time import perf_counter, process_time

import numpy as np

from cormack.core.transforms import Affine
from cormack.register.register import RegisterOptions, register_volumes
from registration_data import VOLUMES, errors_mm, known, pair

TARGETS_MM = {"rigid": 0.1, "affine": 0.3, "syn": 1.0}
METRICS = {"rigid": ("auto",), "affine": ("auto",), "syn": ("auto", "mi", "ls", "cc")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volume", choices=tuple(VOLUMES), action="append")
    parser.add_argument("--kind", choices=tuple(TARGETS_MM), action="append")
    parser.add_argument("--metric", choices=("auto", "mi", "nmi", "ls", "cc"), action="append")
    parser.add_argument("--spacing", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--mean", type=float, default=3.0, help="mean displacement of the smooth deformation (mm)")
    parser.add_argument("--brain", action="store_true", help="register brains, not whole heads")
    arguments = parser.parse_args()
    print("| volume | kind | metric | before mm | mean mm | 95 % mm | max mm | s | processor s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    worst = dict.fromkeys(TARGETS_MM, 0.0)
    for name in arguments.volume or VOLUMES:
        volume, brain = VOLUMES[name]()
        for kind in arguments.kind or TARGETS_MM:
            for metric in arguments.metric or METRICS[kind]:
                mean = run(name, volume, brain, kind, metric, arguments)
                if metric in (arguments.metric or ("auto",)):
                    worst[kind] = max(worst[kind], mean)
    missed = [kind for kind, error in worst.items() if error > TARGETS_MM[kind]]
    print("\nworst volume: " + ", ".join(f"{kind} {error:.3f} mm" for kind, error in worst.items() if error))
    return len(missed)


def run(name, volume, brain, kind, metric, arguments) -> float:  # type: ignore[no-untyped-def]
    means = []
    for seed in range(arguments.seeds):
        true = known(kind, volume, seed, mean_mm=arguments.mean)
        moving, moving_mask, fixed, fixed_mask = pair(volume, brain, true, arguments.spacing, seed=seed)
        masks = {} if not arguments.brain else {"moving_mask": moving_mask, "fixed_mask": fixed_mask}
        start, started = perf_counter(), process_time()
        options = RegisterOptions(spacing_mm=max(2.0, arguments.spacing))
        made = register_volumes(moving, fixed, kind, metric=metric, options=options, **masks)
        seconds = perf_counter() - start, process_time() - started
        error = errors_mm(made.transform, true, fixed_mask)
        chosen = "" if made.agreement is None else f" ({made.metric}: values agree {made.agreement:.2f})"
        before = errors_mm(Affine.identity(), true, fixed_mask).mean()
        print(
            f"| {name} | {kind} | {metric}{chosen} | {before:.2f} | {error.mean():.3f} "
            f"| {np.percentile(error, 95):.2f} | {error.max():.2f} | {seconds[0]:.1f} | {seconds[1]:.1f} |"
            + ("" if made.ok else " failed"),
            flush=True,
        )
        means.append(float(error.mean()))
    return float(np.mean(means))


if __name__ == "__main__":
    raise SystemExit(main())
