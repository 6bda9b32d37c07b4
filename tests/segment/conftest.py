"""The made thorax of this room, and its helper module made importable."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chest_scans import scan


@pytest.fixture(scope="session")
def chest():
    """A whole chest at 3 mm, as `scan` gives it."""
    return scan()
