"""Structures of the head: opinions, islands, and labels on native voxels, on a head whose labels are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from analytic_neuroanatomy import make_neuroanatomy
from cormack.core.errors import ExtractionError, InputError, WeightsError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.measure.overlap import dice
from cormack.nn.store import load_network
from cormack.nn.task import TaskInput
from cormack.segment.brain_grid import brain_on_grid
from cormack.segment.haematoma import told_apart
from cormack.segment.neuroanatomy import certainty, draw_structures
from cormack.segment.neuroanatomy_network import network_opinion
from cormack.segment.opinion import Opinion, confidence, likeliest, overlap
from cormack.segment.plausible import without_islands
from labelled_scans import BONE_HU, HU, head_ct, write_knowing_network

LARGE = ("frontal lobe", "cerebellum", "lentiform nucleus", "ventricular system", "thalamus", "caudate nucleus")


@pytest.fixture(scope="module")
def head():
    return make_neuroanatomy((2.0, 2.0, 2.0), reach_mm=100.0)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return load_network(write_knowing_network(tmp_path_factory.mktemp("networks") / "knowing"))


@pytest.fixture(scope="module")
def found(head, network):
    scan = head_ct(head)
    return draw_structures(scan, head.brain, network_opinion(scan, head.brain, network=network))


def test_structures_are_found_where_they_are(head, found):
    for name in LARGE:
        assert dice(found.labels, head.labels, key=name) > 0.8, name
    assert dice(found.labels, head.labels, key="cerebellum") > 0.95


def test_every_voxel_of_the_brain_has_a_label_and_none_outside(head, found):
    np.testing.assert_array_equal(found.labels.data > 0, head.brain.data > 0)


def test_the_eleven_are_the_sixteen_put_together(found):
    eleven = found.eleven()
    assert eleven.table is NEUROANATOMY
    np.testing.assert_array_equal(eleven.data, COARSE_OF_FINE[found.labels.data])
    assert eleven.volume_ml("caudate nucleus") == found.labels.volume_ml("caudate nucleus") > 0


def test_scans_with_skull_and_without_give_the_same(head, found, network):
    alone = head_ct(head, skull=False)
    again = draw_structures(alone, head.brain, network_opinion(alone, head.brain, network=network))
    np.testing.assert_array_equal(again.labels.data, found.labels.data)


def test_what_is_not_there_is_told(found):
    missing = next(f for f in found.findings if f.code == "structures-missing")
    assert "central sulcus" in missing.message
    assert "caudate nucleus" not in missing.message


def test_certainty_lies_between_nothing_and_one_and_is_high_within_large_structures(head, found):
    sure = certainty(head_ct(head), head.brain, found)
    assert sure.data.max() <= 1 + 1e-6
    assert sure.data[head.brain.data == 0].max() == 0
    assert np.median(sure.data[head.labels.mask("cerebellum")]) > 0.9


def test_thin_voxels_get_smooth_edges():
    coarse, fine = np.diag([2.0, 2.0, 2.0, 1.0]), np.diag([0.7, 0.7, 0.7, 1.0])
    radius = np.linalg.norm(np.stack(np.meshgrid(*(2.0 * np.arange(40) - 40,) * 3, indexing="ij")), axis=0)
    probability = np.zeros((16, 40, 40, 40), dtype=np.float32)
    probability[4] = np.clip((20 - radius) / 2 + 0.5, 0, 1)
    probability[11] = 1 - probability[4]
    whole = LabelMap(np.ones((110, 110, 110), dtype=np.uint8), fine, BRAIN)
    opinion = Opinion(probability, np.ones((40, 40, 40), dtype=bool), coarse, "")
    drawn = draw_structures(Volume(whole.data, fine), whole, opinion).labels
    assert drawn.volume_ml("cerebellum") == pytest.approx(4 / 3 * np.pi * 2**3, rel=0.01)
    assert drawn.volume_ml("frontal lobe") + drawn.volume_ml("cerebellum") == pytest.approx(whole.volume_ml())


def test_values_of_what_surrounds_the_brain_have_no_part(head):
    inside = head.brain.data > 0
    scan = Volume(np.where(inside, 30, BONE_HU).astype(np.int16), head.brain.affine)
    grid, where = brain_on_grid(scan, head.brain, TaskInput((), (3.3, 3.3, 3.3)))
    np.testing.assert_allclose(grid.data[where], 30, atol=1e-2)
    assert set(np.unique(grid.data[~where])) == {-1000.0}


def test_lobes_stand_together_against_others():
    probability = np.zeros((16, 1), dtype=np.float32)
    probability[[11, 12, 1], 0] = 0.35, 0.2, 0.45
    label, share = likeliest(probability)
    assert (label[0], share[0]) == (NEUROANATOMY_FINE["frontal lobe"].index, pytest.approx(0.55))
    probability[[11, 12, 1], 0] = 0.2, 0.2, 0.6
    assert likeliest(probability)[0][0] == NEUROANATOMY_FINE["subarachnoid space"].index
    assert likeliest(np.zeros((16, 1), dtype=np.float32))[0][0] == 0


def test_of_structures_that_are_as_likely_the_first_is_taken():
    probability = np.random.default_rng(5).integers(0, 4, (16, 5000)).astype(np.float32) / 4
    parts = COARSE_OF_FINE[1:] == NEUROANATOMY["brainstem and cerebrum"].index
    brain, others = probability[parts].sum(axis=0), probability[~parts]
    numbers = np.arange(1, 17)
    part, other = numbers[parts][probability[parts].argmax(axis=0)], numbers[~parts][others.argmax(axis=0)]
    label, share = likeliest(probability)
    np.testing.assert_array_equal(share, np.maximum(brain, others.max(axis=0)))
    np.testing.assert_array_equal(label, np.where(share > 0, np.where(brain >= others.max(axis=0), part, other), 0))


def test_confidence_is_the_mean_of_probabilities():
    probability = np.zeros((16, 2, 1, 1), dtype=np.float32)
    probability[5, :, 0, 0] = 0.7, 0.9
    probability[6, :, 0, 0] = 0.3, 0.1
    inside = np.ones((2, 1, 1), dtype=bool)
    sure = confidence(Opinion(probability, inside, np.eye(4), "", {"caudate nucleus": 0.5}))
    assert list(sure) == ["caudate nucleus"]
    assert sure["caudate nucleus"].probability == pytest.approx(0.8)
    entropy = [-(p * np.log(p) + (1 - p) * np.log(1 - p)) / np.log(16) for p in (0.7, 0.9)]
    assert sure["caudate nucleus"].entropy == pytest.approx(np.mean(entropy), rel=1e-4)
    assert sure["caudate nucleus"].agreement == 0.5


def test_overlap_is_dice(head, found):
    both = overlap(found.labels.data, head.labels.data)
    assert both["cerebellum"] == pytest.approx(dice(found.labels, head.labels, key="cerebellum"))
    brain = [np.isin(data, (1, 12, 13, 14, 15, 16)) for data in (found.labels.data, head.labels.data)]
    assert both["brainstem and cerebrum"] == pytest.approx(dice(*brain))


def test_a_third_caudate_is_what_surrounds_it():
    probability = np.zeros((16, 40, 20, 20), dtype=np.float32)
    probability[11] = 0.3
    caudate = probability[NEUROANATOMY_FINE["caudate nucleus"].index - 1]
    caudate[5:10, 5:12, 5:12] = caudate[30:35, 5:12, 5:12] = caudate[18:20, 16:18, 16:18] = 0.7
    opinion = Opinion(probability, np.ones((40, 20, 20), dtype=bool), np.eye(4), "")
    labels = without_islands(opinion).labels()
    assert labels[7, 8, 8] == labels[32, 8, 8] == NEUROANATOMY_FINE["caudate nucleus"].index
    assert labels[18, 16, 16] == NEUROANATOMY_FINE["frontal lobe"].index


def test_external_capsules_apart_from_the_brainstem_stay():
    # One of the two manual maps draws them so.
    probability = np.zeros((16, 40, 20, 20), dtype=np.float32)
    probability[NEUROANATOMY_FINE["insular cortex"].index - 1] = 0.3
    rest = probability[NEUROANATOMY_FINE["brainstem and rest of the diencephalon"].index - 1]
    rest[15:25, 5:15, 5:15] = rest[3:6, 5:15, 5:15] = rest[34:37, 5:15, 5:15] = 0.7
    labels = without_islands(Opinion(probability, np.ones((40, 20, 20), dtype=bool), np.eye(4), "")).labels()
    assert labels[20, 10, 10] == labels[4, 10, 10] == labels[35, 10, 10] == 1


def test_masks_without_brain_and_of_other_scans_are_refused(head, network):
    scan = head_ct(head)
    empty = replace(head.brain, data=np.zeros_like(head.brain.data))
    with pytest.raises(ExtractionError, match="is empty"):
        network_opinion(scan, empty, network=network)
    speck = np.zeros_like(head.brain.data)
    speck[40:50, 40:50, 40:50] = 1
    with pytest.raises(ExtractionError, match="holds 8 ml"):
        network_opinion(scan, replace(head.brain, data=speck), network=network)
    other = replace(head.brain, data=head.brain.data[:-1])
    with pytest.raises(InputError, match="not on the grid"):
        network_opinion(scan, other, network=network)


def test_a_haematoma_beside_the_brain_is_fluid_and_told(head, tmp_path, network):
    knowing = load_network(write_knowing_network(tmp_path / "knowing", labels=17))
    scan = head_ct(head)
    same = draw_structures(scan, head.brain, network_opinion(scan, head.brain, network=knowing))
    plain = draw_structures(scan, head.brain, network_opinion(scan, head.brain, network=network))
    np.testing.assert_array_equal(same.labels.data, plain.labels.data)
    assert "haematoma-suspected" not in {finding.code for finding in same.findings}
    depth = ndimage.distance_transform_edt(head.brain.data, sampling=scan.spacing_mm)
    right = np.arange(scan.shape[0])[:, None, None] > scan.shape[0] * 0.55
    blood = (depth > 0) & (depth < 9) & right & (head.labels.data == NEUROANATOMY_FINE["frontal lobe"].index)
    bled = Volume(np.where(blood, HU[17], scan.data).astype(np.int16), scan.affine)
    found = draw_structures(bled, head.brain, network_opinion(bled, head.brain, network=knowing))
    assert (found.labels.data[blood] == NEUROANATOMY_FINE["subarachnoid space"].index).mean() > 0.9
    told = next(finding for finding in found.findings if finding.code == "haematoma-suspected")
    ml = np.count_nonzero(blood) * scan.voxel_volume_ml
    assert told.evidence["volume_ml"] == pytest.approx(ml, rel=0.2)
    assert ml > 20


def test_what_is_small_is_no_haematoma():
    probability = np.zeros((17, 40, 40, 60), dtype=np.float32)
    probability[11] = 0.2
    probability[1] = 0.1
    probability[16, 2:12, 2:22, 35:59] = probability[16, 30:34, 30:34, :10] = 0.7
    inside = np.ones(probability.shape[1:], dtype=bool)
    sixteen, ml = told_apart(probability, inside, 0.001)
    assert ml == 0
    # The others share what it had.
    np.testing.assert_allclose(sixteen[[11, 1], 5, 5, 50], [0.2 / 0.3, 0.1 / 0.3], rtol=1e-5)
    probability[16, 2:12, 2:22, 34] = 0.7
    sixteen, ml = told_apart(probability, inside, 0.001)
    assert ml == pytest.approx(0.001 * 10 * 20 * 25)
    assert sixteen[1, 5, 5, 50] == pytest.approx(0.8)
    assert sixteen[1, 31, 31, 5] == pytest.approx(1 / 3, rel=1e-5)
    assert np.array_equal(told_apart(probability[:16], inside, 0.001)[0], probability[:16])


def test_networks_of_other_structures_are_refused(head, tmp_path):
    with pytest.raises(WeightsError, match="gives 5 labels"):
        network_opinion(
            head_ct(head), head.brain, network=load_network(write_knowing_network(tmp_path / "five", labels=5))
        )
