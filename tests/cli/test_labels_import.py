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
from segmentations import segmentation
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


@pytest.fixture(scope="module")
def drawn(export, tmp_path_factory):
    """A segmentation of two structures on some tilted slices of the export, and its numbers in NIfTI's order."""
    images = [pydicom.dcmread(path) for path in filter(lambda p: p.is_file(), export.rglob("*"))]
    images = [image for image in images if "SliceThickness" in image and "LOCALIZER" not in image.ImageType]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    masks = np.zeros((len(images), 192, 192, 2), np.uint8)
    masks[10:14, 60:90, 70:110, 0] = masks[20, 100:120, 70:110, 1] = 1
    path = segmentation(tmp_path_factory.mktemp("drawn") / "seg.dcm", images, masks)
    return path, np.max(masks * [1, 2], axis=3).transpose(2, 1, 0)


def test_frames_of_a_segmentation_lie_on_their_slices(tmp_path, export, drawn, cormack):
    path, numbers = drawn
    out = tmp_path / "out.nii.gz"
    code, told, _ = cormack("labels", "import", path, out, "--reference", export, "--native")
    assert (code, "2 named structures from SEG" in told) == (0, True)
    found = nib.load(out)
    assert cormack("convert", export, tmp_path / "ct.nii.gz", "--native")[0] == 0
    truth = nib.as_closest_canonical(nib.Nifti1Image(numbers.astype(np.uint8), nib.load(tmp_path / "ct.nii.gz").affine))
    np.testing.assert_allclose(found.affine, truth.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(truth.dataobj))
    table = read_label_table(tmp_path / "out.tsv")
    assert [(label.name, label.snomed_ct) for label in table] == [("one", "12738006"), ("two", "12738006")]
    volume_ml = np.count_nonzero(numbers == 1) * abs(np.linalg.det(found.affine)) / 1000

    assert cormack("labels", "import", path, out, "--reference", export)[0] == 0
    rectified = nib.load(out)
    found_ml = np.count_nonzero(np.asarray(rectified.dataobj) == 1) * abs(np.linalg.det(rectified.affine)) / 1000
    assert found_ml == pytest.approx(volume_ml, rel=0.1)


def test_a_segmentation_on_a_converted_image(tmp_path, export, drawn, cormack):
    """The frames know the patient's space; the file's axes may run another way."""
    path, numbers = drawn
    assert cormack("convert", export, tmp_path / "ct.nii.gz", "--native")[0] == 0
    turning = [[1, -1], [0, 1], [2, 1]]
    turned = nib.load(tmp_path / "ct.nii.gz").as_reoriented(turning)
    turned.header.set_xyzt_units("mm")
    nib.save(turned, tmp_path / "turned.nii.gz")
    words = ("labels", "import", path, tmp_path / "out.nii.gz", "--reference", tmp_path / "turned.nii.gz")
    assert cormack(*words)[0] == 0
    found = nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_allclose(found.affine, turned.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(found.dataobj), nib.apply_orientation(numbers, turning))


def test_a_segmentation_of_another_series(tmp_path, export, drawn, image, cormack):
    dataset = pydicom.dcmread(drawn[0])
    dataset.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.4"
    dataset.save_as(tmp_path / "stranger.dcm")
    words = ("labels", "import", tmp_path / "stranger.dcm", tmp_path / "out.nii.gz", "--reference")
    code, _, said = cormack(*words, export)
    assert (code, "the series that the segmentation was drawn on cannot be taken" in said) == (1, True)
    assert "1.2.3.4" not in said
    assert cormack(*words, export, "--series", "2")[0] == 0
    far = nib.load(image)
    moved = nib.Nifti1Image(np.asarray(far.dataobj), far.affine + np.outer([1, 1, 1, 0], [0, 0, 0, 900]))
    moved.header.set_xyzt_units("mm")
    nib.save(moved, tmp_path / "far.nii.gz")
    code, _, said = cormack(*words, tmp_path / "far.nii.gz")
    assert (code, "do not overlap" in said) == (1, True)


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
