from pathlib import Path

from cormack.cli import options
from cormack.cli.main import main
from cormack.extract.brain import METHODS
from cormack.extract.methods import DEFAULT_METHOD


def test_methods_on_the_command_line_are_those_of_the_table():
    @options.method_option
    def command(method: str) -> None:
        """Take the option."""

    (option,) = command.__click_params__
    assert set(option.type.choices) == {name for methods in METHODS.values() for name in methods}
    assert option.default == DEFAULT_METHOD


def test_completion_scripts(capsys):
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        assert "_CORMACK_COMPLETE" in capsys.readouterr().out


def test_an_error_inside_is_told_without_values(monkeypatch, capsys, tmp_path):
    def broken(*args, **kwargs):
        raise TypeError("secret value 4711")

    monkeypatch.setattr("cormack.pipeline.listing.list_series", broken)
    assert main(["scan", str(tmp_path)]) == 70
    told = capsys.readouterr().err
    assert "TypeError" in told
    assert "4711" not in told


def test_interrupted(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("cormack.pipeline.listing.list_series", interrupted)
    assert main(["scan", str(Path.cwd())]) == 130
    assert "interrupted" in capsys.readouterr().err
