"""Structures corrected in slices: by a network with nothing to add, and by one that sees what the coarse grid mixes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from analytic_neuroanatomy import make_neuroanatomy
from cormack.core.errors import WeightsError
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.imaging.orient import reorient
from cormack.measure.overlap import dice
from cormack.nn.channels import GUIDE_SCALE
from cormack.nn.grid import WayBack
from cormack.nn.store import Network, load_network
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput
from cormack.pipeline.neuroanatomy import find_structures
from cormack.segment.neuroanatomy import certainty, draw_structures
from cormack.segment.neuroanatomy_network import network_opinion
from cormack.segment.neuroanatomy_slices import AROUND, brain_slices, corrected_in_slices
from cormack.segment.plausible import without_islands
from labelled_scans import HIGH_HU, HU, LOW_HU, head_ct, write_knowing_network

GUIDES = len(NEUROANATOMY_FINE) + 1
TASK = Task(
    "stand-in",
    "",
    "CT",
    TaskInput(
        (Channel("window", LOW_HU, HIGH_HU),), (1.0, 1.0, 2.0), dimensions=2.5, context=1, multiple_of=8, guides=GUIDES
    ),
    TaskOutput(NEUROANATOMY_FINE),
)


class StandIn:
    """Logits are what the guide says; or, where it knows better, what the values of the slice in the middle say."""

    name, channels = "stand-in", TASK.image_channels

    def __init__(self, *, knowing=False):
        self.knowing, self.shapes = knowing, []

    def rest(self):
        """Nothing is held."""

    def run(self, batch):
        self.shapes.append(batch.shape)
        logits = GUIDE_SCALE * (batch[:, -GUIDES:] - 1)
        if self.knowing:
            hu = (batch[:, 1:2] + 1) / 2 * (HIGH_HU - LOW_HU) + LOW_HU
            logits = logits - np.square(hu - HU[:GUIDES].reshape(1, -1, 1, 1))
        return np.asarray(logits, dtype=np.float32)


@pytest.fixture(scope="module")
def head():
    return make_neuroanatomy((1.0, 1.0, 4.0), reach_mm=100.0)


@pytest.fixture(scope="module")
def coarse(head, tmp_path_factory):
    network = load_network(write_knowing_network(tmp_path_factory.mktemp("networks") / "coarse", spacing_mm=4.0))
    return without_islands(network_opinion(head_ct(head), head.brain, network=network))


def test_a_network_that_says_nothing_new_changes_nothing_but_the_pixels(head, coarse):
    network = Network(TASK, StandIn())
    opinion = corrected_in_slices(coarse, head_ct(head), head.brain, network=network)
    assert np.linalg.norm(opinion.affine[:3, :3], axis=0) == pytest.approx((1.0, 1.0, 4.0))
    assert opinion.findings == coarse.findings
    said = WayBack(coarse.affine, opinion.affine, opinion.inside.shape).planes(coarse.probability)
    for k, plane in said:
        if opinion.inside[:, :, k].any():
            near = ndimage.binary_dilation(opinion.inside[:, :, k], iterations=AROUND)
            np.testing.assert_allclose(opinion.probability[:, near, k], plane[:, near], atol=0.02)
    after = draw_structures(head_ct(head), head.brain, opinion, coarse=coarse)
    assert after.coarse.affine is coarse.affine
    assert "corrected in slices" in after.labels.description
    # Planes that hold brain alone, of each the part around it, a multiple of what the network needs.
    assert len(network.session.shapes) == np.count_nonzero(head.brain.data.any(axis=(0, 1)))
    assert all(n % 8 == 0 for shape in network.session.shapes for n in shape[2:])
    sizes = [np.prod(shape[2:]) for shape in network.session.shapes]
    assert sizes[0] < 0.5 * max(sizes)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAR"])
def test_what_pixels_show_is_drawn_sharper_however_the_axes_lie(head, coarse, codes):
    scan, brain, truth = head_ct(head), head.brain, head.labels
    if codes != "RAS":
        scan, brain, truth = turned(scan, codes), turned(brain, codes), turned(truth, codes)
    opinion = corrected_in_slices(coarse, scan, brain, network=Network(TASK, StandIn(knowing=True)))
    before = draw_structures(scan, brain, coarse).labels
    after = draw_structures(scan, brain, opinion).labels
    for name in ("caudate nucleus", "ventricular system", "insular cortex"):
        assert dice(after, truth, key=name) > max(0.93, dice(before, truth, key=name) + 0.02), name


def test_what_a_mask_holds_that_is_none_of_them_has_no_label(head, coarse):
    scan = head_ct(head, skull=False)
    wide = ndimage.binary_dilation(head.brain.data, np.ones((7, 7, 1)))
    brain = replace(head.brain, data=np.asfortranarray(wide.astype(np.uint8)))
    opinion = corrected_in_slices(coarse, scan, brain, network=Network(TASK, StandIn(knowing=True)))
    found = draw_structures(scan, brain, opinion)
    np.testing.assert_array_equal(found.labels.data > 0, head.brain.data > 0)
    assert "but for bone and air" in found.labels.description
    assert certainty(scan, brain, found).data[head.brain.data == 0].max() == 0
    # Nobody was asked whether it is any.
    np.testing.assert_array_equal(draw_structures(scan, brain, coarse).labels.data > 0, wide)


def test_what_is_like_no_structure_in_the_middle_of_a_brain_has_a_label(head, coarse):
    scan = head_ct(head, skull=False)
    i, j, k = np.argwhere(head.labels.mask("cerebellum")).mean(axis=0).round().astype(int)
    scan.data[i - 3 : i + 4, j - 3 : j + 4, k] = -1000
    opinion = corrected_in_slices(coarse, scan, head.brain, network=Network(TASK, StandIn(knowing=True)))
    assert opinion.probability.sum(axis=0)[opinion.inside].min() < 0.5
    found = draw_structures(scan, head.brain, opinion).labels
    np.testing.assert_array_equal(found.data > 0, head.brain.data > 0)


def turned(image: Volume | LabelMap, codes: str) -> Volume | LabelMap:
    """The same head on other axes, the header knowing."""
    data, affine = reorient(image.data, image.affine, codes)
    return replace(image, data=np.asfortranarray(data), affine=affine)


def test_axes_that_lie_otherwise_than_the_header_says_are_followed(head, tmp_path):
    given = Network(TASK, StandIn(knowing=True))
    coarse = load_network(write_knowing_network(tmp_path / "coarse", spacing_mm=4.0))
    data, affine = reorient(head_ct(head).data, head.labels.affine, "LPS")
    labels, _ = reorient(head.labels.data, head.labels.affine, "LPS")
    # The header still says RAS.
    lying = np.abs(affine) * np.eye(4)
    scan = Volume(np.asfortranarray(data), lying)
    brain = LabelMap(np.asfortranarray((labels > 0).astype(np.uint8)), lying, head.brain.table)
    said = without_islands(network_opinion(scan, brain, network=coarse, codes="LPS"))
    opinion = corrected_in_slices(said, scan, brain, network=given, codes="LPS")
    found = draw_structures(scan, brain, opinion).labels
    for name in ("caudate nucleus", "ventricular system"):
        index = NEUROANATOMY_FINE[name].index
        assert dice(found.data == index, labels == index) > 0.93, name


def test_thin_slices_are_averaged_and_thick_ones_seen_as_they_are(head, coarse):
    for thickness, expected in ((1.0, 2.0), (4.0, 4.0)):
        own = make_neuroanatomy((1.0, 1.0, thickness), reach_mm=100.0)
        slices = brain_slices(coarse, head_ct(own), own.brain, TASK)
        assert slices.grid.spacing_mm == pytest.approx((1.0, 1.0, expected))
        number, image = next(slices.images())
        assert image.shape == (3 + GUIDES, *slices.grid.shape[:2])
        assert slices.inside[:, :, number].any()
        assert np.abs(image).max() <= 1


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 4.0), (1.0, 1.0, 10.0)])
def test_a_scan_that_shows_no_more_keeps_the_coarse_opinion(coarse, spacing_mm):
    own = make_neuroanatomy(spacing_mm, reach_mm=100.0)
    assert corrected_in_slices(coarse, head_ct(own), own.brain, network=Network(TASK, StandIn())) is coarse


def test_a_network_for_something_else_is_refused(head, coarse, tmp_path):
    other = load_network(write_knowing_network(tmp_path / "coarse", spacing_mm=4.0))
    with pytest.raises(WeightsError, match="does not correct the sixteen"):
        corrected_in_slices(coarse, head_ct(head), head.brain, network=other)


def test_a_network_of_one_s_own_is_not_corrected_by_that_which_came_with_another(head, tmp_path):
    own = write_knowing_network(tmp_path / "own")
    found = find_structures(head_ct(head), head.brain, network=own)
    assert "slices" not in found.found.labels.description
    assert found.found.coarse is found.found.opinion
