from dataclasses import replace

import numpy as np
import pytest
from extract_phantoms import head_phantom
from scipy import ndimage

from cormack.core.acquisition import Acquisition
from cormack.core.errors import ExtractionError, GeometryError, InputError
from cormack.core.labels import BRAIN
from cormack.core.volume import Unit, Volume
from cormack.extract.brain import brain_mask
from cormack.extract.network import network_mask
from cormack.extract.pose import HeadPose, inside_cranium
from cormack.extract.upright import how_it_lies, ways
from cormack.imaging.workgrid import distance_mm
from cormack.measure.overlap import dice
from cormack.nn.store import Network, networks
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput, TaskPost

TASK = Task(
    "stand-in",
    "",
    "CT",
    TaskInput((Channel("window", -1000, 1000),), (2.0, 2.0, 2.0)),
    TaskOutput(BRAIN),
    post=TaskPost(("largest", "fill")),
)


class StandIn:
    """Takes 32 HU, the phantom's brain, for brain; its surface is `error` voxels (of 2 mm) too far out."""

    name, channels = "stand-in", 1

    def __init__(self, error=0, doubt=0.0):
        self.error, self.doubt = error, doubt

    def rest(self):
        """Nothing is held."""

    def run(self, batch):
        logits = 8 - np.abs(batch[0, 0] * 1000 - 32)
        size = 2 * abs(self.error) + 1
        moved = ndimage.grey_dilation(logits, size) if self.error > 0 else ndimage.grey_erosion(logits, size)
        return (np.clip(moved, -8, 8) - self.doubt)[None, None].astype(np.float32)


def stand_in(error=0, doubt=0.0):
    return Network(TASK, StandIn(error, doubt))


@pytest.fixture(scope="module")
def closed():
    """A phantom of 1 mm without a foramen, so that bone is all round."""
    return head_phantom((1.0, 1.0, 1.0), foramen=False)


@pytest.mark.parametrize("error", [-1, 0, 1])
def test_errors_of_two_millimetres_are_repaired(closed, error):
    mask, findings = network_mask(closed.volume, network=stand_in(error))
    assert dice(mask, closed.brain) > 0.99
    surface = mask & ~ndimage.binary_erosion(mask)
    truth = ndimage.distance_transform_edt(closed.brain) + ndimage.distance_transform_edt(~closed.brain)
    assert np.percentile(truth[surface], 95) <= 2.0
    assert findings == ()


def test_where_bone_is_missing_the_network_decides():
    whole, cut = head_phantom((1.5, 1.5, 1.5)), head_phantom((1.5, 1.5, 1.5), hole_mm=28.0)
    assert network_mask(whole.volume, network=stand_in())[1] == ()
    mask, findings = network_mask(cut.volume, network=stand_in())
    assert findings[0].code == "skull-defect-suspected"
    # A disc of 28 mm radius.
    assert findings[0].evidence["area_cm2"] == pytest.approx(np.pi * 2.8**2, rel=0.4)
    assert dice(mask, cut.brain) > 0.97


@pytest.mark.parametrize("padding_hu", [-1000, -1024, -3024])
def test_ends_of_the_field_of_view_are_no_missing_bone(closed, padding_hu):
    """A slab of 50 mm between leaning ends: more of its surface is cut than borders on bone."""
    _, j, k = np.ogrid[tuple(slice(n) for n in closed.volume.shape)]
    beyond = np.abs(k - 100 - 0.25 * (j - 115)) > 25
    data = np.where(beyond, padding_hu, closed.volume.data).astype(np.int16)
    mask, findings = network_mask(closed.volume.with_data(data), network=stand_in())
    assert dice(mask, closed.brain & ~beyond) > 0.95
    assert findings == ()


def test_the_last_slices_of_a_cut_head_are_kept_beside_padding():
    phantom = head_phantom((1.0, 1.0, 5.0), foramen=False)
    data = phantom.volume.data.copy()
    data[..., 28:] = data[..., :12] = -1000
    data[:20, :, 28:] = data[:20, :, :12] = -3024
    mask, _ = network_mask(phantom.volume.with_data(data), network=stand_in())
    shares = mask.sum(axis=(0, 1)) / np.maximum(phantom.brain.sum(axis=(0, 1)), 1)
    assert shares[[12, 27]] == pytest.approx([1.0, 1.0], abs=0.03)
    assert not mask[..., [11, 28]].any()


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 10.0), (0.7, 0.7, 5.0), (3.0, 3.0, 3.0)])
def test_thick_slices_and_large_voxels(spacing):
    phantom = head_phantom(spacing)
    assert dice(network_mask(phantom.volume, network=stand_in())[0], phantom.brain) > 0.95


def test_thick_slices_on_close_voxels_are_told_by_their_stated_thickness(closed):
    thick = ndimage.uniform_filter1d(closed.volume.data.astype(np.float32), 6, axis=2)
    blurred = closed.volume.with_data(thick)
    stated = replace(blurred, acquisition=Acquisition(slice_thickness_mm=6.0))
    unknown, known = (dice(network_mask(v, network=stand_in())[0], closed.brain) for v in (blurred, stated))
    assert known > max(0.985, unknown)


def test_the_stated_thickness_of_a_turned_stack_is_not_taken_for_another_axis():
    phantom = head_phantom((1.0, 4.0, 1.0), foramen=False)
    stated = replace(phantom.volume, acquisition=Acquisition(slice_thickness_mm=7.0))
    masks = [network_mask(v, network=stand_in())[0] for v in (phantom.volume, stated)]
    np.testing.assert_array_equal(*masks)


