import json
import shutil
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest

from cormack.extract.methods import DEFAULT_METHOD

SUFFIXES = (
    "_ct.nii.gz",
    "_ct.json",
    "_desc-head_mask.nii.gz",
    "_desc-head_mask.json",
    "_desc-brain_mask.nii.gz",
    "_desc-brain_mask.json",
    "_desc-brain_ct.nii.gz",
    "_desc-brain_ct.json",
    *(
        f"_desc-{table}_dseg.{ext}"
        for table in ("neuroanatomy", "neuroanatomyFine")
        for ext in ("nii.gz", "json", "tsv")
    ),
    "_volumes.tsv",
    "_volumes.json",
    "_manifest.json",
)


def snapshot(folder):
    return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def finished(export, tmp_path_factory):
    """The phantom taken all the way once, for tests that look at the results."""
    out = tmp_path_factory.mktemp("run") / "out"
    words = [sys.executable, "-m", "cormack", "run", str(export), str(out), "--participant-label", "01"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sub-01: done" in done.stdout
    assert "Extracting the brain" in done.stderr
    return out


def test_derivatives_are_complete(finished):
    assert {p.name for p in (finished / "sub-01/ct").iterdir()} == {f"sub-01{suffix}" for suffix in SUFFIXES}
    assert {p.name for p in finished.iterdir()} == {"sub-01", "sub-01.html", "dataset_description.json", ".bidsignore"}
    description = json.loads((finished / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "Cormack"


def test_masks_lie_on_the_volume_and_hold_the_true_volume(finished, phantom):
    images = {
        s: nib.load(finished / f"sub-01/ct/sub-01{s}.nii.gz")
        for s in ("_ct", "_desc-head_mask", "_desc-brain_mask", "_desc-brain_ct")
    }
    for image in images.values():
        np.testing.assert_allclose(image.affine, images["_ct"].affine)
    volume, head, brain, masked = (np.asanyarray(image.dataobj) for image in images.values())
    assert set(np.unique(head)) == set(np.unique(brain)) == {0, 1}
    assert not (brain & ~head & 1).any()
    np.testing.assert_array_equal(masked, np.where(brain, volume, -1024))
    ml = brain.sum() * abs(np.linalg.det(images["_ct"].affine[:3, :3])) / 1000
    assert ml == pytest.approx(phantom.intracranial_volume_ml, rel=0.05)
    table = (finished / "sub-01/ct/sub-01_volumes.tsv").read_text().splitlines()
    row = dict(zip(table[0].split("\t"), table[1].split("\t"), strict=True))
    assert float(row["intracranial_volume_ml"]) == pytest.approx(ml, rel=1e-3)
    dictionary = json.loads((finished / "sub-01/ct/sub-01_volumes.json").read_text())
    assert set(dictionary) == set(row)


def test_manifest_tells_what_was_done(finished):
    manifest = json.loads((finished / "sub-01/ct/sub-01_manifest.json").read_text())
    assert manifest["Parameters"]["method"] == DEFAULT_METHOD
    assert manifest["Input"]["Files"] == len(manifest["Input"]["SHA256"]) == 36
    assert {"loaded", "brain", "report", "write"} <= set(manifest["SecondsPerStep"])
    assert manifest["PeakMemoryMB"] > 10
    assert all((finished / name).is_file() for name in manifest["Outputs"])


def test_nothing_of_the_person_is_left(export, tmp_path, cormack):
    import pydicom

    secrets = {
        "PatientName": "Zwyrzykowska^Xenia",
        "PatientID": "QX7719405",
        "PatientBirthDate": "19310724",
        "StudyDate": "20190318",
        "AccessionNumber": "ACC55501",
        "InstitutionName": "Quibberton Infirmary",
        "ReferringPhysicianName": "Vandersnoot^Q",
        "StudyDescription": "Zwyrz fell from ladder",
        "SeriesDescription": "for Dr Vandersnoot",
        "ImageComments": "Quibb note",
    }
    source = tmp_path / "Zwyrzykowska"
    source.mkdir()
    uids = set()
    for file in (export / "S0002").iterdir():
        dataset = pydicom.dcmread(file)
        for keyword, value in secrets.items():
            setattr(dataset, keyword, value)
        uids |= {str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID), str(dataset.StudyInstanceUID)}
        dataset.save_as(source / file.name)
    code, out, err = cormack("run", source, tmp_path / "out", "-v")
    assert code == 0
    texts = {"stdout": out, "stderr": err}
    for path in (tmp_path / "out").rglob("*"):
        texts[f"name of {path.name}"] = path.name
        if path.is_file():
            raw = (
                path.read_bytes()
                if not path.name.endswith(".gz")
                else np.asanyarray(nib.load(path).header.binaryblock).tobytes()
            )
            texts[path.name] = raw.decode("latin-1")
    needles = {word for value in secrets.values() for word in value.replace("^", " ").split() if len(word) > 4} | uids
    for where, text in texts.items():
        assert not [needle for needle in needles if needle in text], where


def test_a_second_run_does_nothing_and_force_computes_again(finished, export, cormack):
    before = snapshot(finished)
    code, out, _ = cormack("run", export, finished, "--participant-label", "01")
    assert code == 0
    assert "nothing to do" in out
    assert snapshot(finished) == before
    code, out, _ = cormack("run", export, finished, "--participant-label", "01", "--force", "-q")
    assert (code, out) == (0, "")
    assert snapshot(finished) != before


def test_other_parameters_compute_again(finished, export, cormack):
    code, out, _ = cormack("run", export, finished, "--participant-label", "sub-01", "--outside", "shift")
    assert code == 0
    assert "done" in out
    masked = np.asanyarray(nib.load(finished / "sub-01/ct/sub-01_desc-brain_ct.nii.gz").dataobj)
    brain = np.asanyarray(nib.load(finished / "sub-01/ct/sub-01_desc-brain_mask.nii.gz").dataobj)
    volume = np.asanyarray(nib.load(finished / "sub-01/ct/sub-01_ct.nii.gz").dataobj)
    np.testing.assert_array_equal(masked, np.where(brain, volume + 1025, 0))
    sidecar = json.loads((finished / "sub-01/ct/sub-01_desc-brain_ct.json").read_text())
    assert (sidecar["Units"], sidecar["OutsideValue"]) == ("HU+1025", 0)


@pytest.fixture(scope="module")
def dataset(finished, tmp_path_factory):
    """A BIDS data set: one good head twice, one file that is no CT."""
    root = tmp_path_factory.mktemp("bids") / "data"
    for name in ("sub-01", "sub-02"):
        (root / name / "ct").mkdir(parents=True)
        shutil.copy(finished / "sub-01/ct/sub-01_ct.nii.gz", root / name / "ct" / f"{name}_ct.nii.gz")
    (root / "sub-03/ses-a/ct").mkdir(parents=True)
    image = nib.Nifti1Image(np.random.default_rng(1).integers(0, 900, (30, 30, 30)).astype(np.int16), np.eye(4))
    image.header.set_xyzt_units("mm")
    nib.save(image, root / "sub-03/ses-a/ct/sub-03_ses-a_ct.nii.gz")
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    return root


def test_one_failure_never_stops_the_others(dataset, tmp_path, cormack):
    code, out, err = cormack("run", dataset, tmp_path / "out")
    assert code == 1
    assert "1 of 3 scans failed" in err
    assert "sub-03_ses-a" in err
    assert out.count("done") == 2
    assert not (tmp_path / "out/sub-03").exists()
    assert (tmp_path / "out/sub-02.html").is_file()
    code, out, _ = cormack("run", dataset, tmp_path / "out", "--participant-label", "01", "02")
    assert code == 0
    assert out.count("nothing to do") == 2


def test_participants_and_places_of_a_data_set(dataset, tmp_path, cormack):
    code, _, err = cormack("run", dataset, tmp_path / "out", "--participant-label", "07")
    assert code == 1
    assert "no CT or MR for participant 07" in err
    assert cormack("run", dataset, dataset / "out")[0] == 1
    code, _, _ = cormack("run", dataset, dataset / "derivatives/cormack", "--participant-label", "02", "-q")
    assert code == 0
    assert (dataset / "derivatives/cormack/sub-02.html").is_file()


def test_mask_lies_on_the_voxels_of_a_nifti_input(finished, tmp_path, cormack):
    original = nib.load(finished / "sub-01/ct/sub-01_ct.nii.gz")
    flipped = original.as_reoriented([[2, -1], [0, 1], [1, -1]])
    flipped.header.set_xyzt_units("mm")
    nib.save(flipped, tmp_path / "scan.nii.gz")
    for region in ("head", "brain"):
        code, out, _ = cormack("extract", region, tmp_path / "scan.nii.gz", tmp_path / f"{region}.nii.gz")
        assert code == 0
        assert " ml" in out
        mask = nib.load(tmp_path / f"{region}.nii.gz")
        np.testing.assert_allclose(mask.affine, flipped.affine, atol=1e-4)
        expected = np.asanyarray(
            nib.load(finished / f"sub-01/ct/sub-01_desc-{region}_mask.nii.gz")
            .as_reoriented([[2, -1], [0, 1], [1, -1]])
            .dataobj
        )
        ours = np.asanyarray(mask.dataobj)
        assert 2 * (ours & expected).sum() / (ours.sum() + expected.sum()) > 0.995


def test_a_killed_run_leaves_no_half_written_file(export, tmp_path):
    words = [sys.executable, "-m", "cormack", "run", str(export), str(tmp_path / "out"), "-q"]
    for seconds in (1.0, 3.0):
        child = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        child.terminate()
        child.wait(timeout=30)
        left = {p.name for p in tmp_path.rglob("*") if p.is_file()}
        assert not left or len(left) == len(SUFFIXES) + 3, left
        assert child.returncode == 130 or left, child.returncode
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
