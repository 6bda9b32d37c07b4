from __future__ import annotations

import numpy as np
import pytest
from extract_phantoms import head_phantom, load_head

from cormack.core.errors import ExtractionError
from cormack.core.volume import Volume
from cormack.extract.head import head_mask
from cormack.measure.overlap import dice


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 2.0), (1.0, 1.0, 5.0)])
@pytest.mark.parametrize("table", [False, True])
def test_head_and_neck_without_the_table_they_lie_on(spacing_mm, table):
    phantom = head_phantom(spacing_mm, table=table)
    mask = head_mask(phantom.volume)
    assert mask.table["head"].index == 1
    assert dice(mask, phantom.head) > 0.985
    x = np.abs(np.arange(phantom.volume.shape[0]) * spacing_mm[0] - 90) > 84
    assert not mask.data[x].any()


def test_skull_sinuses_and_an_airway_open_below_belong_to_it(phantom):
    data = phantom.volume.data.copy()
    data[40:48, 70:77, 10:30] = -1000
    data[40:46, 75:81, :15] = -1000
    mask = head_mask(phantom.volume.with_data(data))
    np.testing.assert_array_equal(mask.data[40:46, 70:81, 2:15], 1)
    assert mask.data[phantom.volume.data == 1000].all()


def test_noise_leaves_no_holes():
    phantom = head_phantom(noise_hu=60.0)
    fat = np.where((phantom.volume.data > -200) & (phantom.volume.data < 25), -90, phantom.volume.data)
    mask = head_mask(phantom.volume.with_data(fat.astype(np.int16)))
    assert dice(mask, phantom.head) > 0.97


@pytest.mark.parametrize("hu", [-1000, -400])
def test_without_tissue_it_says_so(hu):
    with pytest.raises(ExtractionError, match="head CT in HU is expected"):
        head_mask(Volume(np.full((40, 40, 40), hu, np.int16), np.diag([3.0, 3.0, 3.0, 1.0])))


def test_a_field_of_view_filled_with_tissue_is_head():
    volume = Volume(np.full((40, 40, 40), 30, np.int16), np.diag([3.0, 3.0, 3.0, 1.0]))
    assert head_mask(volume).data.all()


def test_a_real_head_lies_free_of_its_headrest(shared_data):
    volume = load_head(shared_data / "head_ct" / "ge_tilted")
    mask = head_mask(volume)
    assert 3200 < mask.volume_ml() < 3400
    # The shell of the headrest is the outermost thing in every slice.
    bright = volume.data > -100
    outer = np.flatnonzero(bright.any(axis=(1, 2)))[[0, -1]]
    assert not mask.data[outer].any()
