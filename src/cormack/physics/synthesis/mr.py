"""Synthetic head MR with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import fft, ndimage

from cormack.core.volume import Unit
from cormack.physics.synthesis.anatomy import Anatomy, FloatImage
from cormack.physics.synthesis.deform import SampleGrid, anatomy_voxels
from cormack.physics.synthesis.image import SyntheticImage, finished
from cormack.physics.synthesis.intensities import tissue_intensity
from cormack.physics.synthesis.lesions import widen_sulci
from cormack.physics.synthesis.lookup import looked_up, nearest, window
from cormack.physics.synthesis.options import MrSynthesis
from cormack.physics.synthesis.pathology import put_in
from cormack.physics.synthesis.placing import draw_pose, grid_axes, ventricle_bumps
from cormack.physics.synthesis.scene import Scene
from cormack.physics.synthesis.slices import Slices
from cormack.physics.synthesis.smooth import smooth_field

__all__ = ["MrSynthesis", "SyntheticImage", "synthesize_mr"]

#: Intensity of white matter in the result, about.
WHITE = 500.0
#: Size of the detail that `sharpness` is about (SD of a Gaussian, voxels).
SHARPENED = 0.7


def synthesize_mr(
    anatomy: Anatomy,
    rng: np.random.Generator,
    options: MrSynthesis | None = None,
    *,
    shape: tuple[int, int, int] = (112, 128, 112),
    spacing_mm: float | Sequence[float] = 2.0,
) -> SyntheticImage:
    """One random MR of an anatomy on an even RAS+ grid; the same generator state gives the same image.

    Parameters
    ----------
    anatomy : Anatomy
        From `head_anatomy`.
    rng : Generator
    options : MrSynthesis
    shape : (i, j, k)
    spacing_mm : float or (i, j, k)

    Returns
    -------
    SyntheticImage
        Intensities are arbitrary, not negative, 0 where nothing was measured.

    Raises
    ------
    InputError
        If a spacing is not within 0.5 to 8 mm or a side has fewer than 8 voxels.
    """
    axes = grid_axes(shape, spacing_mm)
    options = options or MrSynthesis()
    facts: dict[str, Any] = {"anatomy": anatomy.name}
    pose = draw_pose(anatomy, rng, options.pose, facts)
    pose = replace(pose, shift_mm=pose.shift_mm + np.array([0.0, 0.0, rng.uniform(*options.raised_mm)]))
    scene = Scene(anatomy, rng, facts)
    put_in(scene, options.pathology)
    if options.wide_sulci and rng.random() < options.wide_sulci:
        widen_sulci(scene)
    bumps = ventricle_bumps(anatomy, rng, options.pose, facts) + scene.bumps
    voxels = anatomy_voxels(SampleGrid(*axes), pose, anatomy.affine, options.pose.bends, bumps, rng)
    labels = nearest(scene.targets, voxels) if anatomy.several else None
    part = window(voxels, anatomy.tissues.shape)
    facts["random_contrast"] = bool(rng.random() < options.random_contrast)
    table = tissue_intensity(options.intensities, rng, any_contrast=facts["random_contrast"])
    cut = _cut_away(voxels, scene, options)
    image, share = looked_up(scene.tissues[part], scene.targets[part], table, voxels, part)
    cut &= share < 0.02
    image[cut] = 0
    image *= 1 + np.float32(rng.uniform(*options.variation)) * smooth_field(shape, rng.uniform(4, 14), rng)
    size = rng.uniform(*options.bias)
    image *= np.exp(np.float32(size) * smooth_field(shape, min(shape) * rng.uniform(0.35, 0.7), rng))
    facts["bias"] = round(size, 2)
    image, share = _thickened(image, share, axes, scene, options)
    if any(options.sharpness):
        _sharpen(image, scene, options)
    _spoil(image, scene, options)
    # Noise and ghosts end there, too.
    image[cut] = 0
    target = share if labels is None else labels
    return finished(image * np.float32(WHITE), target, axes, facts, unit=Unit.ARBITRARY, outside=0.0)


def _cut_away(voxels: list[FloatImage], scene: Scene, options: MrSynthesis) -> Any:
    """Where the face was removed, or the image ends below the skull's base: bool array, shape (i, j, k)."""
    rng, facts = scene.rng, scene.facts
    first, last = scene.anatomy.bounds
    cut = np.zeros(voxels[0].shape, dtype=bool)
    if rng.random() < options.defaced:
        facts["defaced"] = True
        front = last[1] - rng.uniform(0, 30)
        cut |= (voxels[1] - front) + 0.5 * (first[2] + 45 - voxels[2]) > 0
    if rng.random() < options.neck_cut:
        facts["neck_cut"] = True
        cut |= voxels[2] < first[2] - rng.uniform(0, 25)
    return cut


def _thickened(
    image: FloatImage, share: FloatImage, axes: Sequence[FloatImage], scene: Scene, options: MrSynthesis
) -> tuple[FloatImage, FloatImage]:
    """Image and truth averaged over thick slices along one axis and put back onto the grid."""
    rng = scene.rng
    if rng.random() >= options.thick:
        return image, share
    along = int(rng.integers(3))
    places = axes[along]
    thickness = rng.uniform(*options.thickness_mm)
    positions = np.arange(places[0] + rng.random() * thickness, places[-1] + thickness / 2, thickness, dtype=np.float32)
    slices = Slices(positions, thickness, 0.0)
    weights, _ = slices.onto(places, 0.0)
    matrix = np.asarray(weights @ slices.averaging(places), dtype=np.float32)
    scene.facts |= {"thickness_mm": round(thickness, 2), "thick_axis": "ijk"[along]}
    both = (np.moveaxis(np.moveaxis(a, along, -1) @ matrix.T, -1, along) for a in (image, share))
    image, share = (np.ascontiguousarray(a, dtype=np.float32) for a in both)
    return image, share


def _sharpen(image: FloatImage, scene: Scene, options: MrSynthesis) -> None:
    """More or less contrast of the finest detail, in place; nothing becomes negative."""
    amount = scene.rng.uniform(*options.sharpness)
    image += np.float32(amount) * (image - ndimage.gaussian_filter(image, SHARPENED))
    np.maximum(image, 0, out=image)
    scene.facts["sharpness"] = round(amount, 2)


def _spoil(image: FloatImage, scene: Scene, options: MrSynthesis) -> None:
    """Ghosts, ringing and Rician noise, in place."""
    rng, facts = scene.rng, scene.facts
    if rng.random() < options.ghosting:
        phase = int(rng.integers(2))
        strength = np.float32(rng.uniform(0.02, 0.12))
        shift = int(image.shape[phase] * rng.choice([0.5, 0.33, 0.25]))
        image *= 1 - strength
        image += strength * np.roll(image, shift, axis=phase)
        facts["ghosting"] = round(float(strength), 3)
    if rng.random() < options.ringing:
        axis = int(rng.integers(3))
        spectrum = fft.rfft(image, axis=axis)
        kept = int(spectrum.shape[axis] * rng.uniform(0.6, 0.9))
        np.moveaxis(spectrum, axis, 0)[kept:] = 0
        image[...] = fft.irfft(spectrum, n=image.shape[axis], axis=axis)
        facts["ringing"] = True
    low, high = options.noise
    size = np.float32(rng.uniform(low, high))
    image += size * rng.standard_normal(image.shape, dtype=np.float32)
    np.hypot(image, size * rng.standard_normal(image.shape, dtype=np.float32), out=image)
    facts["noise"] = round(float(size), 3)
