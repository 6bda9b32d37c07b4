"""The brain's edge on MR corrected in slices: stand-in networks on a head whose edge a coarse grid misses."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from cormack.core.labels import BRAIN_AND_CSF
from cormack.core.volume import Unit, Volume
from cormack.extract import mr_network, mr_slices
from cormack.extract.mr_slices import EVERY, MARGIN_MM, corrected_in_slices, head_slices, is_fine
from cormack.measure.overlap import dice
from cormack.nn.channels import GUIDE_SCALE
from cormack.nn.store import Network, load_network
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput, TaskPost

CONTEXT = 2
TASK = Task(
    "stand-in",
    "",
    "MR",
    TaskInput(
        (Channel("window", 0, 1000),),
        (1.0, 1.0, 1.0),
        dimensions=2.5,
        slice_axis=1,
        context=CONTEXT,
        multiple_of=8,
        pad_value=0.0,
        guides=1,
    ),
    TaskOutput(BRAIN_AND_CSF),
    post=TaskPost(("largest", "fill")),
)
BRAIN = 600.0


class StandIn:
    """Logits are what the guide says; or, where it knows better, what the values of the slice in the middle say."""

    name, channels = "stand-in", TASK.image_channels

    def __init__(self, *, knowing=False, says=None):
        self.knowing, self.says, self.shapes = knowing, says, []

    def rest(self):
        """Nothing is held."""

    def run(self, batch):
        self.shapes.append(batch.shape)
        logits = 2 * GUIDE_SCALE * batch[:, -1:]
        if self.knowing:
            logits = logits + 50 * (batch[:, CONTEXT : CONTEXT + 1] - 0.2)
        return np.full_like(logits, self.says) if self.says is not None else logits


def ellipsoid(shape, spacing_mm, half_mm=(60.0, 70.0, 50.0)):
    """A bright ellipsoid in the dark, off the middle, and which voxels it is."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -np.array(shape) * spacing_mm / 2 + 3.0
    at = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1) @ affine[:3, :3] + affine[:3, 3]
    inside = np.square(at / half_mm).sum(axis=-1) <= 1
    return Volume(np.where(inside, np.float32(BRAIN * 4 / 3), np.float32(100)), affine, Unit.ARBITRARY, 0.0), inside


def said(shift_mm=0.0, half_mm=(60.0, 70.0, 50.0)):
    """What a first network on 4 mm says, too large or too small all around by some millimetres."""
    volume, _ = ellipsoid((48, 48, 40), (4.0, 4.0, 4.0))
    at = np.stack(np.meshgrid(*(np.arange(n) for n in volume.shape), indexing="ij"), axis=-1)
    depth = 1 - np.sqrt(np.square(volume.world(at) / (np.array(half_mm) + shift_mm)).sum(axis=-1))
    share = (1 / (1 + np.exp(-15 * depth))).astype(np.float32)
    return volume.with_data(share, unit=Unit.PROBABILITY)


def turned(volume, inside, order, flips):
    """The same head in another order and direction of its axes, the affine telling it."""
    data, mask = (np.ascontiguousarray(np.flip(np.transpose(a, order), flips)) for a in (volume.data, inside))
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for axis, source in enumerate(order):
        matrix[source, axis] = -1 if axis in flips else 1
        matrix[source, 3] = volume.shape[source] - 1 if axis in flips else 0
    return Volume(data, volume.affine @ matrix, volume.unit, 0.0), mask


def native(found, volume):
    return mr_network._native(found, volume)


@pytest.mark.parametrize(("order", "flips"), [((0, 1, 2), ()), ((2, 0, 1), (0,)), ((1, 0, 2), (1, 2))])
def test_an_edge_that_the_first_network_misses_is_put_right(order, flips, monkeypatch):
    volume, inside = turned(*ellipsoid((160, 170, 140), (1.0, 1.0, 1.0)), order, flips)
    coarse = said(-4.0)
    assert dice(native(coarse, volume), inside) < 0.94
    found = corrected_in_slices(volume, coarse, Network(TASK, StandIn(knowing=True)))
    mask = native(found, volume)
    # Where the network was asked nothing is wrong; between, what it adds is interpolated, here in one step from nothing
    # to certainty.
    assert dice(mask, inside) > 0.98
    axis = order.index(1)
    wrong = (mask != inside).sum(axis=tuple(a for a in range(3) if a != axis))
    right = np.flatnonzero((wrong == 0) & inside.any(axis=tuple(a for a in range(3) if a != axis)))
    assert np.diff(right).max() <= EVERY
    # Asked for every slice it is right everywhere.
    monkeypatch.setattr(mr_slices, "EVERY", 1)
    every = corrected_in_slices(volume, coarse, Network(TASK, StandIn(knowing=True)))
    assert np.array_equal(native(every, volume), inside)


def test_what_it_knows_nothing_of_stays():
    volume, _ = ellipsoid((160, 170, 140), (1.0, 1.0, 1.0))
    coarse = said()
    network = StandIn()
    found = corrected_in_slices(volume, coarse, Network(TASK, network))
    assert dice(native(found, volume), native(coarse, volume)) > 0.999
    assert {shape[:2] for shape in network.shapes} == {(1, 2 * CONTEXT + 2)}
    assert all(n % 8 == 0 for shape in network.shapes for n in shape[2:])


