"""Make the pictures of docs/gallery.md: the digital head and made phantoms only. No person was scanned.

python scripts/gallery.py [NAME ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from cormack import (
    LabelMap,
    Volume,
    brain_mask,
    gaussian,
    head_mask,
    iso_surface,
    label_surface,
    perona_malik,
    plot_histogram,
    plot_montage,
    plot_pair,
    plot_plane,
    plot_planes,
    plot_surface,
    warp,
)
from cormack.core.labels import Label, LabelTable
from cormack.core.mesh import Mesh
from cormack.core.transforms import Affine
from cormack.physics.head import HeadParameters, digital_head
from cormack.physics.plane import Plane
from cormack.report.plots.canvas import save_axes
from cormack.report.plots.palette import draw_legend

FOLDER = Path(__file__).resolve().parent.parent / "docs/images/gallery"
LOW, SHAPE, SPACING_MM = (-105.0, -125.0, -105.0), (210, 255, 210), 1.0
NOISE_HU, SEED = 5.0, 0
DPI, COLORS = 110, 128


def scan() -> Volume:
    """The digital head on 1 mm voxels, with noise as coarse as a soft kernel's."""
    affine = np.eye(4)
    affine[:3, 3] = LOW
    data = np.empty(SHAPE, dtype=np.float32, order="F")
    phantom = digital_head(HeadParameters(support=None))
    for k in range(SHAPE[2]):
        plane = Plane(affine[:3, 3] + [0, 0, k], affine[:3, 0], affine[:3, 1], SHAPE[1], SHAPE[0], SPACING_MM)
        data[:, :, k] = phantom.hu(plane).T
    noise = ndimage.gaussian_filter(np.random.default_rng(SEED).normal(size=SHAPE), (0.7, 0.7, 0))
    data += NOISE_HU * noise.astype(np.float32) / noise.std()
    return Volume(np.rint(np.clip(data, -1024, 3071)).astype(np.int16), affine)


def tissues(volume: Volume) -> LabelMap:
    """Brain and fluid within the intracranial space, by thresholds: something to draw."""
    brain = brain_mask(volume, head=head_mask(volume)).data > 0
    smooth = gaussian(volume, 1.0).data
    labels = np.where(brain & (smooth < 18), 1, np.where(brain & (smooth > 33), 3, 2 * brain)).astype(np.uint8)
    named = (("fluid", (86, 180, 233)), ("white matter", (240, 228, 66)), ("grey matter", (213, 94, 0)))
    table = LabelTable(tuple(Label(n + 1, name, name, color) for n, (name, color) in enumerate(named)))
    return LabelMap(labels, volume.affine, table)


def moved(volume: Volume) -> Volume:
    """The head turned by 4° and shifted by 3 mm, as an unaligned follow-up lies."""
    angle = np.radians(4)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = 3, 0, 0
    return warp(volume, Affine(matrix), volume.affine, volume.shape)


def overlay(volume: Volume) -> Any:
    """Labels over planes with their legend."""
    labels = tissues(volume)
    axes = plot_planes(volume, labels=labels, at_mm=(18, 5, 28))
    draw_legend(axes[0], labels)
    return axes[0]


def skull_and_brain(volume: Volume) -> Any:
    """The brain in the lower half of an opened skull."""
    bone = volume.with_data(volume.data.copy())
    bone.data[:, :, int(35 - LOW[2]) :] = -1000
    brain = label_surface(brain_mask(volume, head=head_mask(volume)))
    surfaces = [iso_surface(bone, 250, least_ml=1, name="bone"), Mesh(brain.vertices, brain.faces, "brain")]
    return plot_surface(surfaces, view=(35, 30))


PICTURES: dict[str, Callable[[Volume], Any]] = {
    "histogram": plot_histogram,
    "montage": plot_montage,
    "planes": lambda v: plot_planes(v, at_mm=(1, 0, 25))[0],
    "oblique": lambda v: plot_planes(v, planes=["axial", (0, -0.35, 1), (0.7, 1, 0)], window="bone", at_mm=(0, 0, -12))[
        0
    ],
    "subdural": lambda v: plot_plane(v, at_mm=(0, 0, 25), window="subdural"),
    "sigmoid": lambda v: plot_plane(v, at_mm=(0, 0, 25), window="brain", sigmoid=True),
    "equalised": lambda v: plot_plane(v, at_mm=(0, 0, 25), window="equalised"),
    "all-range": lambda v: plot_planes(v, at_mm=(1, 0, 25), window="all-range")[0],
    "overlay": overlay,
    "perona-malik": lambda v: plot_pair(v, perona_malik(v, 2.0, edge_per_mm=12.0), at_mm=(0, 0, 25))[0],
    "gaussian": lambda v: plot_pair(v, gaussian(v, 1.5), at_mm=(0, 0, 25), titles=("before", "Gaussian, 1.5 mm"))[0],
    "checkerboard": lambda v: plot_pair(v, moved(v), kind="checkerboard", at_mm=(0, 0, 25))[0],
    "difference": lambda v: plot_pair(v, moved(v), kind="difference", at_mm=(0, 0, 25))[0],
    "skin": lambda v: plot_surface(iso_surface(v, -300, least_ml=50, name="skin")),
    "bone": lambda v: plot_surface(iso_surface(v, 250, least_ml=1, name="bone"), view="left"),
    "skull-and-brain": skull_and_brain,
}


def main(names: list[str]) -> None:
    """Draw the pictures of these names, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    volume = scan()
    for name in names or PICTURES:
        path = FOLDER / f"{name}.png"
        save_axes(PICTURES[name](volume), path, ".png", dpi=DPI)
        # A palette keeps the repository small; greys and the few colours survive it.
        Image.open(path).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
