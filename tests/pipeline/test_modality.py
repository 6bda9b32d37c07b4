"""Which modality a scan is taken for: by what was asked, sidecar, header, values."""

import json

import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import SeriesError, ValuesError
from cormack.core.volume import SliceStack, Unit
from cormack.dicom.rules import DEFAULT_RULES, MR_PREFERENCES, SelectionRules, for_mr
from cormack.imaging.condition import condition_intensities, looks_like_ct
from cormack.pipeline.grids import condition
from cormack.pipeline.load import Loaded, locate
from cormack.pipeline.modality import as_modality, choose_series, modality_of_sidecar, modality_of_values
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Silent

RNG = np.random.default_rng(7)


def ct_values(shape=(40, 40, 40)):
    """A ball of soft tissue within bone in air, in HU."""
    i, j, k = np.ogrid[tuple(slice(0, n) for n in shape)]
    radius = np.sqrt((i - 20) ** 2 + (j - 20) ** 2 + (k - 20) ** 2)
    hu = np.where(radius < 15, 35, np.where(radius < 17, 900, -1000))
    return (hu + RNG.normal(0, 6, shape)).astype(np.int16)


def mr_values(shape=(40, 40, 40)):
    """The same form with intensities of an MR, noise in the air."""
    i, j, k = np.ogrid[tuple(slice(0, n) for n in shape)]
    radius = np.sqrt((i - 20) ** 2 + (j - 20) ** 2 + (k - 20) ** 2)
    bright = np.where(radius < 9, 520, np.where(radius < 15, 380, np.where(radius < 17, 800, 0)))
    return np.hypot(bright + RNG.normal(0, 20, shape), RNG.normal(0, 20, shape)).astype(np.int16)


def stack(data):
    origins = np.arange(data.shape[2])[:, None] * np.array([0.0, 0.0, 1.0])
    return SliceStack(data, [1.0, 0, 0], [0, 1.0, 0], origins)


def write(path, data):
    image = nib.Nifti1Image(data, np.eye(4))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def located(path, modality="auto"):
    return locate(path, LoadOptions(modality=modality), Silent())


@pytest.mark.parametrize(
    ("values", "modality", "unit"), [(ct_values, "CT", Unit.HU), (mr_values, "MR", Unit.ARBITRARY)]
)
def test_values_tell(values, modality, unit, tmp_path):
    data = values()
    found = located(write(tmp_path / "scan.nii.gz", data))
    assert found.modality == modality
    for _ in range(2):
        loaded = found.load(Silent())
        assert (loaded.stack.unit, loaded.stack.acquisition.modality) == (unit, modality)
        np.testing.assert_array_equal(loaded.stack.data, data)


def test_what_is_stated_comes_before_values(tmp_path):
    path = write(tmp_path / "scan.nii.gz", mr_values())
    sidecar = tmp_path / "scan.json"
    assert modality_of_sidecar(path) is None
    for text, expected in (
        ({"Modality": "CT"}, "CT"),
        ({"Modality": "MR", "Units": "HU"}, "MR"),
        ({"Units": "arbitrary"}, "MR"),
        ({"Units": "HU"}, "CT"),
        ({"Units": "Cormack"}, "CT"),
        ({"Modality": "PT"}, None),
        (["no object"], None),
    ):
        sidecar.write_text(json.dumps(text))
        assert modality_of_sidecar(path) == expected
    sidecar.write_text('{"Modality": "CT"}')
    assert located(path).modality == "CT"
    assert located(path, "MR").modality == "MR"
    sidecar.write_text("{")
    assert located(path).modality == "MR"


def test_other_commands_take_every_nifti_for_a_ct(tmp_path):
    found = locate(write(tmp_path / "scan.nii.gz", mr_values()), LoadOptions(), Silent())
    assert (found.modality, found.load(Silent()).stack.unit) == ("CT", Unit.HU)


@pytest.mark.parametrize("offset", [0, 1024, 1000])
def test_a_ct_given_as_mr_is_refused(offset):
    values = np.maximum(ct_values(), -1000) + offset
    assert looks_like_ct(values)
    with pytest.raises(ValuesError, match="say --modality CT"):
        condition_intensities(as_modality(stack(values.astype(np.int16)), "MR"))
    assert not looks_like_ct(mr_values())
    assert modality_of_values(stack(values.astype(np.int16))) == ("CT" if offset == 0 else "MR")


def test_an_mr_given_as_ct_is_refused():
    loaded = Loaded(as_modality(stack(mr_values()), "CT"))
    with pytest.raises(ValuesError, match="looks like an MR"):
        condition(loaded, LoadOptions(modality="CT"))


def test_what_was_never_measured_becomes_0_and_nothing_else_changes():
    data = mr_values().astype(np.float32)
    data[0, 0, :3], data[1, 1, 1] = np.nan, -2000
    kept = condition_intensities(as_modality(stack(data), "MR"), [-2000.0]).data
    assert (kept[0, 0, :3] == 0).all()
    assert kept[1, 1, 1] == 0
    np.testing.assert_array_equal(kept[2:], data[2:])
    scaled = (data[2:] - data[2:].mean()) / data[2:].std()
    np.testing.assert_array_equal(condition_intensities(as_modality(stack(scaled), "MR")).data, scaled)
    with pytest.raises(ValuesError, match="constant"):
        condition_intensities(as_modality(stack(np.full((4, 4, 4), np.nan, np.float32)), "MR"))


class _Inventory:
    def __init__(self, *series):
        self.series = series


def test_rules_of_mr_leave_the_users_preferences():
    assert for_mr(DEFAULT_RULES).preferences == MR_PREFERENCES
    own = SelectionRules(preferences=("coverage",))
    assert for_mr(own) == SelectionRules(modality="MR", preferences=("coverage",))


def test_nothing_to_choose_is_told_in_the_words_of_what_was_asked_for():
    for modality, word in (("CT", "CT"), ("MR", "MR"), ("auto", "CT")):
        with pytest.raises(SeriesError, match=f"no series here is a volume of {word}"):
            choose_series(_Inventory(), LoadOptions(modality=modality))
