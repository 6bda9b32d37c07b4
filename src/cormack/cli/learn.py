"""`cormack train`, `evaluate` and `export`: networks from data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import click

from cormack.cli.options import IN_PATH, OUT_PATH, talk_options
from cormack.cli.terminal import listener, say
from cormack.core.errors import DependencyError

NEEDED = ("torch", "monai", "onnx", "onnxscript")


@click.command(name="train")
@click.argument("config", metavar="CONFIG.toml", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option("--resume", is_flag=True, help="Go on with the training in OUT_DIR.")
@talk_options
def train_command(config: Path, out: Path, resume: bool, quiet: bool, verbose: int) -> None:
    """Train a network as CONFIG.toml says; checkpoints, weights and metrics go into OUT_DIR.

    An interruption (Ctrl-C, or a polite kill) saves the state and ends; --resume goes on.
    """
    _need_learn()
    from cormack.learn.config import read_config
    from cormack.learn.train import train

    read = read_config(config)
    text = config.read_text(encoding="utf-8")
    with _politely() as stop, listener(quiet=quiet, verbose=verbose) as progress:
        trained = train(read, out, text=text, resume=resume, progress=progress, stop=stop)
    say(
        f"{trained.reason}: {trained.steps} steps in {trained.seconds:.0f} s, best validation Dice "
        f"{trained.best_dice:.4f}; in {out}",
        quiet=quiet,
    )


@click.command(name="export")
@click.argument("run", metavar="RUN_DIR", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@talk_options
def export_command(run: Path, out: Path, quiet: bool, verbose: int) -> None:
    """Write the best weights of a training as a packaged network: model.onnx, task.toml, MODEL_CARD.md."""
    _need_learn()
    from cormack.learn.export import export

    with listener(quiet=quiet, verbose=verbose) as progress:
        progress.step("Exporting")
        exported = export(run, out)
    say(
        f"wrote {out}: {exported.parameters} parameters, {exported.megabytes:.1f} MB, "
        f"differs from torch by {exported.difference:.1g} at most",
        quiet=quiet,
    )


def _need_learn() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise DependencyError(f"training needs {', '.join(missing)}: pip install 'cormack[learn]'")


@contextmanager
def _politely() -> Iterator[Callable[[], bool]]:
    """A function that tells whether an interruption was asked for; a second one interrupts at once."""
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
