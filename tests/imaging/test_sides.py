"""Left and right halves against heads whose sides are known: analytic ones, and those of human brains by hand."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from analytic_neuroanatomy import Shape, make_neuroanatomy, turn
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.imaging.sides import LEFT, RIGHT, midline_surface, split_sides


def share_wrong(head):
    sides = split_sides(head.labels)
    filled = (head.labels.data > 0) & (np.abs(head.xyz[..., 0]) > 0.6)
    return np.mean((sides == RIGHT)[filled] != (head.xyz[..., 0] > 0)[filled])


@pytest.mark.parametrize(
    ("spacing", "angles"),
    [((2.0, 2.0, 2.0), (0, 0, 0)), ((2.0, 2.0, 2.0), (10, 25, -20)), ((1.0, 1.0, 5.0), (20, 5, 8))],
)
def test_halves_of_a_turned_head(spacing, angles):
    assert share_wrong(make_neuroanatomy(spacing, rotation=turn(*angles))) < 0.006


def test_every_label_has_a_side_and_nothing_else():
    head = make_neuroanatomy((3.0, 3.0, 3.0))
    sides = split_sides(head.labels)
    assert np.array_equal(sides > 0, head.labels.data > 0)
    assert set(np.unique(sides).tolist()) == {0, RIGHT, LEFT}


def test_the_surface_follows_a_shifted_septum_and_keeps_to_the_falx():
    head = make_neuroanatomy((1.5, 1.5, 1.5), shape=Shape(shift_mm=8))
    surface = midline_surface(head.labels)
    at = surface.plane.coordinates(np.array([[0.0, 30.0, 5.0], [0.0, 92.0, 5.0], [0.0, 20.0, 65.0]]))
    septum, falx, above = surface.offset_at(at[:, 1:]) - at[:, 0]
    assert septum == pytest.approx(8, abs=2)
    assert abs(falx) < 1.5
    assert abs(above) < 1.5


def test_without_structures_of_the_midline_the_plane_parts_the_head():
    head = make_neuroanatomy((2.0, 2.0, 2.0), rotation=turn(0, 10, 10), shape=Shape(falx=False, septum=False))
    head.labels.data[head.labels.data == NEUROANATOMY_FINE["subarachnoid space"].index] = 12
    assert share_wrong(head) < 0.006


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("coarse", [False, True])
def test_nuclei_of_manual_maps_lie_on_one_side_each(shared_data, number, coarse):
    image = nib.load(shared_data / "neuroanatomy" / f"mayo_{number}.nii.gz")
    fine = np.asarray(image.dataobj).astype(np.uint8)
    data, table = (COARSE_OF_FINE[fine], NEUROANATOMY) if coarse else (fine, NEUROANATOMY_FINE)
    sides = split_sides(LabelMap(data, image.affine, table))
    for name in ("caudate nucleus", "lentiform nucleus", "insular cortex", "internal capsule"):
        pieces, count = ndimage.label(data == table[name].index)
        large = [n for n in range(1, count + 1) if np.count_nonzero(pieces == n) > 1000]
        assert len(large) >= 2
        for n in large:
            right = np.mean(sides[pieces == n] == RIGHT)
            assert min(right, 1 - right) < 0.01, (name, n, right)


def test_hemispheres_of_human_brains_labelled_by_hand(shared_data):
    """MICCAI 2012 labels: odd cortical numbers are left, even ones right; whichever has no fissure labelled gets it."""
    path = sorted((shared_data / "mr_t1" / "malf_labels").glob("*_glm.nii.gz"))[0]
    image = nib.load(path)
    found = np.asarray(image.dataobj)[::2, ::2, ::2].astype(np.int16)
    cortex, nuclei = found >= 100, {36: 6, 37: 6, 55: 7, 56: 7, 57: 7, 58: 7, 59: 16, 60: 16, 51: 10, 52: 10}
    left = (cortex & (found % 2 == 1)) | np.isin(found, [37, 39, 41, 45, 52, 56, 58, 60])
    right = (cortex & (found % 2 == 0)) | np.isin(found, [36, 38, 40, 44, 51, 55, 57, 59])
    data = np.where(cortex | np.isin(found, [44, 45]), 12, 0).astype(np.uint8)
    for number, name in nuclei.items():
        data[found == number] = name
    data[np.isin(found, [4, 11])] = 10
    data[np.isin(found, [38, 39, 40, 41, 71, 72, 73])] = 5
    data[np.isin(found, [35, 61, 62])] = 1
    hull = ndimage.binary_closing(data > 0, iterations=3)
    data[hull & (data == 0)] = 2
    sides = split_sides(LabelMap(data, image.affine @ np.diag([2.0, 2.0, 2.0, 1.0]), NEUROANATOMY_FINE))
    wrong = np.count_nonzero(left & (sides == RIGHT)) + np.count_nonzero(right & (sides == LEFT))
    assert wrong / np.count_nonzero(left | right) < 0.01
