"""Labels painted over a grey picture: tinted within, their edges in full colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray

Rgb = npt.NDArray[np.uint8]

#: Share of a label's colour within it; its edge has the whole colour.
OPACITY = 0.3


def painted_labels(grey: npt.NDArray[np.uint8], marks: AnyArray, labels: LabelMap, opacity: float = OPACITY) -> Rgb:
    """The picture in colours, shape (rows, columns, 3).

    Parameters
    ----------
    grey, marks : array, shape (rows, columns)
        The picture, and the number of the label of every pixel.
    labels : LabelMap
        Its table has the colours.
    opacity : float
    """
    picture = np.repeat(grey[:, :, None], 3, axis=2).astype(np.float32)
    for label in labels.table:
        mask = marks == label.index
        inner = np.pad(mask, 1)
        inner = inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
        strength = np.where(mask & ~inner, 1.0, opacity * mask)[:, :, None].astype(np.float32)
        picture += strength * (np.array(label.color, dtype=np.float32) - picture)
    return np.asarray(np.rint(picture), dtype=np.uint8)
