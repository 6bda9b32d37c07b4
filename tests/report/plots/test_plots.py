import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cormack.core.errors import GeometryError, InputError, OutputError
from cormack.core.labels import HEAD, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.report.plots.canvas import bar_length_mm, check_picture, save_axes, thinned_text
from cormack.report.plots.histogram import plot_histogram
from cormack.report.plots.montage import plot_montage
from cormack.report.plots.palette import draw_legend, label_colors
from cormack.report.plots.sections import plot_pair, plot_plane, plot_planes


def head(affine=None):
    """A ball of brain in air, brighter on its right half, 2 × 2 × 4 mm."""
    i, j, k = np.indices((60, 70, 30))
    ball = ((i - 30) * 2) ** 2 + ((j - 35) * 2) ** 2 + ((k - 15) * 4) ** 2 < 50**2
    data = np.where(ball, np.where(i > 30, 60, 20), -1000).astype(np.int16)
    if affine is None:
        affine = np.diag([2.0, 2.0, 4.0, 1.0])
        affine[:3, 3] = -60, -70, -60
    return Volume(data, affine)


def labels():
    return LabelMap((head().data > 0).astype(np.uint8), head().affine, HEAD)


def picture(ax):
    return ax.images[0].get_array()


def words(ax):
    return [text.get_text() for text in ax.texts]


# Sections


def test_axes_in_axes_out():
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_plane(head(), ax=ax) is ax
    assert plot_histogram(head(), figure.add_subplot()).figure is figure
    assert isinstance(plot_plane(head()), Axes)


def test_the_patients_right_is_on_the_left():
    ax = plot_plane(head(), "axial", at_mm=(0, 0, 0))
    grey = picture(ax)[..., 0]
    row = grey[grey.shape[0] // 2]
    third = len(row) // 4
    assert row[third] > row[-third]
    assert words(ax)[-4:] == ["R", "L", "A", "P"]
    assert ax.get_title() == "axial, S 0.0 mm"


def test_millimetres_and_right_proportions():
    for plane in ("axial", "coronal", "sagittal", (0.2, 0.4, 1.0)):
        ax = plot_plane(head(), plane, at_mm=(0, 0, 0))
        left, right, bottom, top = ax.images[0].get_extent()
        rows, columns = picture(ax).shape[:2]
        assert (right - left) / columns == pytest.approx((bottom - top) / rows)
        assert ax.get_aspect() == 1.0
        bar = next(line for line in ax.lines)
        length = float(words(ax)[0].removesuffix(" mm"))
        assert np.ptp(bar.get_xdata()) == pytest.approx(length)


@pytest.mark.parametrize(("width", "length"), [(250, 50), (90, 20), (3, 1), (2000, 200), (334, 100)])
def test_scale_bars_have_round_lengths(width, length):
    assert bar_length_mm(width) == length


def test_a_disc_is_round_in_every_plane():
    """As wide as high, whatever the voxels: 100 mm less the rim that the window shows black."""
    for plane in ("axial", "coronal", "sagittal"):
        ax = plot_plane(head(), plane, at_mm=(0, 0, 0))
        bright = picture(ax)[..., 0] > 0
        pixel = ax.images[0].get_extent()[1] / bright.shape[1]
        for axis in (0, 1):
            assert np.ptp(np.flatnonzero(bright.any(axis=axis))) * pixel == pytest.approx(97, abs=4)


def test_three_planes_and_an_oblique_one():
    drawn = plot_planes(head(), planes=("axial", "coronal", "sagittal", (0, -0.4, 1)))
    assert [ax.get_title().partition(",")[0] for ax in drawn] == ["axial", "coronal", "sagittal", "oblique"]
    with pytest.raises(InputError, match="need as many axes"):
        plot_planes(head(), drawn[:2])


def test_tilted_stacks_are_cut_in_the_patients_planes():
    sheared = head().affine.copy()
    sheared[1, 2] = 1.5
    ax = plot_plane(head(sheared), "sagittal", at_mm=head(sheared).world([32, 35, 15]))
    assert np.isfinite(picture(ax)).all()


@pytest.mark.parametrize("window", ["bone", "40,80", "equalised", "all-range"])
@pytest.mark.parametrize("sigmoid", [True, False])
def test_tones(window, sigmoid):
    colours = picture(plot_plane(head(), window=window, sigmoid=sigmoid))
    assert (np.ptp(colours, axis=-1).max() > 0) == (window in ("equalised", "all-range"))


def test_labels_are_painted_in_their_colour():
    plain, painted = (picture(plot_plane(head(), at_mm=(0, 0, 0), labels=given)) for given in (None, labels()))
    changed = (plain != painted).any(axis=-1)
    assert changed.mean() == pytest.approx((plain[..., 0] > 0).mean(), rel=0.1)
    expected = mpl.colors.to_rgb(label_colors(labels())[1])
    assert (painted.reshape(-1, 3) == np.rint(np.array(expected) * 255)).all(axis=1).any()
    ax = plot_plane(head(), labels=labels())
    draw_legend(ax, labels())
    assert "head" in ax.figure.legends[0].get_texts()[0].get_text()


def test_many_labels_get_many_colours():
    data = np.zeros((10, 10, 10), np.uint8)
    data.flat[:60] = np.arange(1, 61)
    colours = label_colors(LabelMap(data, np.eye(4), HEAD))
    assert len(set(colours.values())) == 60


def test_pairs():
    shifted = head().affine.copy()
    shifted[0, 3] += 9
    before, after = head(), head(shifted)
    side = plot_pair(before, after)
    assert len(side) == 2
    (checker,) = plot_pair(before, after, kind="checkerboard", at_mm=(0, 0, 0))
    one, other = (picture(ax)[..., 0] for ax in plot_pair(before, after, at_mm=(0, 0, 0)))
    mixed = picture(checker)[..., 0]
    assert ((mixed == one) | (mixed == other)).all()
    assert (mixed != one).any()
    assert (mixed != other).any()
    (difference,) = plot_pair(before, before, kind="difference", at_mm=(0, 0, 0))
    assert not np.nan_to_num(picture(difference)).any()
    with pytest.raises(InputError, match="side, checkerboard or difference"):
        plot_pair(before, after, kind="blink")
    with pytest.raises(InputError, match="needs 1 axes"):
        plot_pair(before, after, side, kind="difference")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plane": "axail"}, "axial, coronal, sagittal"),
        ({"at_mm": (0, 0, 500)}, "outside the volume"),
        ({"window": "brian"}, "give one of"),
        ({"color_map": "grau"}, "colour map"),
    ],
)
def test_slips_are_told(options, words):
    with pytest.raises(InputError, match=words):
        plot_plane(head(), **options)


