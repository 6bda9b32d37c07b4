"""Four subjects to train on; the helper module `small_cases` becomes importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import torch
from small_cases import write_pair

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
