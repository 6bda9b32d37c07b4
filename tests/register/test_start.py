import numpy as np
import pytest
from register_heads import grid, head, turned

from cormack.core.volume import Volume
from cormack.register.conditioning import condition
from cormack.register.start import find_start, orientations


@pytest.fixture(scope="module")
def fixed():
    return condition(head(), spacing_mm=4.0)


def moved(transform, seed=1) -> Volume:
    """The head with its grid carried along: the values stay, the header turns."""
    plain = head(seed=seed)
    return Volume(plain.data, transform.matrix @ plain.affine)


def distance_mm(found, true) -> float:
    points = np.array([[0, 0, 0], [60, 0, 0], [0, 70, 0], [0, 0, 60]])
    return float(np.linalg.norm(found.apply(points) - true.apply(points), axis=1).max())


@pytest.mark.parametrize(
    ("angles", "shift"),
    [((0, 0, 90), (0, 0, 0)), ((180, 0, 0), (500, -300, 90)), ((60, -60, 60), (80, -80, 80))],
)  # fmt: skip
def test_any_turn_and_any_origin_is_found(fixed, angles, shift):
    true = turned(angles, shift)
    start = find_start(condition(moved(true), spacing_mm=4.0), fixed, scaled=False)
    assert distance_mm(start.transform, true) < 4.0


def test_a_cut_head_is_found(fixed):
    true = turned((20, 10, -30), (30, 0, 10))
    whole = moved(true)
    cut = Volume(whole.data[8:, :, : whole.shape[2] * 2 // 3], whole.affine @ translation(8))
    start = find_start(condition(cut, spacing_mm=4.0), fixed, scaled=False)
    assert distance_mm(start.transform, true) < 8.0


def translation(i: int) -> np.ndarray:
    affine = np.eye(4)
    affine[0, 3] = i
    return affine


def test_orientations_are_rotations_and_cover_all(fixed):
    turns = orientations()
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.broadcast_to(np.eye(3), turns.shape), atol=1e-12)
    assert np.allclose(np.linalg.det(turns), 1)
    others = orientations(2000)[24:]
    cosines = np.einsum("aij,bij->ab", others, turns) / 2 - 0.5
    assert np.degrees(np.arccos(np.clip(cosines.max(axis=1), -1, 1))).max() < 35
    assert grid().shape == (4, 4)
