"""Pictures: orientation, proportions and contours, decoded again with an independent reader."""

import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from analytic_heads import BRAIN_MM, make_head
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Volume
from cormack.imaging.windows import WINDOWS
from cormack.report.figures import MONTAGE_SECTIONS, WHOLE_SECTIONS, figures
from cormack.report.planes import AXIAL, CORONAL, SAGITTAL, panel


def decoded(uri):
    return np.asarray(Image.open(BytesIO(b64decode(uri.split(",")[1]))))


def marked(axis_end):
    """A volume of 40 x 50 x 30 voxels of 1 x 1 x 2 mm, bright where `axis_end` says."""
    data = np.full((40, 50, 30), -1000, np.int16)
    data[axis_end] = 80
    return Volume(data, np.diag([1.0, 1, 2, 1]))


RIGHT = np.s_[30:, :, :]
ANTERIOR = np.s_[:, 40:, :]
SUPERIOR = np.s_[:, :, 22:]
WHOLE = (slice(0, 40), slice(0, 50), slice(0, 30))


@pytest.mark.parametrize(
    ("axis", "where", "side"),
    [
        (AXIAL, RIGHT, "left"),
        (AXIAL, ANTERIOR, "top"),
        (CORONAL, RIGHT, "left"),
        (CORONAL, SUPERIOR, "top"),
        (SAGITTAL, ANTERIOR, "left"),
        (SAGITTAL, SUPERIOR, "top"),
    ],
)
def test_sides_are_where_the_letters_say(axis, where, side):
    index = {AXIAL: 25, CORONAL: 45, SAGITTAL: 35}[axis]
    shown = panel(marked(where), axis, index, WHOLE, WINDOWS["brain"], {}, alt="x")
    picture = decoded(shown.image)
    rows, columns = np.nonzero(picture > 128)
    if side == "left":
        assert columns.max() < picture.shape[1] / 2
    else:
        assert rows.max() < picture.shape[0] / 2
    letter = "R" if where is RIGHT else "A" if where is ANTERIOR else "S"
    assert shown.letters[["left", "right", "top", "bottom"].index(side)] == letter


def test_pictures_keep_millimetres():
    shown = panel(marked(RIGHT), CORONAL, 10, WHOLE, WINDOWS["brain"], {}, alt="x")
    assert (shown.width_mm, shown.height_mm) == (40, 60)
    assert decoded(shown.image).shape == (60, 40)


def test_contour_lies_on_the_ellipse():
    head = make_head((1.0, 1.0, 3.0))
    box = tuple(slice(0, n) for n in head.volume.shape)
    k = round(float(head.volume.voxel([0, 0, 0])[2]))
    shown = panel(head.volume, AXIAL, k, box, WINDOWS["brain"], {"brain": head.brain}, alt="x")
    points = np.array([[float(v) for v in p.split()] for p in re.split("[ML]", shown.contours["brain"])[1:]])
    i = head.volume.shape[0] - 0.5 - points[:, 0]
    j = head.volume.shape[1] - 0.5 - points[:, 1]
    z = head.volume.world([0, 0, k])[2]
    xyz = head.volume.world(np.stack([i, j, np.full_like(i, k)], axis=-1))
    scale = np.sqrt(1 - (z / BRAIN_MM[2]) ** 2)
    radius = np.hypot(xyz[:, 0] / BRAIN_MM[0], xyz[:, 1] / BRAIN_MM[1]) / scale
    assert np.abs(radius - 1).max() * BRAIN_MM[1] < 1.0
    assert len(points) > 40


def test_mask_that_misses_the_plane_has_no_contour():
    volume = marked(RIGHT)
    empty = LabelMap(np.zeros(volume.shape, np.uint8), volume.affine, BRAIN)
    assert panel(volume, AXIAL, 3, WHOLE, WINDOWS["brain"], {"brain": empty}, alt="x").contours == {}


def test_figures_show_the_head_and_leave_out_the_air():
    head = make_head((2, 2, 4), low_mm=(-140, -160, -95), high_mm=(140, 160, 95))
    shown = figures(head.volume, head.head, head.brain)
    assert [p.plane for p in shown.planes] == ["axial", "coronal", "sagittal"]
    assert len(shown.montage) == MONTAGE_SECTIONS
    assert len(shown.whole) == WHOLE_SECTIONS + 2
    axial = shown.planes[0]
    assert 156 < axial.width_mm < 156 + 2 * 14
    assert 196 < axial.height_mm < 196 + 2 * 14
    assert set(axial.contours) == {"head", "brain"}
    assert all(p.contours == {} for p in shown.whole)


def test_few_thick_slices_are_each_shown_once():
    head = make_head((3, 3, 24))
    montage = figures(head.volume, head.head, head.brain).montage
    assert 3 <= len(montage) < MONTAGE_SECTIONS
    assert len({p.label for p in montage}) == len(montage)
