"""Hounsfield units of tissues: ranges from which every image draws its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cormack.core.errors import InputError
from cormack.physics.synthesis.anatomy import FloatImage, Tissue

Range = tuple[float, float]
#: HU at 120 kV without contrast agent; lower and upper end for the mean of an image.
HU_RANGES: Mapping[str, Range] = {
    "air": (-1000, -1000),
    "csf": (2, 14),
    "gray": (33, 43),
    "white": (24, 34),
    "fat": (-115, -75),
    "muscle": (40, 65),
    "skin": (10, 60),
    "bone": (1000, 2200),
    "vessel": (38, 58),
    "connective": (-20, 50),
    "dura": (35, 65),
    "marrow": (200, 950),
    "sinus": (-1000, -950),
    "airway": (-1000, -970),
    "mastoid": (-900, -200),
    "petrous": (1100, 2200),
    "tooth": (1600, 2800),
    "cartilage": (60, 180),
    "disc": (60, 120),
    "vertebra": (180, 450),
    "cord": (28, 42),
    "eye": (2, 15),
    "lens": (60, 110),
    "vein": (42, 68),
    "calcification": (110, 700),
    "blood": (50, 90),
    "old_blood": (15, 45),
    "oedema": (14, 26),
    "infarct": (8, 28),
    "tumour": (22, 60),
    "cavity": (0, 18),
    "metal": (3000, 9000),
    "swelling": (20, 70),
    "gas": (-1000, -900),
    "level": (40, 80),
}
#: Gray and white matter differ by at least and at most this (HU).
GRAY_WHITE_HU = (4.0, 13.0)


def tissue_hu(ranges: Mapping[str, Range], rng: np.random.Generator) -> FloatImage:
    """One draw: HU of every tissue code, shape (256,).

    Raises
    ------
    InputError
        If a range names no tissue, or its ends are in the wrong order.
    """
    for name, (low, high) in ranges.items():
        if name.upper() not in Tissue.__members__:
            raise InputError(f"{name!r} is no tissue; known are {', '.join(HU_RANGES)}")
        if low > high:
            raise InputError(f"the range of {name!r} is {low:g} to {high:g}; give the smaller number first")
    table = np.full(256, -1000.0, dtype=np.float32)
    for tissue in Tissue:
        table[tissue] = rng.uniform(*ranges.get(tissue.name.lower(), HU_RANGES[tissue.name.lower()]))
    low, high = GRAY_WHITE_HU
    table[Tissue.WHITE] = np.clip(table[Tissue.WHITE], table[Tissue.GRAY] - high, table[Tissue.GRAY] - low)
    return table
