"""The phantom of this room, and its helper module made importable."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from extract_phantoms import Phantom, head_phantom

from cormack.extract.skull import skull_mask


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return head_phantom()


@pytest.fixture(scope="session")
def phantom_mask(phantom: Phantom) -> npt.NDArray[np.bool_]:
    return skull_mask(phantom.volume)
