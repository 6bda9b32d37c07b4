"""Renderings against what geometry says: a ball's shading, where a nose stands out, what is nearer hides."""

from __future__ import annotations

import numpy as np

from cormack.core.volume import Volume
from cormack.report.surface import AMBIENT, HALF_SIDE_MM, LIGHT, PIXEL_MM, VIEWS, View, render_surfaces

FRONT, SIDE = View("front", 0.0), View("side", 90.0)


def scene(nose: bool = False) -> tuple[Volume, np.ndarray]:
    """A ball of 60 mm, with a small ball in front of it (anterior) if wanted; values rise across the surface."""
    axis = np.arange(-99.0, 100, 3)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    inside = 60 - np.sqrt(x**2 + y**2 + z**2)
    if nose:
        inside = np.maximum(inside, 10 - np.sqrt(x**2 + (y - 66) ** 2 + (z + 20) ** 2))
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = -99
    return Volume((100 * inside).astype(np.float32), affine, outside=-10000.0), np.zeros(3)


def shade(normal: np.ndarray) -> float:
    light = np.array(LIGHT) / np.linalg.norm(LIGHT)
    return 255 * (AMBIENT + (1 - AMBIENT) * max(0.0, float(normal @ light)))


def test_a_ball_is_shaded_by_lamberts_law():
    volume, centre = scene()
    picture = render_surfaces(volume, {"ball": 0.0}, centre_mm=centre, views=[FRONT])["ball", "front"].astype(float)
    middle = (len(picture) - 1) / 2
    for right, up in ((0, 0), (-25, 20), (25, -15), (10, 35)):
        normal = np.array([right, up, np.sqrt(60**2 - right**2 - up**2)]) / 60
        row, column = round(middle - up / PIXEL_MM), round(middle + right / PIXEL_MM)
        assert abs(picture[row, column] - shade(normal)) < 8
    assert picture[0, 0] == 0
    assert abs(np.count_nonzero(picture) * PIXEL_MM**2 / (np.pi * 60**2) - 1) < 0.03
    assert len(picture) == round(2 * HALF_SIDE_MM / PIXEL_MM)


def test_a_nose_stands_out_in_profile_to_the_left():
    # Seen from the head's left, anterior is on the left of the picture.
    volume, centre = scene(nose=True)
    shown = render_surfaces(volume, {"skin": 0.0}, centre_mm=centre, views=[FRONT, SIDE])
    columns = np.flatnonzero(shown["skin", "side"].any(axis=0))
    middle = (shown["skin", "side"].shape[1] - 1) / 2
    assert middle - columns[0] > 70 / PIXEL_MM
    assert columns[-1] - middle < 63 / PIXEL_MM
    plain = render_surfaces(scene()[0], {"skin": 0.0}, centre_mm=centre, views=[FRONT])["skin", "front"]
    changed = np.argwhere(shown["skin", "front"] != plain)
    assert changed.size
    assert np.all(np.abs(changed.mean(axis=0) - [middle + 20 / PIXEL_MM, middle]) < 4)


def test_the_heads_own_axes_turn_the_picture():
    volume, centre = scene(nose=True)
    turned = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]).T  # the head's anterior points to the scan's left
    own = render_surfaces(volume, {"s": 0.0}, centre_mm=centre, axes=turned, views=[FRONT])["s", "front"]
    scan = render_surfaces(volume, {"s": 0.0}, centre_mm=centre, views=[SIDE])["s", "side"]
    assert np.mean(own != scan) < 1e-3


def test_the_reports_views():
    assert [view.azimuth_deg for view in VIEWS] == [0.0, 42.0, 90.0]
