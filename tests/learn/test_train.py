"""A training from end to end: repeatable, resumable, exported, measured, gone on with."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from small_cases import BRAIN, CORE, config_text, write_pair

from cormack.cli.main import main
from cormack.core.errors import (
    ConfigurationError,
    CormackError,
    GeometryError,
    OutputError,
    TrainingError,
    WeightsError,
)
from cormack.learn import checkpoint
from cormack.learn.config import read_config
from cormack.learn.evaluate import evaluate
from cormack.learn.export import export
from cormack.learn.history import read_history
from cormack.learn.train import Trained, train
from cormack.nn.store import load_network


def run(text: str, folder: Path, **options: object) -> Trained:
    """Train in `folder / "run"`."""
    path = folder / "config.toml"
    path.write_text(text)
    return train(read_config(path), folder / "run", text=text, **options)  # type: ignore[arg-type]


def values(folder: Path) -> list[dict[str, float]]:
    """What was measured, without the seconds."""
    rows = read_history(folder / "run" / "metrics.csv")
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that has learnt to find the ball."""
    folder = tmp_path_factory.mktemp("trained")
    data = f"[data]\nfolder = '{pairs}'\nvalidation_share = 0.25\npool = 4\n"
    text = config_text(data, training="steps = 60\nvalidate_every = 20\nlearning_rate = 0.02\nweight_average = 0.8\n")
    run(text, folder)
    return folder / "run"


def test_a_small_network_finds_a_ball(trained: Path, pairs: Path, tmp_path: Path) -> None:
    evaluation = evaluate(trained, pairs, tmp_path / "out", below=0.99, keep=True)
    table = (tmp_path / "out" / "agreement.tsv").read_text().splitlines()
    rows = list(csv.DictReader(table, delimiter="\t"))
    assert len(rows) == 4
    assert min(float(row["dice"]) for row in rows) > 0.9
    assert {float(row["hausdorff95_mm"]) for row in rows} != {0.0}
    assert len(evaluation.below) == sum(float(row["dice"]) < 0.99 for row in rows)
    confusion = (tmp_path / "out" / "confusion.tsv").read_text().splitlines()
    counts = np.array([line.split("\t")[1:] for line in confusion[1:]], dtype=float)
    assert counts.sum() == 4 * 20 * 24 * 18
    assert len(list((tmp_path / "out" / "predictions").iterdir())) == 4
    assert (tmp_path / "out" / "confusion.svg").read_text().startswith("<?xml")


def test_the_folder_of_a_training_holds_what_is_promised(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} == {
        "best.pt", "cases", "checkpoint.pt", "config.toml", "curves.svg", "metrics.csv", "split.tsv"
    }  # fmt: skip
    rows = read_history(trained / "metrics.csv")
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert rows[-1]["dice_B"] > 0.9
    assert (trained / "split.tsv").read_text().count("validation") == 1


def test_an_exported_network_is_what_nn_runs(trained: Path, tmp_path: Path) -> None:
    exported = export(trained, tmp_path / "net")
    assert exported.difference < 1e-4
    task = load_network(tmp_path / "net").task
    assert task.trained["validation"]["dice_B"] > 0.9
    assert "To be written" in (tmp_path / "net" / "MODEL_CARD.md").read_text()
    (tmp_path / "net" / "model.onnx").write_bytes((tmp_path / "net" / "model.onnx").read_bytes()[:-1])
    with pytest.raises(WeightsError, match="SHA-256"):
        load_network(tmp_path / "net")


def test_the_weights_of_the_end_are_exported_on_demand(data: str, tmp_path: Path) -> None:
    """The best weights are replaced by the raw, then by the averaged ones of the end: only the latter give the same."""
    run(config_text(data, training="steps = 30\nvalidate_every = 20\nweight_average = 0.9\n"), tmp_path)
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    averaged = {name.removeprefix("module."): v for name, v in state["average"].items() if name.startswith("module.")}
    checkpoint.save(tmp_path / "run" / "best.pt", {"network": state["network"], "step": 20})
    export(tmp_path / "run", tmp_path / "best")
    export(tmp_path / "run", tmp_path / "end", last=True)
    checkpoint.save(tmp_path / "run" / "best.pt", {"network": averaged, "step": 30})
    export(tmp_path / "run", tmp_path / "same")
    models = {name: (tmp_path / name / "model.onnx").read_bytes() for name in ("best", "end", "same")}
    assert models["end"] == models["same"] != models["best"]
    assert load_network(tmp_path / "end").task.trained["steps"] == 30


