"""Displacement fields and whole registrations as files, against ANTs and SimpleITK."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cormack.core.errors import GeometryError, InputError
from cormack.core.fields import DisplacementField
from cormack.core.transforms import Affine, TransformChain, grid_points
from cormack.files.itk import write_affine
from cormack.files.outputs import OutputSet
from cormack.files.transforms import read_field, read_transform, write_field, write_transforms

LPS = np.array([-1.0, -1, 1])
SHAPE = (24, 26, 22)
POINTS = np.random.default_rng(0).uniform(-28, 28, (40, 3))
MATRIX = np.array([[0.98, 0.11, -0.05, 2.5], [-0.1, 1.02, 0.1, -3.0], [0.04, -0.09, 0.99, 1.25], [0, 0, 0, 1]])
ORIENTATIONS = {
    "RAS": np.eye(3),
    "LPS": np.diag(LPS),
    "LAS": np.diag([-1.0, 1, 1]),
    "PIR": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}


def field(codes="RAS", oblique_deg=0.0, amplitude_mm=4.0):
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [oblique_deg, -oblique_deg, oblique_deg / 2], degrees=True).as_matrix()
    affine[:3, :3] = turn @ ORIENTATIONS[codes] * (3.0, 3.0, 3.5)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    points = grid_points(affine, SHAPE)
    rim = [np.sin(np.linspace(0, np.pi, n)) for n in SHAPE]
    window = rim[0][:, None, None] * rim[1][:, None] * rim[2]
    waves = np.stack([np.cos(points[..., (c + 1) % 3] / 17 + c) for c in range(3)], axis=-1)
    return DisplacementField(amplitude_mm * waves * window[..., None], affine)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("oblique_deg", [0.0, 25.0])
def test_simpleitk_and_ants_read_the_fields_that_are_written(codes, oblique_deg, tmp_path):
    made = field(codes, oblique_deg)
    path = tmp_path / "warp.nii.gz"
    write_field(path, made)
    expected = made.apply(POINTS)
    sitk = pytest.importorskip("SimpleITK")
    itk = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    read = np.array([itk.TransformPoint((p * LPS).tolist()) for p in POINTS]) * LPS
    np.testing.assert_allclose(read, expected, atol=1e-4)
    ants = pytest.importorskip("ants")
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(POINTS * LPS, columns=["x", "y", "z"])
    moved = ants.apply_transforms_to_points(3, table, [str(path)])[["x", "y", "z"]].to_numpy() * LPS
    np.testing.assert_allclose(moved, expected, atol=1e-4)
    back = read_field(path)
    np.testing.assert_array_equal(back.displacement, made.displacement)
    np.testing.assert_allclose(back.affine, made.affine, atol=1e-5)


@pytest.mark.parametrize("intent", [1007, 1006])
def test_what_simpleitk_reads_is_read_the_same_way(intent, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    made = field("LPS", 10.0)
    image = sitk.GetImageFromArray((made.displacement * LPS).transpose(2, 1, 0, 3), isVector=True)
    spacing = np.linalg.norm(made.affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin((made.affine[:3, 3] * LPS).tolist())
    image.SetDirection((made.affine[:3, :3] / spacing * LPS[:, None]).ravel().tolist())
    path = tmp_path / "warp.nii.gz"
    sitk.WriteImage(image, str(path))
    if intent != 1007:
        written = nib.load(path)
        written = nib.Nifti1Image(np.asarray(written.dataobj), written.affine, written.header)
        written.header["intent_code"] = intent
        nib.save(written, path)
    itk = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    theirs = np.array([itk.TransformPoint((p * LPS).tolist()) for p in POINTS]) * LPS
    np.testing.assert_allclose(read_field(path).apply(POINTS), theirs, atol=1e-4)
    if intent == 1007:
        np.testing.assert_allclose(theirs, made.apply(POINTS), atol=1e-4)


def test_ants_applies_a_registration_that_was_written(tmp_path):
    ants = pytest.importorskip("ants")
    pd = pytest.importorskip("pandas")
    chain = TransformChain((field(), Affine(MATRIX)))
    with OutputSet(tmp_path) as outputs:
        write_transforms(outputs, chain, moving="ct", fixed="tpl")
    record = json.loads((tmp_path / "transforms.json").read_text())
    table = pd.DataFrame(POINTS * LPS, columns=["x", "y", "z"])
    for direction, expected in (("from-ct_to-tpl", chain), ("from-tpl_to-ct", chain.inverse())):
        files = [str(tmp_path / name) for name in record["Transforms"][direction]]
        # Left alone, ANTsPy inverts an affine that stands first and is followed by a field.
        moved = ants.apply_transforms_to_points(3, table, files, whichtoinvert=[False, False])
        moved = moved[["x", "y", "z"]].to_numpy() * LPS
        np.testing.assert_allclose(moved, expected.apply(POINTS), atol=1e-4)


def test_a_registration_by_ants_is_read_as_ants_applies_it(tmp_path):
    ants = pytest.importorskip("ants")
    pd = pytest.importorskip("pandas")
    radius = np.linalg.norm(np.indices((32, 32, 32)) - np.array([15.0, 17, 14])[:, None, None, None], axis=0)
    ball = ants.from_numpy((radius < 10).astype(np.float32), spacing=(2, 2, 2.5), origin=(-30, -33, -40))
    egg = ants.from_numpy((radius * np.linspace(0.8, 1.2, 32) < 9).astype(np.float32), spacing=(2, 2.2, 2.5))
    made = ants.registration(ball, egg, type_of_transform="SyN", outprefix=str(tmp_path / "x"), reg_iterations=(10, 5))
    points = np.random.default_rng(0).uniform(-25, 25, (30, 3))
    table = pd.DataFrame(points * LPS, columns=["x", "y", "z"])
    warp, affine = (Path(name) for name in made["fwdtransforms"])
    inverse_warp = Path(made["invtransforms"][1])
    there = TransformChain((*read_transform(warp).transforms, *read_transform(affine).transforms))
    back = TransformChain((*read_transform(affine, inverse=True).transforms, *read_transform(inverse_warp).transforms))
    for chain, names, inverted in (
        (there, made["fwdtransforms"], [False, False]),
        (back, made["invtransforms"], [True, False]),
    ):
        moved = ants.apply_transforms_to_points(3, table, names, whichtoinvert=inverted)[["x", "y", "z"]].to_numpy()
        np.testing.assert_allclose(moved * LPS, chain.apply(points), atol=1e-4)


def test_names_by_bids_and_both_ways_back(tmp_path):
    chain = TransformChain((field(), Affine(MATRIX)))
    with OutputSet(tmp_path) as outputs:
        written = write_transforms(
            outputs, chain, moving="ct", fixed="MNI152NLin2009cAsym", stem="sub-01_", folder=Path("xfm")
        )
    names = [path.name for path in written]
    assert names == [
        "sub-01_from-ct_to-MNI152NLin2009cAsym_mode-image_desc-warp_xfm.nii.gz",
        "sub-01_from-ct_to-MNI152NLin2009cAsym_mode-image_desc-affine_xfm.mat",
        "sub-01_from-MNI152NLin2009cAsym_to-ct_mode-image_desc-affine_xfm.mat",
        "sub-01_from-MNI152NLin2009cAsym_to-ct_mode-image_desc-warp_xfm.nii.gz",
        "sub-01_transforms.json",
    ]
    assert sorted(p.name for p in (tmp_path / "xfm").iterdir()) == sorted(names)
    listed = tmp_path / "xfm" / "sub-01_transforms.json"
    np.testing.assert_allclose(read_transform(listed).apply(POINTS), chain.apply(POINTS), atol=1e-4)
    back = read_transform(listed, inverse=True)
    np.testing.assert_allclose(back.apply(POINTS), chain.inverse().apply(POINTS), atol=1e-4)


def test_a_single_transform_needs_no_description(tmp_path):
    with OutputSet(tmp_path) as outputs:
        written = write_transforms(outputs, TransformChain((Affine(MATRIX),)), moving="t0", fixed="t1")
    assert [path.name for path in written][:2] == [
        "from-t0_to-t1_mode-image_xfm.mat",
        "from-t1_to-t0_mode-image_xfm.mat",
    ]
    np.testing.assert_allclose(read_transform(tmp_path).apply(POINTS), Affine(MATRIX).apply(POINTS), atol=1e-9)


def test_two_fields_are_numbered(tmp_path):
    chain = TransformChain((field(), Affine(MATRIX), field("PIR", 5.0)))
    with OutputSet(tmp_path) as outputs:
        written = write_transforms(outputs, chain, moving="a", fixed="b")
    assert [path.name.split("desc-")[1].split("_")[0] for path in written[:3]] == ["warp1", "affine", "warp2"]
    np.testing.assert_allclose(read_transform(tmp_path).apply(POINTS), chain.apply(POINTS), atol=1e-4)


def test_one_file_will_do_and_its_inverse(tmp_path):
    write_affine(tmp_path / "a.tfm", Affine(MATRIX))
    np.testing.assert_allclose(
        read_transform(tmp_path / "a.tfm", inverse=True).apply(Affine(MATRIX).apply(POINTS)), POINTS, atol=1e-9
    )
    made = field()
    write_field(tmp_path / "w.nii", made)
    back = read_transform(tmp_path / "w.nii", inverse=True).apply(made.apply(POINTS))
    assert np.linalg.norm(back - POINTS, axis=1).max() < 0.2


def test_sheared_fields_and_odd_labels_are_refused_and_leave_nothing(tmp_path):
    sheared = field()
    affine = sheared.affine.copy()
    affine[0, 2] = 1.0
    chain = TransformChain((DisplacementField(sheared.displacement, affine),))
    with pytest.raises(GeometryError, match="sheared"), OutputSet(tmp_path) as outputs:
        write_transforms(outputs, chain, moving="ct", fixed="tpl")
    for moving, fixed in (("ct", "ct"), ("my_ct", "tpl"), ("", "tpl")):
        with pytest.raises(InputError, match="labels"), OutputSet(tmp_path) as outputs:
            write_transforms(outputs, TransformChain((Affine(MATRIX),)), moving=moving, fixed=fixed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("empty folder", "cormack register"),
        ("other json", "not a list of transforms"),
        ("newer", "not a list of transforms"),
        ("outside", "outside its folder"),
        ("missing file", "1 of 2 transform files are missing"),
        ("volume", "no displacement field"),
        ("cut", "not a readable displacement field"),
        ("nothing", "no such file"),
    ],
)
def test_foreign_folders_and_files_are_refused(case, words, tmp_path):
    path = tmp_path / "set"
    with OutputSet(path) as outputs:
        write_transforms(outputs, TransformChain((field(), Affine(MATRIX))), moving="ct", fixed="tpl")
    listed = path / "transforms.json"
    record = json.loads(listed.read_text())
    names = record["Transforms"]["from-ct_to-tpl"]
    if case == "empty folder":
        path = tmp_path
    elif case == "other json":
        listed.write_text("[1]")
    elif case == "newer":
        listed.write_text(json.dumps({**record, "Schema": 99}))
    elif case == "outside":
        names[0] = "../" + names[0]
        listed.write_text(json.dumps(record))
    elif case == "missing file":
        (path / names[1]).unlink()
    elif case == "volume":
        nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)), path / names[0])
    elif case == "cut":
        (path / names[0]).write_bytes((path / names[0]).read_bytes()[:5000])
    else:
        path = path / "t.mat"
    with pytest.raises(InputError, match=words):
        read_transform(path)
