"""Names of the methods of brain extraction, for those who offer a choice and load nothing yet."""

from __future__ import annotations

#: Keys of `extract.brain.METHODS`.
BRAIN_METHODS = ("network", "skull", "bet")
#: Of these, the ones that find the head themselves.
WITHOUT_HEAD = ("network",)
#: The method measured to be best (`benchmarks/brain.py`).
DEFAULT_METHOD = "network"
