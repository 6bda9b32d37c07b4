"""ITK's transform files both ways, against SimpleITK and ANTs."""

import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cormack.core.errors import DependencyError, InputError
from cormack.core.transforms import Affine, TransformChain
from cormack.files.itk import read_itk, write_affine

LPS = np.array([-1.0, -1, 1])
POINTS = np.random.default_rng(0).uniform(-120, 120, (20, 3))
MATRIX = np.array([[0.96, 0.11, -0.05, 12.5], [-0.1, 1.02, 0.2, -33.0], [0.04, -0.19, 0.98, 7.25], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def sitk():
    return pytest.importorskip("SimpleITK")


def theirs(transform):
    """What SimpleITK makes of the points, RAS+ both ways."""
    return np.array([transform.TransformPoint((p * LPS).tolist()) for p in POINTS]) * LPS


def transforms_of(sitk):
    affine = sitk.AffineTransform(3)
    affine.SetMatrix([1, 0.1, 0, 0, 1.1, 0.2, 0.05, 0, 0.9])
    affine.SetTranslation((1, 2, 3))
    affine.SetCenter((5, 6, -70))
    euler = sitk.Euler3DTransform((5, 6, 7), 0.1, -0.2, 0.3, (4, 5, 6))
    zyx = sitk.Euler3DTransform(euler)
    zyx.SetComputeZYX(True)
    versor = sitk.VersorRigid3DTransform((0, 0.6, 0.8), 0.7, (1, 2, 3), (10, -20, 30))
    similar = sitk.Similarity3DTransform(1.2, (0.6, 0, 0.8), -0.4, (1, 2, 3), (10, -20, 30))
    return {
        "affine": affine,
        "euler": euler,
        "euler zyx": zyx,
        "versor": versor,
        "similarity": similar,
        "translation": sitk.TranslationTransform(3, (1.0, -2.0, 3.0)),
    }


@pytest.mark.parametrize("ending", [".mat", ".tfm", ".txt", ".h5"])
@pytest.mark.parametrize("kind", ["affine", "euler", "euler zyx", "versor", "similarity", "translation"])
def test_what_simpleitk_writes_is_read(sitk, kind, ending, tmp_path):
    if ending == ".h5":
        pytest.importorskip("h5py")
    transform = transforms_of(sitk)[kind]
    path = tmp_path / f"t{ending}"
    sitk.WriteTransform(transform, str(path))
    np.testing.assert_allclose(read_itk(path).apply(POINTS), theirs(transform), atol=1e-6)


@pytest.mark.parametrize("ending", [".tfm", ".h5"])
def test_composites_keep_their_order(sitk, ending, tmp_path):
    if ending == ".h5":
        pytest.importorskip("h5py")
    made = transforms_of(sitk)
    both = sitk.CompositeTransform([made["affine"], made["euler"]])
    path = tmp_path / f"t{ending}"
    sitk.WriteTransform(both, str(path))
    read = read_itk(path)
    assert isinstance(read, TransformChain)
    np.testing.assert_allclose(read.apply(POINTS), theirs(both), atol=1e-6)


def test_fields_within_composites(sitk, tmp_path):
    pytest.importorskip("h5py")
    image = sitk.Image([5, 6, 7], sitk.sitkVectorFloat64, 3)
    for index in np.ndindex(5, 6, 7):
        image[[int(n) for n in index]] = (0.1 * index[0], 0.2 * index[1] - 1, 0.3 * index[2])
    image.SetSpacing((40.0, 42.0, 38.0))
    image.SetOrigin((-100.0, -110.0, -120.0))
    angle = np.radians(20)
    image.SetDirection([np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1])
    both = sitk.CompositeTransform([transforms_of(sitk)["affine"], sitk.DisplacementFieldTransform(image)])
    path = tmp_path / "t.h5"
    sitk.WriteTransform(both, str(path))
    np.testing.assert_allclose(read_itk(path).apply(POINTS), theirs(both), atol=1e-4)


@pytest.mark.parametrize("ending", [".mat", ".tfm", ".txt"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    linear=st.lists(st.floats(-0.3, 0.3), min_size=9, max_size=9),
    shift=st.lists(st.floats(-300, 300), min_size=3, max_size=3),
)
def test_affines_survive_their_file(ending, linear, shift, tmp_path):
    matrix = np.eye(4)
    matrix[:3, :3] += np.reshape(linear, (3, 3)) / 2
    matrix[:3, 3] = shift
    path = tmp_path / f"t{ending}"
    write_affine(path, Affine(matrix))
    back = read_itk(path)
    assert isinstance(back, Affine)
    np.testing.assert_allclose(back.matrix, matrix, atol=1e-12)


@pytest.mark.parametrize("ending", [".mat", ".tfm", ".txt"])
def test_simpleitk_and_ants_read_what_is_written(sitk, ending, tmp_path):
    path = tmp_path / f"t{ending}"
    write_affine(path, Affine(MATRIX))
    expected = POINTS @ MATRIX[:3, :3].T + MATRIX[:3, 3]
    np.testing.assert_allclose(theirs(sitk.ReadTransform(str(path))), expected, atol=1e-6)
    ants = pytest.importorskip("ants")
    transform = ants.read_transform(str(path))
    read = np.array([transform.apply_to_point((p * LPS).tolist()) for p in POINTS]) * LPS
    np.testing.assert_allclose(read, expected, atol=1e-4)


def test_what_ants_writes_is_read(tmp_path):
    ants = pytest.importorskip("ants")
    transform = ants.create_ants_transform(
        transform_type="AffineTransform", precision="float", dimension=3,
        matrix=MATRIX[:3, :3], translation=MATRIX[:3, 3], center=(3, -60, 20),
    )  # fmt: skip
    path = tmp_path / "t.mat"
    ants.write_transform(transform, str(path))
    expected = np.array([transform.apply_to_point((p * LPS).tolist()) for p in POINTS]) * LPS
    np.testing.assert_allclose(read_itk(path).apply(POINTS), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.tfm", b"no transform"),
        ("t.tfm", b""),
        ("t.tfm", b"#Insight Transform File V1.0\n"),
        ("t.tfm", b"#Insight Transform File V1.0\nParameters: 1 2\n"),
        ("t.tfm", b"#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2\n"),
        ("t.tfm", b"#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: 1 0 0 1 0 0\n"),
        ("t.tfm", b"#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1\n"),
        ("t.tfm", b"#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 nan 0\n"),
        ("t.tfm", b"#Insight Transform File V1.0\n" + 2 * b"Transform: TranslationTransform_double_3_3\n"
                  b"Parameters: 1 2 3\n"),
        ("t.mat", b"\x00\x01"),
        ("t.mat", b"MATLAB 5.0 MAT-file" + bytes(200)),
        ("t.xfm", b"MNI Transform File"),
    ],
)  # fmt: skip
def test_broken_and_foreign_files_are_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="transform"):
        read_itk(tmp_path / name)


def test_hdf5_asks_for_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "t.h5").write_bytes(b"")
    with pytest.raises(DependencyError, match="pip install h5py"):
        read_itk(tmp_path / "t.h5")


def test_the_ending_says_what_is_written(tmp_path):
    with pytest.raises(InputError, match=r"\.mat, \.tfm or \.txt"):
        write_affine(tmp_path / "t.xfm", Affine.identity())
