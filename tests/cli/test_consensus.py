"""Observers' label maps fused on the command line."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.files.label_tables import read_label_table, write_label_table
from cormack.files.nifti import write_labels

TABLE = LabelTable((Label(1, "ball", "B", (255, 0, 0)), Label(2, "cube", "C", (0, 255, 0))))


def drawn(edge):
    data = np.zeros((20, 18, 16), np.uint8)
    data[2:edge, 4:12, 4:12] = 1
    data[14:18, 4:12, 4:12] = 2
    return data


@pytest.fixture
def observers(tmp_path):
    """Three observers whose first structure ends at 8, 9 and 10; the names lie beside the first map."""
    paths = [tmp_path / f"o{n}.nii.gz" for n in range(3)]
    for path, edge in zip(paths, (8, 9, 10), strict=True):
        write_labels(path, LabelMap(drawn(edge), np.diag([1.0, 1.0, 2.0, 1.0]), TABLE))
    write_label_table(tmp_path / "o0.tsv", TABLE)
    return paths


def data_of(path):
    return np.asarray(nib.load(path).dataobj)


def test_majority(observers, tmp_path, cormack):
    out = tmp_path / "made" / "all.nii.gz"
    code, told, _ = cormack("consensus", *observers, out, "-q")
    assert (code, told) == (0, "")
    np.testing.assert_array_equal(data_of(out), drawn(9))
    sidecar = json.loads((out.parent / "all.json").read_text(encoding="utf-8"))
    assert sidecar["DisputedVoxels"] == 2 * 64
    ball, cube = sidecar["InterObserver"]
    assert ball["Structure"] == "ball"
    assert ball["PairwiseDice"] == pytest.approx([12 / 13, 12 / 14, 14 / 15])
    assert ball["VolumesMl"] == pytest.approx([6 * 64 * 0.002, 7 * 64 * 0.002, 8 * 64 * 0.002])
    assert cube["PairwiseDice"] == [1, 1, 1]
    assert cube["FleissKappa"] == 1
    assert read_label_table(out.parent / "all.tsv") == TABLE
    with (out.parent / "all_observers.tsv").open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    assert [(row["first"], row["second"], row["index"]) for row in rows[:3]] == [
        ("1", "2", "1"),
        ("1", "2", "2"),
        ("1", "3", "1"),
    ]
    assert float(rows[2]["hausdorff_mm"]) == 2.0
    page = (out.parent / "all_observers.html").read_text(encoding="utf-8")
    assert "Dice: ball" in page
    assert "0.923" in page


def test_undecided_voxels(observers, tmp_path, cormack):
    code, told, _ = cormack("consensus", *observers[:2], tmp_path / "out.nii.gz", "--undecided", 255)
    assert code == 0
    assert "2 observers, 64 voxels disputed, 64 undecided" in told
    assert np.count_nonzero(data_of(tmp_path / "out.nii.gz") == 255) == 64


def test_staple_with_performance(observers, tmp_path, cormack):
    out = tmp_path / "out.nii"
    assert cormack("consensus", *observers, out, "--method", "staple", "--undecided", 9)[0] == 0
    np.testing.assert_array_equal(data_of(out), drawn(9))
    performance = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["Performance"]
    assert [one["Observer"] for one in performance] == [1, 2, 3]
    assert performance[0]["Structures"]["ball"] < performance[1]["Structures"]["ball"]
    assert performance[2]["Structures"]["cube"] > 0.99


def test_slices_that_all_drew(tmp_path, cormack):
    paths = []
    for n, kept in enumerate(((5, 7), (5, 7, 9))):
        data = drawn(8 + n)
        data[:, :, [k for k in range(16) if k not in kept]] = 0
        paths.append(tmp_path / f"{n}.nii.gz")
        write_labels(paths[-1], LabelMap(data, np.eye(4), TABLE))
    out = tmp_path / "out.nii.gz"
    assert cormack("consensus", *paths, out, "--slices", "drawn")[0] == 0
    assert np.flatnonzero(data_of(out).any(axis=(0, 1))).tolist() == [5, 7]
    sidecar = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert sidecar["Slices"] == [5, 7]
    assert sidecar["InterObserver"][0]["PairwiseDice"] == pytest.approx([12 / 13])
    assert not (tmp_path / "out.tsv").exists()
    write_labels(paths[0], LabelMap(np.zeros((20, 18, 16), np.uint8), np.eye(4), TABLE))
    code, _, said = cormack("consensus", *paths, out, "--slices", "drawn")
    assert (code, "no slice on which all observers" in said) == (1, True)


def test_what_cannot_be_fused(observers, tmp_path, cormack):
    code, _, said = cormack("consensus", observers[0], tmp_path / "out.nii.gz")
    assert (code, "at least two" in said) == (1, True)
    code, _, said = cormack("consensus", *observers, tmp_path / "out.txt")
    assert (code, ".nii.gz or .nii" in said) == (1, True)
    code, _, said = cormack("consensus", *observers, observers[0])
    assert (code, "originals are never modified" in said) == (1, True)
    for method in ("majority", "staple"):
        code, _, said = cormack("consensus", *observers, tmp_path / "out.nii.gz", "--undecided", 2, "--method", method)
        assert (code, "names a structure" in said) == (1, True)
    assert not (tmp_path / "out.nii.gz").exists()
