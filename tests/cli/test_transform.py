import json

import nibabel as nib
import numpy as np
import pytest

from cormack.core.fields import DisplacementField
from cormack.core.transforms import Affine, TransformChain, grid_points
from cormack.files.itk import write_affine
from cormack.files.outputs import OutputSet
from cormack.files.transforms import write_field, write_transforms

GRID = np.array([[-2.0, 0, 0, 60], [0, 2, 0, -70], [0, 0, 2.5, -50], [0, 0, 0, 1]])
SHAPE = (60, 70, 40)
TURN = Affine(np.array([[0.98, 0.17, 0, 4.0], [-0.17, 0.98, 0.05, -6], [0, -0.05, 1.02, 3], [0, 0, 0, 1]]))


def brightness(points):
    return 100 * np.sin(points[..., 0] / 20) + 80 * np.cos(points[..., 1] / 25) + points[..., 2]


def nifti(path, data, affine=GRID):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


@pytest.fixture(scope="module")
def chain():
    points = grid_points(GRID, SHAPE)
    rim = [np.sin(np.linspace(0, np.pi, n)) for n in SHAPE]
    window = (rim[0][:, None, None] * rim[1][:, None] * rim[2])[..., None]
    field = DisplacementField(4 * np.cos(points / 30) * window, GRID)
    return TransformChain((field, TURN))


@pytest.fixture(scope="module")
def desk(tmp_path_factory, chain):
    """A registration's folder, a scan in the moving space, an atlas in the fixed one."""
    folder = tmp_path_factory.mktemp("desk")
    with OutputSet(folder / "registration") as outputs:
        write_transforms(outputs, chain, moving="ct", fixed="tpl")
    values = brightness(grid_points(GRID, SHAPE)).astype(np.float32)
    nifti(folder / "scan.nii.gz", values)
    radius = np.linalg.norm(grid_points(GRID, SHAPE) - [0, 0, 0], axis=-1)
    nifti(folder / "atlas.nii.gz", np.where(radius < 20, 2, np.where(radius < 35, 1, 0)).astype(np.uint8))
    nifti(
        folder / "fixed.nii.gz",
        np.zeros((50, 60, 50), np.uint8),
        np.diag([2.0, 2, 2, 1]) + np.array([[0, 0, 0, -50]] * 3 + [[0] * 4]),
    )
    return folder


def test_a_scan_comes_onto_the_template(cormack, desk, chain, tmp_path):
    out = tmp_path / "out.nii.gz"
    words = ["transform", desk / "scan.nii.gz", out, "--reference", desk / "fixed.nii.gz"]
    code, said, err = cormack(*words, "--transform", desk / "registration", "--interpolation", "cubic")
    assert (code, "values" in said) == (0, True), err
    image, fixed = nib.load(out), nib.load(desk / "fixed.nii.gz")
    assert image.shape == fixed.shape
    np.testing.assert_allclose(image.affine, fixed.affine, atol=1e-4)
    places = chain.apply(grid_points(fixed.affine, fixed.shape))
    inner = np.all(np.abs(places) < 40, axis=-1)
    assert np.abs(image.get_fdata() - brightness(places))[inner].max() < 0.5
    sidecar = json.loads((tmp_path / "out.json").read_text())
    assert (sidecar["Interpolation"], sidecar["Transform"]) == ("cubic, once", "forward")


def test_an_atlas_goes_back_to_the_scan_and_stays_whole(cormack, desk, chain, tmp_path):
    out = tmp_path / "out.nii.gz"
    words = ["transform", desk / "atlas.nii.gz", out, "--reference", desk / "scan.nii.gz", "--inverse", "--labels"]
    code, said, _ = cormack(*words, "--transform", desk / "registration")
    assert (code, "labels" in said) == (0, True)
    made = np.asarray(nib.load(out).dataobj)
    assert made.dtype == np.uint8
    assert set(np.unique(made)) == {0, 1, 2}
    radius = np.linalg.norm(chain.inverse().apply(grid_points(GRID, SHAPE)), axis=-1)
    truth = np.where(radius < 20, 2, np.where(radius < 35, 1, 0))
    assert np.mean(made != truth) < 0.02
    assert json.loads((tmp_path / "out.json").read_text())["Transform"] == "inverse"


def test_structures_get_their_names_and_volumes(cormack, desk, tmp_path):
    (tmp_path / "names.tsv").write_text("index\tname\n1\tshell\n2\tcore\n5\tabsent\n")
    out, table = tmp_path / "out.nii.gz", tmp_path / "volumes.tsv"
    words = ["transform", desk / "atlas.nii.gz", out, "--reference", desk / "scan.nii.gz", "--inverse"]
    words += ["--transform", desk / "registration", "--names", tmp_path / "names.tsv", "--volumes", table]
    code, _, err = cormack(*words)
    assert (code, "--labels" in err) == (1, True)
    assert cormack(*words, "--labels")[0] == 0
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert rows[0] == ["index", "name", "voxels", "volume_ml"]
    assert [row[1] for row in rows[1:]] == ["shell", "core", "absent"]
    made = np.asarray(nib.load(out).dataobj)
    assert [int(row[2]) for row in rows[1:]] == [np.count_nonzero(made == n) for n in (1, 2, 5)]
    # The scan's space is 1.03 times as large as the atlas's there.
    assert float(rows[2][3]) == pytest.approx(
        4 / 3 * np.pi * 20**3 / 1000 * np.linalg.det(TURN.matrix[:3, :3]), rel=0.03
    )


