import numpy as np
import pytest

from cormack.core.errors import GeometryError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.measure.change import mean_values, structure_volumes, volume_changes
from cormack.measure.overlap import dice

TABLE = LabelTable((Label(1, "one", "o", (0, 0, 0)), Label(4, "four", "f", (0, 0, 0))))
GRID = np.diag([2.0, 2.0, 2.5, 1.0])
EVERYWHERE = np.ones((10, 10, 10), bool)


def labelled(**boxes):
    data = np.zeros((10, 10, 10), np.uint8)
    for name, (low, high) in boxes.items():
        data[low:high] = int(name[1:])
    return LabelMap(data, GRID, TABLE)


def test_volumes_by_counting():
    volumes = structure_volumes(labelled(l1=(0, 2), l7=(5, 6)))
    assert [(v.index, v.name, v.voxels) for v in volumes] == [(1, "one", 200), (4, "four", 0), (7, "label 7", 100)]
    assert volumes[0].volume_ml == pytest.approx(200 * 10 / 1000)


def test_changes_and_their_percent_are_symmetric():
    first, second = labelled(l1=(0, 4)), labelled(l1=(1, 7), l9=(8, 9))
    there = {c.name: c for c in volume_changes(first, second, EVERYWHERE)}
    back = {c.name: c for c in volume_changes(second, first, EVERYWHERE)}
    assert there["one"].change_ml == pytest.approx(2.0)
    assert there["one"].change_percent == pytest.approx(40.0)
    assert back["one"].change_percent == pytest.approx(-40.0)
    assert there["one"].overlap == pytest.approx(dice(first.data == 1, second.data == 1))
    assert there["label 9"].change_percent == pytest.approx(200.0)
    assert there["four"].change_percent is None
    assert there["four"].overlap == 1.0


def test_what_one_scan_does_not_cover_is_left_out():
    covered = EVERYWHERE.copy()
    covered[4:] = False
    change = volume_changes(labelled(l1=(0, 4)), labelled(l1=(0, 9)), covered)[0]
    assert change.change_ml == 0


def test_masks_and_empty_maps():
    mask = LabelMap(np.zeros((10, 10, 10), bool), GRID, LabelTable(()))
    assert structure_volumes(mask) == ()
    assert volume_changes(mask, mask, EVERYWHERE) == ()


def test_shapes_must_fit():
    with pytest.raises(GeometryError, match="one grid"):
        volume_changes(labelled(), labelled(), EVERYWHERE[:5])


def test_mean_values():
    a = Volume(np.full((10, 10, 10), 30, np.int16), GRID)
    b = a.with_data(np.full((10, 10, 10), 36, np.int16))
    assert mean_values(a, b, EVERYWHERE) == (30.0, 36.0, 6.0)
    assert np.isnan(mean_values(a, b, ~EVERYWHERE)).all()
