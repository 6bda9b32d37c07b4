"""The grid of a synthetic image, and how the head lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cormack.core.errors import InputError
from cormack.physics.synthesis.anatomy import Anatomy, FloatImage
from cormack.physics.synthesis.deform import Bump, Pose
from cormack.physics.synthesis.options import PoseOptions

#: Lateral ventricles in a model's space: a place on the right and the reach of its swelling (mm), across less than the
#: distance from the midline, so that what lies between the ventricles does not swell with them.
VENTRICLE_MM = ((14.0, -18.0, 14.0), (13.0, 36.0, 20.0))


def grid_axes(
    shape: tuple[int, int, int], spacing_mm: float | Sequence[float]
) -> tuple[FloatImage, FloatImage, FloatImage]:
    """Positions along x, y and z of a grid around the origin (mm).

    Raises
    ------
    InputError
        If a spacing is not within 0.5 to 8 mm or a side has fewer than 8 voxels.
    """
    steps = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), 3)
    if not ((steps >= 0.5) & (steps <= 8)).all() or min(shape) < 8:
        raise InputError(f"shape {shape} at {spacing_mm} mm; give at least 8 voxels a side, of 0.5 to 8 mm")
    x, y, z = (((np.arange(n) - (n - 1) / 2) * h).astype(np.float32) for n, h in zip(shape, steps, strict=True))
    return x, y, z


def draw_pose(anatomy: Anatomy, rng: np.random.Generator, options: PoseOptions, facts: dict[str, Any]) -> Pose:
    """Size, turn and place of the head in the scanner."""
    most = options.wide_turn_deg if rng.random() < options.wide_turn else options.turn_deg
    degrees = rng.uniform(-most, most, 3)
    scale = rng.uniform(*options.scale) * (1 + rng.uniform(-options.stretch, options.stretch, 3))
    shift = rng.uniform(-options.shift_mm, options.shift_mm, 3)
    mirrored = bool(rng.random() < options.mirrored)
    facts |= {"turn_deg": degrees.round(1).tolist(), "scale": scale.round(3).tolist(), "mirrored": mirrored}
    return Pose.random(anatomy.centre_mm, degrees, scale, shift, mirrored)


def ventricle_bumps(
    anatomy: Anatomy, rng: np.random.Generator, options: PoseOptions, facts: dict[str, Any]
) -> list[Bump]:
    """Wider or narrower lateral ventricles, each side with its own share."""
    gain = rng.uniform(*options.ventricles)
    facts["ventricle_gain"] = round(gain, 2)
    (px, py, pz), sigma = VENTRICLE_MM
    middle = anatomy.centre_mm[0]
    sides = [np.array([middle + side * px, py, pz]) for side in (-1, 1)]
    return [Bump(centre, np.array(sigma), 0.55 * gain * rng.uniform(0.8, 1.1)) for centre in sides]
