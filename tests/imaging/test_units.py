import numpy as np
import pytest

from cormack.core.errors import ValuesError
from cormack.core.volume import Unit, Volume
from cormack.imaging.units import cormack_to_hu, hu_to_cormack, to_unit


def test_published_anchor_points():
    # Rorden et al. 2012: soft tissue from -100 to 100 HU takes 900 to 2900 units, the rest is shifted.
    hu = [-1000, -500, -100, -50, 0, 40, 100, 101, 2000]
    expected = [0, 500, 900, 1400, 1900, 2300, 2900, 2901, 4800]
    assert hu_to_cormack(hu).tolist() == expected


def test_pair_inverts_every_whole_hu():
    hu = np.arange(-1000, 3072)
    back = cormack_to_hu(hu_to_cormack(hu))
    np.testing.assert_array_equal(back, hu)


def test_values_below_air_are_clamped():
    assert hu_to_cormack(-3024) == 0
    assert cormack_to_hu(hu_to_cormack(-3024)) == -1000


def test_volume_keeps_whole_numbers_whole_and_says_its_unit():
    volume = Volume(np.full((3, 3, 3), 40, dtype=np.int16), np.eye(4))
    converted = to_unit(volume, Unit.CORMACK)
    assert converted.unit is Unit.CORMACK
    assert converted.data.dtype == np.int16
    assert converted.data[0, 0, 0] == 2300
    assert converted.outside == 0
    assert to_unit(converted, Unit.HU).data[0, 0, 0] == 40


def test_other_units_are_refused():
    volume = Volume(np.zeros((3, 3, 3), dtype=np.float32), np.eye(4), unit=Unit.PROBABILITY)
    with pytest.raises(ValuesError, match="cannot convert probability"):
        to_unit(volume, Unit.HU)
