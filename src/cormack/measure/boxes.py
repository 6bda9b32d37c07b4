"""Crop masks to their bounding boxes, so that measuring touches no more voxels than it must."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Volume

BoolArray = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Region:
    """A mask cut to its bounding box: `mask` has the shape of `box`, which indexes the volume."""

    box: Box
    mask: BoolArray

    @property
    def empty(self) -> bool:
        """True if the mask has no voxel at all."""
        return self.mask.size == 0


def region(volume: Volume, label_map: LabelMap, key: int | str = 1) -> Region:
    """Cut one label of a map to its bounding box; an empty mask gives an empty region.

    Raises
    ------
    GeometryError
        If the map does not lie on the grid of the volume.
    """
    if not label_map.on_grid_of(volume):
        raise GeometryError(
            f"a mask must lie on the grid of the volume: mask of shape {label_map.data.shape}, "
            f"volume of shape {volume.shape}; reslice the mask first"
        )
    index = label_map.table[key].index
    data = label_map.data
    if len(label_map.table) > 1:
        data = data == index
    box = bounding_box(data)
    mask = label_map.data[box] == index
    # In the memory order of the volume: elementwise work on arrays of different order is several times slower.
    return Region(box, np.asfortranarray(mask) if volume.data.flags.f_contiguous else np.ascontiguousarray(mask))


def bounding_box(data: AnyArray) -> Box:
    """Smallest box that holds all non-zero voxels; empty slices if there are none."""
    filled: BoolArray = data if data.dtype == np.bool_ else data != 0
    # The reduction along the slowest axis in memory comes first: it is the fast one, and the others see less data.
    slowest = int(np.argmax(np.abs(data.strides)))
    rest = [axis for axis in range(3) if axis != slowest]
    flat: BoolArray = np.any(filled, axis=slowest)
    box: list[slice] = [slice(None)] * 3
    box[rest[0]], box[rest[1]] = _span(np.any(flat, axis=1)), _span(np.any(flat, axis=0))
    box[slowest] = _span(np.any(filled[tuple(box)], axis=(rest[0], rest[1])))
    return box[0], box[1], box[2]


def _span(line: BoolArray) -> slice:
    hits = np.flatnonzero(line)
    return slice(int(hits[0]), int(hits[-1]) + 1) if len(hits) else slice(0, 0)