def test_labels_told_as_values_raise_a_doubt(cormack, desk, tmp_path):
    words = ["transform", desk / "atlas.nii.gz", tmp_path / "o.nii", "--reference", desk / "scan.nii.gz", "--inverse"]
    code, _, err = cormack(*words, "--transform", desk / "registration")
    assert (code, "say --labels" in err) == (0, True)


def test_dicom_is_taken_on_both_sides_and_interpolated_once(cormack, export, tmp_path):
    write_affine(tmp_path / "none.mat", Affine.identity())
    out = tmp_path / "out.nii.gz"
    code, _, err = cormack("transform", export, out, "--reference", export, "--transform", tmp_path / "none.mat")
    assert code == 0, err
    assert cormack("convert", export, tmp_path / "rectified.nii.gz")[0] == 0
    warped, rectified = nib.load(out), nib.load(tmp_path / "rectified.nii.gz")
    np.testing.assert_allclose(warped.affine, rectified.affine, atol=1e-3)
    # The tilted slices come straight onto the upright grid; rectifying interpolates along them as well as across.
    a, b = (np.asarray(image.dataobj).astype(float) for image in (warped, rectified))
    both = (a > -200) & (b > -200)
    assert np.abs(a - b)[both].mean() < 12


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_points_go_where_the_image_goes(cormack, desk, chain, tmp_path, ending):
    separator = {".csv": ",", ".tsv": "\t"}[ending]
    fixed = np.array([[10.0, -20, 5], [-15, 12, -8]])
    moving = chain.apply(fixed)
    lines = [separator.join(["name", "x", "y", "z"])]
    lines += [separator.join([f"p{n}", *map(repr, point.tolist())]) for n, point in enumerate(moving)]
    (tmp_path / f"in{ending}").write_text("\n".join(lines) + "\n")
    out = tmp_path / f"out{ending}"
    words = ["transform-points", tmp_path / f"in{ending}", out, "--transform", desk / "registration"]
    code, said, _ = cormack(*words)
    assert (code, "2 points" in said) == (0, True)
    rows = [line.split(separator) for line in out.read_text().splitlines()]
    assert rows[0] == ["name", "x", "y", "z"]
    assert [row[0] for row in rows[1:]] == ["p0", "p1"]
    np.testing.assert_allclose(np.array([row[1:] for row in rows[1:]], float), fixed, atol=0.05)
    again = tmp_path / f"again{ending}"
    assert cormack("transform-points", out, again, "--transform", desk / "registration", "--inverse")[0] == 0
    rows = [line.split(separator) for line in again.read_text().splitlines()]
    np.testing.assert_allclose(np.array([row[1:] for row in rows[1:]], float), moving, atol=0.05)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no folder", "no such file or folder"),
        ("empty folder", "cormack register"),
        ("not a transform", "no displacement field"),
        ("far", "do not overlap"),
        ("no labels", "labels are whole numbers"),
        ("dicom labels", "labels are read from NIfTI"),
        ("cubic labels", "order 3"),
        ("no reference", "no such file"),
        ("folded", "folds"),
    ],
)
def test_what_cannot_be_transformed_is_said_and_leaves_nothing(case, words, cormack, desk, export, tmp_path):
    source, reference, transform, more = desk / "scan.nii.gz", desk / "fixed.nii.gz", desk / "registration", []
    given = tmp_path / "given"
    given.mkdir()
    if case == "no folder":
        transform = tmp_path / "nothing"
    elif case == "empty folder":
        transform = given
    elif case == "not a transform":
        transform = desk / "scan.nii.gz"
    elif case == "far":
        transform = given / "far.tfm"
        far = np.eye(4)
        far[2, 3] = 2000
        write_affine(transform, Affine(far))
    elif case == "no labels":
        more = ["--labels"]
    elif case == "dicom labels":
        source, more = export, ["--labels"]
    elif case == "cubic labels":
        source, more = desk / "atlas.nii.gz", ["--labels", "--interpolation", "cubic", "--inverse"]
    elif case == "no reference":
        reference = tmp_path / "nothing.nii.gz"
    elif case == "folded":
        vectors = np.zeros((20, 20, 20, 3), np.float32)
        vectors[5:15, 5:15, 5:15, 0] = 30
        transform, more = given / "folded.nii.gz", ["--inverse"]
        write_field(transform, DisplacementField(vectors, np.diag([3.0, 3, 3, 1])))
    code, _, err = cormack(
        "transform", source, tmp_path / "o.nii.gz", "--reference", reference, "--transform", transform, *more
    )
    assert code == 1
    assert words in err
    assert [p.name for p in tmp_path.iterdir()] == ["given"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.txt", "x,y,z\n1,2,3\n", "existing table of points"),
        ("p.csv", "a,b,c\n1,2,3\n", "columns x, y and z"),
        ("p.csv", "x,y,z\n1,2\n", "must be numbers"),
        ("p.csv", "x,y,z\n1,2,inf\n", "finite"),
        ("p.csv", "x,y,z\n1,2,3,4\n", "no row longer"),
        ("p.csv", "", "columns x, y and z"),
    ],
)
def test_what_is_no_table_of_points(name, text, words, cormack, desk, tmp_path):
    (tmp_path / name).write_text(text)
    code, _, err = cormack(
        "transform-points", tmp_path / name, tmp_path / "o.csv", "--transform", desk / "registration"
    )
    assert (code, words in err) == (1, True)
    assert (
        cormack("transform-points", tmp_path / name, tmp_path / "o.xyz", "--transform", desk / "registration")[0] == 1
    )
