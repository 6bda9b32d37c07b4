"""Intensities of tissues on MR: T1 weighting, or any contrast."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cormack.core.errors import InputError
from cormack.physics.synthesis.anatomy import FloatImage, Tissue
from cormack.physics.synthesis.hounsfield import Range

#: T1-weighted gradient echo, white matter being about 1.
T1_RANGES: Mapping[str, Range] = {
    "air": (0.0, 0.01),
    "csf": (0.12, 0.32),
    "gray": (0.55, 0.76),
    "white": (0.92, 1.06),
    "fat": (0.9, 1.7),
    "muscle": (0.4, 0.7),
    "skin": (0.5, 1.2),
    "bone": (0.02, 0.15),
    "vessel": (0.1, 1.6),
    "connective": (0.3, 0.8),
    "dura": (0.2, 0.75),
    "marrow": (0.3, 1.4),
    "sinus": (0.0, 0.05),
    "airway": (0.0, 0.02),
    "mastoid": (0.02, 0.2),
    "petrous": (0.03, 0.25),
    "tooth": (0.02, 0.12),
    "cartilage": (0.3, 0.6),
    "disc": (0.3, 0.6),
    "vertebra": (0.5, 1.1),
    "cord": (0.8, 1.0),
    "eye": (0.12, 0.3),
    "lens": (0.3, 0.6),
    "vein": (0.15, 1.0),
    "calcification": (0.05, 0.4),
    "blood": (0.5, 1.5),
    "old_blood": (0.4, 1.4),
    "oedema": (0.45, 0.7),
    "infarct": (0.25, 0.6),
    "tumour": (0.4, 1.3),
    "cavity": (0.12, 0.4),
    "metal": (0.0, 0.02),
    "swelling": (0.3, 0.8),
    "gas": (0.0, 0.02),
    "level": (0.4, 1.2),
}


def tissue_intensity(ranges: Mapping[str, Range], rng: np.random.Generator, *, any_contrast: bool) -> FloatImage:
    """One draw: intensity of every tissue code, shape (256,).

    Raises
    ------
    InputError
        If a range names no tissue.
    """
    for name in ranges:
        if name not in T1_RANGES:
            raise InputError(f"{name!r} is no tissue; known are {', '.join(T1_RANGES)}")
    table = np.zeros(256, dtype=np.float32)
    for tissue in Tissue:
        name = tissue.name.lower()
        low, high = (0.0, 1.3) if any_contrast else ranges.get(name, T1_RANGES[name])
        table[tissue] = rng.uniform(low, high)
    # What holds no protons is dark in every contrast.
    for tissue in (Tissue.AIR, Tissue.AIRWAY, Tissue.METAL, Tissue.GAS, Tissue.SINUS):
        table[tissue] = min(float(table[tissue]), 0.02)
    if any_contrast:
        table[Tissue.BONE] *= np.float32(rng.uniform(0.05, 0.5))
    else:
        table[Tissue.GRAY] = min(float(table[Tissue.GRAY]), float(table[Tissue.WHITE]) - 0.15)
    return table
