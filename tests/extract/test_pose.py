"""The pose of heads that lean, and of heads that the field of view cuts; the digital head tells how they really lie."""

from __future__ import annotations

import numpy as np
import pytest
from leaning_heads import leaning_head
from scipy.spatial.transform import Rotation

from cormack.core.errors import ExtractionError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Volume
from cormack.extract.pose import HeadPose, cranium_points, head_pose, inside_cranium
from cormack.measure.overlap import dice

LEANS = [(30, 0, 0), (-30, 0, 0), (0, 30, 0), (-20, -15, 15)]


def turn_between(pose: HeadPose, rotation: np.ndarray) -> float:
    left, _, right = np.linalg.svd(pose.matrix[:3, :3])
    return float(np.degrees(Rotation.from_matrix(left @ right @ rotation.T).magnitude()))


@pytest.mark.parametrize("lean", LEANS)
def test_a_head_may_lean_by_thirty_degrees(lean):
    head = leaning_head(lean)
    pose = head_pose(head.volume, head.brain)
    assert turn_between(pose, head.rotation) < 3
    assert np.linalg.norm(pose.matrix[:3, 3]) < 3
    assert pose.fit_mm < 1.5
    assert pose.seen == 1.0
    assert pose.lean_deg == pytest.approx(np.degrees(Rotation.from_matrix(head.rotation).magnitude()), abs=3)


@pytest.mark.parametrize(
    "cut",
    [{"high": (115, 135, 45)}, {"low": (-115, -130, -25)}, {"high": (115, 70, 110)}],
    ids=["vertex cut", "base cut", "face cut"],
)
def test_a_cut_field_of_view_tells_the_same(cut):
    head = leaning_head((-15, 0, 10), **cut)
    pose = head_pose(head.volume, head.brain)
    assert turn_between(pose, head.rotation) < 5
    assert np.linalg.norm(pose.matrix[:3, 3]) < 6
    assert pose.seen < 1


def test_thick_slices_tell_the_same():
    head = leaning_head((10, 0, 0), spacing_mm=(1.5, 1.5, 7.5))
    pose = head_pose(head.volume, head.brain)
    assert turn_between(pose, head.rotation) < 3


def test_sizes_follow_the_head():
    head = leaning_head()
    affine = np.diag([0.9, 0.9, 0.9, 1.0]) @ head.volume.affine
    small = head_pose(Volume(head.volume.data, affine), LabelMap(head.brain.data, affine, BRAIN))
    np.testing.assert_allclose(np.linalg.norm(small.matrix[:3, :3], axis=0), 0.9, atol=0.03)


def test_what_is_no_brain_is_refused():
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    volume = Volume(np.zeros((70, 70, 70), np.int16), affine)
    rod = np.zeros(volume.shape, np.uint8)
    rod[30:36, 30:36, 5:65] = 1
    with pytest.raises(ExtractionError, match=r"shape of a brain|too little of the brain"):
        head_pose(volume, LabelMap(rod, affine, BRAIN))
    with pytest.raises(ExtractionError, match="empty"):
        head_pose(volume, LabelMap(np.zeros_like(rod), affine, BRAIN))


def test_the_cranium_is_that_of_the_digital_head():
    head = leaning_head()
    inside = inside_cranium(HeadPose(np.eye(4), 0.0, 1.0), head.volume.affine, head.volume.shape)
    assert dice(inside, head.brain.data > 0) > 0.97
    assert len(cranium_points()) == 600
