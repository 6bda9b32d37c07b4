"""Synthetic head CT with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cormack.core.errors import InputError
from cormack.core.volume import Unit, Volume
from cormack.physics.synthesis.anatomy import Anatomy, Codes, FloatImage
from cormack.physics.synthesis.artefacts import beam_hardening, metal_streaks, motion
from cormack.physics.synthesis.deform import Bump, Pose, SampleGrid, anatomy_voxels
from cormack.physics.synthesis.detector import noise, sharpened
from cormack.physics.synthesis.hounsfield import tissue_hu
from cormack.physics.synthesis.lookup import averaged, trilinear, window
from cormack.physics.synthesis.options import CtSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import put_in
from cormack.physics.synthesis.scene import Scene
from cormack.physics.synthesis.slices import Slices, resliced
from cormack.physics.synthesis.smooth import smooth_field
from cormack.physics.synthesis.supports import add_to_air, behind_head, blanket, support

__all__ = ["CtSynthesis", "PoseOptions", "SyntheticImage", "synthesize_ct"]

#: Lateral ventricles in a model's space: a place on the right and the reach of its swelling (mm).
VENTRICLE_MM = ((14.0, -18.0, 14.0), (16.0, 34.0, 18.0))


@dataclass(frozen=True, eq=False)
class SyntheticImage:
    """An image, its truth on the same grid, and what was put in.

    Parameters
    ----------
    volume : Volume
        float32; HU for CT.
    target : Volume
        Share of every voxel inside the target, 0 to 1; at 0.5 the surface lies half-way between brain and inner table.
    facts : dict
        What was drawn: sizes, kernel, lesions; for tables and for choosing test cases.
    """

    volume: Volume
    target: Volume
    facts: dict[str, Any]


def synthesize_ct(
    anatomy: Anatomy,
    rng: np.random.Generator,
    options: CtSynthesis | None = None,
    *,
    shape: tuple[int, int, int] = (112, 128, 112),
    spacing_mm: float | Sequence[float] = 2.0,
) -> SyntheticImage:
    """One random CT of an anatomy on an even RAS+ grid; the same generator state gives the same image.

    Parameters
    ----------
    anatomy : Anatomy
        From `head_anatomy`.
    rng : Generator
    options : CtSynthesis
    shape : (i, j, k)
    spacing_mm : float or (i, j, k)
        Edges of the grid's voxels.

    Raises
    ------
    InputError
        If the spacing is not within 0.5 to 8 mm or a side has fewer than 8 voxels.
    """
    x, y, z = grid_axes(shape, spacing_mm)
    options = options or CtSynthesis()
    facts: dict[str, Any] = {"anatomy": anatomy.name}
    pose = draw_pose(anatomy, rng, options.pose, facts)
    slices = _draw_slices(anatomy, pose, z, y, rng, options, facts)
    grid = _sample_grid(x, y, slices, float(z[1] - z[0]))
    scene = Scene(anatomy, rng, facts)
    put_in(scene, options.pathology)
    bumps = ventricle_bumps(anatomy, rng, options.pose, facts) + scene.bumps
    voxels = anatomy_voxels(grid, pose, anatomy.affine, options.pose.bends, bumps, rng)
    part = window(voxels, anatomy.tissues.shape)
    table = tissue_hu({**options.hounsfield, **scene.hounsfield}, rng)
    image, share = _looked_up(scene.tissues[part], scene.targets[part], table, voxels, part)
    _vary(image, rng, options)
    _surround(image, grid, rng, options, facts)
    averaging = slices.averaging(grid.z)
    image, share = image @ averaging.T, share @ averaging.T
    _spoil(image, scene, pose, grid, slices, options)
    image = _reconstructed(image, float(x[1] - x[0]), rng, options, facts)
    image, share = resliced(image, share, slices, y, z, -1000.0)
    _crop_view(image, share, x, y, rng, options, facts)
    np.clip(image, -3024, 12000, out=image)
    return _finished(image, share, (x, y, z), facts)


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


def _draw_slices(
    anatomy: Anatomy,
    pose: Pose,
    z: FloatImage,
    y: FloatImage,
    rng: np.random.Generator,
    options: CtSynthesis,
    facts: dict[str, Any],
) -> Slices:
    """Thickness, tilt and range of the scan."""
    step = float(z[1] - z[0])
    thin = rng.random() < options.thin
    thickness = (
        rng.uniform(0.5, step) if thin else rng.uniform(max(step, options.thickness_mm[0]), options.thickness_mm[1])
    )
    gap = max(step, thickness * (rng.uniform(0.8, 1.3) if rng.random() < 0.4 else 1.0))
    tilt = rng.uniform(-options.tilt_deg, options.tilt_deg) if rng.random() < options.tilted else 0.0
    slope = float(np.tan(np.radians(tilt)))
    bottom, top = _extent(anatomy, pose, slope)
    low = bottom - abs(rng.normal(0, 12)) - 2
    if rng.random() < options.neck:
        low = bottom - rng.uniform(20, 160)
    elif rng.random() < options.base_cut / max(1 - options.neck, 1e-3):
        low = bottom + rng.uniform(2, 55)
        facts["base_cut_mm"] = round(low - bottom, 1)
    high = top + rng.uniform(8, 40)
    if rng.random() < options.top_cut:
        high = top - rng.uniform(2, 45)
        facts["top_cut_mm"] = round(top - high, 1)
    reach = abs(slope) * float(y[-1])
    low, high = max(low, float(z[0]) - reach), min(high, float(z[-1]) + reach)
    count = max(3, int((high - low) / gap))
    positions = low + gap * (np.arange(count, dtype=np.float32) + rng.random())
    facts |= {"thickness_mm": round(thickness, 2), "gap_mm": round(gap, 2), "tilt_deg": round(tilt, 1)}
    return Slices(positions.astype(np.float32), thickness, slope)


def _extent(anatomy: Anatomy, pose: Pose, slope: float) -> tuple[float, float]:
    """Lowest and highest place of the target along the slices' axis (mm)."""
    where = np.argwhere(anatomy.targets[::6, ::6, ::6]) * 6.0
    points = pose.back(where @ anatomy.affine[:3, :3].T + anatomy.affine[:3, 3])
    heights = points[:, 2] + slope * points[:, 1]
    return float(heights.min()), float(heights.max())


