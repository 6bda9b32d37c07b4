import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.mesh import Mesh
from cormack.core.volume import Volume
from cormack.imaging.surfaces import iso_surface
from cormack.report.plots.raster import corner_weights, rasterise
from cormack.report.plots.surface import VIEWS, plot_surface, view_axes
from cormack.report.plots.surface_page import fitted, surface_page


@pytest.fixture(scope="module")
def ball():
    """A ball of 30 mm with a nose to the patient's anterior right."""
    i, j, k = np.indices((70, 70, 70)) - 35.0
    data = np.maximum(30 - np.sqrt(i**2 + j**2 + k**2), 6 - np.sqrt((i - 8) ** 2 + (j - 30) ** 2 + k**2))
    return iso_surface(Volume(data.astype(np.float32), np.eye(4), outside=-50.0), 0.0, smoothing_mm=0, name="skin")


def test_nearer_triangles_hide_farther_ones_pixel_by_pixel():
    """Two triangles that pierce each other: whichever is nearer at the pixel is seen."""
    flat = [[0, 0, 5], [40, 0, 5], [0, 40, 5.0]]
    steep = [[0, 0, 0], [40, 0, 10], [0, 40, 0.0]]
    depth, triangle = rasterise(np.array([flat, steep]), (41, 41))
    columns = np.arange(41)
    inside = triangle >= 0
    assert inside.sum() == 41 * 42 / 2
    expected = np.broadcast_to(np.minimum(5, columns / 4), (41, 41))
    np.testing.assert_allclose(depth[inside], expected[inside], atol=1e-9)
    clearly = inside & (np.abs(columns - 20) > 0)
    np.testing.assert_array_equal(triangle[clearly], np.broadcast_to(columns < 20, (41, 41))[clearly].astype(int))


def test_neighbouring_triangles_leave_no_gap():
    rng = np.random.default_rng(0)
    points = np.vstack([rng.uniform(2, 38, (200, 2)), [[0, 0], [40, 0], [0, 40], [40, 40]]])
    from scipy.spatial import Delaunay

    corners = np.concatenate([points, np.ones((len(points), 1))], axis=1)[Delaunay(points).simplices]
    _, triangle = rasterise(corners, (41, 41))
    assert (triangle >= 0).all()


def test_weights_give_back_the_points():
    corners = np.random.default_rng(1).uniform(0, 10, (50, 3, 3))
    shares = np.random.default_rng(2).dirichlet([1, 1, 1], 50)
    points = np.einsum("nc,ncx->nx", shares, corners)[:, :2]
    np.testing.assert_allclose(corner_weights(corners, points), shares, atol=1e-6)


@pytest.mark.parametrize("view", VIEWS)
def test_views_look_where_they_say(view):
    right, up, towards = view_axes(view).T
    np.testing.assert_allclose(np.cross(right, up), towards, atol=1e-12)
    expected = {"front": [0, 1, 0], "left": [-1, 0, 0], "back": [0, -1, 0], "right": [1, 0, 0], "top": [0, 0, 1],
                "bottom": [0, 0, -1]}  # fmt: skip
    if view in expected:
        np.testing.assert_allclose(towards, expected[view], atol=1e-12)


def test_a_ball_is_a_disc_of_its_size_to_scale(ball):
    ax = plot_surface(ball, view="back", pixels=300)
    image = ax.images[0].get_array()
    drawn = (image < 255).any(axis=-1)
    pixel = ax.images[0].get_extent()[1] / image.shape[1]
    assert drawn.sum() * pixel**2 == pytest.approx(np.pi * 30**2, rel=0.02)
    assert [text.get_text() for text in ax.texts][-4:] == ["L", "R", "S", "I"]


def test_the_nose_is_on_the_viewers_left_from_the_front(ball):
    image = plot_surface(ball, view="front", pixels=300).images[0].get_array().astype(int)
    left, right = image[:, : image.shape[1] // 2], image[:, image.shape[1] // 2 :][:, ::-1]
    width = min(left.shape[1], right.shape[1])
    # The key light comes from the left; the nose breaks the evenness of the left half alone.
    rough = [np.abs(np.diff(half[:, -width:, 0], axis=0)).sum() for half in (left, right)]
    assert rough[0] > rough[1]


def test_what_cannot_be_drawn(ball):
    for work in (plot_surface, surface_page):
        with pytest.raises(InputError, match="no triangle"):
            work([])
        with pytest.raises(InputError, match="as many colours"):
            work(ball, colors=["red", "blue"])
    with pytest.raises(InputError, match="give front"):
        plot_surface(ball, view="above")


def test_the_page_is_one_file_that_asks_for_nothing(ball):
    page = surface_page([ball, Mesh(ball.vertices * 0.5, ball.faces, "bone")], title="Two balls")
    assert len(page.encode()) < 10_000_000
    assert "<title>Two balls</title>" in page
    assert "<script src=" not in page
    assert "<link" not in page.partition("</head>")[0]
    assert page.count('"mesh3d"') >= 2


def test_surfaces_are_fitted_to_the_page_together(ball):
    many = fitted([ball, ball], 3000)
    assert sum(len(mesh.faces) for mesh in many) == pytest.approx(3000, rel=0.05)
    assert fitted([ball], 10**6) == [ball]
