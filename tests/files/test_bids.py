import json
from pathlib import Path

import pytest

from cormack.core.errors import DatasetError, InputError
from cormack.files.bids import dataset_description, find_scans, is_dataset, scan_name, subject_name

FILES = [
    "sub-01/ct/sub-01_ct.nii.gz",
    "sub-02/ses-a/ct/sub-02_ses-a_run-1_ct.nii",
    "sub-02/ses-a/ct/sub-02_ses-a_run-2_ct.nii.gz",
    "sub-03/ct/sub-03_desc-brain_mask.nii.gz",
    "sub-03/anat/sub-03_T1w.nii.gz",
    "sub-04/ct/sub-05_ct.nii.gz",
    "derivatives/x/sub-01/ct/sub-01_ct.nii.gz",
]


@pytest.fixture
def dataset(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_scans_and_their_names(dataset):
    scans = find_scans(dataset)
    assert [scan.name.stem for scan in scans] == ["sub-01", "sub-02_ses-a_run-1", "sub-02_ses-a_run-2"]
    assert scans[1].name.file("desc-brain_mask", ".nii.gz") == Path(
        "sub-02/ses-a/ct/sub-02_ses-a_run-1_desc-brain_mask.nii.gz"
    )
    assert scans[0].name.report == Path("sub-01.html")


def test_participants_with_and_without_prefix(dataset):
    assert [s.name.subject for s in find_scans(dataset, ["sub-02", "01"])] == ["01", "02", "02"]
    with pytest.raises(DatasetError, match="no CT for participant 09; there are 01, 02"):
        find_scans(dataset, ["01", "09"])
    with pytest.raises(InputError, match="letters and digits"):
        find_scans(dataset, ["../x"])


def test_what_is_a_dataset(dataset, tmp_path_factory):
    assert is_dataset(dataset)
    other = tmp_path_factory.mktemp("plain")
    assert not is_dataset(other)
    (other / "dataset_description.json").write_text("{}")
    assert is_dataset(other)
    with pytest.raises(DatasetError, match="without a CT"):
        find_scans(other)


def test_names():
    assert subject_name("sub-07").stem == subject_name("07").stem == "sub-07"
    assert scan_name(Path("x/sub-1_acq-thin_ct.nii.gz")).stem == "sub-1_acq-thin"
    assert scan_name(Path("x/scan.nii.gz")) is None


def test_description_is_that_of_a_derivative():
    description = json.loads(dataset_description())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "Cormack"
