import numpy as np
import pytest

from cormack.core.errors import InputError, OutputError
from cormack.core.mesh import Mesh
from cormack.files.meshes import write_mesh

CORNERS = np.array([[0, 0, 0], [10, 0, 0], [0, 20, 0], [0, 0, 30.0]])
PYRAMID = Mesh(CORNERS, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), "pyramid 1")
TURN = np.array([-1, -1, 1])


@pytest.mark.parametrize(("space", "signs"), [("LPS", TURN), ("RAS", np.ones(3))])
def test_stl_by_its_definition(tmp_path, space, signs):
    write_mesh(tmp_path / "a.stl", PYRAMID, space=space)
    raw = (tmp_path / "a.stl").read_bytes()
    assert not raw.startswith(b"solid")
    assert f"SPACE={space}".encode() in raw[:80]
    assert int.from_bytes(raw[80:84], "little") == 4
    assert len(raw) == 84 + 4 * 50
    first = np.frombuffer(raw, "<f4", count=12, offset=84).reshape(4, 3)
    np.testing.assert_allclose(first[0], [0, 0, -1])
    np.testing.assert_allclose(first[1:], CORNERS[[0, 2, 1]] * signs)


def test_obj_of_two_groups(tmp_path):
    write_mesh(tmp_path / "a.obj", [PYRAMID, PYRAMID])
    lines = (tmp_path / "a.obj").read_text().splitlines()
    assert "SPACE=LPS" in lines[0]
    assert lines.count("g pyramid_1") == 2
    faces = np.array([line.split()[1:] for line in lines if line.startswith("f")], dtype=int)
    np.testing.assert_array_equal(faces, np.concatenate([PYRAMID.faces + 1, PYRAMID.faces + 5]))
    assert "v -10.0000 0.0000 0.0000" in [line.replace("-0.0000", "0.0000") for line in lines]


def test_ply_by_its_header(tmp_path):
    write_mesh(tmp_path / "a.PLY", PYRAMID)
    header, _, body = (tmp_path / "a.PLY").read_bytes().partition(b"end_header\n")
    assert b"element vertex 4" in header
    assert b"element face 4" in header
    assert b"SPACE=LPS" in header
    vertices = np.frombuffer(body, "<f4", count=12).reshape(4, 3)
    np.testing.assert_allclose(vertices, CORNERS * TURN)
    faces = np.frombuffer(body[48:], dtype=[("count", "u1"), ("corners", "<i4", 3)])
    np.testing.assert_array_equal(faces["corners"], PYRAMID.faces)
    assert (faces["count"] == 3).all()


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="must end in"):
        write_mesh(tmp_path / "a.vtk", PYRAMID)
    with pytest.raises(InputError, match="no triangle"):
        write_mesh(tmp_path / "a.stl", Mesh(np.empty((0, 3)), np.empty((0, 3), dtype=int)))
    with pytest.raises(InputError, match="LPS or RAS"):
        write_mesh(tmp_path / "a.stl", PYRAMID, space="RSA")
