"""What is written: read by pydicom, checked by DCMTK, dicom3tools and SimpleITK, whole or not at all."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from cormack.core.acquisition import Acquisition
from cormack.core.errors import OutputError, ValuesError
from cormack.core.volume import SliceStack
from cormack.dicom.write import (
    Series,
    Study,
    whole_folder,
    write_ct_series,
    write_localizer,
    write_secondary_capture,
)


@pytest.fixture
def stack():
    """A tilted stack with every value from -3024 to 3071 somewhere, and pixels that are not square."""
    data = np.linspace(-3024, 3071, 4 * 12 * 14).astype(np.int16).reshape(4, 12, 14).transpose(2, 1, 0)
    angle = np.radians(17)
    return SliceStack(
        data,
        np.array([-0.5, 0, 0]),
        0.75 * np.array([0, -np.cos(angle), np.sin(angle)]),
        np.array([[10.0, 20.0, 30.0 + 4.0 * k] for k in range(4)]),
        acquisition=Acquisition(modality="CT", kvp=120.0, slice_thickness_mm=4.0, convolution_kernel="STANDARD"),
    )


def test_pixels_and_positions_come_back(stack, tmp_path):
    for k, path in enumerate(write_ct_series(stack, tmp_path / "series", padding_hu=-3024)):
        ds = pydicom.dcmread(path)
        hu = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        np.testing.assert_array_equal(hu.T, stack.data[:, :, k])
        assert ds.PixelPaddingValue * ds.RescaleSlope + ds.RescaleIntercept == -3024
        np.testing.assert_allclose(ds.ImagePositionPatient, stack.origins[k] * [-1, -1, 1], atol=1e-9)
        assert list(ds.PixelSpacing) == [0.75, 0.5]
        assert ds.GantryDetectorTilt == pytest.approx(stack.tilt_deg)
        assert ds.PatientName == "PHANTOM^HEAD"


def test_the_stated_tilt_may_lie(stack, tmp_path):
    path = write_ct_series(stack, tmp_path / "series", series=Series(stated_tilt_deg=17.0))[0]
    assert pydicom.dcmread(path, stop_before_pixels=True).GantryDetectorTilt == 17.0


def test_simpleitk_reads_an_untilted_series(stack, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    upright = SliceStack(stack.data, np.array([-0.5, 0, 0]), np.array([0, -0.75, 0]), stack.origins)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(p) for p in write_ct_series(upright, tmp_path / "series")])
    image = reader.Execute()
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image).transpose(2, 1, 0), stack.data)
    for ijk in ((0, 0, 0), (13, 0, 0), (0, 11, 0), (3, 5, 3)):
        lps = image.TransformIndexToPhysicalPoint(ijk)
        np.testing.assert_allclose(np.array(lps) * [-1, -1, 1], upright.world(ijk), atol=1e-6)


def test_dicom3tools_finds_no_error(stack, tmp_path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed (Debian package dicom3tools)")
    study = Study("s")
    files = [
        *write_ct_series(stack, tmp_path / "ct", study=study, padding_hu=-3024),
        *write_localizer((stack,), tmp_path / "scout", study=study),
        write_secondary_capture(np.zeros((20, 30), np.uint8), tmp_path / "dose", study=study),
    ]
    for path in files:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr + said.stdout


def test_dcmtk_reads_it(stack, tmp_path):
    if shutil.which("dcmdump") is None:
        pytest.skip("DCMTK is not installed (Debian package dcmtk)")
    path = write_ct_series(stack, tmp_path / "ct", padding_hu=-3024)[0]
    said = subprocess.run(["dcmdump", "+P", "PixelPaddingValue", path], capture_output=True, text=True, check=True)
    assert "SS -2000" in said.stdout
    assert not said.stderr


def test_a_seed_names_the_same_things_alike(stack, tmp_path):
    def uids(name, study):
        files = write_ct_series(stack, tmp_path / name, study=study)
        return [pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID for f in files]

    assert uids("a", Study("x")) == uids("b", Study("x"))
    assert not set(uids("c", Study("y"))) & set(uids("d", Study("x")))
    assert len(set(uids("e", None))) == 4
    assert not set(uids("f", None)) & set(uids("g", None))


def test_a_localizer_and_a_dose_page_say_what_they_are(stack, tmp_path):
    scout = pydicom.dcmread(write_localizer((stack, stack), tmp_path / "scout")[1])
    assert "LOCALIZER" in scout.ImageType
    page = pydicom.dcmread(write_secondary_capture(np.eye(20, 30, dtype=np.uint8), tmp_path / "dose"))
    assert page.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
    np.testing.assert_array_equal(page.pixel_array, np.eye(20, 30))


def test_values_beyond_16_bits_are_refused_and_leave_nothing(stack, tmp_path):
    with pytest.raises(ValuesError, match="16 bits"):
        write_ct_series(stack, tmp_path / "series", series=Series(rescale_slope=0.01))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(stack, tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(OutputError, match="not an empty folder"):
        write_ct_series(stack, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_file_in_the_way_of_the_folder_is_an_output_error(stack, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_ct_series(stack, tmp_path / "file" / "series")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def fail():
        with whole_folder(tmp_path / "out") as partial:
            (partial / "half").write_text("")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        fail()
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "out") as partial:
        (partial / "all").write_text("")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "all").exists()
