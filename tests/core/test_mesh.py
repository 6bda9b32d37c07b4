import numpy as np
import pytest

from cormack.core.errors import GeometryError
from cormack.core.mesh import Mesh

CUBE = np.array([[x, y, z] for x in (0, 10) for y in (0, 10) for z in (0, 10)], dtype=float)
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([half for a, b, c, d in SIDES for half in ((a, b, c), (a, c, d))])


def test_cube_of_one_millilitre():
    cube = Mesh(CUBE + np.array([100, -50, 900]), FACES)
    assert cube.area_mm2 == pytest.approx(600)
    assert cube.volume_ml == pytest.approx(1.0)
    np.testing.assert_allclose(cube.centre_mm, [105, -45, 905])
    assert cube.is_closed
    assert cube.pinched_edges == 0
    np.testing.assert_allclose(np.linalg.norm(cube.vertex_normals, axis=1), 1)
    outwards = np.einsum("vx,vx->v", cube.vertex_normals, cube.vertices - cube.centre_mm)
    assert outwards.min() > 0


def test_a_missing_face_is_an_open_mesh():
    opened = Mesh(CUBE, FACES[1:])
    assert not opened.is_closed
    assert len(opened.open_edges) == 3


def test_a_face_turned_round_is_found():
    turned = FACES.copy()
    turned[0] = turned[0][::-1]
    assert not Mesh(CUBE, turned).is_closed
    assert Mesh(CUBE, FACES[:, ::-1]).volume_ml == pytest.approx(-1.0)


def test_nothing_is_not_closed():
    assert not Mesh(np.empty((0, 3)), np.empty((0, 3), dtype=int)).is_closed


@pytest.mark.parametrize(
    ("vertices", "faces", "words"),
    [
        (CUBE[:, :2], FACES, "shape"),
        (CUBE, FACES[:, :2], "shape"),
        (CUBE * np.nan, FACES, "finite"),
        (CUBE[:4], FACES, "name others"),
    ],
)
def test_half_valid_meshes_are_refused(vertices, faces, words):
    with pytest.raises(GeometryError, match=words):
        Mesh(vertices, faces)
