"""Segmentations that highdicom wrote come back voxel by voxel, in place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import RLELossless
from synthetic import Recipe, datasets, positions_lps

from cormack.core.errors import DicomError, GeometryError
from cormack.dicom.segmentation import is_segmentation, read_segmentation
from segmentations import segmentation

#: 7 x 9 pixels: frames of one bit each begin within a byte.
RECIPE = Recipe(n=6, rows=7, columns=9, tilt_deg=-15.0)


@pytest.fixture
def images():
    made = datasets(RECIPE)
    for k, image in enumerate(made):
        image.PatientID, image.PatientName, image.StudyID, image.AccessionNumber = "P", "P", "1", "1"
        image.PatientSex = image.PatientBirthDate = image.StudyDate = image.StudyTime = ""
        image.ReferringPhysicianName, image.FrameOfReferenceUID = "", "1.2.3.4.5"
        image.InstanceNumber, image.SliceThickness = k + 1, 5
    return made


def masks(segments, seed=0):
    """Segments apart from each other, slices of some of them empty; shape (images, rows, columns, segments)."""
    drawn = np.random.default_rng(seed).integers(0, segments + 1, (6, 7, 9, 1))
    made = (drawn == np.arange(1, segments + 1)).astype(np.uint8)
    made[0], made[3, ..., 0], made[5, ..., -1] = 0, 0, 0
    return made


def numbers(given):
    """Numbers of segments, shape (columns, rows, images)."""
    return np.max(given * np.arange(1, given.shape[3] + 1), axis=3).transpose(2, 1, 0)


@pytest.mark.parametrize("empty_left_out", [True, False])
def test_bits_of_several_segments(tmp_path, images, empty_left_out):
    given = masks(2)
    path = segmentation(tmp_path / "s.dcm", images, given, omit_empty_frames=empty_left_out)
    assert is_segmentation(path)
    read = read_segmentation(path)
    kept = slice(1 if empty_left_out else 0, None)
    np.testing.assert_array_equal(read.slices.data, numbers(given)[..., kept])
    np.testing.assert_allclose(read.slices.origins, (positions_lps(RECIPE) * (-1, -1, 1))[kept], atol=1e-4)
    assert np.linalg.norm(read.slices.step_i) == pytest.approx(RECIPE.spacing[1])
    assert np.linalg.norm(read.slices.step_j) == pytest.approx(RECIPE.spacing[0])
    assert [(s.number, s.name, s.color, s.snomed_ct) for s in read.segments] == [
        (1, "one", (255, 0, 0), "12738006"), (2, "two", (0, 160, 80), "12738006"),
    ]  # fmt: skip
    assert (read.overlap, read.series_uid) == (0, RECIPE.series_uid)


def test_overlapping_segments_are_counted_and_the_later_one_stands(tmp_path, images):
    given = np.zeros((6, 7, 9, 2), np.uint8)
    given[2, 1:5, 1:5, 0] = given[2, 3:6, 3:6, 1] = 1
    read = read_segmentation(segmentation(tmp_path / "s.dcm", images, given))
    assert read.overlap == 4
    np.testing.assert_array_equal(read.slices.data, numbers(given)[..., 2:3])


@pytest.mark.parametrize("compressed", [False, True])
def test_fractions_count_from_a_half(tmp_path, images, compressed):
    given = np.linspace(0, 1, 6 * 7 * 9).reshape(6, 7, 9)[..., None]
    path = segmentation(tmp_path / "s.dcm", images, given, "FRACTIONAL", max_fractional_value=200)
    if compressed:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
        dataset.save_as(path)
    read = read_segmentation(path)
    np.testing.assert_array_equal(read.slices.data, numbers(np.rint(given * 200) >= 100))


def test_a_label_map(tmp_path, images):
    given = numbers(masks(3)).transpose(2, 1, 0).astype(np.uint8)
    read = read_segmentation(segmentation(tmp_path / "s.dcm", images, given, "LABELMAP", omit_empty_frames=False))
    np.testing.assert_array_equal(read.slices.data, given.transpose(2, 1, 0))
    assert [segment.name for segment in read.segments] == ["one", "two", "three"]


def test_pydicoms_example_of_one_frame_without_its_number():
    path = Path(get_testdata_file("liver_1frame.dcm"))
    read = read_segmentation(path)
    np.testing.assert_array_equal(read.slices.data[..., 0], pydicom.dcmread(path).pixel_array.T)
    assert [segment.name for segment in read.segments] == ["Liver"]


def test_what_is_broken(tmp_path, images):
    path = segmentation(tmp_path / "s.dcm", images, masks(1))
    dataset = pydicom.dcmread(path)
    dataset.PixelData = dataset.PixelData[:8]
    dataset.save_as(tmp_path / "short.dcm")
    with pytest.raises(DicomError, match=r"cut short|broken"):
        read_segmentation(tmp_path / "short.dcm")
    turned = pydicom.dcmread(path)
    place = turned.PerFrameFunctionalGroupsSequence[0]
    place.PlaneOrientationSequence = [pydicom.Dataset()]
    place.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    turned.save_as(tmp_path / "turned.dcm")
    with pytest.raises(GeometryError, match="not parallel"):
        read_segmentation(tmp_path / "turned.dcm")
    del place.PlanePositionSequence
    turned.save_as(tmp_path / "nowhere.dcm")
    with pytest.raises(DicomError, match="state no place"):
        read_segmentation(tmp_path / "nowhere.dcm")
    (tmp_path / "text").write_text("nothing")
    assert not is_segmentation(tmp_path / "text")
    assert not is_segmentation(tmp_path)