def test_only_what_lies_around_the_brain_is_seen():
    volume, inside = ellipsoid((240, 170, 140), (1.0, 1.0, 1.0), half_mm=(60.0, 70.0, 50.0))
    slices = head_slices(volume, said(), TASK)
    where = np.nonzero(inside)
    for axis, indices in enumerate(where):
        sides = slices.grid.voxel(volume.world([[i.min() for i in where], [i.max() for i in where]]))[:, axis]
        around = (sides[0], slices.grid.shape[axis] - 1 - sides[1])
        at_edge = (indices.min(), volume.shape[axis] - 1 - indices.max())
        for room, most in zip(around, at_edge, strict=True):
            # Coarse voxels of 4 mm bound it.
            assert min(MARGIN_MM - 4, most) <= room <= MARGIN_MM + 8
    assert slices.probability.shape == slices.grid.shape


@pytest.mark.parametrize(
    ("spacing_mm", "wanted"),
    [
        ((0.5, 0.5, 0.5), (1, 1, 1)),
        ((0.9, 0.9, 5), (0.9, 0.9, 1)),
        ((2, 2, 2), (1, 1, 1)),
        ((1.2, 1.2, 1.2), (1.2, 1.2, 1.2)),
    ],
)
def test_voxels_are_about_a_millimetre(spacing_mm, wanted):
    shape = tuple(round(n / h) for n, h in zip((130, 150, 110), spacing_mm, strict=True))
    volume, inside = ellipsoid(shape, spacing_mm)
    coarse = said(-4.0)
    found = corrected_in_slices(volume, coarse, Network(TASK, StandIn(knowing=True)))
    assert found.spacing_mm == pytest.approx(wanted)
    assert dice(native(found, volume), inside) > max(0.98, dice(native(coarse, volume), inside) + 0.03)


def test_only_small_voxels_are_corrected():
    def of(*spacing_mm):
        return Volume(np.zeros((4, 4, 4), np.float32), np.diag([*spacing_mm, 1.0]), Unit.ARBITRARY, 0.0)

    assert is_fine(of(1, 1, 6))
    assert is_fine(of(6, 1, 1))
    assert is_fine(of(2, 2, 2))
    assert not is_fine(of(2, 2, 6))
    assert not is_fine(of(1, 3, 3))
    assert not is_fine(of(3, 3, 3))


@pytest.fixture
def networks(monkeypatch):
    """Networks that stand for the packaged ones; what the first one says is given."""
    coarse = said(-4.0)
    names = []
    second = StandIn(knowing=True)

    def packaged(name):
        names.append(name)
        return Network(TASK, second)

    class Found:
        brain, sureness, misfit_mm = coarse, 0.99, 2.5

    lie = mr_network.Lie("RAS", 2.5, 2.5)
    monkeypatch.setattr(mr_network, "_packaged", packaged)
    monkeypatch.setattr(mr_network, "_find", lambda grid, network: (Found, lie))
    return names, second


def test_the_packaged_network_is_corrected_and_others_are_not(networks):
    names, second = networks
    volume, inside = ellipsoid((160, 170, 140), (1.0, 1.0, 1.0))
    mask, findings = mr_network.mr_network_mask(volume)
    assert dice(mask, inside) > 0.98
    assert not findings
    assert names == ["t1-brain-3d", "t1-brain-slices"]
    names.clear()
    other, _ = mr_network.mr_network_mask(volume, name="t1-brain-2d")
    own, _ = mr_network.mr_network_mask(volume, network=Network(TASK, StandIn()))
    assert names == ["t1-brain-2d"]
    assert np.array_equal(other, own)
    assert dice(other, inside) < 0.94
    coarse_voxels, _ = ellipsoid((54, 58, 48), (3.0, 3.0, 3.0))
    names.clear()
    mr_network.mr_network_mask(coarse_voxels)
    assert names == ["t1-brain-3d"]
    # A correction that leaves nothing is none.
    second.says = -9.0
    kept, _ = mr_network.mr_network_mask(volume)
    assert np.array_equal(kept, other)


def test_the_packaged_network_betters_the_edge_of_a_real_brain(shared_data):
    """Against automatic labels (DLMUSE) with their gaps closed; `benchmarks/t1_brain.py --heads` prints all eight."""
    folder = shared_data / "mr_t1" / "nichart"
    image, labels = (nib.as_closest_canonical(nib.load(folder / f"Subj8_T1{end}.nii.gz")) for end in ("", "_DLMUSE"))
    volume = Volume(np.asarray(image.dataobj, dtype=np.float32), image.affine, Unit.ARBITRARY, 0.0)
    whole = ndimage.binary_fill_holes(ndimage.binary_closing(np.asarray(labels.dataobj) > 0, iterations=3))
    coarse = mr_network.coarse_brain(volume, load_network("t1-brain-3d"))
    mask, findings = mr_network.mr_network_mask(volume)
    assert not findings
    assert dice(mask, whole) > max(0.975, dice(native(coarse, volume), whole) + 0.005)
    _, parts = ndimage.label(mask)
    assert parts == 1
