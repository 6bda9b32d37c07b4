"""The brain on MR: a stand-in network on a head of known form; turned, coarse, empty and foreign images."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import ExtractionError, InputError, WeightsError
from cormack.core.labels import BRAIN_AND_CSF
from cormack.core.volume import Unit, Volume
from cormack.extract import mr_network
from cormack.extract.brain import METHODS, brain_mask
from cormack.extract.methods import BRAIN_METHODS, DEFAULT_METHOD
from cormack.extract.mr_head import mr_head_mask
from cormack.extract.mr_network import LIES_SO_MM, mr_network_mask
from cormack.extract.pose import HeadPose, inside_cranium
from cormack.extract.upright import Lie, ways
from cormack.measure.overlap import dice
from cormack.nn.store import Network, networks
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput, TaskPost

BRAIN, SCALP, NECK = 600, 1000, 400
TASK = Task(
    "stand-in",
    "",
    "MR",
    TaskInput((Channel("window", 0, 1200),), (2.0, 2.0, 2.0), pad_value=0.0),
    TaskOutput(BRAIN_AND_CSF),
    post=TaskPost(("largest", "fill")),
)


class StandIn:
    """Takes values near the phantom's brain for brain, and counts its runs."""

    name, channels = "stand-in", 1

    def __init__(self, doubt=0.0):
        self.doubt, self.runs, self.heights = doubt, 0, []

    def rest(self):
        """Nothing is held."""

    def run(self, batch):
        self.runs += 1
        self.heights.append(batch.shape[-1])
        logits = 8 - np.abs(batch[0, 0] * 600 + 600 - BRAIN) / 10
        return (np.clip(logits, -8, 8) - self.doubt)[None, None].astype(np.float32)


def stand_in(**how):
    return Network(TASK, StandIn(**how))


