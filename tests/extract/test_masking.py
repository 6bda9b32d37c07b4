from __future__ import annotations

import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.extract.masking import apply_mask

VOLUME = Volume(np.array([[[-2000, -1024, 0], [40, 3071, 7]]], np.int16), np.eye(4))
INSIDE = np.array([[[1, 1, 1], [1, 1, 0]]], np.uint8)
MASK = LabelMap(INSIDE, np.eye(4), BRAIN)


def test_outside_is_air_unless_asked_otherwise():
    masked = apply_mask(VOLUME, MASK)
    assert masked.data.tolist() == [[[-2000, -1024, 0], [40, 3071, -1024]]]
    assert masked.data.dtype == np.int16
    assert masked.outside == -1024
    assert masked.unit is Unit.HU


def test_outside_as_nan():
    masked = apply_mask(VOLUME, MASK, outside="nan")
    assert np.isnan(masked.data[0, 1, 2])
    assert np.isnan(masked.outside)
    np.testing.assert_array_equal(masked.data[INSIDE > 0], VOLUME.data[INSIDE > 0])


def test_shifted_values_inside_are_never_zero():
    masked = apply_mask(VOLUME, MASK, outside="shift")
    assert masked.data.tolist() == [[[1, 1, 1025], [1065, 4096, 0]]]
    assert masked.unit is Unit.SHIFTED_HU
    assert masked.outside == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match='"air", "nan" or "shift"'):
        apply_mask(VOLUME, MASK, outside="zero")
    with pytest.raises(GeometryError, match="grid"):
        apply_mask(VOLUME, LabelMap(INSIDE, np.diag([2, 1, 1, 1]), BRAIN))
    with pytest.raises(InputError, match="Hounsfield"):
        apply_mask(VOLUME.with_data(VOLUME.data, unit=Unit.CORMACK), MASK)
