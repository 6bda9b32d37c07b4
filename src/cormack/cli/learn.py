"""`cormack train`, `evaluate` and `export`: networks from data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, talk_options
from cormack.cli.terminal import listener, say
from cormack.core.errors import DependencyError

EXIT_INTERRUPTED = 130
NEEDED = ("torch", "onnx", "onnxscript")


@click.command(name="train")
@click.argument("config", metavar="CONFIG.toml", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option("--resume", is_flag=True, help="Go on with the training in OUT_DIR.")
@click.option(
    "--from",
    "start",
    metavar="NETWORK",
    help="Start from a packaged network, the folder of one, or that of a training.",
)
@talk_options
def train_command(config: Path, out: Path, resume: bool, start: str | None, quiet: bool, verbose: int) -> None:
    """Train a network as CONFIG.toml says; checkpoints, weights and metrics go into OUT_DIR.

    An interruption (Ctrl-C, or a polite kill) saves the state and ends; --resume goes on.
    """
    _need_learn()
    from cormack.learn.config import read_config
    from cormack.learn.train import train

    read = read_config(config)
    text = config.read_text(encoding="utf-8")
    with _politely() as stop, listener(quiet=quiet, verbose=verbose) as progress:
        trained = train(read, out, text=text, resume=resume, start=start, progress=progress, stop=stop)
    found = f", best validation Dice {trained.best_dice:.4f}" if trained.best_dice >= 0 else ""
    say(f"{trained.reason}: {trained.steps} steps in {trained.seconds:.0f} s{found}; in {out}", quiet=quiet)
    if trained.interrupted:
        raise click.exceptions.Exit(EXIT_INTERRUPTED)


@click.command(name="evaluate")
@click.argument("network", metavar="NETWORK")
@click.argument("folder", metavar="DATA_DIR", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--below",
    type=click.FloatRange(0, 1),
    help="List cases in which the Dice of a structure is lower: labels to look at, or cases to learn from.",
)
@click.option("--surfaces/--no-surfaces", default=True, show_default=True, help="Measure distances of surfaces.")
@click.option("--keep", is_flag=True, help="Keep what the network draws, in OUT_DIR/predictions.")
@assume_mm_option
@talk_options
def evaluate_command(network: str, folder: Path, out: Path, quiet: bool, verbose: int, **values: Any) -> None:
    """Run a network on the images of DATA_DIR and compare with its labels, per structure and case.

    NETWORK is a packaged network, the folder of an exported one, or that of a training. DATA_DIR holds images/ and
    labels/ with NIfTI files of the same names.
    """
    from cormack.learn.evaluate import evaluate, is_training

    if is_training(network):
        _need_learn()
    with listener(quiet=quiet, verbose=verbose) as progress:
        evaluation = evaluate(network, folder, out, progress=progress, **values)
    for line in evaluation.comparison.told():
        say(line, quiet=quiet)
    if values["below"] is not None:
        for case, structure in evaluation.below:
            say(f"look at {case}: {structure}", quiet=quiet)
        say(f"{len(evaluation.below)} structures below a Dice of {values['below']:g}", quiet=quiet)


@click.command(name="export")
@click.argument("run", metavar="RUN_DIR", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--last",
    is_flag=True,
    help="Take the weights of the end, averaged where the training averages, instead of the best of the validations.",
)
@talk_options
def export_command(run: Path, out: Path, last: bool, quiet: bool, verbose: int) -> None:
    """Write the best weights of a training as a packaged network: model.onnx, task.toml, MODEL_CARD.md."""
    _need_learn()
    from cormack.learn.export import export

    with listener(quiet=quiet, verbose=verbose) as progress:
        progress.step("Exporting")
        exported = export(run, out, last=last)
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
