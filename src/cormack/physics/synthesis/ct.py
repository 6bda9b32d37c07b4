"""Synthetic head CT with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cormack.core.errors import InputError
from cormack.physics.synthesis.anatomy import Anatomy, Codes, FloatImage
from cormack.physics.synthesis.artefacts import beam_hardening, cupping, metal_streaks, motion
from cormack.physics.synthesis.deform import Pose, SampleGrid, anatomy_voxels
from cormack.physics.synthesis.detector import noise, sharpened
from cormack.physics.synthesis.extraction import extract_brain
from cormack.physics.synthesis.hounsfield import tissue_hu
from cormack.physics.synthesis.image import SyntheticImage, finished
from cormack.physics.synthesis.lookup import looked_up, nearest, window
from cormack.physics.synthesis.options import CtSynthesis
from cormack.physics.synthesis.pathology import put_in
from cormack.physics.synthesis.placing import draw_pose, grid_axes, ventricle_bumps
from cormack.physics.synthesis.scan import draw_slices, sample_grid
from cormack.physics.synthesis.scene import Scene
from cormack.physics.synthesis.slices import Slices, resliced, resliced_labels
from cormack.physics.synthesis.smooth import smooth_field
from cormack.physics.synthesis.supports import add_to_air, behind_head, blanket, support

__all__ = ["CtSynthesis", "SyntheticImage", "synthesize_ct"]


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
        If the spacing is not within 0.5 to 8 mm, a side has fewer than 8 voxels, or the brain shall be extracted from
        an anatomy with one target.
    """
    x, y, z = grid_axes(shape, spacing_mm)
    options = options or CtSynthesis()
    if options.brain_extracted and not anatomy.several:
        raise InputError("brain_extracted is for anatomies with several targets: one target is the mask itself")
    facts: dict[str, Any] = {"anatomy": anatomy.name}
    pose = draw_pose(anatomy, rng, options.pose, facts)
    slices = draw_slices(anatomy, pose, z, y, rng, options, facts)
    grid = sample_grid(x, y, slices, float(z[1] - z[0]))
    scene = Scene(anatomy, rng, facts, options.haematoma_target)
    put_in(scene, options.pathology)
    bumps = ventricle_bumps(anatomy, rng, options.pose, facts) + scene.bumps
    voxels = anatomy_voxels(grid, pose, anatomy.affine, options.pose.bends, bumps, rng)
    labels = nearest(scene.targets, voxels) if anatomy.several else None
    part = window(voxels, anatomy.tissues.shape)
    table = tissue_hu({**options.hounsfield, **scene.hounsfield}, rng)
    # With several targets it is the depth that is carried along: a share of labels would mean nothing.
    carried = anatomy.depth if anatomy.several else scene.targets
    image, share = looked_up(scene.tissues[part], carried[part], table, voxels, part)
    _vary(image, rng, options)
    _surround(image, grid, rng, options, facts)
    averaging = slices.averaging(grid.z)
    image, share = image @ averaging.T, share @ averaging.T
    _spoil(image, scene, pose, grid, slices, options)
    image = _reconstructed(image, float(x[1] - x[0]), rng, options, facts)
    image, share = resliced(image, share, slices, y, z, -1000.0)
    target: FloatImage | Codes = share
    if labels is not None:
        labels = resliced_labels(labels, grid.z, slices, y, z)
        if rng.random() < options.brain_extracted:
            extract_brain(image, share, labels, (x, y, z), options, rng, facts)
        target = labels
    _crop_view(image, target, x, y, rng, options, facts)
    np.clip(image, -3024, 12000, out=image)
    return finished(image, target, (x, y, z), facts)


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
    if options.cupping_hu[1] > 0:
        gain_hu = max(0.0, rng.uniform(*options.cupping_hu))
        cupping(image, pixel_mm, gain_hu, rng.uniform(*options.cupping_mm))
        scene.facts["cupping_hu"] = round(gain_hu, 1)
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
    target: FloatImage | Codes,
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
    target[outside] = 0
    facts |= {"view_radius_mm": round(radius, 1), "narrow_view": narrow, "padding_hu": padding}