def test_fine_tuning_begins_where_the_network_ended(trained: Path, data: str, tmp_path: Path) -> None:
    export(trained, tmp_path / "net")
    text = config_text(data, training="steps = 1\nvalidate_every = 1\nlearning_rate = 1e-9\n")
    run(text, tmp_path, start=tmp_path / "net")
    before = read_history(trained / "metrics.csv")[-1]
    assert values(tmp_path)[0]["soft_dice_B"] == pytest.approx(before["soft_dice_B"], abs=0.002)
    (tmp_path / "wider").mkdir()
    run(text.replace("[4, 8, 8]", "[6, 8, 12]"), tmp_path / "wider", start=tmp_path / "net")
    assert values(tmp_path / "wider")[0]["soft_dice_B"] == pytest.approx(before["soft_dice_B"], abs=0.002)
    with pytest.raises(WeightsError, match=r"encoder\.2.*8 x 8 x 3 x 3 x 3 there, 6 x 8"):
        run(text.replace("[4, 8, 8]", "[4, 8, 6]"), tmp_path / "net", start=tmp_path / "net")


def test_structures_that_are_known_keep_their_weights_beside_others(data: str, tmp_path: Path) -> None:
    """Rows of the last layer go by the names of the labels, whatever their values are now."""
    short = "steps = 1\nvalidate_every = 1\nlearning_rate = 1e-9\n"
    run(config_text(data, training=short, labels=f"{BRAIN}, {CORE}"), tmp_path)
    export(tmp_path / "run", tmp_path / "net", last=True)
    more = tmp_path / "more"
    more.mkdir()
    names = f"{BRAIN.replace('brain', 'core')}, {CORE.replace('core', 'other')}"
    run(config_text(data, training=short, labels=names), more, start=tmp_path / "net")
    before, after = (
        checkpoint.load(folder / "run" / "checkpoint.pt")["network"]["head.weight"] for folder in (tmp_path, more)
    )
    assert np.allclose(after[[0, 1]], before[[0, 2]], atol=1e-6)
    assert not np.allclose(after[2], before[1], atol=1e-2)


def test_a_training_goes_on_from_the_best_weights_of_another(trained: Path, data: str, tmp_path: Path) -> None:
    text = config_text(data, training="steps = 1\nvalidate_every = 1\nlearning_rate = 1e-9\n")
    run(text, tmp_path, start=trained)
    before = read_history(trained / "metrics.csv")[-1]
    assert values(tmp_path)[0]["soft_dice_B"] == pytest.approx(before["soft_dice_B"], abs=0.01)
    (tmp_path / "wider").mkdir()
    run(text.replace("[4, 8, 8]", "[6, 8, 12]"), tmp_path / "wider", start=trained)
    assert values(tmp_path / "wider")[0]["soft_dice_B"] == pytest.approx(before["soft_dice_B"], abs=0.01)
    (tmp_path / "other").mkdir()
    with pytest.raises(WeightsError, match="another network"):
        run(text.replace("[4, 8, 8]", "[4, 8, 6]"), tmp_path / "other", start=trained)


