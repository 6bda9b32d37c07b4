"""Bounding boxes and block means against plain numpy."""

import numpy as np
import pytest

from analytic_heads import make_head
from cormack.core.errors import GeometryError
from cormack.core.labels import BRAIN, Label, LabelMap, LabelTable
from cormack.measure.boxes import bounding_box, region


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int32])
def test_bounding_box_is_that_of_the_indices(order, dtype):
    data = np.zeros((9, 12, 7), dtype=dtype, order=order)
    data[2, 3, 4] = data[5, 9, 1] = 1
    where = np.argwhere(data)
    expected = tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    assert bounding_box(data) == expected


def test_empty_mask_gives_an_empty_region():
    head = make_head((8, 8, 8))
    empty = LabelMap(np.zeros(head.volume.shape, np.uint8), head.volume.affine, BRAIN)
    assert region(head.volume, empty).empty


def test_region_of_one_label_of_several():
    head = make_head((8, 8, 8))
    table = LabelTable((Label(1, "a", "a", (0, 0, 0)), Label(2, "b", "b", (0, 0, 0))))
    data = np.zeros(head.volume.shape, np.uint8)
    data[0, 0, 0], data[3:5, 4, 5] = 1, 2
    part = region(head.volume, LabelMap(data, head.volume.affine, table), "b")
    assert part.box == (slice(3, 5), slice(4, 5), slice(5, 6))
    assert part.mask.all()


def test_mask_on_another_grid_is_refused():
    head, other = make_head((8, 8, 8)), make_head((10, 8, 8))
    with pytest.raises(GeometryError, match="reslice the mask"):
        region(head.volume, other.brain)