@pytest.fixture(scope="module")
def head():
    """A head on a neck, 2 mm voxels, its brain filling the digital head's skull; the brain on the same grid."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-100, -120, -130)
    shape = (100, 120, 125)
    brain = inside_cranium(HeadPose(np.eye(4), 0.0, 1.0), affine, shape)
    skull, skin = (ndimage.binary_dilation(brain, iterations=n) for n in (4, 7))
    x, y, z = np.ogrid[tuple(slice(0, n) for n in shape)]
    low = int(np.flatnonzero(skin.any((0, 1)))[0])
    neck = ((x - 50) ** 2 + (y - 50) ** 2 < 28**2) & (z < low + 15)
    data = np.full(shape, 4.0, np.float32)
    data[np.broadcast_to(neck, shape)] = NECK
    data[skin] = SCALP
    data[skull] = 30
    data[brain] = BRAIN
    return Volume(data, affine, Unit.ARBITRARY, 0.0), brain


def turned(volume, brain, codes):
    """The head with its axes exchanged, the header not knowing."""
    matrix = ways()[codes]
    order = np.abs(matrix).argmax(axis=1)
    flips = tuple(slice(None, None, int(matrix[axis, order[axis]])) for axis in range(3))
    data, mask = (np.ascontiguousarray(np.transpose(part, order)[flips]) for part in (volume.data, brain))
    return Volume(data, volume.affine, volume.unit, volume.outside), mask


def test_the_brain_is_found_where_it_is(head):
    volume, brain = head
    network = stand_in()
    mask, findings = mr_network_mask(volume, network=network)
    assert dice(mask, brain) > 0.999
    assert findings == ()
    assert network.session.runs == 1


@pytest.mark.parametrize("codes", ["LPS", "RIA", "ALS"])
def test_a_turned_head_is_found_and_told(head, codes):
    volume, brain = turned(*head, codes)
    mask, findings = mr_network_mask(volume, network=stand_in())
    assert dice(mask, brain) > 0.99
    assert [(f.code, f.evidence["axes"]) for f in findings] == [("orientation-suspected", codes)]
    assert findings[0].evidence["misfit_mm"] < 3 < findings[0].evidence["as_stated_mm"]


@pytest.mark.parametrize(("sure", "told"), [(True, ["orientation-suspected"]), (False, ["brain-unsure"])])
def test_a_way_that_fits_little_better_counts_if_the_network_is_sure_only_so(head, monkeypatch, sure, told):
    """As stated, on less of the neck, and both sharpened, it is unsure and a skull fits badly; the fifth run fits.

    While it is unsure, every way is tried.
    """
    network = stand_in(doubt=6.0)

    def lies(*_):
        turned = network.session.runs > 4
        network.session.doubt = 0.0 if sure and network.session.runs == 4 else 6.0
        misfit_mm = LIES_SO_MM - 0.1 if turned else LIES_SO_MM + 0.4
        return Lie("RAS", misfit_mm, misfit_mm)

    monkeypatch.setattr(mr_network, "how_it_lies", lies)
    _, findings = mr_network_mask(head[0], network=network)
    assert network.session.runs == (5 if sure else 4 + len(ways()) - 1)
    assert [f.code for f in findings] == told


@pytest.mark.parametrize(("sureness", "codes"), [(0.88, "LAI"), (0.95, "RAS")])
def test_a_fit_as_stated_of_which_the_network_is_unsure_is_not_the_last_word(head, monkeypatch, sureness, codes):
    """A head upside down, of which a part was found in the shape of a brain."""
    stated = SimpleNamespace(misfit_mm=3.2, sureness=sureness, voxels=1000, lie=Lie("LAI", 3.2, 3.2))
    other = SimpleNamespace(misfit_mm=2.3, sureness=0.97, voxels=1200)
    # Nothing is found in the sharpened image.
    runs = iter([stated, None, None, other])
    monkeypatch.setattr(mr_network, "_run", lambda *_: next(runs, None))
    found, lie = mr_network._find(head[0], stand_in())
    assert (found, lie.codes) == (stated if codes == "RAS" else other, codes)


@pytest.mark.parametrize(
    ("misfit_mm", "best_mm", "sureness", "count"),
    [(4.1, 3.0, 0.95, 2), (4.1, 2.8, 0.95, 2 + 23), (4.3, 4.2, 0.95, 2 + 23), (4.1, 3.0, 0.92, 4 + 23)],
)
def test_a_head_that_a_skull_fits_loosely_is_not_turned_if_nothing_speaks_for_that(
    head, monkeypatch, misfit_mm, best_mm, sureness, count
):
    """With all of the neck and with less of it, both sharpened if unsure; every other way, unless that is believed."""
    lie = Lie("LPS", best_mm, misfit_mm)
    stated = SimpleNamespace(misfit_mm=misfit_mm, sureness=sureness, voxels=1000, lie=lie)
    runs = []
    monkeypatch.setattr(mr_network, "_run", lambda *_: runs.append(1) or (stated if len(runs) <= 2 else None))
    found, lie = mr_network._find(head[0], stand_in())
    assert (found, lie.codes, len(runs)) == (stated, "RAS", count)


@pytest.mark.parametrize(("voxels", "sureness", "codes"), [(800, 0.93, "RAS"), (950, 0.93, "LPS"), (800, 0.96, "LPS")])
def test_a_way_in_which_less_is_found_less_surely_is_not_believed(head, monkeypatch, voxels, sureness, codes):
    stated = SimpleNamespace(misfit_mm=4.9, sureness=0.95, voxels=1000, lie=Lie("LPS", 3.6, 4.9))
    other = SimpleNamespace(misfit_mm=3.6, sureness=sureness, voxels=voxels)
    runs = iter([stated, stated, other])
    monkeypatch.setattr(mr_network, "_run", lambda *_: next(runs, None))
    found, lie = mr_network._find(head[0], stand_in())
    assert lie.codes == codes
    assert found is (stated if codes == "RAS" else other)


@pytest.mark.parametrize(
    ("plain", "sharp", "taken", "count"),
    [
        ((2.8, 0.94), (2.7, 0.99), "plain", 1),
        ((6.1, 0.82), (2.8, 0.94), "sharp", 3),
        ((2.8, 0.90), (3.1, 0.92), "sharp", 2),
        ((2.8, 0.90), (2.7, 0.89), "plain", 2),
        ((3.0, 0.90), (4.0, 0.95), "plain", 3),
        (None, (2.8, 0.94), "sharp", 3),
        ((6.1, 0.82), None, "plain", 4),
    ],
)
def test_an_image_of_which_the_network_is_unsure_is_sharpened(head, monkeypatch, plain, sharp, taken, count):
    """What does not fit is looked at with less of the neck, too: one more run."""
    cases = {
        name: None if given is None else SimpleNamespace(misfit_mm=given[0], sureness=given[1], name=name)
        for name, given in (("plain", plain), ("sharp", sharp))
    }
    blurred = head[0].with_data(ndimage.gaussian_filter(head[0].data, 1.0))
    steepness = float(np.abs(np.diff(blurred.data, axis=0)).mean())
    runs = []

    def run(grid, *_):
        steeper = float(np.abs(np.diff(grid.data, axis=0)).mean()) > 1.05 * steepness
        assert (grid.data.min(), grid.data.max()) == (blurred.data.min(), blurred.data.max())
        runs.append(1)
        return cases["sharp" if steeper else "plain"]

    monkeypatch.setattr(mr_network, "_run", run)
    assert mr_network._as_stated(blurred, stand_in()).name == taken
    assert len(runs) == count


def test_a_short_field_of_view_gets_nothing_measured_below(head):
    volume, brain = head
    low = int(np.flatnonzero(brain.any((0, 1)))[0])
    box = (slice(0, 100), slice(0, 120), slice(low, 125))
    network = stand_in()
    mask, findings = mr_network_mask(volume.cropped(box), network=network)
    assert network.session.heights == [112]
    assert dice(mask, brain[box]) > 0.999
    assert findings == ()


def test_a_mirrored_head_cannot_be_told(head):
    volume, brain = head
    mask, findings = mr_network_mask(volume.with_data(volume.data[::-1].copy()), network=stand_in())
    assert dice(mask, brain[::-1]) > 0.99
    assert findings == ()


def test_fine_and_thick_voxels_and_those_too_coarse(head):
    volume, brain = head
    fine = Volume(np.repeat(volume.data, 6, axis=2), volume.affine @ np.diag([1, 1, 1 / 6, 1]), volume.unit, 0.0)
    mask, _ = mr_network_mask(fine, network=stand_in())
    assert dice(mask, np.repeat(brain, 6, axis=2)) > 0.98
    thick = Volume(volume.data[:, :, ::3].copy(), volume.affine @ np.diag([1, 1, 3, 1]), volume.unit, 0.0)
    mask, _ = mr_network_mask(thick, network=stand_in())
    assert dice(mask, brain[:, :, ::3]) > 0.95
    coarse = Volume(volume.data[::4, ::4, ::4].copy(), volume.affine @ np.diag([4, 4, 4, 1]), volume.unit, 0.0)
    with pytest.raises(ExtractionError, match=r"voxels of 8\.0 x 8\.0 x 8\.0 mm"):
        mr_network_mask(coarse, network=stand_in())


def test_what_is_no_head_is_refused(head):
    volume, _ = head
    with pytest.raises(ExtractionError, match="constant"):
        mr_network_mask(volume.with_data(np.zeros_like(volume.data)), network=stand_in())
    i, j, _ = np.ogrid[:100, :120, :125]
    rod = np.where(np.broadcast_to((i - 50) ** 2 + (j - 60) ** 2 < 25**2, (100, 120, 125)), BRAIN, 4.0)
    with pytest.raises(ExtractionError, match="nothing of a brain's shape"):
        mr_network_mask(volume.with_data(rod.astype(np.float32)), network=stand_in())
    with pytest.raises(ExtractionError, match="finds nothing"):
        mr_network_mask(volume.with_data(np.where(volume.data == BRAIN, 30.0, volume.data)), network=stand_in())


@pytest.mark.parametrize(
    ("misfit_mm", "doubt", "told"),
    [(4.9, 6.0, "brain-unsure"), (5.5, 0.0, "brain-shape-unusual"), (5.5, 6.0, None), (6.6, 0.0, None)],
)
def test_an_unusual_shape_is_believed_if_the_network_is_sure(head, monkeypatch, misfit_mm, doubt, told):
    monkeypatch.setattr(mr_network, "how_it_lies", lambda *_: Lie("RAS", misfit_mm, misfit_mm))
    if told is None:
        with pytest.raises(ExtractionError, match="nothing of a brain's shape"):
            mr_network_mask(head[0], network=stand_in(doubt=doubt))
    else:
        mask, findings = mr_network_mask(head[0], network=stand_in(doubt=doubt))
        assert [f.code for f in findings] == [told]
        assert dice(mask, head[1]) > 0.99


def test_an_unusual_shape_is_not_believed_of_a_head_that_is_found_turned_alone(head, monkeypatch):
    other = SimpleNamespace(misfit_mm=5.5, sureness=0.97, voxels=1000)
    # As stated with all of the neck and with less of it, both sharpened, too.
    runs = iter([None] * 4 + [other])
    monkeypatch.setattr(mr_network, "_run", lambda *_: next(runs, None))
    with pytest.raises(ExtractionError, match="nothing of a brain's shape"):
        mr_network._find(head[0], stand_in())


def test_an_unsure_network_is_told(head):
    _, findings = mr_network_mask(head[0], network=stand_in(doubt=6.0))
    assert [f.code for f in findings] == ["brain-unsure"]


def test_methods_and_volumes_fit_together(head):
    volume, _ = head
    assert {modality: set(methods) for modality, methods in METHODS.items()} == {
        modality: set(names) for modality, names in BRAIN_METHODS.items()
    }
    assert all(names[0] == DEFAULT_METHOD for names in BRAIN_METHODS.values())
    with pytest.raises(InputError, match="'skull' does not read MR; for MR there are network"):
        brain_mask(volume, method="skull")
    with pytest.raises(InputError, match="'t1-brain-2d' does not read CT"):
        brain_mask(volume.with_data(volume.data, unit=Unit.HU), method="t1-brain-2d")
    with pytest.raises(WeightsError, match="not part of this installation"):
        mr_network_mask(volume, name="t9-brain")


def test_the_head_is_all_that_is_brighter_than_air(head):
    volume, brain = head
    noisy = np.abs(volume.data + np.random.default_rng(0).normal(0, 15, volume.shape)).astype(np.float32)
    mask = mr_head_mask(volume.with_data(noisy)).data > 0
    truth = ndimage.binary_fill_holes(volume.data > 100)
    assert dice(mask, truth) > 0.97
    assert mask[brain].all()
    with pytest.raises(ExtractionError, match="constant"):
        mr_head_mask(volume.with_data(np.ones_like(volume.data)))


@pytest.mark.skipif("t1-brain-3d" not in networks(), reason="the network is not packaged yet")
def test_the_packaged_network_finds_a_real_brain(shared_data):
    """Against automatic labels (DLMUSE), which hold no fluid of the sulci; `benchmarks/t1_brain.py` prints all."""
    import nibabel as nib

    folder = shared_data / "mr_t1" / "nichart"
    image, labels = (nib.as_closest_canonical(nib.load(folder / name)) for name in
                     ("Subj8_T1.nii.gz", "Subj8_T1_DLMUSE.nii.gz"))  # fmt: skip
    volume = Volume(np.asarray(image.dataobj, dtype=np.float32), image.affine, Unit.ARBITRARY, 0.0)
    mask = brain_mask(volume)
    assert mask.table[1].name == "brain and CSF"
    assert dice(mask.data > 0, np.asarray(labels.dataobj) > 0) > 0.93


@pytest.mark.parametrize(
    ("misfit_mm", "sureness", "taken"),
    [(3.3, 0.90, True), (4.0, 0.90, True), (5.0, 0.90, False), (5.0, 0.96, True), (5.4, 0.96, False)],
)
def test_less_of_the_neck_counts_if_it_fits_or_the_network_is_surer(head, monkeypatch, misfit_mm, sureness, taken):
    whole = SimpleNamespace(misfit_mm=5.3, sureness=0.95)
    short = SimpleNamespace(misfit_mm=misfit_mm, sureness=sureness)
    runs = iter([whole, short])
    monkeypatch.setattr(mr_network, "_run", lambda *_: next(runs))
    assert mr_network._with_enough_neck(head[0], stand_in()) is (short if taken else whole)
