"""The face of heads that lean and are cut: what must be in the region, what must not, the margin around the brain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from leaning_heads import EAR_POINTS, FACE_POINTS, OTHER_POINTS, LeaningHead, leaning_head
from scipy import ndimage

from cormack.core.errors import ExtractionError, InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.extract.face import FACE, FaceRegion, check_brain_spared, face_mask, face_region

ALL_PARTS = ("face", "ears")


def label_at(region: FaceRegion, point: np.ndarray) -> int:
    return int(region.plane(point, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (1, 1))[0, 0])


def nearest_mm(mask: LabelMap, brain: LabelMap) -> float:
    """Distance of the nearest voxel of a mask to the brain's voxels, by another route: an exact transform."""
    spacing = np.linalg.norm(mask.affine[:3, :3], axis=0)
    distance = ndimage.distance_transform_edt(brain.data == 0, sampling=spacing)
    return float(distance[mask.data > 0].min())


def missed(head: LeaningHead, region: FaceRegion) -> list[str]:
    wanted = {name: (point, 1) for name, point in FACE_POINTS.items()}
    wanted |= {name: (point, 2) for name, point in EAR_POINTS.items()}
    wanted |= {name: (point, 0) for name, point in OTHER_POINTS.items()}
    return [
        name
        for name, (point, label) in wanted.items()
        if head.holds(point) and label_at(region, head.world(point)) != label
    ]


@pytest.mark.parametrize("lean", [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (20, -25, 15)])
def test_face_and_ears_of_a_leaning_head(lean):
    head = leaning_head(lean)
    region = face_region(head.volume, head.brain, parts=ALL_PARTS)
    assert missed(head, region) == []
    mask = face_mask(head.volume, head.brain, parts=ALL_PARTS)
    assert nearest_mm(mask, head.brain) > 5.0
    assert region.in_face_ml == 0


@pytest.mark.parametrize(
    "cut",
    [{"high": (115, 135, 45)}, {"low": (-115, -130, -25)}, {"high": (115, 70, 110)}, {"low": (-115, -130, -5)}],
    ids=["vertex cut", "base cut", "nose cut", "face mostly cut"],
)
def test_cut_fields_of_view(cut):
    head = leaning_head((-10, 0, 10), **cut)
    region = face_region(head.volume, head.brain, parts=ALL_PARTS)
    assert missed(head, region) == []
    assert nearest_mm(face_mask(head.volume, head.brain, parts=ALL_PARTS), head.brain) > 5.0


@pytest.mark.parametrize(("spacing", "margin"), [((1.5, 1.5, 7.5), 5.0), ((2, 2, 2), 0.0), ((4.0, 2.0, 2.0), 12.0)])
def test_the_margin_holds_for_all_voxels(spacing, margin):
    head = leaning_head((12, 0, 8), spacing_mm=spacing)
    mask = face_mask(head.volume, head.brain, margin_mm=margin)
    assert nearest_mm(mask, head.brain) > margin
    # And the region comes near to it: slices and the lower bound of the distance cost less than two voxels.
    assert nearest_mm(mask, head.brain) < margin + 2 + 2 * max(spacing)


def test_planes_of_any_direction_cut_the_same_region():
    head = leaning_head((5, 0, 0))
    region = face_region(head.volume, head.brain)
    affine = head.volume.affine
    whole = face_mask(head.volume, head.brain).data
    sagittal = region.plane(affine[:3, 3] + 30 * affine[:3, 0], affine[:3, 1], affine[:3, 2], whole.shape[1:])
    np.testing.assert_array_equal(sagittal, whole[30])


def test_parts_by_choice():
    head = leaning_head()
    teeth = face_mask(head.volume, head.brain, parts=("teeth",))
    assert set(np.unique(teeth.data)) == {0, FACE["teeth"].index}
    assert 100 < teeth.volume_ml("teeth") < 700
    both = face_mask(head.volume, head.brain, parts=("face", "ears", "teeth"))
    assert both.volume_ml("ears") > 50
    # The jaws lie in the face: with it, the teeth are gone as well.
    face = face_mask(head.volume, head.brain).data > 0
    assert np.count_nonzero((teeth.data > 0) & ~face) < 0.02 * np.count_nonzero(teeth.data)


def test_a_brain_mask_that_runs_into_the_face_is_told():
    head = leaning_head()
    data = head.brain.data.copy()
    xyz = head.volume.world(np.moveaxis(np.indices(data.shape), 0, -1))
    data[np.linalg.norm(xyz - [32, 62, -22], axis=-1) < 14] = 1
    region = face_region(head.volume, replace(head.brain, data=data))
    assert region.in_face_ml > 4


def test_what_cannot_be_used_is_refused():
    head = leaning_head()
    with pytest.raises(InputError, match="hair"):
        face_region(head.volume, head.brain, parts=("face", "hair"))
    with pytest.raises(InputError, match="none"):
        face_region(head.volume, head.brain, parts=())
    with pytest.raises(InputError, match="margin"):
        face_region(head.volume, head.brain, margin_mm=-1)
    other = LabelMap(head.brain.data[:-1], head.brain.affine, BRAIN)
    with pytest.raises(InputError, match="grid"):
        face_region(head.volume, other)
    with pytest.raises(ExtractionError, match="2 voxels of the brain mask would change"):
        check_brain_spared(np.array([True, False, True]))
