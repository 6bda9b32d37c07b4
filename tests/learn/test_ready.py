"""Samples made ready before a training, and the network that corrects another one's answers with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cormack.core.errors import ConfigurationError, InputError
from cormack.core.volume import Volume
from cormack.learn.config import read_config
from cormack.learn.export import export
from cormack.learn.networks import make_network
from cormack.learn.ready import ReadySource, class_counts, save_ready
from cormack.learn.sources import prepared
from cormack.learn.train import train
from cormack.nn.channels import guide
from cormack.nn.predict import predict
from cormack.nn.store import load_network
from cormack.pipeline.progress import Silent

TEXT = """
[task]
name = "corrected"
modality = "CT"
[task.input]
dimensions = 2.5
context = 1
spacing_mm = [1.0, 1.0, 2.0]
multiple_of = 4
channels = [{{ kind = "window", low = 0.0, high = 80.0 }}]
guides = 3
[task.output]
labels = [
    {{ value = 1, name = "fluid", abbreviation = "F", color = "#e69f00" }},
    {{ value = 2, name = "brain", abbreviation = "B", color = "#56b4e9" }},
]
[data]
kind = "samples"
folder = "samples"
shape = [16, 16]
slices = 3
pool = 4
validation_names = ["held"]
{data}
[data.augmentation]
gamma = 0.0
shift = 0.0
noise = 0.0
[network]
channels = [4, 8]
convolutions = [1, 1]
[training]
steps = 80
batch = 4
learning_rate = 0.02
validate_every = 40
weight_average = 0.8
threads = 1
precision = "f32"
"""


def scan(rng: np.random.Generator, shape: tuple[int, int], count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Fluid in brain, as values say it; the other network is sure of brain everywhere."""
    fluid = rng.random((count, *shape)) < 0.3
    values = np.where(fluid, -0.8, 0.2)
    around = np.stack([np.roll(values, 1, axis=0), values, np.roll(values, -1, axis=0)], axis=1)
    said = np.zeros((2, count, *shape), np.float32)
    said[1] = 0.9
    images = np.concatenate([around, np.moveaxis(guide(said), 0, 1)], axis=1).astype(np.float32)
    return images, np.where(fluid, 1, 2).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "samples").mkdir()
    rng = np.random.default_rng(0)
    for name, shape in (("a-1", (20, 12)), ("b-1", (16, 16)), ("held-1", (20, 20))):
        save_ready(tmp_path / "samples" / f"{name}.npz", *scan(rng, shape))
    (tmp_path / "config.toml").write_text(TEXT.format(data=""))
    return tmp_path


def source(folder: Path) -> ReadySource:
    config = read_config(folder / "config.toml")
    return ReadySource(prepared(config, folder / "run", Silent()))


def test_cut_outs_are_parts_of_slices_and_nothing_beside_them(folder: Path) -> None:
    made = source(folder)
    seen = set()
    for number in range(12):
        samples = made.training(number)
        assert len(samples) == 3
        for sample in samples:
            seen.add(sample.name)
            assert sample.image.shape == (6, 16, 16)
            assert sample.target.shape == (16, 16)
            inside = sample.target > 0
            if sample.name == "a-1":
                # 12 of 16 columns are known; beside them the background is certain.
                assert inside.sum() == 16 * 12
                np.testing.assert_allclose(sample.image[3][~inside], 1.0)
                np.testing.assert_allclose(sample.image[[0, 1, 2, 4, 5]][:, ~inside], -1.0)
            np.testing.assert_allclose(sample.image[1][sample.target == 1], -0.8, atol=0.005)
            np.testing.assert_allclose(sample.image[1][sample.target == 2], 0.2, atol=0.005)
    assert seen == {"a-1", "b-1"}
    again = source(folder).training(3)
    np.testing.assert_array_equal(again[0].image, made.training(3)[0].image)
    assert made.validations == 1
    assert {sample.name for sample in made.validation(0)} == {"held-1"}


def test_classes_are_counted(folder: Path) -> None:
    config = prepared(read_config(folder / "config.toml"), folder / "run", Silent())
    counts = class_counts(config)
    assert sum(counts) == 5 * (20 * 12 + 16 * 16 + 20 * 20)
    assert counts[0] == 0
    assert 0.2 < counts[1] / sum(counts) < 0.4


def test_a_corrector_says_at_first_what_it_was_told(folder: Path) -> None:
    network = make_network(read_config(folder / "config.toml"))
    rng = np.random.default_rng(1)
    said = rng.dirichlet([1, 1, 1], (8, 12)).astype(np.float32).transpose(2, 0, 1)
    image = np.concatenate([rng.uniform(-1, 1, (3, 8, 12)).astype(np.float32), guide(said[1:])])
    with torch.no_grad():
        found = torch.softmax(network(torch.from_numpy(image)[None]), dim=1)[0].numpy()
    np.testing.assert_allclose(found, said, atol=3e-3)


