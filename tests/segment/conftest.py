"""The made thorax of this room, and its helper module made importable."""

import sys
from pathlib import Path

import pytest

# Helper modules of this room, and of all rooms.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from chest_scans import scan


@pytest.fixture(scope="session")
def chest():
    """A whole chest at 3 mm, as `scan` gives it."""
    return scan()
