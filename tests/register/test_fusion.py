"""Fusion of label maps: votes, local weights, ANTs."""

import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.imaging.staple import staple
from cormack.register.fusion import Fusion, fuse, similarity_weights

TABLE = LabelTable(tuple(Label(n, f"l{n}", f"l{n}", (0, 0, 0)) for n in (1, 2, 3)))
SHAPE = (36, 36, 36)


def labelled(data, affine=None):
    return LabelMap(np.asarray(data, np.uint8), np.eye(4) if affine is None else affine, TABLE)


def ball(centre, radius):
    return np.linalg.norm(np.indices(SHAPE) - np.array(centre)[:, None, None, None], axis=0) < radius


def scene(shift):
    """A ball with texture, moved along i; image and labels."""
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(60, 36, 36)), 1.5)[10 + shift : 46 + shift]
    inside = ball((18 - shift, 18, 18), 9)
    hu = 30 + 20 * inside + 60 * texture / texture.std() * 0.2
    return Volume(hu.astype(np.float32), np.eye(4)), labelled(inside * 2)


def test_majority_counts_and_the_greater_label_wins_a_tie():
    a = np.zeros(SHAPE)
    b, c = a.copy(), a.copy()
    a[0], b[0], c[0] = 1, 1, 2
    a[1], b[1], c[1] = 0, 0, 3
    fused = fuse([labelled(x) for x in (a, b, c)]).data
    assert (fused[0] == 1).all()
    assert (fused[1:] == 0).all()
    assert (fuse([labelled(a), labelled(c)]).data[:2] == np.array([2, 3])[:, None, None]).all()


def test_types_are_widened_and_the_table_kept():
    mask = LabelMap(ball((18, 18, 18), 5), np.eye(4), TABLE)
    wide = LabelMap(np.full(SHAPE, 300, np.uint16), np.eye(4), TABLE)
    fused = fuse([wide, wide, LabelMap(mask.data, np.eye(4), TABLE)])
    assert fused.data.dtype == np.uint16
    assert (fused.data == 300).all()
    assert fused.table is TABLE


def test_the_atlas_that_looks_like_the_scan_outvotes_two_that_do_not():
    target, true = scene(0)
    good, good_labels = scene(0)
    bad, bad_labels = scene(5)
    opinions, images = [bad_labels, good_labels, bad_labels], [bad, good, bad]

    def errors(fused):
        return np.count_nonzero(fused.data != true.data)

    majority = errors(fuse(opinions))
    assert majority == errors(bad_labels) > 500
    weighted = fuse(opinions, Fusion.WEIGHTED, target=target, images=images)
    assert errors(weighted) < 0.05 * majority


def test_weights_see_structure_not_brightness():
    target, _ = scene(0)
    brighter = target.with_data(target.data * 0.5 + 20)
    weights = similarity_weights(target, brighter)
    textured = weights[6:-6, 6:-6, 6:-6]
    assert np.median(textured) > 0.9 / 0.05**2
    noise = target.with_data(np.random.default_rng(1).normal(30, 20, SHAPE).astype(np.float32))
    assert np.median(similarity_weights(target, noise)) < 2
    flat = target.with_data(np.full(SHAPE, 30, np.float32))
    np.testing.assert_allclose(similarity_weights(target, flat), (1 + 0.05) ** -2, rtol=1e-5)


def test_joint_label_fusion_trusts_the_similar():
    pytest.importorskip("ants")
    target, true = scene(0)
    atlases = [scene(shift) for shift in (3, 0, 3)]
    fused = fuse([labels for _, labels in atlases], Fusion.JOINT, target=target, images=[image for image, _ in atlases])
    assert set(np.unique(fused.data)) == {0, 2}
    majority = fuse([labels for _, labels in atlases])
    wrong, before = (np.count_nonzero(m.data != true.data) for m in (fused, majority))
    assert wrong < 0.3 * before


def test_joint_label_fusion_of_nothing_is_nothing():
    pytest.importorskip("ants")
    target, _ = scene(0)
    nothing = labelled(np.zeros(SHAPE))
    assert not fuse([nothing, nothing], Fusion.JOINT, target=target, images=[target, target]).data.any()


def test_staple_is_one_of_the_methods():
    rng = np.random.default_rng(0)
    true = ball((18, 18, 18), 9).astype(np.uint8)
    opinions = [labelled(np.where(rng.random(SHAPE) < rate, 1 - true, true)) for rate in (0.02, 0.1, 0.1)]
    fused = fuse(opinions, Fusion.STAPLE)
    assert np.mean(fused.data != true) < 0.03
    np.testing.assert_array_equal(fused.data, staple(opinions).labels.data)


def test_what_cannot_be_fused():
    target, labels = scene(0)
    with pytest.raises(InputError, match="at least two"):
        fuse([labels])
    with pytest.raises(InputError, match="one carried image per label map"):
        fuse([labels, labels], Fusion.WEIGHTED, target=target, images=[target])
    elsewhere = Volume(target.data, np.diag([2.0, 1, 1, 1]))
    with pytest.raises(InputError, match="on the grid"):
        fuse([labels, labels], Fusion.JOINT, target=elsewhere, images=[target, target])
