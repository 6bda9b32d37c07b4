"""Names of the methods of brain extraction, for those who offer a choice and load nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

#: The method measured to be best for either modality (`benchmarks/brain.py`, `benchmarks/t1_brain.py`).
DEFAULT_METHOD = "network"
#: Methods by modality.
BRAIN_METHODS: Mapping[str, tuple[str, ...]] = {
    "CT": (DEFAULT_METHOD, "skull", "bet"),
    "MR": (DEFAULT_METHOD, "t1-brain-3d", "t1-brain-2d"),
}
#: Of these, the ones that find the head themselves.
WITHOUT_HEAD = BRAIN_METHODS["MR"]
