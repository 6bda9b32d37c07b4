"""`cormack segment lungs`: files that belong together, DICOM and NIfTI as input, and what is refused."""

import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from cormack.core.volume import Volume
from cormack.dicom.write import write_ct_series
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import write_volume
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions
from cormack.physics.thorax import Thorax
from cormack.segment.lungs import LUNGS


@pytest.fixture(scope="module")
def chest():
    """Slices of the middle of the made thorax: 5 mm apart, 4 mm pixels."""
    geometry = SliceGeometry(
        even_positions(28, 5.0),
        columns=90,
        rows=90,
        pixel_spacing_mm=(4.0, 4.0),
        thickness_mm=5.0,
        center_mm=(0.0, 0.0, 85.0),
    )
    return acquire(Thorax(), geometry, ScannerSettings(noise_hu=10.0, subsample_mm=2.5))


@pytest.fixture(scope="module")
def file(chest, tmp_path_factory):
    path = tmp_path_factory.mktemp("chest") / "chest.nii.gz"
    write_volume(path, rectify(condition(chest).stack).volume, codes="LPS")
    return path


def test_labels_table_volumes_and_picture_come_together(cormack, file, tmp_path):
    out, picture = tmp_path / "lungs.nii.gz", tmp_path / "pictures" / "lungs.png"
    code, said, warned = cormack("segment", "lungs", file, out, "--picture", picture)
    assert code == 0
    assert "right lung" in said
    assert "cut at the lower end" in warned
    scan, labels = nib.load(file), nib.load(out)
    assert labels.shape == scan.shape
    np.testing.assert_allclose(labels.affine, scan.affine, atol=1e-4)
    assert tuple(read_label_table(tmp_path / "lungs.tsv")) == tuple(LUNGS)
    sidecar = json.loads((tmp_path / "lungs.json").read_text())
    data = np.asarray(labels.dataobj)
    for index, name in sidecar["Label"].items():
        counted = np.count_nonzero(data == int(index)) * 0.08
        assert sidecar["VolumesMl"][name] == pytest.approx(counted, abs=0.01)
        assert counted > 500
    assert (sidecar["Task"], sidecar["Method"], len(sidecar["Warnings"])) == ("lungs", "3d", 1)
    right = np.argwhere(data == 1) @ labels.affine[0, :3] + labels.affine[0, 3]
    assert right.mean() > 30
    shown = np.asarray(Image.open(picture))
    assert picture.stat().st_size < 300_000
    for label in LUNGS:
        assert (shown == label.color).all(axis=2).sum() > 50


def test_dicom_gives_labels_on_the_rectified_grid(cormack, chest, tmp_path):
    write_ct_series(chest, tmp_path / "dicom")
    code, said, _ = cormack("segment", "lungs", tmp_path / "dicom", tmp_path / "out.nii.gz", "--method", "slices")
    assert code == 0
    assert "lungs" in said
    labels = nib.load(tmp_path / "out.nii.gz")
    assert nib.aff2axcodes(labels.affine) == ("R", "A", "S")
    assert set(np.unique(np.asarray(labels.dataobj))) == {0, 1}


def test_a_sheared_file_gets_labels_on_its_own_voxels(cormack, file, tmp_path):
    image = nib.load(file)
    affine = image.affine.copy()
    affine[1, 2] = 0.8
    sheared = nib.Nifti1Image(np.asarray(image.dataobj), affine)
    sheared.header.set_xyzt_units("mm")
    sheared.set_sform(affine, 1)
    sheared.set_qform(None, 0)
    nib.save(sheared, tmp_path / "sheared.nii.gz")
    code, _, _ = cormack("segment", "lungs", tmp_path / "sheared.nii.gz", tmp_path / "out.nii.gz")
    assert code == 0
    labels = nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_allclose(labels.affine, affine, atol=1e-4)
    straight = np.asarray(image.dataobj)
    assert np.median(straight[np.asarray(labels.dataobj) > 0]) < -800


@pytest.mark.parametrize(
    ("picture", "message"), [("lungs.jpg", "ends in .png"), ("chest.nii.gz", "ends in .png"), (".", "ends in .png")]
)
def test_pictures_that_are_no_png_are_refused_before_any_work(cormack, file, tmp_path, picture, message):
    code, _, said = cormack("segment", "lungs", file, tmp_path / "out.nii.gz", "--picture", tmp_path / picture)
    assert code == 1
    assert message in said
    assert "Reading" not in said


def test_what_is_no_chest_is_refused_and_nothing_is_written(cormack, export, file, tmp_path):
    out = tmp_path / "out.nii.gz"
    code, _, said = cormack("segment", "lungs", export, out)
    assert (code, "no lungs" in said) == (1, True)
    bright = Volume(np.arange(30**3, dtype=np.int16).reshape(30, 30, 30) % 400, np.diag([4.0, 4.0, 4.0, 1.0]))
    write_volume(tmp_path / "mr.nii.gz", bright)
    code, _, said = cormack("segment", "lungs", tmp_path / "mr.nii.gz", out)
    assert (code, "MR" in said) == (1, True)
    nib.save(nib.Nifti1Image(np.zeros((8, 8, 8, 3), np.float32), np.eye(4)), tmp_path / "four.nii.gz")
    code, _, said = cormack("segment", "lungs", tmp_path / "four.nii.gz", out, "--assume-mm")
    assert (code, "4-D" in said) == (1, True)
    nib.save(nib.Nifti1Image(np.full((8, 8, 8), np.nan, np.float32), np.eye(4)), tmp_path / "nan.nii.gz")
    code, _, said = cormack("segment", "lungs", tmp_path / "nan.nii.gz", out, "--assume-mm")
    assert (code, "no measured value" in said) == (1, True)
    assert list(tmp_path.glob("out*")) == []
