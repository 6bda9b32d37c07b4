"""The commands of training: an extra that is missing, and interruptions."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cormack.cli import learn
from cormack.cli.main import main


@pytest.mark.parametrize("words", [["train", "c.toml", "out"], ["export", "run", "out"]])
def test_a_missing_extra_is_told_with_the_line_that_installs_it(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(learn, "NEEDED", ("onnx", "no_such_package"))
    assert main(words) == 1
    assert "training needs no_such_package: pip install 'cormack[learn]'" in capsys.readouterr().err


def test_the_first_interruption_asks_and_the_second_ends() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with learn._politely() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_network_or_data_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "ct-brain", str(tmp_path / "data"), str(tmp_path / "out")]) == 1
    assert "no NIfTI files in its folder images" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "none.toml"), str(tmp_path / "out")]) == 1
    assert "cannot be read as TOML" in capsys.readouterr().err
