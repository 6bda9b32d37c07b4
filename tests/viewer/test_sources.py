import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.volume import Volume
from cormack.files.nifti import write_volume
from cormack.viewer.sources import find_sources


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return [folder / name for name in names]


def test_a_run_gives_its_scan_first_with_the_labels_of_its_space(tmp_path):
    touch(
        tmp_path,
        "dataset_description.json",
        "sub-01/ct/sub-01_ct.nii.gz",
        "sub-01/ct/sub-01_desc-brain_ct.nii.gz",
        "sub-01/ct/sub-01_desc-brain_mask.nii.gz",
        "sub-01/ct/sub-01_dseg.nii.gz",
        "sub-01/ct/sub-01_space-CTRorden2012_ct.nii.gz",
        "sub-01/ct/sub-01_from-ct_to-CTRorden2012_mode-image_xfm.nii.gz",
        "sub-02/ses-1/ct/sub-02_ses-1_ct.nii.gz",
    )
    found = find_sources([tmp_path])
    assert [scan.name for scan in found.scans] == [
        "sub-01",
        "sub-02 ses-1",
        "sub-01 desc-brain",
        "sub-01 space-CTRorden2012",
    ]
    assert [path.name for path in found.scans[0].labels] == ["sub-01_desc-brain_mask.nii.gz", "sub-01_dseg.nii.gz"]
    assert found.scans[1].labels == found.scans[3].labels == ()
    assert not found.paired


def test_the_scans_of_a_comparison_are_a_pair(tmp_path):
    touch(tmp_path, "difference.nii.gz", "first.nii.gz", "second.nii.gz")
    found = find_sources([tmp_path])
    assert [scan.name for scan in found.scans] == ["first", "second", "difference"]
    assert found.paired


def test_two_files_are_a_pair_and_equal_names_are_told_apart(tmp_path):
    files = touch(tmp_path, "a/scan.nii.gz", "b/scan.nii.gz")
    found = find_sources(files)
    assert [scan.name for scan in found.scans] == ["scan (1)", "scan (2)"]
    assert found.paired


def test_labels_among_the_files_are_drawn_on_every_scan(tmp_path):
    scan, mask, drawn = touch(tmp_path, "scan.nii.gz", "brain_mask.nii.gz", "lesion.nii.gz")
    found = find_sources([scan, mask], [drawn])
    assert len(found.scans) == 1
    assert found.scans[0].labels == (drawn, mask)
    with pytest.raises(InputError, match="no scan to show"):
        find_sources([mask])
    with pytest.raises(InputError, match="NIfTI files only"):
        find_sources([scan], [tmp_path])


def test_a_folder_without_nifti_is_taken_for_dicom(tmp_path):
    touch(tmp_path, "IM0001", "IM0002")
    found = find_sources([tmp_path])
    assert [(scan.name, scan.image) for scan in found.scans] == [(tmp_path.name, tmp_path)]


def test_links_that_lead_out_of_a_folder_are_passed_over(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
        write_volume(folder / "scan.nii.gz", Volume(np.zeros((4, 4, 4), np.int16), np.eye(4)))
    (inside / "leak.nii.gz").symlink_to(outside / "scan.nii.gz")
    assert [scan.name for scan in find_sources([inside]).scans] == ["scan"]


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.nii: no such file"):
        find_sources([tmp_path / "nowhere.nii"])
