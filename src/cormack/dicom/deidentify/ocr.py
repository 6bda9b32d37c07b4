"""Burned-in text found by the text detector of RapidOCR (PP-OCR on onnxruntime), of the extra `ocr`.

Text is found and not read: nothing that it says is kept. The networks are in RapidOCR's wheel; nothing is fetched.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import DependencyError
from cormack.dicom.deidentify.regions import Region

#: Added on all sides of a box: boxes are tight, and strokes of letters run out of them.
MARGIN_PX = 6
#: A box higher than this share of the image, and than so many pixels, is no line of text: round heads look like an O.
_LARGEST_SHARE, _LARGEST_PX = 0.2, 48


def is_available() -> bool:
    """True if the extra is installed."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def require() -> None:
    """Check that text can be looked for.

    Raises
    ------
    DependencyError
        If the extra is missing.
    """
    if not is_available():
        raise DependencyError("text detection needs the extra `ocr`; install it with: pip install 'cormack[ocr]'")


def find_text(picture: npt.NDArray[np.uint8]) -> tuple[Region, ...]:
    """Rectangles around text, each with a margin.

    Parameters
    ----------
    picture : array of uint8, shape (rows, columns) if grey, else (rows, columns, 3)

    Raises
    ------
    DependencyError
        If the extra is missing.
    """
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    found = _detector()(colour, use_det=True, use_cls=False, use_rec=False).boxes
    regions = [_region(box, *picture.shape[:2]) for box in (() if found is None else found)]
    limit = max(_LARGEST_PX, _LARGEST_SHARE * min(picture.shape[:2])) + 2 * MARGIN_PX
    return tuple(region for region in regions if min(region.width, region.height) <= limit)


def _region(box: npt.NDArray[np.float32], rows: int, columns: int) -> Region:
    """The upright rectangle around a box of four corners (x, y), within the picture."""
    left, top = np.maximum(np.floor(box.min(axis=0)).astype(int) - MARGIN_PX, 0)
    right, bottom = np.minimum(np.ceil(box.max(axis=0)).astype(int) + MARGIN_PX + 1, (columns, rows))
    return Region(int(left), int(top), int(right - left), int(bottom - top))


@cache
def _detector() -> Any:
    require()
    from rapidocr import RapidOCR

    # One thread: objects are treated in processes of their own beside each other.
    threads = {f"EngineConfig.onnxruntime.{part}_op_num_threads": 1 for part in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "critical", **threads})
