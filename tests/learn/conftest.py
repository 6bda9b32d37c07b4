"""Four subjects to train on; the helper module `small_cases` becomes importable."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import torch
from small_cases import write_pair

from cormack.physics.synthesis.anatomy import Anatomy, Tissue, save_anatomy

# Tests may run side by side.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images and labels of four subjects."""
    folder = tmp_path_factory.mktemp("pairs")
    for n in range(4):
        write_pair(folder, f"sub-{n + 1:02d}", n)
    return folder


@pytest.fixture
def data(pairs: Path) -> str:
    """The table `data` of a configuration about them."""
    return f"[data]\nfolder = '{pairs}'\nvalidation_share = 0.25\npool = 4\n"


@pytest.fixture
def balls(tmp_path: Path) -> Path:
    """Two balls of bone, fluid and brain."""
    (tmp_path / "balls").mkdir()
    at = np.stack(np.meshgrid(*(np.arange(96) - 47.5,) * 3, indexing="ij"))
    for name, inner in (("a-1", 30.0), ("b-1", 26.0)):
        radius = np.linalg.norm(at, axis=0)
        tissues = np.select(
            [radius < inner - 3, radius < inner, radius < inner + 5], [Tissue.GRAY, Tissue.CSF, Tissue.BONE], 0
        )
        depth = np.clip((inner - radius) * 4, -127, 127).astype(np.int8)
        affine = np.eye(4)
        affine[:3, 3] = -47.5
        anatomy = Anatomy(tissues.astype(np.uint8), (radius < inner).astype(np.uint8), depth, affine, name)
        save_anatomy(anatomy, tmp_path / "balls" / f"{name}.npz")
    return tmp_path / "balls"
