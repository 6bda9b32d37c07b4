"""Fixtures shared by every room's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: $CORMACK_SHARED (default ../shared from the project root), its part `data`."""
    root = Path(os.environ.get("CORMACK_SHARED") or PROJECT_ROOT.parent / "shared") / "data"
    if not root.is_dir():
        pytest.skip("no shared data here: set CORMACK_SHARED to the folder that holds `data`")
    return root
