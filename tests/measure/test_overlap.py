from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.measure.overlap import (
    average_surface_distance_mm,
    dice,
    hausdorff_mm,
    jaccard,
    soft_dice,
    surface_dice,
)
from cormack.measure.surface import voxel_distances

SPACING_MM = (1.0, 2.0, 3.0)


def balls(shift):
    grid = np.ogrid[:40, :30, :24]
    centre = np.array((20, 15, 12))
    return [
        sum(((g - c - s) * h) ** 2 for g, c, s, h in zip(grid, centre, offset, SPACING_MM, strict=True)) <= 15**2
        for offset in ((0, 0, 0), shift)
    ]


def image(mask):
    found = sitk.GetImageFromArray(mask.T.astype(np.uint8))
    found.SetSpacing(SPACING_MM)
    return found


@pytest.mark.parametrize("shift", [(0, 0, 0), (3, 0, 0), (0, 2, 0), (2, -1, 3)])
def test_agrees_with_simpleitk(shift):
    a, b = balls(shift)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(image(a), image(b))
    assert dice(a, b) == pytest.approx(overlap.GetDiceCoefficient(1))
    assert jaccard(a, b) == pytest.approx(overlap.GetJaccardCoefficient(1))
    hausdorff = sitk.HausdorffDistanceImageFilter()
    surfaces = [sitk.LabelContour(image(m), fullyConnected=False) for m in (a, b)]
    hausdorff.Execute(*surfaces)
    assert hausdorff_mm(a, b, spacing_mm=SPACING_MM, percentile=100) == pytest.approx(hausdorff.GetHausdorffDistance())


def test_two_plates_by_hand():
    a = np.zeros((10, 4, 4), bool)
    b = a.copy()
    a[2], b[5] = True, True
    spacing = (2.0, 1.0, 1.0)
    assert dice(a, b) == 0
    assert jaccard(a, b) == 0
    assert hausdorff_mm(a, b, spacing_mm=spacing) == 6.0
    assert average_surface_distance_mm(a, b, spacing_mm=spacing) == 6.0


def test_percentile_leaves_out_a_spike():
    a = np.zeros((30, 30, 30), bool)
    a[5:25, 5:25, 5:20] = True
    b = a.copy()
    b[15, 15, 20:28] = True
    spacing = (1.0, 1.0, 1.0)
    assert hausdorff_mm(a, b, spacing_mm=spacing, percentile=100) == 8.0
    assert hausdorff_mm(a, b, spacing_mm=spacing) == 0.0
    found = voxel_distances(a, b, np.eye(3))
    # Only the voxel that the spike hides is off b's surface.
    assert found.to_second.sum() == 1.0
    assert found.to_first.sum() == sum(range(1, 9))


def test_label_maps_bring_their_spacing_and_labels():
    a, b = balls((3, 0, 0))
    affine = np.diag([*SPACING_MM, 1.0])
    maps = [LabelMap(m.astype(np.uint8), affine, BRAIN) for m in (a, b)]
    assert dice(*maps) == dice(a, b)
    assert hausdorff_mm(*maps) == hausdorff_mm(a, b, spacing_mm=SPACING_MM)
    assert hausdorff_mm(maps[0], b) == hausdorff_mm(*maps)


def test_empty_masks_agree_but_have_no_surface():
    empty = np.zeros((3, 3, 3), bool)
    assert dice(empty, empty) == 1
    assert jaccard(empty, empty) == 1
    with pytest.raises(InputError, match="not empty"):
        hausdorff_mm(empty, empty, spacing_mm=(1, 1, 1))


def test_masks_on_different_grids_are_refused():
    a, b = balls((0, 0, 0))
    with pytest.raises(GeometryError, match="shapes"):
        dice(a, b[1:])
    with pytest.raises(GeometryError, match="spacing_mm is needed"):
        hausdorff_mm(a, b)
    with pytest.raises(GeometryError, match="three positive"):
        hausdorff_mm(a, b, spacing_mm=(1, 1, 0))
    maps = [LabelMap(a.astype(np.uint8), np.diag([h, 1, 1, 1]), BRAIN) for h in (1, 2)]
    with pytest.raises(GeometryError, match="different affines"):
        dice(*maps)


def test_soft_dice_by_hand():
    probability = np.array([[[0.5, 1.0, 0.25]]])
    reference = np.array([[[True, True, False]]])
    assert soft_dice(probability, reference) == pytest.approx(2 * 1.5 / (1.75 + 2))
    assert soft_dice(reference.astype(float), reference) == 1
    assert np.isnan(soft_dice(np.zeros((1, 1, 2)), np.zeros((1, 1, 2), bool)))
    with pytest.raises(GeometryError, match="shape"):
        soft_dice(probability, reference[:, :, :2])


def test_sheared_grid_is_measured_in_space():
    # Slices lean by one voxel each: the plates i = 2 and i = 5 are 3 mm apart along i, 3 cos 45° at right angles.
    affine = np.eye(4)
    affine[0, 2] = 1.0
    plates = []
    for i in (10, 13):
        data = np.zeros((24, 9, 9), np.uint8)
        data[i] = 1
        plates.append(LabelMap(data, affine, BRAIN))
    assert hausdorff_mm(*plates, percentile=0) == pytest.approx(np.sqrt(5.0))  # the grid's points nearest to 3/√2
    assert surface_dice(*plates, 2.2) < surface_dice(*plates, 3.1) == 1
