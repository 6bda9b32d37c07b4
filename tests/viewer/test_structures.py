import json

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import BRAIN, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.files.nifti import write_labels, write_volume
from cormack.viewer.structures import combine, read_labels

GRID = Volume(np.zeros((12, 10, 8), np.int16), np.diag([2.0, 2.0, 3.0, 1.0]))


def written(path, data, affine=GRID.affine, codes=None):
    write_labels(path, LabelMap(data, affine, LabelTable(())), codes=codes)
    return path


def boxes():
    first = np.zeros(GRID.shape, np.uint8)
    first[2:10, 2:8, 1:7] = 1
    second = np.zeros(GRID.shape, np.uint8)
    second[4:6, 4:6, 2:4] = 3
    second[6:8, 4:6, 2:4] = 7
    return first, second


def test_maps_that_overlap_are_combined_and_can_be_told_apart_again(tmp_path):
    first, second = boxes()
    paths = (written(tmp_path / "a_mask.nii.gz", first), written(tmp_path / "b_dseg.nii.gz", second, codes="LPS"))
    overlay = combine(paths, GRID)
    assert [s.label.index for s in overlay.structures] == [1, 3, 7]
    assert overlay.members[0] == ()
    members = np.array([[p in combination for p in range(3)] for combination in overlay.members])
    for position, mask in enumerate((first == 1, second == 3, second == 7)):
        np.testing.assert_array_equal(members[overlay.combinations, position], mask)
    assert overlay.notes == ()


def test_volumes_are_counted_on_the_labels_own_grid(tmp_path):
    fine = np.zeros((24, 20, 16), np.uint8)
    fine[4:20, 4:16, 2:14] = 1
    affine = np.diag([1.0, 1.0, 1.5, 1.0])
    overlay = combine((written(tmp_path / "fine_mask.nii.gz", fine, affine),), GRID)
    # Counted by hand: 16 x 12 x 12 voxels of 1.5 mm³.
    assert overlay.structures[0].volume_ml == pytest.approx(16 * 12 * 12 * 1.5 / 1000)
    assert overlay.combinations.shape == GRID.shape
    assert "brought onto the grid" in overlay.notes[0]


def test_labels_elsewhere_are_left_out_and_it_is_said(tmp_path):
    affine = GRID.affine.copy()
    affine[:3, 3] = 1000.0
    overlay = combine((written(tmp_path / "far_mask.nii.gz", boxes()[0], affine),), GRID)
    assert overlay.structures == ()
    assert "outside of this scan" in overlay.notes[0]


def test_names_come_from_the_table_beside_the_labels(tmp_path):
    _, second = boxes()
    path = written(tmp_path / "sub-01_dseg.nii.gz", second)
    (tmp_path / "sub-01_dseg.tsv").write_text("index\tname\tabbreviation\tcolor\n3\tthalamus\tTH\t#102030\n")
    table = read_labels(path).table
    assert (table[3].name, table[3].color) == ("thalamus", (16, 32, 48))
    assert table[7].name == "label 7"


def test_names_of_masks_come_from_their_sidecar_or_their_file(tmp_path):
    first, _ = boxes()
    path = tmp_path / "sub-01_desc-brain_mask.nii.gz"
    write_labels(path, LabelMap(first, GRID.affine, BRAIN))
    assert read_labels(path).table[1].name == "brain"
    path.with_name("sub-01_desc-brain_mask.json").write_text(json.dumps({"Label": {"1": "intracranial space"}}))
    assert read_labels(path).table[1].name == "intracranial space"
    path.with_name("sub-01_desc-brain_mask.json").write_text(json.dumps({"Label": ["odd"]}))
    assert read_labels(path).table[1].name == "brain"


def test_values_are_no_labels(tmp_path):
    path = tmp_path / "scan_seg.nii.gz"
    write_volume(path, Volume(np.full((4, 4, 4), -7, np.int16), np.eye(4)))
    with pytest.raises(InputError, match="labels are whole numbers"):
        combine((path,), GRID)


def test_many_labels_take_two_bytes(tmp_path):
    numbers = np.arange(GRID.data.size, dtype=np.uint16).reshape(GRID.shape) % 700
    overlay = combine((written(tmp_path / "many_dseg.nii.gz", numbers),), GRID)
    assert overlay.combinations.dtype == np.uint16
    assert len(overlay.structures) == 699


def test_too_many_ways_to_overlap_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.viewer.structures._MOST_COMBINATIONS", 2)
    first, second = boxes()
    with pytest.raises(InputError, match="too many ways"):
        combine((written(tmp_path / "a.nii.gz", first), written(tmp_path / "b.nii.gz", second)), GRID)