@pytest.fixture
def one_label(folder: Path) -> Path:
    """The same for one structure: targets are shares, the guide is the logarithm of its odds."""
    text = (folder / "config.toml").read_text().replace("guides = 3", "guides = 1").replace("[16, 16]", "[24, 24]")
    other = '    { value = 2, name = "brain", abbreviation = "B", color = "#56b4e9" },\n'
    (folder / "config.toml").write_text(text.replace(other, ""))
    rng = np.random.default_rng(7)
    for path in (folder / "samples").glob("*.npz"):
        share = rng.integers(0, 256, (4, 16, 20)).astype(np.uint8)
        said = guide(np.full((1, 4, 16, 20), 0.8, np.float32))
        images = np.concatenate([np.repeat(share[None] / 127.5 - 1, 3, axis=0), said]).astype(np.float32)
        save_ready(path, np.moveaxis(images, 0, 1), share)
    return folder


def test_of_one_structure_shares_are_learnt(one_label: Path) -> None:
    config = prepared(read_config(one_label / "config.toml"), one_label / "run", Silent())
    made = ReadySource(config)
    sample = made.validation(0)[0]
    inside = sample.image[3] > 0
    assert inside.sum() == 16 * 20
    # Beside a slice the structure is not, for certain.
    np.testing.assert_allclose(sample.image[:, ~inside], -1.0)
    assert not sample.target[~inside].any()
    np.testing.assert_allclose(sample.image[1][inside], sample.target[inside] / 127.5 - 1, atol=0.01)
    stored = [np.load(path)["targets"] for path in (one_label / "samples").glob("*.npz")]
    structure = sum(float(targets.sum()) for targets in stored) / 255
    assert class_counts(config) == pytest.approx([3 * 4 * 16 * 20 - structure, structure])


def test_a_corrector_of_one_structure_says_at_first_what_it_was_told(one_label: Path) -> None:
    network = make_network(read_config(one_label / "config.toml"))
    rng = np.random.default_rng(1)
    said = rng.uniform(0.001, 0.999, (1, 8, 12)).astype(np.float32)
    image = np.concatenate([rng.uniform(-1, 1, (3, 8, 12)).astype(np.float32), guide(said)])
    with torch.no_grad():
        found = torch.sigmoid(network(torch.from_numpy(image)[None]))[0].numpy()
    np.testing.assert_allclose(found, said, atol=1e-5)


def test_it_learns_to_correct_and_is_exported(folder: Path) -> None:
    text = (folder / "config.toml").read_text()
    trained = train(read_config(folder / "config.toml"), folder / "run", text=text)
    assert trained.best_dice > 0.95
    export(folder / "run", folder / "network", last=True)
    network = load_network(folder / "network")
    images, targets = scan(np.random.default_rng(5), (24, 8))
    labels = network.session.run(images).argmax(axis=1)
    assert np.mean(labels == targets) > 0.95
    volume = Volume(np.zeros((8, 8, 4), np.int16), np.eye(4))
    with pytest.raises(InputError, match="cannot be run alone"):
        predict(volume, network)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("shape = [16, 16]", "shape = [16, 15]"), "2 multiples of 4"),
        (("dimensions = 2.5\ncontext = 1", "dimensions = 3"), "networks of slices"),
        (("guides = 3", "guides = 2"), "0, or 3"),
        (('    { value = 2, name = "brain", abbreviation = "B", color = "#56b4e9" },\n', ""), "0, or 1"),
        (('kind = "samples"', 'kind = "folder"'), "give 'samples'"),
        (("channels = [4, 8]", "channels = [4, 8]\nkind = 'resnet34'"), "without guides"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(folder: Path, change: tuple[str, str], error: str) -> None:
    text = (folder / "config.toml").read_text()
    unit = "multiple_of = 32" if "resnet34" in change[1] else "multiple_of = 4"
    (folder / "config.toml").write_text(text.replace(*change).replace("multiple_of = 4", unit))
    with pytest.raises(ConfigurationError, match=error):
        config = read_config(folder / "config.toml")
        make_network(config)
        ReadySource(prepared(config, folder / "run", Silent()))


def test_files_that_do_not_fit_are_refused(folder: Path) -> None:
    samples = folder / "samples"
    images, targets = scan(np.random.default_rng(0), (8, 8))
    for name, given, error in (
        ("channels", (images[:, 1:], targets), "the task takes"),
        ("slices", (images[1:], targets), "the task takes"),
        ("class", (images, targets + np.uint8(2)), "a class of 3 or more"),
    ):
        for path in samples.iterdir():
            path.unlink()
        save_ready(samples / f"{name}.npz", *given)
        with pytest.raises(InputError, match=error):
            source(folder).training(0)
    (samples / "class.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="can be read"):
        source(folder).training(0)
    (samples / "class.npz").unlink()
    with pytest.raises(InputError, match="no samples"):
        source(folder)
