"""The hippocampus: sides, sizes and places on made crops and heads with a fake network, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hippocampus_phantoms import BRAIN, PART_MM3, crop, fake_network, head
from scipy import ndimage

from cormack.core.errors import ExtractionError, InputError, ValuesError
from cormack.core.volume import Unit, Volume
from cormack.measure.overlap import dice
from cormack.segment import hippocampus
from cormack.segment.hippocampus import segment_hippocampus
from cormack.segment.hippocampus_views import likeliest


@pytest.fixture(autouse=True)
def network(monkeypatch):
    """The fake in place of the packaged network."""
    monkeypatch.setattr(hippocampus, "load_network", lambda name: fake_network())


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (0.8, 1.2, 1.0)])
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("flipped", [False, True])
def test_both_parts_of_a_crop_have_their_size_and_place(spacing, right, flipped):
    volume = crop(right=right, spacing=spacing, codes_flipped=flipped)
    found = segment_hippocampus(volume)
    assert found.labels.on_grid_of(volume)
    assert ("right" if right else "left") in found.labels.description
    for label, y in ((1, 6.75), (2, -6.75)):
        middle = volume.world(np.argwhere(found.labels.data == label)).mean(axis=0)
        np.testing.assert_allclose(middle[:2], (0, y), atol=1.0)
    for name in ("anterior hippocampus", "posterior hippocampus"):
        volume_mm3 = found.record["VolumesMm3"][name]
        assert volume_mm3 == pytest.approx(PART_MM3, rel=0.12)
        assert volume_mm3 == pytest.approx(1000 * found.volumes_ml()[name], abs=0.1)
        assert found.record["ViewsMeanMm3"][name] == pytest.approx(volume_mm3, rel=0.15)
        assert 0 < found.record["ViewsSdMm3"][name] < 0.1 * PART_MM3
    whole = found.record["VolumesMm3"]["hippocampus"]
    assert whole == pytest.approx(sum(1000 * v for v in found.volumes_ml().values()), abs=0.1)
    assert not found.findings


def mirrored_header(volume):
    """The same voxels under a header that exchanges left and right."""
    return replace(volume, affine=np.diag([-1.0, 1, 1, 1]) @ volume.affine)


def test_a_header_that_exchanges_left_and_right_exchanges_sides_and_nothing_else():
    one, other = segment_hippocampus(crop()), segment_hippocampus(mirrored_header(crop()))
    assert ("a left one" in one.labels.description, "a right one" in other.labels.description) == (True, True)
    np.testing.assert_array_equal(one.labels.data, other.labels.data)
    one, other = segment_hippocampus(head()), segment_hippocampus(mirrored_header(head()))
    for label, swapped in ((1, 3), (2, 4), (3, 1), (4, 2)):
        assert dice(one.labels.data == label, other.labels.data == swapped) > 0.95


def test_voxels_of_a_third_of_a_millimetre_are_averaged():
    # Along y voxels divide a millimetre: the mean of both parts would be the grey of the brain to the fake network.
    volume = crop(spacing=(0.3, 0.25, 0.3))
    found = segment_hippocampus(volume)
    assert found.labels.on_grid_of(volume)
    assert found.record["VolumesMm3"]["hippocampus"] == pytest.approx(2 * PART_MM3, rel=0.12)


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (40.0, -25.0, 60.0)])
def test_both_sides_of_a_head_are_found(shift):
    volume = head(shift)
    found = segment_hippocampus(volume)
    places = {1: (-26, 2), 2: (-26, -12), 3: (26, 2), 4: (26, -12)}
    for label, (x, y) in places.items():
        middle = volume.world(np.argwhere(found.labels.data == label)).mean(axis=0) - shift
        np.testing.assert_allclose(middle[:2], (x, y), atol=2.0)
        assert 1000 * found.labels.volume_ml(label) == pytest.approx(PART_MM3, rel=0.2)
    assert set(found.record["VolumesMm3"]) >= {"left hippocampus", "right hippocampus"}


def test_a_side_that_is_missing_is_said():
    found = segment_hippocampus(head(sides=("right",)))
    assert [finding.code for finding in found.findings] == ["hippocampus-missing"]
    assert set(np.unique(found.labels.data)) == {0, 3, 4}


def test_a_crop_at_the_edge_and_coarse_voxels_are_told_of():
    volume = crop(spacing=(1.0, 2.0, 1.0))
    cut = Volume(volume.data[:, 6:], volume.affine, volume.unit, volume.outside)
    found = segment_hippocampus(cut)
    assert {finding.code for finding in found.findings} == {"coarse-voxels", "hippocampus-cut"}


def test_pieces_apart_from_the_largest_are_told_of():
    volume = crop()
    torn = volume.data.copy()
    middle = torn.shape[1] // 2
    torn[:, middle + 4 : middle + 9] = BRAIN
    found = segment_hippocampus(volume.with_data(torn))
    (finding,) = (finding for finding in found.findings if finding.code == "hippocampus-pieces")
    assert ndimage.label(found.labels.data > 0)[1] == 1
    lost = 1 - np.count_nonzero(found.labels.data) / np.count_nonzero(segment_hippocampus(volume).labels.data)
    assert 0.1 < lost < 0.7
    assert finding.evidence["apart_mm3"] > 100


def test_what_is_no_mr_is_refused():
    with pytest.raises(ValuesError, match="not in HU"):
        segment_hippocampus(replace(crop(), unit=Unit.HU))


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        (crop(spacing=(1.0, 1.0, 4.0)), "4.0 mm long"),
        (Volume(np.ones((10, 40, 30)), np.eye(4), Unit.ARBITRARY, 0.0), "10 x 40 x 30 mm"),
    ],
)
def test_what_cannot_hold_a_hippocampus_is_refused(volume, told):
    with pytest.raises(InputError, match=told):
        segment_hippocampus(volume)


@pytest.mark.parametrize("shape", [(36, 52, 36), (80, 100, 80)])
def test_an_image_without_a_hippocampus_is_an_extraction_error(shape):
    noise = np.random.default_rng(0).normal(100, 1, shape).astype(np.float32)
    noise[:10] = 5
    with pytest.raises(ExtractionError, match="no hippocampus"):
        segment_hippocampus(Volume(noise, np.eye(4), Unit.ARBITRARY, 0.0))


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="auto, crop, head"):
        segment_hippocampus(crop(), method="left")


def test_a_voxel_of_either_part_is_hippocampus_though_the_background_beats_each_of_them() -> None:
    probability = np.array([[0.35, 0.2, 0.9, 0.0], [0.25, 0.2, 0.05, 0.6]], dtype=np.float32)
    assert likeliest(probability).tolist() == [1, 0, 1, 2]
