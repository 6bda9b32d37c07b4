import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from cormack.dicom.read import read_scan


def datasets(folder):
    return [pydicom.dcmread(path) for path in sorted(Path(folder).iterdir())]


def write_nifti(path, data, affine, *, unit="mm"):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return path


@pytest.fixture(scope="module")
def rectified(export, tmp_path_factory):
    """The rectified volume of the phantom as NIfTI."""
    from cormack.cli.main import main

    path = tmp_path_factory.mktemp("rectified") / "head.nii.gz"
    assert main(["convert", str(export), str(path), "-q"]) == 0
    return path


def test_a_mask_goes_back_to_the_slices_it_came_from(cormack, export, rectified, tmp_path):
    image = nib.load(rectified)
    mask = (np.asarray(image.dataobj) > -200).astype(np.uint8)
    path = write_nifti(tmp_path / "mask.nii.gz", mask, image.affine)
    code, out, _ = cormack("native", path, export, tmp_path / "out", "--description", "Head mask")
    assert code == 0
    assert "36 slices, labels on" in out
    source = read_scan(export).assembly.stack
    where = {uid: k for k, uid in enumerate(source.sop_instance_uids)}
    made = datasets(tmp_path / "out")
    assert len(made) == 36
    both = total = 0
    for ds in made:
        k = where.pop(ds.SourceImageSequence[0].ReferencedSOPInstanceUID)
        np.testing.assert_allclose(ds.ImagePositionPatient, source.origins[k] * [-1, -1, 1], atol=1e-6)
        assert ds.SeriesDescription == "Head mask"
        drawn, native = ds.pixel_array.T > 0, source.data[:, :, k] > -200
        both += np.count_nonzero(drawn & native)
        total += np.count_nonzero(drawn) + np.count_nonzero(native)
    assert not where
    assert 2 * both / total > 0.98


def test_values_go_back_as_hounsfield_units(cormack, export, rectified, tmp_path):
    code, out, _ = cormack("native", rectified, export, tmp_path / "out", "--window", "600", "2800", "--series", "2")
    assert code == 0
    assert "36 slices, values on 36 of them" in out
    back = read_scan(tmp_path / "out").assembly.stack
    source = read_scan(export).assembly.stack
    tissue = (source.data > 0) & (source.data < 100)
    assert np.abs(back.data[tissue].astype(float) - source.data[tissue]).mean() < 10
    ds = datasets(tmp_path / "out")[0]
    assert (ds.WindowCenter, ds.WindowWidth, ds.RescaleType) == (600, 2800, "HU")


def test_what_the_numbers_are(cormack, export, rectified, tmp_path):
    affine = nib.load(rectified).affine
    shape = nib.load(rectified).shape
    smooth = np.linspace(0, 1, np.prod(shape), dtype=np.float32).reshape(shape)
    path = write_nifti(tmp_path / "p.nii.gz", smooth, affine)
    assert "values on" in cormack("native", path, export, tmp_path / "p")[1]
    ds = datasets(tmp_path / "p")[10]
    assert ds.RescaleType == "US"
    assert 0 < ds.RescaleSlope <= 1e-4
    code, _, err = cormack("native", path, export, tmp_path / "q", "--as", "labels")
    assert (code, "labels are whole numbers" in err) == (1, True)
    parts = write_nifti(tmp_path / "parts.nii", np.floor(smooth * 4).astype(np.float32), affine)
    assert "labels on" in cormack("native", parts, export, tmp_path / "r")[1]
    assert "values on" in cormack("native", parts, export, tmp_path / "s", "--as", "values")[1]


def test_a_masked_image_with_nan_outside_has_air_there(cormack, export, rectified, tmp_path):
    image = nib.load(rectified)
    data = np.asarray(image.dataobj).astype(np.float32)
    data[(data < 0) | (data > 90)] = np.nan
    path = write_nifti(tmp_path / "brain.nii.gz", data, image.affine)
    (tmp_path / "brain.json").write_text(json.dumps({"Units": "HU"}))
    assert cormack("native", path, export, tmp_path / "out", "-q")[:2] == (0, "")
    values = read_scan(tmp_path / "out", series=1002).assembly.stack.data
    assert values.min() == -1024
    assert not np.any((values > -1024) & (values < 0))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("elsewhere", "do not overlap"),
        ("missing", "no such file"),
        ("not nifti", "give a NIfTI file"),
        ("nifti source", "has no slices to go back to"),
        ("inside", "lies inside the input"),
        ("full", "not an empty folder"),
        ("no unit", "--assume-mm"),
        ("scout", "cannot be used"),
        ("description", "1 to 64 printable characters"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(case, words, cormack, export, rectified, tmp_path):
    image = nib.load(rectified)
    affine = image.affine.copy()
    if case == "elsewhere":
        affine[2, 3] += 5000
    path = write_nifti(
        tmp_path / "m.nii.gz", (np.asarray(image.dataobj) > 0).astype(np.uint8), affine,
        unit=None if case == "no unit" else "mm",
    )  # fmt: skip
    source, out, more = export, tmp_path / "out", []
    if case == "missing":
        path = tmp_path / "nothing.nii.gz"
    if case == "not nifti":
        path = tmp_path / "mask.nrrd"
    if case == "nifti source":
        source = rectified
    if case == "inside":
        out = export / "out"
    if case == "full":
        out.mkdir()
        (out / "mine").write_text("")
    if case == "scout":
        more = ["--series", "1"]
    if case == "description":
        more = ["--description", "x" * 65]
    code, _, err = cormack("native", path, source, out, *more)
    assert code == 1
    assert words in err
    assert "PHANTOM" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) == (["m.nii.gz", "out"] if case == "full" else ["m.nii.gz"])
    assert not (export / "out").exists()


def test_no_unit_may_be_assumed_and_windows_have_a_width(cormack, export, rectified, tmp_path):
    image = nib.load(rectified)
    path = write_nifti(tmp_path / "m.nii", np.ones(image.shape, np.uint8), image.affine, unit=None)
    assert cormack("native", path, export, tmp_path / "out", "--assume-mm", "-q")[0] == 0
    code, _, err = cormack("native", path, export, tmp_path / "out2", "--window", "40", "0")
    assert (code, "width must be positive" in err) == (2, True)
