"""Labels on slices as acquired to the rectified grid of their image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap, LabelTable
from cormack.core.volume import SliceStack, Unit
from cormack.imaging.rectify import rectify


def rectify_labels(
    labels: npt.NDArray[np.integer], stack: SliceStack, table: LabelTable, *, spacing: str | float = "finest"
) -> LabelMap:
    """A label map on the grid that `rectify` makes of the same slices.

    The share of every label is interpolated linearly and the largest one taken, the greater label of equals; nothing
    stands where no slice measured.

    Parameters
    ----------
    labels : integer array, shape of the stack
    stack : SliceStack
        Its values are not used.
    table : LabelTable
    spacing
        As in `cormack.imaging.rectify.rectify`.
    """
    largest: npt.NDArray[np.float32] | None = None
    for label in np.unique(np.append(labels.ravel(), 0)).tolist():
        shares = stack.with_data(
            (labels == label).astype(np.float32), unit=Unit.ARBITRARY, outside=1.0 if label == 0 else 0.0
        )
        volume = rectify(shares, spacing=spacing).volume
        if largest is None:
            largest, found = volume.data, np.zeros(volume.shape, dtype=labels.dtype)
            continue
        wins = volume.data >= largest - 1e-6
        found[wins], largest[wins] = label, volume.data[wins]
    return LabelMap(found, volume.affine, table)
