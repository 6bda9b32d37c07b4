"""Both methods behind one door, against a made thorax whose lungs are known, and a real scan with automatic labels."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from chest_scans import nodule_shares, scan

from cormack.core.errors import ExtractionError, InputError, ValuesError
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import read_stack
from cormack.imaging.condition import condition
from cormack.imaging.orient import reorient
from cormack.imaging.rectify import rectify
from cormack.measure.overlap import dice
from cormack.physics.thorax import LEFT, RIGHT, ThoraxParameters
from cormack.segment.lungs import BOTH_LUNGS, LUNGS, METHODS, segment_lungs


def codes(found):
    return [finding.code for finding in found.findings]


@pytest.fixture(scope="module")
def found(chest):
    return segment_lungs(chest[2])


def test_right_and_left_lung_agree_with_the_truth(chest, found):
    _, _, volume, truth = chest
    assert found.labels.on_grid_of(volume)
    for index in (1, 2):
        assert dice(found.labels.data == index, truth == index) > 0.98
        exact_ml = np.count_nonzero(truth == index) * volume.voxel_volume_ml
        assert found.labels.volume_ml(index) == pytest.approx(exact_ml, rel=0.015)
    assert found.volumes_ml() == {label.name: found.labels.volume_ml(label.index) for label in LUNGS}
    assert found.findings == ()


def test_no_nodule_at_the_wall_is_lost(chest, found):
    thorax, _, volume, _ = chest
    inside = found.labels.data > 0
    walls = nodule_shares(thorax, volume, inside, "wall")
    assert len(walls) == 7
    assert min(walls) > 0.6
    assert np.mean(nodule_shares(thorax, volume, inside, "hilum")) > 0.5


def test_the_recipe_by_slices_swells_and_keeps_the_trachea(chest, found):
    thorax, _, volume, truth = chest
    recipe = segment_lungs(volume, method="slices")
    assert recipe.labels.table is BOTH_LUNGS
    mask = recipe.labels.mask()
    assert 0.7 < dice(mask, truth > 0) < dice(found.labels.data > 0, truth > 0)
    trachea = tuple(np.rint(volume.voxel((0.0, -17.0, 90.0))).astype(int))
    assert mask[trachea]
    assert found.labels.data[trachea] == 0
    assert np.count_nonzero(mask) > 1.2 * np.count_nonzero(truth)
    low = min(nodule_shares(thorax, volume, mask, "wall"))
    assert low < min(nodule_shares(thorax, volume, found.labels.data > 0, "wall"))


@pytest.mark.parametrize(
    ("parameters", "how", "expected"),
    [
        (ThoraxParameters(prone=True), {}, []),
        (ThoraxParameters(lung_hu=-930.0), {}, []),
        (ThoraxParameters(sides=(RIGHT,)), {}, ["one-lung"]),
        (ThoraxParameters(sides=(LEFT,)), {}, ["one-lung"]),
        (None, {"field_of_view_mm": 350.0}, []),
        (None, {"slice_mm": 5.0}, []),
        (None, {"long_mm": 140.0, "center_mm": (0.0, 0.0, -110.0)}, ["lungs-cut"]),
        (None, {"long_mm": 120.0, "center_mm": (0.0, 0.0, 90.0)}, ["lungs-cut"]),
    ],
    ids=["prone", "emphysema", "right alone", "left alone", "padded", "5 mm", "cut above", "cut below"],
)
def test_patients_and_scans_that_differ(parameters, how, expected):
    _, _, volume, truth = scan(parameters, **how)
    found = segment_lungs(volume)
    assert codes(found) == expected
    for index in (1, 2):
        assert dice(found.labels.data == index, truth == index) > 0.98


def test_lungs_that_touch_are_parted(monkeypatch):
    monkeypatch.setattr("cormack.physics.thorax_parts.JUNCTION_MM", 0.4)
    _, _, volume, truth = scan()
    found = segment_lungs(volume)
    assert dice(found.labels.data == 1, truth == 1) > 0.97
    assert dice(found.labels.data == 2, truth == 2) > 0.97


def test_the_orientation_of_the_voxel_axes_does_not_matter(chest, found):
    _, _, volume, _ = chest
    data, affine = reorient(volume.data, volume.affine, "PSL")
    turned = segment_lungs(Volume(np.asfortranarray(data), affine))
    back, _ = reorient(turned.labels.data, affine)
    np.testing.assert_array_equal(back, found.labels.data)


def test_values_that_were_not_measured_are_outside(chest, found):
    _, _, volume, _ = chest
    data = volume.data.astype(np.float32)
    data[:4] = np.nan
    assert dice(segment_lungs(volume.with_data(data)).labels.data > 0, found.labels.data > 0) > 0.999


@pytest.mark.parametrize("method", METHODS)
def test_a_scan_without_lungs_is_refused(method):
    ball = np.full((60, 60, 50), -1000, np.int16)
    i, j, k = np.ogrid[-30:30, -30:30, -25:25]
    ball[i**2 + j**2 + k**2 < 22**2] = 40
    ball[i**2 + j**2 + k**2 < 19**2] = 30
    with pytest.raises(ExtractionError, match="no lungs"):
        segment_lungs(Volume(ball, np.diag([4.0, 4.0, 4.0, 1.0])), method=method)


def test_bad_input_is_named():
    air = np.full((20, 20, 20), -1000, np.int16)
    air[:2] = 0
    volume = Volume(air, np.eye(4))
    with pytest.raises(ExtractionError, match="trunk"):
        segment_lungs(volume)
    with pytest.raises(InputError, match="3d or slices"):
        segment_lungs(volume, method="4d")
    with pytest.raises(ValuesError, match="convert the volume"):
        segment_lungs(replace(volume, unit=Unit.ARBITRARY))
    with pytest.raises(ValuesError, match="MR"):
        segment_lungs(Volume(np.arange(8000, dtype=np.int16).reshape(20, 20, 20) % 300, np.eye(4)))


def test_a_real_abdomen_with_lung_bases_against_automatic_labels(shared_data):
    """The labels are those of a network, not truth; most of the air in this scan is in the bowel."""
    folder = shared_data / "chest_ct"
    stack, _ = read_stack(folder / "example_ct_sm.nii.gz", assume_mm=True)
    volume = rectify(condition(stack).stack).volume
    found = segment_lungs(volume)
    lobes = np.asarray(nib.load(folder / "example_seg.nii.gz").dataobj)
    assert dice(found.labels.data == 1, np.isin(lobes, (12, 13, 14))) > 0.95
    assert dice(found.labels.data == 2, np.isin(lobes, (10, 11))) > 0.94
    assert codes(found) == ["lungs-cut"]
