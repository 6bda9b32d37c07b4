"""Data of a training: configurations, splits, cut-outs, synthesis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_cases import BRAIN, CORE, config_text, write_pair

from cormack.core.errors import ConfigurationError, InputError
from cormack.learn.augment import augment
from cormack.learn.cases import find_cases
from cormack.learn.config import AugmentationOptions, read_config
from cormack.learn.networks import make_network
from cormack.learn.sample import Sample, one_hot
from cormack.learn.sources import count_classes, make_source, prepared
from cormack.learn.spatial import cropped, random_places, sampled
from cormack.learn.splits import read_participants, split
from cormack.physics.synthesis.anatomy import Anatomy, Tissue, load_anatomy, save_anatomy
from cormack.pipeline.progress import Silent


def test_a_split_keeps_the_mixture_and_repeats(tmp_path: Path) -> None:
    table = tmp_path / "participants.tsv"
    rows = [f"sub-{n:02d}\t{'A' if n % 4 else 'B'}\t{20 + n}" for n in range(40)]
    table.write_text("\n".join(["participant_id\tsite\tage", *rows]))
    participants = read_participants(table)
    subjects = [f"sub-{n:02d}" for n in range(40)] * 2
    kept, held = split(subjects, 0.25, 3, participants=participants, columns=["site", "age"])
    assert (len(kept), len(held)) == (30, 10)
    assert not set(kept) & set(held)
    assert 7 <= sum(participants[s]["site"] == "A" for s in held) <= 8
    thirds = np.bincount([min(2, int(s[4:]) * 3 // 40) for s in held], minlength=3)
    assert thirds.min() >= 3
    assert split(subjects, 0.25, 3, participants=participants, columns=["site", "age"]) == (kept, held)
    assert split(subjects, 0.25, 4)[1] != split(subjects, 0.25, 5)[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["site"]}, "'site'; participants.tsv has no rows"),
        ({"named": ["sub-9"]}, "1 of 1 are no subjects"),
        ({"named": ["a", "b"]}, "no subject is left to train on"),
    ],
)
def test_splits_that_cannot_be(options: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        split(["a", "b"], 0.5, 0, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[data]", "[date]", r"unknown key 'date'; did you mean 'data'\?"),
        ("folder =", "foldr =", r"\[data\] has the unknown key 'foldr'; did you mean 'folder'\?"),
        ("channels = [4, 8, 8]", "channels = [4, 8]", "one number for each of two or more levels"),
        (
            "channels = [4, 8, 8]",
            "normalisation = 'butch'",
            "network.normalisation is 'butch'; give one of none, batch",
        ),
        ("steps = 4", "steps = 0", "training.steps is 0; give 1 or more"),
        ("steps = 4", "steps = 'x'", "training.steps is 'x'; expected is a value of the kind int"),
        ("folder = '.'", "kind = 'synthesis'", "data.anatomies is missing"),
    ],
)
def test_configurations_that_cannot_be(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = config_text("[data]\nfolder = '.'\n")
    assert old in text
    (tmp_path / "c.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=message):
        read_config(tmp_path / "c.toml")


def test_names_of_cases_hold_no_file_names(tmp_path: Path) -> None:
    write_pair(tmp_path, "sub-01_ses-2", 1)
    write_pair(tmp_path, "Smith John", 2)
    cases = find_cases(tmp_path)
    assert [case.name for case in cases] == ["case-001", "sub-01_ses-2"]
    assert cases[1].subject == "sub-01"
    (tmp_path / "labels" / "Smith John.nii.gz").unlink()
    with pytest.raises(InputError, match=r"1 of 2 images have no labels.*number 1 in alphabetical order"):
        find_cases(tmp_path)


def test_a_cut_out_without_turns_is_a_crop() -> None:
    image = np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8)
    centre = np.array([2.0, 3.0, 6.0])
    places = random_places((5, 5, 5), centre, (1, 1, 1), AugmentationOptions(), np.random.default_rng(0))
    crop = cropped(image, (5, 5, 5), centre, -1.0)
    np.testing.assert_array_equal(crop[:, :, :4], image[0:5, 1:6, 4:8])
    assert (crop[:, :, 4] == -1).all()
    np.testing.assert_allclose(sampled(image, places, -1.0), crop, atol=1e-4)


def test_a_turn_keeps_distances_and_slices_stay_slices() -> None:
    options = AugmentationOptions(rotation_deg=15, translation_mm=5)
    places = random_places((9, 9, 9), np.full(3, 20.0), (1, 2, 3), options, np.random.default_rng(1))
    mm = places * np.array([1, 2, 3]).reshape(3, 1, 1, 1)
    for axis, step in enumerate((1, 2, 3)):
        np.testing.assert_allclose(np.linalg.norm(np.diff(mm, axis=axis + 1), axis=0), step, rtol=1e-3)
    bent = AugmentationOptions(rotation_deg=15, scaling=0.1, translation_mm=5, elastic_mm=3, elastic_grid_mm=10)
    flat = random_places((9, 9, 3), np.full(3, 20.0), (1, 1, 1), bent, np.random.default_rng(1), flat=2)
    np.testing.assert_allclose(flat[2], np.broadcast_to([19, 20, 21], (9, 9, 3)), atol=1e-4)
    assert np.ptp(flat[0] - np.arange(9).reshape(9, 1, 1)) > 0.5


def test_cheap_changes_stay_within_the_channels_range() -> None:
    rng = np.random.default_rng(0)
    image = np.linspace(-1, 1, 2 * 4 * 4 * 4).reshape(2, 4, 4, 4).astype(np.float16)
    target = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    sample = Sample(image, target, "a")
    same = augment(sample, AugmentationOptions(gamma=0, shift=0, noise=0), rng)
    np.testing.assert_array_equal(same.image, image)
    turned = [augment(sample, AugmentationOptions(("i", "k"), gamma=0.3), rng) for _ in range(12)]
    assert all(abs(t.image).max() <= 1 for t in turned)
    assert len({t.target[0, 0, 0] for t in turned}) == 4


def test_targets_as_shares_and_as_classes() -> None:
    target = np.array([[0, 51], [255, 102]], dtype=np.uint8)
    np.testing.assert_allclose(one_hot(target, 1), [[[0, 0.2], [1, 0.4]]], atol=1e-6)
    np.testing.assert_array_equal(one_hot(np.array([[0, 2]], dtype=np.uint8), 3), [[[1, 0]], [[0, 0]], [[0, 1]]])


def test_synthetic_samples_are_made_by_their_number(balls: Path, tmp_path: Path) -> None:
    data = "[data]\nkind = 'synthesis'\nanatomies = 'balls'\nshape = [24, 24, 24]\nvalidation = 2\n"
    (tmp_path / "c.toml").write_text(config_text(data))
    config = prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent())
    source = make_source(config)
    (sample,), (again,), (other,) = source.training(3), source.training(3), source.training(4)
    np.testing.assert_array_equal(sample.image, again.image)
    assert (sample.image != other.image).any()
    assert (sample.image.shape, sample.target.shape) == ((1, 24, 24, 24), (24, 24, 24))
    assert {source.training(n)[0].name for n in range(5)} == {"a-1"}
    assert source.validation(0)[0].name == "b-1"
    assert 0 < count_classes(config)[1] < count_classes(config)[0]


def test_a_synthesis_refuses_what_it_does_not_know(balls: Path, tmp_path: Path) -> None:
    data = "[data]\nkind = 'synthesis'\nanatomies = 'balls'\n"
    for more, message in (
        ("synthesis = { neckk = 0.5 }\n", "'neckk'; did you mean 'neck'"),
        ("validation_names = ['z']\n", "no anatomy has a name that begins so"),
        ("augmentation = { rotation_deg = 5.0 }\n", "a synthesis has ranges of its own"),
    ):
        (tmp_path / "c.toml").write_text(config_text(data + more))
        with pytest.raises(ConfigurationError, match=message):
            make_source(prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent()))
    with pytest.raises(InputError, match="neither anatomies"):
        (tmp_path / "c.toml").write_text(config_text("[data]\nkind = 'synthesis'\nanatomies = 'none'\n"))
        prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent())


def test_several_structures_on_synthetic_mr(balls: Path, tmp_path: Path) -> None:
    for path in balls.glob("*.npz"):
        ball = load_anatomy(path)
        targets = ball.targets + (ball.tissues == Tissue.GRAY).astype(np.uint8)
        save_anatomy(replace(ball, targets=targets), path)
    text = config_text(
        "[data]\nkind = 'synthesis'\nanatomies = 'balls'\nshape = [24, 24, 24]\nslices = 3\n",
        labels=f"{CORE}, {BRAIN}",
        task_input="dimensions = 2.5\ninput.context = 1",
    )
    (tmp_path / "c.toml").write_text(text.replace("'CT'", "'MR'").replace('"CT"', '"MR"'))
    config = prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent())
    samples = make_source(config).training(0)
    assert [s.image.shape for s in samples] == [(3, 24, 24)] * 3
    found = set().union(*(np.unique(s.target).tolist() for n in range(4) for s in make_source(config).training(n)))
    assert found == {0, 1, 2}
    background, core, brain = count_classes(config)
    assert background > core > brain > 0


def test_anatomies_are_made_once(balls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def digital(rng: np.random.Generator, *, name: str) -> Anatomy:
        made.append(name)
        return load_anatomy(balls / "a-1.npz")

    monkeypatch.setattr("cormack.physics.synthesis.digital.digital_anatomy", digital)
    (tmp_path / "c.toml").write_text(config_text("[data]\nkind = 'synthesis'\nanatomies = 'digital'\nvariants = 2\n"))
    for _ in range(2):
        config = prepared(read_config(tmp_path / "c.toml"), tmp_path / "run", Silent())
    assert made == ["digital1-1", "digital2-1"]
    assert make_source(config).validation(0)[0].image.shape == (1, 56, 64, 56)


def test_grids_and_dimensions_that_do_not_fit_the_network(tmp_path: Path) -> None:
    for network, message in (
        ("[network]\nkind = 'resnet34'\n", "it must be a multiple of 32"),
        ("[network]\nchannels = [2, 2, 2, 2, 2]\n", "multiple of 16"),
    ):
        (tmp_path / "c.toml").write_text(config_text("[data]\nfolder = '.'\n", network=network))
        with pytest.raises(ConfigurationError, match=message):
            make_network(read_config(tmp_path / "c.toml"))
    text = config_text("[data]\nfolder = '.'\n", network="[network]\nkind = 'resnet34'\n").replace("of = 8", "of = 32")
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"for slices: task\.input\.dimensions 2"):
        make_network(read_config(tmp_path / "c.toml"))
