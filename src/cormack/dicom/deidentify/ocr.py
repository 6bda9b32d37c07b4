"""Burned-in text found by a text detector, of the extra `ocr`."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import DependencyError
from cormack.dicom.deidentify.regions import Region


def is_available() -> bool:
    """True if the extra is installed."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def require() -> None:
    """Raise DependencyError if the extra is missing."""
    if not is_available():
        raise DependencyError("text detection needs the extra `ocr`: pip install 'cormack[ocr]'")


def find_text(picture: npt.NDArray[np.uint8]) -> tuple[Region, ...]:
    """Boxes of text in a picture of shape (rows, columns) or (rows, columns, 3)."""
    require()
    return ()


@cache
def _detector() -> Any:
    raise NotImplementedError
