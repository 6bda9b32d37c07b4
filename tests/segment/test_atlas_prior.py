"""Votes of atlases that err by a known shift, on values of a known head."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from analytic_neuroanatomy import make_neuroanatomy
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Unit, Volume
from cormack.segment.atlas_prior import with_values
from cormack.segment.brain_values import brain_contrast, brain_levels

FLUID = tuple(NEUROANATOMY_FINE[name].index for name in ("ventricular system", "subarachnoid space", "central sulcus"))
VENTRICLES, CAUDATE = (NEUROANATOMY_FINE[name].index for name in ("ventricular system", "caudate nucleus"))


@pytest.fixture(scope="module")
def head():
    return make_neuroanatomy((2.0, 2.0, 2.0), reach_mm=90.0)


def values_of(labels, *, fluid_hu=8.0, tissue_hu=32.0, noise_hu=3.0):
    clean = np.where(np.isin(labels, FLUID), fluid_hu, tissue_hu)
    noise = np.random.default_rng(1).normal(0, noise_hu, labels.shape)
    return np.where(labels > 0, clean + noise, -1000).astype(np.float32)


def votes_of(*opinions):
    return np.stack([np.mean([said == n for said in opinions], axis=0) for n in range(1, 17)]).astype(np.float32)


def dice_of(label, found, truth):
    a, b = found == label, truth == label
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def likeliest(probability, inside):
    return np.where(inside, probability.argmax(axis=0) + 1, 0)


@pytest.mark.parametrize(("fluid_hu", "tissue_hu"), [(5.0, 28.0), (13.0, 40.0)])
def test_values_mend_what_atlases_put_a_few_millimetres_off(head, fluid_hu, tissue_hu):
    truth = head.labels.data
    inside = truth > 0
    # One atlas 6 mm to the right, one 6 mm to anterior.
    said = [np.where(inside, np.roll(truth, 3, axis), 0) for axis in (0, 1)]
    votes = votes_of(*said)
    found = with_values(votes, inside, values_of(truth, fluid_hu=fluid_hu, tissue_hu=tissue_hu))
    np.testing.assert_allclose(found[:, inside].sum(axis=0), 1, atol=1e-4)
    assert not found[:, ~inside].any()
    before, after = likeliest(votes, inside), likeliest(found, inside)
    assert dice_of(VENTRICLES, before, truth) < 0.85
    assert dice_of(VENTRICLES, after, truth) > 0.9
    assert dice_of(CAUDATE, after, truth) > dice_of(CAUDATE, before, truth)


def test_right_atlases_are_believed_where_values_tell_nothing(head):
    truth = head.labels.data
    inside = truth > 0
    found = likeliest(with_values(votes_of(truth), inside, values_of(truth)), inside)
    for name in ("lentiform nucleus", "caudate nucleus", "thalamus", "frontal lobe"):
        assert dice_of(NEUROANATOMY_FINE[name].index, found, truth) > 0.9, name


def test_where_no_atlas_reaches_the_nearest_structure_counts(head):
    truth = head.labels.data
    inside = truth > 0
    said = truth.copy()
    said[:, :, truth.shape[2] // 2 + 25 :] = 0
    found = likeliest(with_values(votes_of(said), inside, values_of(truth)), inside)
    assert (found[inside] > 0).all()
    missing = inside & (said == 0)
    assert np.isin(found[missing], np.unique(said[said > 0])).all()


def test_levels_are_those_of_the_values():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(9, 2, 4000), rng.normal(30, 3, 30000), rng.normal(36, 3, 15000)])
    levels = brain_levels(values)
    assert levels.tissue_hu == pytest.approx(31, abs=2)
    assert levels.fluid_hu == pytest.approx(8, abs=2)
    # A brain without fluid, a mask without tissue.
    assert brain_levels(rng.normal(35, 1, 1000)).fluid_hu == pytest.approx(11, abs=1)
    assert np.isfinite(brain_levels(np.full(50, 200.0)).fluid_hu)


def test_contrast_is_the_same_whatever_the_scanner_says(head):
    truth = head.labels.data
    inside = truth > 0
    images: list[Volume] = []
    for fluid_hu, tissue_hu in ((5.0, 28.0), (13.0, 36.0)):
        values = values_of(truth, fluid_hu=fluid_hu, tissue_hu=tissue_hu, noise_hu=1.0)
        values[~inside] = 1500
        images.append(brain_contrast(Volume(values, head.labels.affine), inside))
    assert images[0].unit is Unit.ARBITRARY
    assert not images[0].data[~inside].any()
    np.testing.assert_allclose(images[0].data, images[1].data, atol=0.06)
    fluid, tissue = (images[0].data[inside & where].mean() for where in (np.isin(truth, FLUID), ~np.isin(truth, FLUID)))
    assert fluid < 0.4 < 0.8 < tissue
