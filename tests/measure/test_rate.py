import pytest

from cormack.measure.rate import MeasuredVolume, VolumeRate


def test_rate_by_hand():
    # 3400 to 3200 mm³ in two years: -200 of 3300 is -6.06 %, half of it a year; the errors add as squares: 50 mm³.
    rate = VolumeRate("hippocampus", MeasuredVolume(3400, 30), MeasuredVolume(3200, 40), 2.0)
    assert rate.change_mm3 == -200
    assert rate.change_percent == pytest.approx(-100 * 200 / 3300)
    assert rate.percent_per_year == pytest.approx(-100 * 100 / 3300)
    assert rate.percent_per_year_sd == pytest.approx(100 * 50 / 3300 / 2)


def test_exchanging_the_times_changes_the_sign_alone():
    one, other = MeasuredVolume(100.0), MeasuredVolume(150.0)
    there, back = VolumeRate("x", one, other, 1.0), VolumeRate("x", other, one, 1.0)
    assert there.percent_per_year == pytest.approx(-back.percent_per_year)


def test_what_is_not_known_is_none():
    rate = VolumeRate("x", MeasuredVolume(0.0, 1.0), MeasuredVolume(0.0, None), 1.0)
    assert rate.change_percent is None
    assert rate.percent_per_year is None
    assert rate.percent_per_year_sd is None
