"""Make docs/images/synthesis-*.jpg: synthetic scans of the digital head. No person was scanned.

    python scripts/synthesis_picture.py [FOLDER_OF_ANATOMIES]

With a folder of anatomies (.npz) the pictures show those: to look at, not to publish, since the models behind them may
not be passed on.
"""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from cormack.physics.synthesis.anatomy import Anatomy, load_anatomy
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.digital import digital_anatomy
from cormack.physics.synthesis.image import SyntheticImage
from cormack.physics.synthesis.mr import synthesize_mr
from cormack.physics.synthesis.options import CtSynthesis, MrSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import FINDINGS, Pathology

IMAGES = Path(__file__).resolve().parent.parent / "docs/images"
SHAPE, SPACING_MM = (112, 128, 112), 2.0
BRAIN, BONE = (-60.0, 120.0), (-1000.0, 1500.0)
NONE = Pathology(**{field.name: 0.0 for field in fields(Pathology)})
#: What is shown alone, with the seed that shows it well.
SHOWN = (
    ("intracerebral_haemorrhage", 1),
    ("subdural_haematoma", 0),
    ("infarct", 1),
    ("tumour", 2),
    ("craniectomy", 3),
    ("craniotomy", 1),
    ("pneumocephalus", 1),
    ("contrast_agent", 0),
)
UPRIGHT = PoseOptions(scale=(0.9, 0.9), turn_deg=4.0, wide_turn=0.0, shift_mm=4.0)
PLAIN = CtSynthesis(
    pose=UPRIGHT, thin=1.0, tilted=0.0, noise_hu=(2.0, 3.0), sharp=0.0, base_cut=0.0, top_cut=0.0, neck=1.0,
    narrow_view=0.0, beam_hardening=0.0, motion=0.0,
)  # fmt: skip
Picture = npt.NDArray[np.uint8]


def panes(made: SyntheticImage, window: tuple[float, float]) -> list[Picture]:
    """Sagittal, coronal and axial cuts through the middle of the target, its edge in red."""
    inside = np.argwhere(made.target.data > 0.5)
    i, j, k = (inside.min(axis=0) + inside.max(axis=0)) // 2
    cuts = ((i, slice(None), slice(None)), (slice(None), j, slice(None)), (slice(None), slice(None), k))
    shown = []
    for cut in cuts:
        low, high = window
        gray = np.clip((made.volume.data[cut] - low) / (high - low) * 255, 0, 255).T[::-1]
        mask = (made.target.data[cut] > 0.5).T[::-1]
        edge = mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1))
        colour = np.repeat(gray[..., None], 3, axis=2)
        colour[edge] = (220, 50, 32)
        square = np.zeros((128, 128, 3), np.uint8)
        top, left = (128 - colour.shape[0]) // 2, (128 - colour.shape[1]) // 2
        square[top : top + colour.shape[0], left : left + colour.shape[1]] = colour
        shown.append(square)
    return shown


def save(rows: list[list[Picture]], name: str) -> None:
    """Write rows of panes at half again their size."""
    picture = Image.fromarray(np.vstack([np.hstack(row) for row in rows]))
    size = (picture.width * 3 // 2, picture.height * 3 // 2)
    picture.resize(size, Image.Resampling.BICUBIC).save(IMAGES / name, quality=78, optimize=True)


def findings(anatomies: list[Anatomy]) -> None:
    """Findings, one by one, two a row."""
    made = []
    for name, seed in SHOWN:
        options = replace(PLAIN, pathology=replace(NONE, **{name: 1.0}))
        made.append(panes(synthesize_ct(anatomies[0], np.random.default_rng(seed), options), BRAIN))
    save([a + b for a, b in zip(made[::2], made[1::2], strict=True)], "synthesis-findings.jpg")


def scans(anatomies: list[Anatomy]) -> None:
    """Whatever the defaults draw, in two windows, two a row."""
    made = []
    for seed in range(8):
        anatomy = anatomies[seed % len(anatomies)]
        image = synthesize_ct(anatomy, np.random.default_rng(20 + seed), CtSynthesis())
        made.append(panes(image, BRAIN if seed % 2 else BONE))
    save([a + b for a, b in zip(made[::2], made[1::2], strict=True)], "synthesis-ct.jpg")


def mr(anatomies: list[Anatomy]) -> None:
    """T1 weighting, then any contrast."""
    made = []
    for seed in range(4):
        options = MrSynthesis(pose=UPRIGHT, random_contrast=float(seed > 1))
        image = synthesize_mr(anatomies[seed % len(anatomies)], np.random.default_rng(seed), options)
        made.append(panes(image, (0.0, float(np.percentile(image.volume.data, 99.5)))))
    save([a + b for a, b in zip(made[::2], made[1::2], strict=True)], "synthesis-mr.jpg")


def main() -> None:
    """Make the anatomies and the three pictures."""
    if len(sys.argv) > 1:
        anatomies = [load_anatomy(path) for path in sorted(Path(sys.argv[1]).glob("*.npz"))[:4]]
    else:
        anatomies = [digital_anatomy(np.random.default_rng(seed)) for seed in range(2)]
    if not set(FINDINGS) >= {name for name, _ in SHOWN}:
        raise SystemExit("a finding that is shown is not known")
    for make in (findings, scans, mr):
        make(anatomies)


if __name__ == "__main__":
    main()
