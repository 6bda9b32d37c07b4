"""`cormack deface` on the digital head: NIfTI and DICOM, removed and blurred; the brain is as it was."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from scipy import ndimage

from cormack.dicom.read import read_scan
from cormack.measure.overlap import dice
from cormack.physics.head import digital_head


@pytest.fixture(scope="module")
def volume(export, tmp_path_factory):
    from cormack.cli.main import main

    path = tmp_path_factory.mktemp("volume") / "head.nii.gz"
    assert main(["convert", str(export), str(path), "-q"]) == 0
    return path


@pytest.fixture(scope="module")
def defaced(export, tmp_path_factory):
    from cormack.cli.main import main

    out = tmp_path_factory.mktemp("defaced") / "out"
    assert main(["deface", str(export), str(out), "-q"]) == 0
    return out


def by_uid(folder: Path) -> dict[str, pydicom.Dataset]:
    found = (pydicom.dcmread(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".html")
    return {ds.SOPInstanceUID: ds for ds in found}


def test_dicom_keeps_instances_headers_and_all_but_the_face(export, defaced):
    before, after = by_uid(export), by_uid(defaced)
    assert len(after) == 36
    scan = read_scan(export).assembly.stack
    changed = 0
    for uid, new in after.items():
        old = before[uid]
        assert [e.tag for e in old] == [e.tag for e in new]
        assert all(old[e.tag].value == e.value for e in new if e.keyword != "PixelData")
        assert old.file_meta == new.file_meta
        k = scan.sop_instance_uids.index(uid)
        affine = np.eye(4)
        affine[:3] = np.column_stack([scan.step_i, scan.step_j, scan.normal, scan.origins[k]])
        brain = digital_head().intracranial_mask(affine, (192, 192, 1))[:, :, 0].T
        differs = old.pixel_array != new.pixel_array
        changed += np.count_nonzero(differs)
        assert not np.any(differs & brain)
        # The margin within the slice: 5 mm and a little.
        if brain.any() and differs.any():
            spacing = [float(s) for s in old.PixelSpacing]
            assert ndimage.distance_transform_edt(~brain, sampling=spacing)[differs].min() > 5
    assert changed > 50_000


def test_the_brain_is_found_as_before(cormack, export, defaced, tmp_path):
    masks = []
    for source, name in ((export, "before"), (defaced, "after")):
        path = tmp_path / f"{name}.nii.gz"
        assert cormack("extract", "brain", source, path, "-q")[0] == 0
        masks.append(np.asarray(nib.load(path).dataobj) > 0)
    assert dice(*masks) >= 0.99


def test_report_and_sidecar(defaced):
    sidecar = json.loads(defaced.with_name("out.json").read_text(encoding="utf-8"))
    assert sidecar["BrainVoxelsChanged"] == 0
    assert sidecar["DefacedAs"] == "CT"
    assert sidecar["FaceSurfaceRemoved"] > 0.6
    assert sidecar["HeadLean"] < 3
    page = defaced.with_name("out.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 13
    assert "show the face" in page
    assert "PHANTOM" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_nifti_stays_on_its_voxels(cormack, volume, tmp_path):
    out = tmp_path / "out.nii.gz"
    code, said, _ = cormack("deface", volume, out, "--parts", "face,ears", "--no-before")
    assert code == 0
    assert "0 of them in the brain" in said
    before, after = nib.load(volume), nib.load(out)
    np.testing.assert_array_equal(before.affine, after.affine)
    assert before.get_data_dtype() == after.get_data_dtype()
    old, new = np.asarray(before.dataobj), np.asarray(after.dataobj)
    brain = digital_head().intracranial_mask(before.affine, old.shape)
    assert np.count_nonzero((old != new) & brain) == 0
    assert np.all(new[old != new] == -1000)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 7
    assert "show the face" not in page


def test_sheared_slices_of_a_nifti_file(cormack, export, tmp_path):
    source, out = tmp_path / "native.nii.gz", tmp_path / "out.nii.gz"
    assert cormack("convert", export, source, "--native", "-q")[0] == 0
    assert cormack("deface", source, out, "--no-before", "-q")[0] == 0
    before, after = nib.load(source), nib.load(out)
    np.testing.assert_array_equal(before.affine, after.affine)
    old, new = np.asarray(before.dataobj), np.asarray(after.dataobj)
    brain = digital_head().intracranial_mask(before.affine, old.shape)
    assert np.count_nonzero(old != new) > 50_000
    assert np.count_nonzero((old != new) & brain) == 0


def test_blur_keeps_mass_and_takes_edges(cormack, volume, tmp_path):
    assert cormack("deface", volume, tmp_path / "out.nii.gz", "--mode", "blur", "-q")[0] == 0
    old, new = (np.asarray(nib.load(p).dataobj).astype(float) for p in (volume, tmp_path / "out.nii.gz"))
    region = old != new
    within = region[1:] & region[:-1]
    steepest = [np.quantile(np.abs(np.diff(v, axis=0))[within], 0.995) for v in (old, new)]
    assert steepest[1] < 0.3 * steepest[0]
    assert abs(old[region].mean() - new[region].mean()) < 100
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["FaceSurfaceRemoved"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--parts", "hair"], "give one or several of face, ears, teeth"),
        (["--modality", "mr"], "error:"),
        (["--series", "1"], "error:"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(cormack, export, tmp_path, words, told):
    code, _, err = cormack("deface", export, tmp_path / "out", *words)
    assert code == 1
    assert told in err
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_do_not_fit(cormack, export, volume, tmp_path):
    assert cormack("deface", export, tmp_path / "out.nii.gz")[0] == 1
    assert cormack("deface", volume, tmp_path / "out")[0] == 1
    assert cormack("deface", volume, volume)[0] == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert cormack("deface", export, tmp_path / "full")[0] == 1
