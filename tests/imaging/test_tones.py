import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from cormack.core.errors import InputError
from cormack.core.volume import Unit, Volume
from cormack.imaging.tissues import TISSUES
from cormack.imaging.windows import (
    WINDOWS,
    all_range_tones,
    auto_window,
    equalised_tones,
    linear_tones,
    sigmoid_tones,
    tones_by_name,
    window_by_name,
)

HU = np.arange(-1024, 3072, dtype=np.float64)


@pytest.mark.parametrize(("function", "tones"), [("LINEAR_EXACT", linear_tones), ("SIGMOID", sigmoid_tones)])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_dicom(name, function, tones):
    ds = Dataset()
    ds.WindowCenter, ds.WindowWidth = WINDOWS[name].level_hu, WINDOWS[name].width_hu
    ds.VOILUTFunction, ds.PhotometricInterpretation = function, "MONOCHROME2"
    ds.BitsStored, ds.PixelRepresentation = 12, 1
    with np.errstate(over="ignore"):
        theirs = apply_windowing(HU.astype(np.int16), ds)
    theirs = (theirs + 2048) / 4095  # pydicom gives the range of 12 signed bits
    np.testing.assert_allclose(tones(WINDOWS[name])(HU), theirs, atol=2e-4)


def test_all_range_grows_and_gives_soft_tissue_a_third():
    tones = all_range_tones()(HU)
    assert (tones[0], tones[-1]) == (0, 1)
    assert np.diff(tones).min() >= 0
    soft = all_range_tones()(np.array([-100.0, 100.0]))
    assert soft[1] - soft[0] == pytest.approx(1 / 3, abs=0.02)


def test_equalised_tones_occur_equally_often():
    rng = np.random.default_rng(0)
    data = np.where(rng.random((40, 40, 40)) < 0.5, -1000, rng.exponential(100, (40, 40, 40)) - 100)
    volume = Volume(data.astype(np.float32), np.eye(4))
    tones = equalised_tones(volume)(volume.data[volume.data > -900])
    shares = np.histogram(tones, bins=10, range=(0, 1))[0] / tones.size
    np.testing.assert_allclose(shares, 0.1, atol=0.02)


@pytest.mark.parametrize("value", [-1024, 0, 7])
def test_constant_volumes_have_tones(value):
    volume = Volume(np.full((5, 5, 5), value, np.int16), np.eye(4), unit=Unit.ARBITRARY)
    for name in ("auto", "equalised", "brain"):
        assert np.isfinite(tones_by_name(name, volume)(volume.data)).all()


def test_windows_by_name_or_numbers():
    assert window_by_name("-600,1500") == WINDOWS["lung"]
    for wrong in ("brian", "40", "40,0", "40,-5", "a,b"):
        with pytest.raises(InputError, match="LEVEL,WIDTH"):
            window_by_name(wrong)
    mr = Volume(np.arange(1000.0).reshape(10, 10, 10), np.eye(4), unit=Unit.ARBITRARY)
    assert auto_window(mr).width_hu == pytest.approx(985, rel=0.01)
    with pytest.raises(InputError, match="Hounsfield"):
        tones_by_name("all-range", mr)


def test_tissues_have_ranges_in_order():
    assert all(tissue.low_hu < tissue.high_hu for tissue in TISSUES)
    assert len({tissue.name for tissue in TISSUES}) == len(TISSUES)
