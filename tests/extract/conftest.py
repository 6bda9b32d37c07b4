"""The phantom of this room, and its helper module made importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from extract_phantoms import Phantom, head_phantom


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return head_phantom()
