"""Cheap changes of a sample that are made anew every time it is used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cormack.learn.config import AugmentationOptions
from cormack.learn.sample import Sample

_AXES = {"i": 1, "j": 2, "k": 3}


def augment(sample: Sample, options: AugmentationOptions, rng: np.random.Generator) -> Sample:
    """A sample flipped, and its values bent (gamma), shifted and made noisy within -1 to 1 (zscore: without gamma)."""
    image, target = sample.image.astype(np.float32), sample.target
    for name in options.flips:
        axis = _AXES[name]
        if rng.random() < 0.5:
            image, target = np.flip(image, axis), np.flip(target, axis - 1)
    bounded = bool(image.min() >= -1 and image.max() <= 1)
    if options.gamma and bounded:
        exponent = np.exp(rng.uniform(-1, 1, len(image)) * np.log1p(options.gamma))
        image = np.stack([_bent(channel, float(e)) for channel, e in zip(image, exponent, strict=True)])
    if options.shift:
        image = image + rng.uniform(-options.shift, options.shift, (len(image), *[1] * target.ndim)).astype(np.float32)
    if options.noise:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, options.noise))
    if bounded:
        image = np.clip(image, -1, 1)
    return replace(sample, image=image.astype(np.float16), target=target)


def _bent(channel: np.ndarray, exponent: float) -> np.ndarray:
    """A power of values from -1 to 1, which keeps both ends."""
    return ((channel + 1) / 2) ** np.float32(exponent) * 2 - 1