def test_the_same_seed_gives_the_same_and_a_stop_changes_nothing(data: str, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    text = config_text(data + "[data.augmentation]\nrotation_deg = 10.0\nflips = ['i']\n")
    run(text, tmp_path / "a")
    run(text, tmp_path / "b")
    asked = iter([False, False, True])
    stopped = run(text, tmp_path / "c", stop=lambda: next(asked))
    assert (stopped.steps, stopped.reason) == (3, "interrupted, --resume goes on")
    run(text, tmp_path / "c", resume=True)
    assert values(tmp_path / "a") == values(tmp_path / "b") == values(tmp_path / "c")
    run(text.replace("[training]", "[training]\nseed = 1"), tmp_path, resume=True)
    assert values(tmp_path) != values(tmp_path / "a")
    with pytest.raises(OutputError, match="--resume"):
        run(text, tmp_path / "a")


@pytest.mark.parametrize(
    ("changes", "network"),
    [
        ({"labels": f"{BRAIN}, {CORE}", "training": "class_weights = 'attenuated'\n"}, ""),
        (
            {"labels": f"{BRAIN}, {CORE}", "training": "loss = 'jaccard'\n"},
            "residual = true\nnormalisation = 'instance'\n",
        ),
        ({"task_input": "dimensions = 2"}, "upsampling = 'transposed'\nnormalisation = 'batch-renorm'\n"),
        ({"task_input": "dimensions = 2.5\ninput.context = 1"}, "normalisation = 'layer'\n"),
    ],
)
def test_kinds_of_networks_train_and_export(
    data: str, tmp_path: Path, pairs: Path, changes: dict[str, str], network: str
) -> None:
    network = f"[network]\nchannels = [4, 8]\nconvolutions = [1, 2]\n{network}"
    text = config_text(data + "slices = 2\n", network=network, **changes)
    run(text, tmp_path)
    export(tmp_path / "run", tmp_path / "net")
    evaluation = evaluate(tmp_path / "net", pairs, tmp_path / "out", surfaces=False)
    assert evaluation.comparison.subjects == 4


def test_learning_rate_is_found_early_stop_and_tensorboard(data: str, tmp_path: Path) -> None:
    training = "learning_rate = 0.0\nsteps = 9\nvalidate_every = 1\nearly_stopping = true\nweight_average = 0.0\n"
    training += "tensorboard = true\nloss = 'dice'\n"
    ended = run(config_text(data, training=training), tmp_path)
    assert ended.steps <= 9
    assert 1e-6 < max(row["learning_rate"] for row in values(tmp_path)) < 1
    assert list((tmp_path / "run" / "events").iterdir())


def test_bad_input_is_told(data: str, pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"core \(value 7\) has no voxel in the 3 label maps"):
        run(config_text(data, labels=CORE.replace("2", "7", 1)), tmp_path)
    with pytest.raises(TrainingError, match=r"step \d: the loss is .* on the batch of sub-0\d; look at these"):
        steep = "learning_rate = 1e30\nschedule = 'constant'\nclip = 0.0\nsteps = 30\n"
        run(config_text(data, training=steep), tmp_path, resume=True)
    run(config_text(data), tmp_path, resume=True)
    with pytest.raises(WeightsError, match="checkpoint is of another network"):
        run(config_text(data, network="[network]\nchannels = [4, 8]\nconvolutions = [1, 1]\n"), tmp_path, resume=True)
    write_pair(tmp_path / "odd", "sub-01", 1)
    write_pair(tmp_path / "other", "sub-01", 1, shape=(20, 24, 20))
    (tmp_path / "other/labels/sub-01.nii.gz").replace(tmp_path / "odd/labels/sub-01.nii.gz")
    with pytest.raises(GeometryError, match=r"20 x 24 x 20 voxels of 4 x 4 x 4 mm.*not on the grid"):
        run(config_text(f"[data]\nfolder = '{tmp_path / 'odd'}'\n"), tmp_path / "odd")


def test_the_command_line_trains_and_exports(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(config_text(data))
    run_folder, net = str(tmp_path / "run"), str(tmp_path / "net")
    assert main(["train", str(tmp_path / "c.toml"), run_folder, "-q"]) == 0
    assert main(["export", run_folder, net]) == 0
    assert "differs from torch by" in capsys.readouterr().out
    (tmp_path / "run" / "metrics.csv").unlink()
    assert main(["export", run_folder, net]) == 1
    assert "holds no metrics.csv: give the whole folder of a training" in capsys.readouterr().err
    (tmp_path / "c.toml").write_text(config_text(data, training="stepps = 3\n"))
    assert main(["train", str(tmp_path / "c.toml"), str(tmp_path / "other")]) == 1
    assert "[training] has the unknown key 'stepps'; did you mean 'steps'?" in capsys.readouterr().err
    assert main(["evaluate", "no-such-network", str(tmp_path), str(tmp_path / "out")]) == 1


def test_a_generator_that_fails_is_heard(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cormack.learn.feed.validation_batches", lambda config, progress: [])
    text = config_text(data.replace("validation_share = 0.25", "validation_share = 0.0"))
    path = tmp_path / "config.toml"
    path.write_text(text)
    config = read_config(path)

    def spoil(*arguments: object) -> bool:
        for part in (tmp_path / "run" / "cases").glob("*-image.npy"):
            part.unlink()
        return False

    with pytest.raises(CormackError, match="sample 0 could not be made: FileNotFoundError"):
        train(config, tmp_path / "run", text=text, progress=Spoiler(spoil))


class Spoiler:
    """A listener that does something when the training begins."""

    def __init__(self, spoil: object) -> None:
        self.spoil = spoil

    def step(self, name: str) -> None:
        if name.startswith("Training"):
            self.spoil()  # type: ignore[operator]

    def advance(self, done: int, total: int) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
