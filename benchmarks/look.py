"""Seconds of surfaces, montages, filters and resampling on the digital head, and the size of the page with surfaces.

    python benchmarks/look.py

Aims on two idle cores: a surface of the head at 1 mm within 1 s, a montage of 36 slices within 1.5 s with its file,
the page within 10 MB.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from cormack.core.volume import Volume
from cormack.imaging.filters import gaussian, median
from cormack.imaging.perona_malik import perona_malik
from cormack.imaging.resample import resample
from cormack.imaging.surfaces import decimate, iso_surface
from cormack.physics.head import HeadParameters, digital_head
from cormack.physics.plane import Plane
from cormack.report.plots.canvas import save_axes
from cormack.report.plots.histogram import plot_histogram
from cormack.report.plots.montage import plot_montage
from cormack.report.plots.sections import plot_planes
from cormack.report.plots.surface import plot_surface
from cormack.report.plots.surface_page import surface_page

LOW, SHAPE = (-105.0, -125.0, -125.0), (210, 255, 230)
NOISE_HU, ROUNDS = 4.0, 3


def head() -> Volume:
    """The digital head on 1 mm voxels, with noise."""
    affine = np.eye(4)
    affine[:3, 3] = LOW
    data = np.empty(SHAPE, dtype=np.float32, order="F")
    phantom = digital_head(HeadParameters(support=None))
    for k in range(SHAPE[2]):
        plane = Plane(affine[:3, 3] + [0, 0, k], affine[:3, 0], affine[:3, 1], SHAPE[1], SHAPE[0], 1.0)
        data[:, :, k] = phantom.hu(plane).T
    data += np.random.default_rng(0).normal(0, NOISE_HU, SHAPE).astype(np.float32)
    return Volume(np.rint(np.clip(data, -1024, 3071)).astype(np.int16), affine)


def timed(name: str, work: Callable[[], Any], aim: str = "") -> Any:
    """Run several times, print the fastest, return the last result."""
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        result = work()
        seconds.append(perf_counter() - start)
    print(f"{name:34s} {min(seconds):6.2f} s {aim}")
    return result


def main() -> None:
    volume = head()
    fine = Volume(np.repeat(np.repeat(volume.data, 2, axis=0), 2, axis=1), volume.affine @ np.diag([0.5, 0.5, 1, 1]))
    print(
        f"head {' x '.join(map(str, volume.shape))} of 1 mm, and {' x '.join(map(str, fine.shape))} of 0.5 x 0.5 x 1 mm"
    )
    skin = timed("surface of the skin, 1 mm", lambda: iso_surface(volume, -300, least_ml=50, name="skin"), "(aim 1)")
    bone = timed("surface of bone, 1 mm", lambda: iso_surface(volume, 250, least_ml=1, name="bone"), "(aim 1)")
    timed("surface of bone, 0.5 mm averaged", lambda: iso_surface(fine, 250, least_ml=1))
    print(f"{'triangles':34s} {len(skin.faces)}, {len(bone.faces)}")
    few = timed("decimate bone to 100,000", lambda: decimate(bone, 100_000))
    print(f"{'volume changed by':34s} {100 * (few.volume_ml / bone.volume_ml - 1):.2f} %, watertight {few.is_closed}, "
          f"{few.pinched_edges} pinched edges")  # fmt: skip
    page = timed("page of both surfaces", lambda: surface_page([skin, bone]))
    print(f"{'size of the page':34s} {len(page.encode()) / 1e6:6.2f} MB (aim 10)")
    with tempfile.TemporaryDirectory() as folder:
        for name, draw, aim in (
            ("montage of 36 slices, PNG", lambda: plot_montage(fine), "(aim 1.5)"),
            ("three planes, PNG", lambda: plot_planes(fine)[0], ""),
            ("histogram, PNG", lambda: plot_histogram(fine), ""),
            ("skin, 300 dpi PNG", lambda: plot_surface(skin), ""),
        ):
            dpi = 300 if "300" in name else 150
            timed(name, lambda d=draw, n=dpi: save_axes(d(), Path(folder) / "a.png", ".png", dpi=n), aim)
    timed("Gaussian, 1 mm", lambda: gaussian(fine, 1.0))
    timed("median, 1 mm", lambda: median(fine, 1.0))
    for conductance in ("exponential", "rational"):
        timed(f"Perona-Malik, 1.5 mm, {conductance}", lambda c=conductance: perona_malik(
            volume, 1.5, edge_per_mm=15.0, conductance=c))  # fmt: skip
    timed("resample to 1 mm, linear", lambda: resample(fine, 1.0))
    timed("resample to 1 mm, cubic", lambda: resample(fine, 1.0, order=3))


if __name__ == "__main__":
    main()
