import json

import nibabel as nib
import numpy as np
import pytest


def test_rectified_volume_and_sidecar(cormack, export, tmp_path):
    code, out, err = cormack("convert", export, tmp_path / "head.nii.gz")
    assert code == 0
    assert "wrote" in out
    assert "series 2 (36 images): chosen" in err
    assert "series 999 (1 image): not used, is a screen capture or dose page" in err
    assert "gantry was tilted: -18.0°" in err
    image = nib.load(tmp_path / "head.nii.gz")
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    unit = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-5)
    data = np.asanyarray(image.dataobj)
    assert data.dtype == np.int16
    assert (data.min(), data.max() <= 3071) == (-1024, True)
    sidecar = json.loads((tmp_path / "head.json").read_text())
    assert sidecar["GantryTiltMeasured"] == pytest.approx(-18, abs=0.01)
    assert sidecar["OutsideValue"] == -1024
    assert len(sidecar["SlicePositions"]) == 36
    assert "SOPInstanceUIDs" not in sidecar


def test_both_grids_units_and_uids(cormack, export, tmp_path):
    code, _, _ = cormack(
        "convert", export, tmp_path / "head.nii.gz", "--both", "--unit", "cormack", "--source-uids", "-q"
    )
    assert code == 0
    native = nib.load(tmp_path / "head_native.nii.gz")
    assert native.shape == (192, 192, 36)
    shear = native.affine[:3, 1] @ native.affine[:3, 2]
    assert abs(shear) > 0.1
    sidecar = json.loads((tmp_path / "head_native.json").read_text())
    assert len(sidecar["SOPInstanceUIDs"]) == len(set(sidecar["SOPInstanceUIDs"])) == 36
    cormack_units = nib.load(tmp_path / "head.nii.gz")
    assert np.asanyarray(cormack_units.dataobj).min() == 0
    assert json.loads((tmp_path / "head.json").read_text())["Units"] == "Cormack"


def test_units_there_and_back(cormack, export, tmp_path):
    cormack("convert", export, tmp_path / "hu.nii.gz", "-q")
    assert cormack("units", tmp_path / "hu.nii.gz", tmp_path / "c.nii.gz", "-q")[0] == 0
    assert cormack("units", tmp_path / "c.nii.gz", tmp_path / "back.nii.gz", "--to", "hu", "-q")[0] == 0
    before, after = (np.asanyarray(nib.load(tmp_path / name).dataobj) for name in ("hu.nii.gz", "back.nii.gz"))
    np.testing.assert_array_equal(after, np.maximum(before, -1000))
    code, _, err = cormack("units", tmp_path / "c.nii.gz", tmp_path / "d.nii.gz")
    assert code == 1
    assert "looks like" in err


def test_isotropic_voxels_by_cubic_interpolation(cormack, export, tmp_path):
    words = ("convert", export, tmp_path / "iso.nii.gz", "--spacing", "2", "--interpolation", "cubic", "-q")
    assert cormack(*words)[0] == 0
    assert nib.load(tmp_path / "iso.nii.gz").header.get_zooms() == pytest.approx((2, 2, 2))
    sidecar = json.loads((tmp_path / "iso.json").read_text())
    assert sidecar["VoxelSize"] == [2, 2, 2]
    assert sidecar["Interpolation"] == "cubic, once"
    assert cormack("convert", export, tmp_path / "x.nii.gz", "--spacing", "0")[0] == 2


def test_native_slices_of_an_uneven_stack(cormack, shared_data, tmp_path):
    source = shared_data / "head_ct/ge_tilted"
    code, _, err = cormack("convert", source, tmp_path / "ge.nii.gz", "--native")
    assert code == 0
    assert "distance between slices varies" in err
    image = nib.load(tmp_path / "ge.nii.gz")
    assert int(image.header["sform_code"]) == 0
    assert len(json.loads((tmp_path / "ge.json").read_text())["SliceOrigins"]) == 28
