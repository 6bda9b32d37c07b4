"""Slices in space: order, tilt, gaps, doubles, each against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import AXIAL, CORONAL, SAGITTAL, tilted

from cormack.core.errors import GeometryError
from cormack.core.volume import SliceStack
from cormack.dicom.geometry import find_gaps, stack_geometry


def _stack(orientation: tuple[float, ...], positions: np.ndarray, spacing: tuple[float, float] = (0.5, 0.75)):
    return stack_geometry([orientation] * len(positions), positions, spacing)


@pytest.mark.parametrize(
    ("orientation", "normal_ras", "plane"),
    [
        (AXIAL, (0, 0, 1), "axial"),
        (CORONAL, (0, -1, 0), "coronal"),
        (SAGITTAL, (1, 0, 0), "sagittal"),
    ],
)
def test_normal_and_order(orientation: tuple[float, ...], normal_ras: tuple[int, ...], plane: str) -> None:
    lps_normal = np.cross(orientation[:3], orientation[3:])
    positions = np.array([3, -1, 7, 2])[:, None] * lps_normal
    geometry = _stack(orientation, positions)
    assert geometry.normal == pytest.approx(normal_ras)
    assert geometry.order == (1, 3, 0, 2)
    assert geometry.positions_mm == pytest.approx([0, 3, 4, 8])
    assert geometry.plane == plane


def test_steps_swap_the_pixel_spacing_and_turn_lps_to_ras() -> None:
    geometry = _stack(AXIAL, np.array([[1.0, 2.0, 3.0]]), (0.5, 0.75))
    assert geometry.step_i == pytest.approx([-0.75, 0, 0])
    assert geometry.step_j == pytest.approx([0, -0.5, 0])
    assert geometry.origins == pytest.approx(np.array([[-1, -2, 3]]))


@given(
    tilt=st.floats(-25, 25),
    distances=st.lists(st.floats(0.3, 10), min_size=2, max_size=20),
    data=st.data(),
)
def test_any_tilt_and_spacing_keeps_every_slice(tilt: float, distances: list[float], data: st.DataObject) -> None:
    z = np.concatenate([[0.0], np.cumsum(distances)])
    positions = np.stack([np.full_like(z, -100.0), np.full_like(z, 50.0), z], axis=1)
    order = data.draw(st.permutations(range(len(z))))
    geometry = _stack(tilted(tilt), positions[list(order)])
    assert [order[index] for index in geometry.order] == list(range(len(z)))
    assert geometry.origins == pytest.approx(positions * [-1, -1, 1])
    assert geometry.distances_mm == pytest.approx(np.array(distances) * np.cos(np.radians(tilt)))
    # The gantry leans by the angle that the table's direction makes with the normal.
    assert abs(geometry.tilt_deg) == pytest.approx(abs(tilt), abs=1e-4)
    stack = SliceStack(np.zeros((4, 3, len(z))), geometry.step_i, geometry.step_j, geometry.origins)
    assert stack.tilt_deg == pytest.approx(geometry.tilt_deg)


def test_doubled_positions_keep_the_first() -> None:
    positions = np.array([[0, 0, z] for z in (0, 5, 5.002, 10, 10)], dtype=float)
    geometry = _stack(AXIAL, positions)
    assert geometry.order == (0, 1, 3)
    assert geometry.doubled == (2, 4)


@pytest.mark.parametrize(
    ("distances", "after"),
    [
        ([1, 1, 2, 1, 1], [2]),
        ([2, 1, 1, 1], [0]),
        ([1, 1, 1, 3], [3]),
        ([1, 1, 2, 2, 1, 1, 1], [2, 3]),
        ([2.5, 2.5, 2.5, 10, 10, 10], []),
        ([4, 4, 4, 1.08, 7, 7, 7], []),
        ([4, 4, 7, 7], []),
        ([7, 7, 4, 4], []),
        ([5, 10], []),
        ([1], []),
    ],
)
def test_gaps(distances: list[float], after: list[int]) -> None:
    gaps = find_gaps(np.array(distances, dtype=float))
    assert [gap.after for gap in gaps] == after


def test_a_gap_counts_missing_slices() -> None:
    assert find_gaps(np.array([1.0, 1, 1, 3, 1, 1, 1]))[0].missing == 2


@pytest.mark.parametrize(
    ("orientations", "positions", "spacing"),
    [
        ([AXIAL, CORONAL], [[0, 0, 0], [0, 0, 1]], (1, 1)),
        ([(1, 0, 0, 1, 0, 0)], [[0, 0, 0]], (1, 1)),
        ([(0, 0, 0, 0, 0, 0)], [[0, 0, 0]], (1, 1)),
        ([(2, 0, 0, 0, 1, 0)], [[0, 0, 0]], (1, 1)),
        ([AXIAL], [[0, 0, np.nan]], (1, 1)),
        ([AXIAL], [[0, 0, 1e30]], (1, 1)),
        ([AXIAL], [[0, 0, 0]], (0, 1)),
        ([AXIAL], [[0, 0, 0]], (1, 1e9)),
        ([], [], (1, 1)),
    ],
)
def test_what_is_no_stack(orientations: list, positions: list, spacing: tuple[float, float]) -> None:
    with pytest.raises(GeometryError):
        stack_geometry(orientations, positions, spacing)