def test_noise_and_what_is_not_finite_do_no_harm(closed):
    noisy = closed.volume.data + np.random.default_rng(0).normal(0, 20, closed.volume.shape)
    noisy[:, :2] = np.nan
    mask, _ = network_mask(closed.volume.with_data(noisy.astype(np.float32)), network=stand_in())
    assert dice(mask, closed.brain) > 0.97


def test_the_same_input_gives_the_same(closed):
    first, second = (network_mask(closed.volume, network=stand_in())[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_input_is_not_changed(closed):
    before = closed.volume.data.copy()
    network_mask(closed.volume, network=stand_in())
    np.testing.assert_array_equal(closed.volume.data, before)


def test_a_head_on_a_trunk_is_found():
    phantom = head_phantom((2.0, 2.0, 2.0), foramen=False)
    i, j, k = phantom.volume.shape
    data = np.full((i + 100, j + 40, k + 200), -1000, np.int16)
    x, y, _ = np.ogrid[: i + 100, : j + 40, :1]
    trunk = ((x - (i + 100) / 2) / 90) ** 2 + ((y - (j + 40) / 2) / 60) ** 2 < 1
    data[..., :215] = np.where(trunk, 50, -1000)
    data[50 : 50 + i, 20 : 20 + j, 200:] = phantom.volume.data
    truth = np.zeros(data.shape, bool)
    truth[50 : 50 + i, 20 : 20 + j, 200:] = phantom.brain
    mask, _ = network_mask(Volume(data, np.diag([2.0, 2, 2, 1])), network=stand_in())
    assert dice(mask, truth) > 0.98
    data[..., 200:] = -1000
    with pytest.raises(ExtractionError, match="enclosed by bone"):
        network_mask(Volume(data, np.diag([2.0, 2, 2, 1])), network=stand_in())


def test_what_is_no_head_is_refused():
    grid = np.diag([2.0, 2, 2, 1])
    with pytest.raises(ExtractionError, match="nothing in the volume is denser"):
        network_mask(Volume(np.full((40, 40, 40), -900, np.int16), grid), network=stand_in())
    fat = np.full((60, 60, 60), -1000, np.int16)
    fat[10:50, 10:50, 10:50] = -90
    with pytest.raises(ExtractionError, match="inside a skull"):
        network_mask(Volume(fat, grid), network=stand_in())
    water = np.where(fat == -90, 32, fat).astype(np.int16)
    with pytest.raises(ExtractionError, match="borders on bone"):
        network_mask(Volume(water, grid), network=stand_in())
    with pytest.raises((ExtractionError, InputError)):
        network_mask(Volume(np.zeros((1, 1, 1), np.int16), np.eye(4)), network=stand_in())
    with pytest.raises((ExtractionError, InputError)):
        network_mask(Volume(np.full((50, 50, 1), 40, np.int16), np.eye(4)), network=stand_in())
    sheared = grid.copy()
    sheared[1, 2] = 0.5
    with pytest.raises(GeometryError, match="rectify"):
        network_mask(Volume(water, sheared), network=stand_in())


def test_other_units_are_refused(closed):
    with pytest.raises(InputError, match="Hounsfield"):
        brain_mask(closed.volume.with_data(closed.volume.data, unit=Unit.CORMACK), method="network")


def test_an_unsure_network_is_told(closed):
    _, findings = network_mask(closed.volume, network=stand_in(doubt=6.0))
    assert [f.code for f in findings] == ["brain-unsure"]


@pytest.fixture(scope="module")
def cranium():
    """The inside of the digital head's skull on 2 mm voxels, and its depth."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-90, -110, -70)
    inside = inside_cranium(HeadPose(np.eye(4), 0.0, 1.0), affine, (90, 110, 90))
    depth = np.where(inside, distance_mm(inside, (2.0, 2, 2)) - 1, 1 - distance_mm(~inside, (2.0, 2, 2)))
    return inside, depth.astype(np.float32)


@pytest.mark.parametrize("codes", sorted(ways()))
def test_a_turned_head_is_told_by_its_shape(cranium, codes):
    matrix = ways()[codes]
    order = np.abs(matrix).argmax(axis=1)
    flips = tuple(slice(None, None, int(matrix[axis, order[axis]])) for axis in range(3))
    inside, depth = (np.transpose(part, order)[flips] for part in cranium)
    lie = how_it_lies(inside, depth, (2.0, 2.0, 2.0))
    assert lie.codes == codes
    assert lie.turned == (codes != "RAS")


def test_a_ball_says_nothing():
    i, j, k = np.ogrid[:80, :80, :80]
    ball = (i - 40) ** 2 + (j - 40) ** 2 + (k - 40) ** 2 < 33**2
    depth = np.where(ball, distance_mm(ball, (2.0, 2, 2)) - 1, 1 - distance_mm(~ball, (2.0, 2, 2)))
    assert not how_it_lies(ball, depth.astype(np.float32), (2.0, 2, 2)).turned


@pytest.mark.skipif("ct-brain" not in networks(), reason="the network is not packaged yet")
def test_the_packaged_network_finds_real_heads(shared_data):
    """The made reference is semi-automatic; `benchmarks/brain.py` prints all figures."""
    from extract_phantoms import load_head, reference_on

    volume = load_head(shared_data / "head_ct" / "toshiba_2mm")
    mask = brain_mask(volume, method="network")
    reference = shared_data / "head_ct" / "reference" / "toshiba_2mm" / "mask.nii.gz"
    assert dice(mask, reference_on(volume, reference)) > 0.98
