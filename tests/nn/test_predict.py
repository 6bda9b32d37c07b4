import numpy as np
import pytest
from scipy import ndimage
from tiny_networks import HU_WINDOW, labels, write_network

from cormack.core.errors import InputError, WeightsError
from cormack.core.volume import Unit, Volume
from cormack.nn.post import STEPS, apply_steps
from cormack.nn.predict import predict
from cormack.nn.store import load_network
from cormack.nn.task import Channel, TaskInput
from cormack.nn.tiles import places, tile_shape


def block(spacing=(1.0, 1.0, 1.0), size=48):
    """Air with a cube of 1000 HU from 16 to 32 mm."""
    shape = tuple(round(size / h) for h in spacing)
    centres = np.meshgrid(*[(np.arange(n) + 0.5) * h for n, h in zip(shape, spacing, strict=True)], indexing="ij")
    data = np.where(np.all([(c > 16) & (c < 32) for c in centres], axis=0), 1000, -1000)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.array(spacing) / 2
    return Volume(data.astype(np.int16), affine)


def same_faces(mask, truth):
    """Whether two cubes agree but for their edges, which linear interpolation rounds."""
    middle = slice(20, 28)
    lines = ((slice(None), middle, middle), (middle, slice(None), middle), (middle, middle, slice(None)))
    return all(np.array_equal(mask[line] > 0, truth[line] > 0) for line in lines)


@pytest.fixture
def threshold(tmp_path):
    """Probability by a steep step at 0 HU."""
    return load_network(write_network(tmp_path / "step", [[50.0]], [0.0]))


def test_the_edge_is_where_it_should_be(threshold):
    volume = block()
    found = predict(volume, threshold)
    assert found.probability.shape == (1, 24, 24, 24)
    assert found.volume("P1").unit is Unit.PROBABILITY
    mask = found.label_map(volume.affine, volume.shape)
    assert same_faces(mask.data, volume.data)
    np.testing.assert_array_equal(found.on_grid(volume.affine, volume.shape)[0] > 0.5, mask.data)


def test_probabilities_are_the_logistic_function(tmp_path):
    network = load_network(write_network(tmp_path / "n", [[3.0]], [1.0]))
    found = predict(Volume(np.full((16, 16, 16), 500, np.int16), np.diag([2.0, 2, 2, 1])), network)
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-(3 * 0.5 + 1))), rtol=1e-5)


def test_several_labels_and_their_background(tmp_path):
    # Softmax of three logits: the background is flat, label 1 grows with the density, label 2 falls.
    network = load_network(write_network(tmp_path / "n", [[0.0], [20.0], [-20.0]], [2.0, 0.0, -15.0]))
    volume = block()
    found = predict(volume, network)
    inside, outside = (np.array([2.0, w * 20, -w * 20 - 15]) for w in (1, -1))
    for logits, at in ((inside, (12, 12, 12)), (outside, (1, 1, 1))):
        share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        np.testing.assert_allclose(found.probability[(slice(None), *at)], share[1:], atol=1e-5)
    mask = found.label_map(volume.affine, volume.shape)
    assert same_faces(mask.data == 1, volume.data)
    assert mask.data[2, 2, 2] == 2


def test_tiles_give_what_the_whole_gives(tmp_path):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(1, 1, 3, 3, 3))
    volume = Volume(rng.normal(0, 300, (70, 50, 60)).astype(np.float32), np.diag([2.0, 2, 2, 1]))
    calls = []
    given = TaskInput((HU_WINDOW,), (2.0, 2, 2), multiple_of=4, tile=(24, 24, 24))
    tiled = load_network(write_network(tmp_path / "tiled", kernel, [0.0], given=given))
    whole = load_network(write_network(tmp_path / "whole", kernel, [0.0]))
    a = predict(volume, tiled, progress=lambda done, total: calls.append((done, total))).probability
    b = predict(volume, whole).probability
    assert len(calls) > 20
    assert calls[-1][0] == calls[-1][1] == len(calls)
    # A convolution sees zeros beyond its tile: the Gaussian gives such places little weight.
    assert np.abs(a - b).mean() < 0.01
    np.testing.assert_array_equal(a, predict(volume, tiled).probability)
    memory = predict(volume, whole, memory_mb=5).probability
    assert np.abs(memory - b).mean() < 0.01


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_one_by_one(tmp_path, axis):
    given = TaskInput((HU_WINDOW,), (1.0, 1, 1), dimensions=2, slice_axis=axis, multiple_of=16)
    network = load_network(write_network(tmp_path / "n", [[50.0]], [0.0], given=given))
    volume = block(size=50)
    for memory_mb in (600, 5):
        mask = predict(volume, network, memory_mb=memory_mb).label_map(volume.affine, volume.shape)
        np.testing.assert_array_equal(mask.data > 0, volume.data > 0)


