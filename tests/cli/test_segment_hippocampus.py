"""`cormack segment hippocampus` with the packaged network: real crops, a head, and what is refused."""

import json

import nibabel as nib
import numpy as np
import pytest

from cormack.files.nifti import write_volume
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.measure.overlap import dice
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions
from cormack.physics.thorax import Thorax


@pytest.fixture
def crop(shared_data):
    folder = shared_data / "hippocampus"
    name = sorted(p.name for p in (folder / "images").glob("*.nii.gz"))[10]
    return folder / "images" / name, folder / "labels" / name


def test_a_crop_and_its_mirror_have_the_same_parts(cormack, crop, tmp_path):
    image, labels = nib.load(crop[0]), np.asarray(nib.load(crop[1]).dataobj)
    mirrored = tmp_path / "mirrored.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine, image.header), mirrored)
    found = {}
    for side, path in (("left", crop[0]), ("right", mirrored)):
        out = tmp_path / f"{side}.nii.gz"
        code, said, warned = cormack("segment", "hippocampus", path, out)
        assert code == 0
        assert "warning" not in warned
        assert "mm³" in said
        sidecar = json.loads((tmp_path / f"{side}.json").read_text())
        assert f"a {side} one by its shape" in sidecar["Description"]
        assert set(sidecar["VolumesMm3"]) == {"anterior hippocampus", "posterior hippocampus", "hippocampus"}
        found[side] = np.asarray(nib.load(out).dataobj)
        for label, name in sidecar["Label"].items():
            counted = np.count_nonzero(found[side] == int(label))
            assert sidecar["VolumesMm3"][name] == pytest.approx(counted, abs=0.1)
    np.testing.assert_array_equal(found["left"], found["right"][::-1])
    # A case of the training: this says that the network runs as it was trained, not how good it is.
    assert dice(found["left"] == 1, labels == 1) > 0.85
    assert dice(found["left"] == 2, labels == 2) > 0.85


def test_a_dicom_crop_is_found(cormack, shared_data, tmp_path):
    out = tmp_path / "out.nii.gz"
    code, _, _ = cormack("segment", "hippocampus", shared_data / "hippocampus" / "study1_crop_dicom", out)
    assert code == 0
    volumes = json.loads((tmp_path / "out.json").read_text())["VolumesMm3"]
    assert 2000 < volumes["hippocampus"] < 5000


def test_both_sides_of_a_real_brain_overlap_with_labels_of_another_protocol(cormack, shared_data, tmp_path):
    folder, out = shared_data / "mr_t1" / "malf_labels", tmp_path / "out.nii.gz"
    code, _, _ = cormack("segment", "hippocampus", folder / "1006_SS.nii.gz", out, "--assume-mm")
    assert code == 0
    drawn = np.asarray(nib.load(out).dataobj)
    labels = np.asarray(nib.load(folder / "1006_glm.nii.gz").dataobj).reshape(drawn.shape)
    assert dice(np.isin(drawn, (1, 2)), labels == 48) > 0.75
    assert dice(np.isin(drawn, (3, 4)), labels == 47) > 0.75


def test_a_ct_is_refused(cormack, tmp_path):
    geometry = SliceGeometry(
        even_positions(20, 5.0),
        columns=60,
        rows=60,
        pixel_spacing_mm=(6.0, 6.0),
        thickness_mm=5.0,
        center_mm=(0.0, 0.0, 85.0),
    )
    scan = acquire(Thorax(), geometry, ScannerSettings(noise_hu=10.0, subsample_mm=2.5))
    path = tmp_path / "ct.nii.gz"
    write_volume(path, rectify(condition(scan).stack).volume)
    # The sidecar of a CT would say so, too; without it the values tell.
    code, _, warned = cormack("segment", "hippocampus", path, tmp_path / "out.nii.gz")
    assert code != 0
    assert "CT" in warned
    assert not (tmp_path / "out.nii.gz").exists()


def test_a_ct_in_dicom_is_refused_without_advice_that_does_not_help(cormack, export, tmp_path):
    code, _, warned = cormack("segment", "hippocampus", export, tmp_path / "out.nii.gz")
    assert code == 1
    assert "no series here is a volume of MR" in warned
    assert "ask for its series" not in warned
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "spacing", "told"),
    [
        ((36, 52, 36, 2), 1.0, "4-D"),
        ((10, 14, 10), 4.0, "4.0 mm"),
        ((20, 24, 20), 8.0, "8.0 mm"),
        ((36, 52, 36), 1.0, "constant"),
    ],
)
def test_what_is_no_single_volume_of_a_hippocampus_is_refused(cormack, tmp_path, shape, spacing, told):
    rng = np.random.default_rng(0)
    data = np.ones(shape, np.float32) if told == "constant" else rng.uniform(0, 500, shape).astype(np.float32)
    image = nib.Nifti1Image(data, np.diag([spacing, spacing, spacing, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "in.nii.gz")
    code, _, warned = cormack("segment", "hippocampus", tmp_path / "in.nii.gz", tmp_path / "out.nii.gz")
    assert code != 0
    assert told in " ".join(warned.split())