def _sample_grid(x: FloatImage, y: FloatImage, slices: Slices, spacing_mm: float) -> SampleGrid:
    """Samples that cover the slices, about as dense as the grid."""
    half = max(slices.thickness_mm, spacing_mm) / 2
    low, high = float(slices.positions_mm[0]) - half, float(slices.positions_mm[-1]) + half
    if slices.thickness_mm <= spacing_mm and np.diff(slices.positions_mm).max() <= spacing_mm * 1.001:
        return SampleGrid(x, y, slices.positions_mm, slices.slope)
    count = int(np.ceil((high - low) / spacing_mm)) + 1
    return SampleGrid(x, y, (low + spacing_mm * np.arange(count)).astype(np.float32), slices.slope)


def _looked_up(
    codes: Codes, targets: Codes, table: FloatImage, voxels: list[FloatImage], part: tuple[slice, slice, slice]
) -> tuple[FloatImage, FloatImage]:
    """HU and share of the target at the samples, averaged over 2 mm."""
    pair = averaged(codes, targets, table)
    for axis, cut in zip(voxels, part, strict=True):
        # The mean of two neighbours lies half a voxel behind the first.
        axis -= np.float32(cut.start + 0.5)
    both = trilinear(pair, voxels)
    return np.ascontiguousarray(both.real), np.ascontiguousarray(both.imag)


def _vary(image: FloatImage, rng: np.random.Generator, options: CtSynthesis) -> None:
    """Smooth differences within soft tissue, and of bone in proportion, in place."""
    size = rng.uniform(*options.variation_hu)
    field = smooth_field(image.shape, rng.uniform(5, 16), rng)
    soft = (image > -20) & (image < 120)
    image += soft * field * np.float32(size)
    image += (image > 200) * field * image * np.float32(0.06)


