from __future__ import annotations

import nrrd
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses

from cormack.core.errors import InputError
from cormack.files.nrrd import is_nrrd, read_nrrd_labels

HEADER = {
    "space": "left-posterior-superior",
    "space directions": [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 2.0]],
    "space origin": [-10.0, 20.0, 5.0],
}


def labels(shape=(7, 6, 5)):
    data = np.zeros(shape, np.uint8)
    data[1:4, 2:5, 1:3] = 1
    data[5, 1, 4] = 2
    return data


def test_voxels_lie_where_simpleitk_puts_them(tmp_path):
    image = sitk.GetImageFromArray(labels().T)
    image.SetSpacing([0.7, 0.8, 2.5])
    image.SetOrigin([12.0, -30.0, 44.0])
    turn, lean = np.radians(20), np.radians(10)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]]
    )
    image.SetDirection(rotation.ravel().tolist())
    path = tmp_path / "labels.nrrd"
    sitk.WriteImage(image, path, useCompression=True)
    found = read_nrrd_labels(path)
    np.testing.assert_array_equal(found.labels.data, labels())
    for voxel in ((0, 0, 0), (5, 1, 4), (3, 4, 2)):
        theirs = np.array(image.TransformIndexToPhysicalPoint(voxel)) * (-1, -1, 1)
        np.testing.assert_allclose((found.labels.affine @ [*voxel, 1])[:3], theirs)
    assert len(found.labels.table) == 0
    assert found.overlap == 0


def test_layers_and_names_of_slicer(tmp_path):
    layers = np.zeros((2, 7, 6, 5), np.uint8)
    layers[0] = labels()
    layers[1, 1:3, 2:5, 1:3] = 1
    header = {
        **HEADER,
        "kinds": ["list", "domain", "domain", "domain"],
        "space directions": [[np.nan] * 3, *HEADER["space directions"]],
        "Segment0_Name": "brain",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segment0_Color": "1 0.5 0",
        "Segment0_Tags": "TerminologyEntry:Segmentation category and type - DICOM master list"
        "~SCT^91723000^Anatomical Structure~SCT^12738006^Brain~^^~Anatomic codes~^^~^^|x",
        "Segment1_Name": "lesion",
        "Segment1_LabelValue": "2",
        "Segment1_Layer": "0",
        "Segment2_Name": "lesion",
        "Segment2_LabelValue": "1",
        "Segment2_Layer": "1",
        "Segmentation_MasterRepresentation": "Binary labelmap",
    }
    path = tmp_path / "S.seg.nrrd"
    nrrd.write(str(path), layers, header)
    assert is_nrrd(path)
    found = read_nrrd_labels(path)
    table = found.labels.table
    assert [(label.index, label.name) for label in table] == [(1, "brain"), (2, "lesion"), (3, "lesion (2)")]
    assert table[1].color == (255, 128, 0)
    assert table[1].snomed_ct == "12738006"
    assert table[2].snomed_ct is None
    assert found.overlap == np.count_nonzero(layers[1])
    assert np.count_nonzero(found.labels.data == 3) == found.overlap
    np.testing.assert_allclose(found.labels.affine[:3, 3], [10.0, -20.0, 5.0])
    np.testing.assert_allclose(np.diag(found.labels.affine), [-0.5, -0.5, 2.0, 1.0])


def test_numbers_of_one_layer_are_kept(tmp_path):
    path = tmp_path / "S.seg.nrrd"
    nrrd.write(str(path), labels(), {**HEADER, "Segment0_LabelValue": "2", "Segment1_LabelValue": "1"})
    found = read_nrrd_labels(path).labels
    np.testing.assert_array_equal(found.data, labels())
    assert [(label.index, label.name) for label in found.table] == [(2, "segment 2"), (1, "segment 1")]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"space": None}, "no patient space"),
        ({"space": "scanner-xyz"}, "no patient space"),
        ({"space units": ["m", "m", "m"]}, "expected is mm"),
        ({"data": np.zeros((4, 4), np.uint8)}, "three dimensions"),
        ({"data": np.zeros((4, 4, 4), np.float32)}, "labels are whole numbers"),
        ({"data": np.full((4, 4, 4), -1, np.int16)}, "whole numbers from 0"),
        ({"Segment0_Layer": "3"}, "layer 3; the file has 1"),
        ({"Segment0_LabelValue": "x"}, "not a readable NRRD"),
        ({"data": np.zeros((2, 4, 4, 4), np.uint8)}, "no names of segments"),
    ],
)
def test_what_is_no_label_map(tmp_path, change, told):
    data = change.pop("data", labels())
    header = {name: value for name, value in {**HEADER, **change}.items() if value is not None}
    if data.ndim == 4:
        header["space directions"] = [[np.nan] * 3, *HEADER["space directions"]]
    if data.ndim == 2:
        header = {}
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), data, header)
    with pytest.raises(InputError, match=told):
        read_nrrd_labels(path)


def test_broken_and_detached_files(tmp_path):
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), labels(), HEADER)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="truncated"):
        read_nrrd_labels(path)
    path.write_text("nothing")
    with pytest.raises(InputError, match="not a readable NRRD"):
        read_nrrd_labels(path)
    nrrd.write(str(tmp_path / "x.nhdr"), labels(), HEADER)
    (tmp_path / "x.nhdr").rename(path)
    with pytest.raises(InputError, match="data lies in another file"):
        read_nrrd_labels(path)
    with pytest.raises(InputError, match="no such file"):
        read_nrrd_labels(tmp_path / "y.nrrd")
