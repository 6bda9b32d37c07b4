"""Makes the helper modules `synthetic` and `structure_sets` importable for the tests of this room."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(folder) for folder in (Path(__file__).parent, Path(__file__).parents[1])]
