"""What lies around a head in a scanner: headrest, table, pillow, blankets."""

from __future__ import annotations

import numpy as np

from cormack.physics.synthesis.anatomy import FloatImage


def behind_head(image: FloatImage, y: FloatImage) -> float:
    """Position of the head's back (mm): the lowest y with more than a few voxels that are not air."""
    solid = np.count_nonzero(image[::2, :, ::2] > -400, axis=(0, 2))
    rows = np.flatnonzero(solid > 12)
    return float(y[rows[0]]) if len(rows) else float(y[0])


def support(x: FloatImage, y: FloatImage, back_mm: float, kind: str, rng: np.random.Generator) -> FloatImage:
    """HU above air of a headrest ("rest") or of the flat table ("table") with what lies on it, shape (i, j)."""
    px, py = x[:, None], y[None, :]
    layer = np.zeros((len(x), len(y)), dtype=np.float32)
    if kind == "none":
        return layer
    pillow_mm = rng.uniform(0, 18)
    radius = rng.uniform(85, 150) if kind == "rest" else rng.uniform(250, 900)
    axis = back_mm - pillow_mm + radius
    beyond = np.hypot(px, py - axis) - radius
    lower = py < back_mm + rng.uniform(20, 80)
    foam = np.clip(0.5 - beyond / 2, 0, 1) * np.clip(0.5 + (beyond + rng.uniform(8, 30)) / 2, 0, 1) * lower
    layer += foam * rng.uniform(10, 120)
    thick, shell_mm = rng.uniform(4, 30), rng.uniform(0.8, 3.0)
    dense, core = rng.uniform(300, 1200), rng.uniform(20, 200)
    for start, hu, width in ((0.0, dense, shell_mm), (shell_mm, core, thick), (shell_mm + thick, dense, shell_mm)):
        middle = start + width / 2
        layer += hu * np.clip((width + 2 - 2 * np.abs(beyond - middle)) / 4 + 0.0, 0, min(1.0, width / 2)) * lower
    if kind == "rest" and rng.random() < 0.5:
        below = back_mm - pillow_mm - thick - rng.uniform(12, 60) - py + 0.0008 * px**2
        layer += dense * np.clip(1 - np.abs(below) / 2, 0, 1)
    return layer


def blanket(x: FloatImage, y: FloatImage, image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """HU above air of a fold of cloth beside or over the head, shape (i, j)."""
    px, py = x[:, None], y[None, :]
    away = rng.uniform(90, 125)
    turn = rng.uniform(0, 2 * np.pi)
    angle = np.arctan2(py, px)
    wave = away + 4 * np.sin(5 * angle + turn) + 2 * np.sin(11 * angle + 2 * turn)
    near = np.clip(1 - np.abs(np.hypot(px, py) - wave) / rng.uniform(2, 6), 0, 1)
    arc = np.cos(angle - turn) > rng.uniform(-0.2, 0.7)
    return np.asarray(near * arc * rng.uniform(50, 500), dtype=np.float32)


def add_to_air(image: FloatImage, layer: FloatImage) -> None:
    """Put a layer, shape (i, j), into the air of an image, shape (i, j, k), in place."""
    columns = np.nonzero(layer > 0)
    part = image[columns]
    image[columns] = part + layer[columns][:, None] * np.clip(-part / 1000 - 0.02, 0, 1)
