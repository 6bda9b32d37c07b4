"""Labels of other tools on the grid of an image, on the command line."""

import json

import nibabel as nib
import nrrd
import numpy as np
import pydicom
import pytest

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import write_labels, write_volume
from structure_sets import structure_set

AFFINE = np.array([[2.0, 0, 0, -30], [0, 2.0, 0, -20], [0, 0, 3.0, 10], [0, 0, 0, 1]])
SHAPE = (30, 28, 12)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "ct.nii.gz"
    hu = np.full(SHAPE, -1000, np.int16)
    hu[5:25, 5:25, 2:10] = 40
    write_volume(path, Volume(hu, AFFINE), codes="LAS")
    return path


def ball(centre_mm, radius_mm, affine=AFFINE, shape=SHAPE):
    points = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return (np.linalg.norm(points - centre_mm, axis=-1) <= radius_mm).astype(np.uint8)


def closed(contours):
    return [("CLOSED_PLANAR", points) for points in contours]


def test_nrrd_of_a_part_of_the_image(tmp_path, image, cormack):
    """Slicer stores only the box around the segments, in LPS."""
    whole = ball((-2.0, 6.0, 25.0), 9.0)
    part = whole[8:25, 6:22, 1:10]
    first = AFFINE @ [8, 6, 1, 1]
    header = {
        "space": "left-posterior-superior",
        "space directions": [[-2.0, 0, 0], [0, -2.0, 0], [0, 0, 3.0]],
        "space origin": (first[:3] * (-1, -1, 1)).tolist(),
        "Segment0_Name": "lesion",
        "Segment0_LabelValue": "1",
    }
    nrrd.write(str(tmp_path / "l.seg.nrrd"), part, header)
    out = tmp_path / "made" / "lesion.nii.gz"
    code, told, _ = cormack("labels", "import", tmp_path / "l.seg.nrrd", out, "--reference", image)
    assert code == 0
    assert "1 named structures from NRRD" in told
    found = nib.load(out)
    assert "".join(nib.aff2axcodes(found.affine)) == "LAS"
    np.testing.assert_array_equal(np.asarray(nib.as_closest_canonical(found).dataobj), whole)
    assert [label.name for label in read_label_table(out.parent / "lesion.tsv")] == ["lesion"]
    sidecar = json.loads((out.parent / "lesion.json").read_text(encoding="utf-8"))
    assert sidecar["Structures"] == [
        {"Index": 1, "Name": "lesion", "VolumeMl": pytest.approx(whole.sum() * 0.012, abs=1e-4)}
    ]


def test_nifti_of_another_grid_keeps_its_volume(tmp_path, image, cormack):
    affine = np.array([[1.0, 0, 0, -30], [0, 1.0, 0, -20], [0, 0, 1.0, 10], [0, 0, 0, 1]])
    table = LabelTable((Label(1, "ball", "B", (255, 0, 0)), Label(4, "nothing", "N", (0, 0, 255))))
    write_labels(tmp_path / "in.nii.gz", LabelMap(ball((-2.0, 6.0, 25.0), 9.0, affine, (58, 54, 34)), affine, table))
    (tmp_path / "names.tsv").write_text("index\tname\n1\tball\n4\tnothing\n", encoding="utf-8")
    out = tmp_path / "out.nii.gz"
    code, _, warned = cormack(
        "labels", "import", tmp_path / "in.nii.gz", out, "--reference", image, "--names", tmp_path / "names.tsv"
    )
    assert code == 0
    assert "1 structures have no voxel on the grid of the image: nothing" in warned
    volume_ml = np.count_nonzero(np.asarray(nib.load(out).dataobj)) * 0.012
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.05)


def test_contours_on_the_tilted_slices_of_a_dicom_series(tmp_path, phantom, export, cormack):
    """Circles drawn in the planes of the slices, as a reader would."""
    slices = sorted(
        (d for d in map(pydicom.dcmread, filter(lambda p: p.is_file(), export.rglob("*"))) if "SliceThickness" in d
         and "LOCALIZER" not in d.ImageType),
        key=lambda d: float(d.ImagePositionPatient[2]),
    )  # fmt: skip
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    contours = []
    for dataset in slices[10:20]:
        rows, columns = (np.array(dataset.ImageOrientationPatient[a : a + 3], float) for a in (0, 3))
        place, spacing = np.array(dataset.ImagePositionPatient, float), float(dataset.PixelSpacing[0])
        middle = place + rows * spacing * 95.5 + columns * spacing * 95.5
        contours.append(middle + 30 * (np.cos(angles)[:, None] * rows + np.sin(angles)[:, None] * columns))
    far = contours[0] + np.array([0, 0, 400.0])
    structure_set(
        tmp_path / "rt.dcm", [("cylinder", None, closed([*contours, far])), ("core", None, closed(contours[:1]))]
    )
    out = tmp_path / "out.nii.gz"
    code, told, warned = cormack("labels", "import", tmp_path / "rt.dcm", out, "--reference", export, "--native")
    assert code == 0
    assert "2 named structures from RTSTRUCT" in told
    assert "1 of 12 contours were left out: 1 lie on no slice" in warned
    assert "belong to more than one structure" in warned
    found = nib.load(out)
    data = np.asarray(found.dataobj)
    area_mm2 = np.pi * 30**2
    in_plane = np.linalg.norm(np.cross(found.affine[:3, 0], found.affine[:3, 1]))
    counts = np.count_nonzero(data, axis=(0, 1))
    assert np.count_nonzero(counts) == 10
    np.testing.assert_allclose(counts[counts > 0] * in_plane, area_mm2, rtol=0.02)
    centre = (found.affine @ [*np.argwhere(data).mean(axis=0), 1])[:3]
    np.testing.assert_allclose(centre, np.mean(contours, axis=(0, 1)) * (-1, -1, 1), atol=0.2)

    assert cormack("labels", "import", tmp_path / "rt.dcm", out, "--reference", export)[0] == 0
    assert cormack("convert", export, tmp_path / "ct.nii.gz")[0] == 0
    rectified, ct = nib.load(out), nib.load(tmp_path / "ct.nii.gz")
    assert rectified.shape == ct.shape
    np.testing.assert_allclose(rectified.affine, ct.affine, atol=1e-4)
    data = np.asarray(rectified.dataobj)
    centre = (rectified.affine @ [*np.argwhere(data).mean(axis=0), 1])[:3]
    np.testing.assert_allclose(centre, np.mean(contours, axis=(0, 1)) * (-1, -1, 1), atol=0.3)


def test_what_cannot_be_imported(tmp_path, image, cormack):
    structure_set(tmp_path / "rt.dcm", [("x", None, closed([[(0, 0, 13), (9, 0, 13), (0, 9, 25)]]))])
    command = ["labels", "import"]
    code, _, said = cormack(*command, tmp_path / "rt.dcm", tmp_path / "out.nii.gz", "--reference", image)
    assert (code, "leaves the plane of the slices" in said) == (1, True)
    code, _, said = cormack(*command, tmp_path / "none.nrrd", tmp_path / "out.nii.gz", "--reference", image)
    assert (code, "no such file" in said) == (1, True)
    code, _, said = cormack(*command, image, image, "--reference", image)
    assert (code, "originals are never modified" in said) == (1, True)
    code, _, said = cormack(*command, image, tmp_path / "out.nii.gz", "--reference", image)
    assert (code, "labels are whole numbers" in said) == (1, True)
    assert not (tmp_path / "out.nii.gz").exists()
