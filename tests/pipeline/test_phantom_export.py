"""The phantom as an export: read back by the house's own reader, whole, and the same again for the same seed."""

import numpy as np
import pydicom
import pytest

from cormack.core.errors import InputError, OutputError
from cormack.dicom.read import read_scan
from cormack.physics.demo import DemoOptions, demo
from cormack.pipeline.phantom import make_phantom_series

SMALL = {"slices": 8, "thickness_mm": 18.0, "pixels": 64}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return make_phantom_series(tmp_path_factory.mktemp("phantom") / "export", **SMALL)


def test_it_holds_a_scan_two_localizers_and_a_dose_page(export):
    files = sorted(p.relative_to(export.folder).parts[0] for p in export.folder.rglob("*.dcm"))
    assert files == ["S0001"] * 2 + ["S0002"] * 8 + ["S0999"]
    assert (export.slices, export.localizers) == (8, 2)
    assert 1300 < export.intracranial_volume_ml < 1600
    studies = {pydicom.dcmread(p, stop_before_pixels=True).StudyInstanceUID for p in export.folder.rglob("*.dcm")}
    assert len(studies) == 1


def test_the_reader_takes_the_head_as_it_was_scanned(export):
    scan = read_scan(export.folder)
    scanned = demo(DemoOptions(**SMALL)).head
    np.testing.assert_array_equal(scan.assembly.stack.data, scanned.data)
    np.testing.assert_allclose(scan.assembly.stack.origins, scanned.origins, atol=1e-6)
    assert scan.assembly.stack.tilt_deg == pytest.approx(-18.0, abs=1e-6)
    assert scan.assembly.padding_hu == (-3024.0,)


def test_the_header_lies_about_the_sign_of_the_tilt(export):
    header = pydicom.dcmread(next((export.folder / "S0002").iterdir()), stop_before_pixels=True)
    assert header.GantryDetectorTilt == 18.0


def test_the_same_options_give_the_same_files(export, tmp_path):
    again = make_phantom_series(tmp_path / "again", **SMALL)
    for path in sorted(export.folder.rglob("*.dcm")):
        assert (again.folder / path.relative_to(export.folder)).read_bytes() == path.read_bytes()


def test_a_folder_in_use_or_an_impossible_option_leaves_all_as_it_was(tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(OutputError):
        make_phantom_series(tmp_path, **SMALL)
    with pytest.raises(InputError, match="tilt_deg"):
        make_phantom_series(tmp_path / "new", tilt_deg=80.0)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
