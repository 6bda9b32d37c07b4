"""The demonstration scan."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.demo import DemoOptions, demo
from cormack.physics.screen import text_page


@pytest.fixture(scope="module")
def small():
    return demo(DemoOptions(slices=6, thickness_mm=20.0, pixels=96))


def test_it_is_tilted_padded_and_shows_a_head(small):
    assert small.head.tilt_deg == pytest.approx(-18.0)
    assert small.head.data.shape == (96, 96, 6)
    assert (small.head.data[0, 0] == -3024).all()
    middle = small.head.data[36:60, 36:60, 3]
    assert 15 < np.median(middle) < 45
    assert small.head.data.max() > 700


def test_localizers_show_the_head_from_two_sides(small):
    side, front = small.localizers
    assert "LOCALIZER" in side.acquisition.image_type
    assert abs(side.normal[0]) == pytest.approx(1.0)
    assert abs(front.normal[1]) == pytest.approx(1.0)
    for view in small.localizers:
        assert view.data.shape == (170, 150, 1)
        assert view.data[85, 70, 0] > 300
        assert view.data[2, 2, 0] < -900


def test_the_dose_page_is_text(small):
    assert small.dose_page.shape == (512, 512)
    assert set(np.unique(small.dose_page)) == {0, 255}


def test_text_is_drawn_dot_by_dot():
    page = text_page(["I"], rows=40, columns=40, scale=1)
    letter = page[20:27, 20:25] // 255
    np.testing.assert_array_equal(letter[:, 2], np.ones(7))
    np.testing.assert_array_equal(letter[0], [0, 1, 1, 1, 0])
    assert text_page(["", "x" * 500], rows=30, columns=30).shape == (30, 30)


@pytest.mark.parametrize("wrong", [{"tilt_deg": 40.0}, {"slices": 1}, {"thickness_mm": 0.0}, {"noise_hu": -1.0}])
def test_options_out_of_range_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        DemoOptions(**wrong)
