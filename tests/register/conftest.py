"""The heads of this room, made importable."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# One thread gives the same result every time; ITK reads this when it is first used.
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"

sys.path.insert(0, str(Path(__file__).parent))
