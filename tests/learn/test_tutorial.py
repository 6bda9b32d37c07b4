"""The tutorial's configuration, shortened; with CORMACK_SLOW=1 as it stands."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cormack.cli.main import main
from cormack.learn.history import read_history

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "train-a-network.md"
HOW_TO = PAGE.parents[1] / "how-to" / "train.md"
#: Less of everything, and small grids.
SHORT = {
    "data.anatomies": "'balls'",
    "training.steps": "2",
    "training.threads": "1",
    "data.shape": "[48, 48, 48]",
    "data.validation": "1",
    "network.channels": "[4, 8]",
    "network.convolutions": "[1, 1]",
}


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def changed(text: str, values: dict[str, str]) -> str:
    """A configuration of dotted keys with other values."""
    kept = [line for line in text.splitlines() if line.partition(" =")[0] not in values]
    return "\n".join([*kept, *(f"{key} = {value}" for key, value in values.items())]) + "\n"


def test_the_configuration_has_at_most_ten_lines() -> None:
    assert len(blocks(PAGE)[0].splitlines()) <= 10


def test_the_tutorial_shortened(balls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(balls.parent)
    Path("brain.toml").write_text(changed(blocks(PAGE)[0], SHORT))
    assert main(["train", "brain.toml", "run", "-q"]) == 0
    assert main(["export", "run", "my-brain", "-q"]) == 0
    assert (Path("my-brain") / "model.onnx").is_file()


@pytest.mark.slow
def test_the_tutorial_reaches_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("CORMACK_SLOW"):
        pytest.skip("CORMACK_SLOW=1 runs it")
    monkeypatch.chdir(tmp_path)
    Path("brain.toml").write_text(blocks(PAGE)[0])
    assert main(["train", "brain.toml", "run", "-q"]) == 0
    assert max(row.get("dice_brain", 0.0) for row in read_history(Path("run/metrics.csv"))) > 0.9


def test_configurations_of_the_how_to_are_read(tmp_path: Path) -> None:
    from cormack.learn.config import read_config

    labels, synthesis, samples, paper = blocks(HOW_TO)
    head = blocks(PAGE)[0].partition("data.kind")[0]
    for text in (labels, head + synthesis, head + samples, head + "data.folder = '.'\n" + paper):
        (tmp_path / "c.toml").write_text(text)
        read_config(tmp_path / "c.toml")
