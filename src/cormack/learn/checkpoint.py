"""Checkpoints that are whole or not there, and read without running anything that stands in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from cormack.core.errors import WeightsError
from cormack.files.outputs import OutputSet


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values in place of what stood there, in one move."""
    with OutputSet(path.parent) as outputs:
        torch.save(state, outputs.part(path.name))


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote, onto the CPU.

    Raises
    ------
    WeightsError
        If the file is missing, cut short, or holds anything but tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise WeightsError(
            f"{path}: no readable checkpoint ({type(error).__name__}); start the training anew"
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path}: not a checkpoint of Cormack; start the training anew")
    return state
