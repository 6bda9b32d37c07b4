"""Votes of label maps."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import BRAIN, LabelMap
from cormack.imaging.votes import disputed, majority, vote

#: What three observers say about five voxels.
SAID = ((1, 1, 0, 2, 3), (1, 1, 2, 2, 2), (1, 2, 1, 0, 1))


def opinions(rows=SAID, dtype=np.uint8):
    return [LabelMap(np.array(row, dtype).reshape(1, 1, -1), np.eye(4), BRAIN) for row in rows]


def test_most_opinions_win_and_the_greater_label_of_equals():
    assert majority(opinions()).data.ravel().tolist() == [1, 1, 2, 2, 3]


def test_without_more_than_half_a_voxel_is_undecided():
    fused = majority(opinions(), undecided=255)
    assert fused.data.ravel().tolist() == [1, 1, 255, 2, 255]
    assert fused.table is BRAIN
    assert fused.description == "majority of 3 label maps"
    # Two of four are half, not more.
    assert majority(opinions(((1,), (1,), (2,), (0,))), undecided=9).data.item() == 9


def test_simpleitk_votes_the_same():
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 4, (5, 400))
    images = [sitk.GetImageFromArray(row.astype(np.uint8).reshape(1, 20, 20)) for row in rows]
    theirs = sitk.GetArrayFromImage(sitk.LabelVoting(images, 255)).ravel()
    votes = np.stack([np.count_nonzero(rows == label, axis=0) for label in range(4)])
    tied = np.count_nonzero(votes == votes.max(axis=0), axis=0) > 1
    assert ((theirs == 255) == tied).all()
    np.testing.assert_array_equal(majority(opinions(rows)).data.ravel()[~tied], theirs[~tied])
    clear = votes.max(axis=0) > 2.5
    np.testing.assert_array_equal(majority(opinions(rows), undecided=9).data.ravel() == 9, ~clear)


def test_weights_decide():
    weights = [np.full((1, 1, 5), w, np.float32) for w in (1.0, 1.0, 2.5)]
    assert vote(opinions(), weights, "weighted").data.ravel().tolist() == [1, 2, 1, 0, 1]


def test_types_are_widened():
    rows = opinions(((300, 1), (300, 2)), np.uint16)
    assert majority(rows, undecided=65535).data.ravel().tolist() == [300, 65535]
    flags = opinions(((1, 0), (1, 1)), bool)
    assert majority(flags, undecided=7).data.ravel().tolist() == [1, 7]


def test_disputed_is_where_anyone_differs():
    assert disputed(opinions()).ravel().tolist() == [False, True, True, True, True]


def test_what_cannot_be_fused():
    with pytest.raises(InputError, match="at least two"):
        majority(opinions()[:1])
    with pytest.raises(InputError, match="number 2 of undecided voxels"):
        majority(opinions(), undecided=2)
    with pytest.raises(InputError, match="number 0 of undecided voxels"):
        majority(opinions(), undecided=0)