def test_constant_and_unmeasured_volumes_are_drawn():
    for value in (0, -1024, np.nan):
        for unit in (Unit.HU, Unit.ARBITRARY):
            data = np.full((10, 10, 10), value, np.float32)
            assert picture(plot_plane(Volume(data, np.eye(4), unit=unit))).shape[2] == 3


# Montages


def test_montage_shows_each_slice_with_its_place():
    ax = plot_montage(head(), every=5)
    places = [text for text in words(ax) if text[0] in "SI" and len(text) > 1]
    assert places == ["I 60.0 mm", "I 40.0 mm", "I 20.0 mm", "S 0.0 mm", "S 20.0 mm", "S 40.0 mm"]


def test_montage_of_other_planes_and_labels():
    for plane, letter in (("coronal", "P"), ("sagittal", "L")):
        ax = plot_montage(head(), count=9, plane=plane, labels=labels())
        assert sum(text.startswith(letter + " ") for text in words(ax)) >= 4
        left, right, bottom, top = ax.images[0].get_extent()
        assert (right - left) / (bottom - top) > 0.5
    with pytest.raises(GeometryError, match="resample"):
        plot_montage(head(), labels=LabelMap(labels().data[:-1], head().affine, HEAD))
    with pytest.raises(InputError, match="1 or more"):
        plot_montage(head(), every=0)


def test_pictures_coarser_than_their_voxels_say_so():
    fine = Volume(np.full((700, 500, 4), 40, np.int16), np.diag([0.1, 0.1, 3.0, 1.0]))
    ax = plot_montage(fine, count=2)
    assert picture(ax).shape[1] / (ax.images[0].get_extent()[1] / 0.1) == pytest.approx(0.5)
    assert thinned_text(ax) == "pixels of 0.2 mm, voxels of 0.1 mm"
    assert thinned_text(plot_plane(fine)) == "pixels of 0.3 mm, voxels of 0.1 mm"
    assert thinned_text(plot_plane(head())) is None
    assert thinned_text(plot_montage(head())) is None


# Histograms


def test_histogram_counts_every_millilitre():
    ax = plot_histogram(head(), stretched=False, log=False)
    path = ax.collections[0].get_paths()[0].vertices
    x, y = path[:, 0], path[:, 1]
    area = abs(np.sum((np.roll(x, -1) - x) * (np.roll(y, -1) + y) / 2))
    assert area == pytest.approx(head().data.size * head().voxel_volume_ml, rel=1e-3)
    assert {"air", "lung", "fat", "muscle", "blood", "liver"} <= set(words(ax))


def test_padding_is_told_apart_from_air():
    volume = head()
    padded = np.zeros(volume.shape, dtype=bool)
    padded[:10] = True
    assert any("outside the bore (padding)" in text for text in words(plot_histogram(volume, unmeasured=padded)))
    assert not any("outside" in text for text in words(plot_histogram(volume)))
    volume.data[:10] = -1024
    assert any("or clipped" in text for text in words(plot_histogram(volume)))
    with pytest.raises(InputError, match="no measured voxel"):
        plot_histogram(volume, unmeasured=np.ones(volume.shape, dtype=bool))


def test_histogram_of_values_without_a_unit():
    ax = plot_histogram(Volume(np.arange(1000.0).reshape(10, 10, 10), np.eye(4), unit=Unit.ARBITRARY, outside=0.0))
    assert "arbitrary" in ax.get_xlabel()
    assert "fat" not in words(ax)
    plot_histogram(Volume(np.full((4, 4, 4), 7.0), np.eye(4), unit=Unit.ARBITRARY, outside=0.0))


# Files


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_the_same_picture_gives_the_same_bytes(tmp_path, ending):
    for name in ("a", "b"):
        save_axes(plot_plane(head()), tmp_path / name, ending, dpi=80)
    first, second = (tmp_path / name for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert first.read_bytes().startswith(starts[ending])


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(OutputError, match=r"must end in \.png, \.svg, \.pdf"):
        check_picture(tmp_path / "a.jpg")
    assert check_picture(tmp_path / "A.PNG") == ".png"