def test_slices_see_their_neighbours(tmp_path):
    # The logit is the slice below: everything moves up by one.
    given = TaskInput((HU_WINDOW,), (1.0, 1, 1), dimensions=2.5, context=1, multiple_of=16, tile=(32, 32))
    network = load_network(write_network(tmp_path / "n", [[50.0, 0.0, 0.0]], [0.0], given=given))
    volume = block(size=50)
    mask = predict(volume, network).label_map(volume.affine, volume.shape)
    np.testing.assert_array_equal(mask.data[:, :, 1:] > 0, volume.data[:, :, :-1] > 0)


def test_post_processing_is_done(tmp_path):
    volume = block()
    data = volume.data.copy()
    data[22:26, 22:26, 22:26] = -1000
    data[2:6, 2:6, 2:6] = 1000
    network = load_network(write_network(tmp_path / "n", [[50.0]], [0.0], steps=("largest", "fill")))
    mask = predict(volume.with_data(data), network).label_map(volume.affine, volume.shape)
    assert same_faces(mask.data, volume.data)


def test_a_step_takes_nothing_from_other_labels():
    ring = np.zeros((7, 7, 7), np.uint8)
    ring[1:6, 1:6, 1:6] = 1
    ring[2:5, 2:5, 2:5] = 0
    ring[3, 3, 3] = 2
    filled = apply_steps(ring, ("fill",))
    assert filled[3, 3, 3] == 2
    assert filled[2, 2, 2] == 1


@pytest.mark.parametrize("full", [0.3, 0.7, 0.9])
def test_cavities_are_those_that_scipy_fills(full):
    mask = np.random.default_rng(3).random((9, 12, 10)) < full
    np.testing.assert_array_equal(STEPS["fill"](mask), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 10.0), (1.0, 1.0, 1.0)])
def test_the_same_input_gives_the_same(threshold, spacing):
    volume = block(spacing)
    a, b = (predict(volume, threshold) for _ in range(2))
    np.testing.assert_array_equal(a.probability, b.probability)


def test_wrong_units_and_empty_volumes_are_refused(tmp_path, threshold):
    volume = block()
    with pytest.raises(InputError, match="Hounsfield"):
        predict(volume.with_data(volume.data, unit=Unit.ARBITRARY), threshold)
    with pytest.raises(InputError, match="nothing to see"):
        predict(volume.with_data(np.full(volume.shape, np.nan)), threshold)
    mr = TaskInput((Channel("zscore"),), (2.0, 2, 2), multiple_of=4, pad_value=0.0)
    network = load_network(write_network(tmp_path / "mr", [[1.0]], [0.0], given=mr, modality="MR"))
    with pytest.raises(InputError, match="MR"):
        predict(volume, network)


def test_infinite_weights_and_wrong_classes_are_refused(tmp_path):
    volume = block()
    network = load_network(write_network(tmp_path / "nan", [[np.nan]], [0.0]))
    with pytest.raises(WeightsError, match="not finite"):
        predict(volume, network)
    network = load_network(write_network(tmp_path / "two", [[1.0], [2.0]], [0.0, 0.0], count=2))
    with pytest.raises(WeightsError, match="export it again"):
        predict(volume, network)


def test_a_failing_engine_is_reported(threshold):
    class Failing:
        name, channels = "Engine", 1

        def rest(self):
            """Nothing is held."""

        def run(self, batch):
            raise RuntimeError("no memory")

    with pytest.raises(WeightsError, match="memory_mb"):
        predict(block(), type(threshold)(threshold.task, Failing()))


def test_tiles_cover_the_grid():
    seen = np.zeros((50, 16, 33))
    for place in places(seen.shape, (16, 16, 32)):
        seen[place] += 1
    assert seen.min() >= 1
    assert tile_shape((64, 64, 64), None, 16, 1000.0) == (64, 64, 64)
    assert np.prod(tile_shape((256, 256, 256), None, 16, 100.0)) * 220 <= 100e6
    assert tile_shape((64, 64, 64), None, 16, 0.0) == (16, 16, 16)


def test_labels_of_the_helper_are_in_order():
    assert [label.index for label in labels(2)] == [1, 2]