def _surround(
    image: FloatImage, grid: SampleGrid, rng: np.random.Generator, options: CtSynthesis, facts: dict[str, Any]
) -> None:
    """Headrest, table and blanket in the air, in place."""
    chance = rng.random()
    kind = "rest" if chance < options.rest else "table" if chance < options.rest + options.table else "none"
    layer = support(grid.x, grid.y, behind_head(image, grid.y), kind, rng)
    if rng.random() < options.blanket:
        layer = layer + blanket(grid.x, grid.y, image, rng)
    add_to_air(image, layer)
    facts["support"] = kind


def _spoil(image: FloatImage, scene: Scene, pose: Pose, grid: SampleGrid, slices: Slices, options: CtSynthesis) -> None:
    """Streaks of metal, hardening of the beam and motion, in slices of shape (i, j, s), in place."""
    rng, pixel_mm = scene.rng, float(grid.x[1] - grid.x[0])
    places = []
    for metal in scene.metals:
        x, y, z = pose.back(scene.world(metal))
        place = (np.array([x, y]) - np.array([grid.x[0], grid.y[0]])) / pixel_mm
        height = np.interp(z + slices.slope * y, slices.positions_mm, np.arange(image.shape[2]), -99, 9999)
        places.append((float(place[0]), float(place[1]), float(height)))
    metal_streaks(image, places, pixel_mm, rng)
    if rng.random() < options.beam_hardening:
        strength = rng.uniform(*options.hardening_hu_per_mm)
        beam_hardening(image, pixel_mm, strength, rng.uniform(0, 25))
        scene.facts["hardening_hu_per_mm"] = round(strength, 2)
    if rng.random() < options.motion:
        motion(image, rng)
        scene.facts["motion"] = True


def _reconstructed(
    image: FloatImage,
    spacing_mm: float,
    rng: np.random.Generator,
    options: CtSynthesis,
    facts: dict[str, Any],
) -> FloatImage:
    """Kernel and noise."""
    sharp = bool(rng.random() < options.sharp)
    if sharp:
        image = sharpened(image, rng.uniform(0.5, 0.9), rng.uniform(*options.overshoot))
    else:
        image = sharpened(image, rng.uniform(*options.blur_px) * 2 / spacing_mm, -1.0)
    low, high = options.noise_hu
    size = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * (1.8 if sharp else 1.0)
    grain = noise(image.shape, rng.uniform(0.2, 0.7), rng.uniform(0.2, 1.2), rng)
    grain *= np.float32(size)
    grain *= 1 + np.float32(0.25) * smooth_field(image.shape, 40.0, rng)
    image += grain
    np.maximum(image, -1024, out=image)
    facts |= {"kernel": "bone" if sharp else "soft", "noise_hu": round(size, 1)}
    return image


def _crop_view(
    image: FloatImage,
    share: FloatImage,
    x: FloatImage,
    y: FloatImage,
    rng: np.random.Generator,
    options: CtSynthesis,
    facts: dict[str, Any],
) -> None:
    """The reconstructed field of view: round with padding, or square; in place."""
    narrow = bool(rng.random() < options.narrow_view)
    radius = rng.uniform(70, 92) if narrow else rng.uniform(105, 160)
    cx, cy = rng.uniform(-8, 8, 2)
    padding = float(rng.choice(options.padding_hu))
    if rng.random() < 0.5:
        outside = np.hypot(x[:, None] - cx, y[None, :] - cy) > radius
    else:
        outside = (np.abs(x[:, None] - cx) > radius) | (np.abs(y[None, :] - cy) > radius)
    image[outside] = padding
    share[outside] = 0
    facts |= {"view_radius_mm": round(radius, 1), "narrow_view": narrow, "padding_hu": padding}


def _finished(
    image: FloatImage, share: FloatImage, axes: tuple[FloatImage, FloatImage, FloatImage], facts: dict[str, Any]
) -> SyntheticImage:
    affine = np.diag([*(float(a[1] - a[0]) for a in axes), 1.0])
    affine[:3, 3] = [float(a[0]) for a in axes]
    volume = Volume(image, affine, unit=Unit.HU, outside=-1000.0)
    target = Volume(np.clip(share, 0, 1), affine, unit=Unit.PROBABILITY, outside=0.0)
    return SyntheticImage(volume, target, facts)
