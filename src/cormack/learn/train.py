"""`cormack train`: from a configuration to weights."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch

from cormack.core.errors import OutputError, TrainingError, WeightsError
from cormack.files.outputs import OutputSet, check_writable
from cormack.learn import checkpoint
from cormack.learn.config import Config
from cormack.learn.feed import Feed, validation_batches
from cormack.learn.finetune import start_from
from cormack.learn.history import BEST_FILE, CHECKPOINT_FILE, CONFIG_FILE, CURVES_FILE, METRICS_FILE, History
from cormack.learn.losses import class_weights, make_loss
from cormack.learn.networks import make_network
from cormack.learn.rate import STEPS as RATE_STEPS
from cormack.learn.rate import find_learning_rate
from cormack.learn.sources import count_classes, prepared
from cormack.learn.tensorboard import Board
from cormack.learn.trainer import Batch, Trainer
from cormack.nn.task import Task
from cormack.pipeline.progress import Progress, Silent
from cormack.report.learning import curves_svg

#: Steps between two rows of the table of metrics.
ROW_STEPS = 20
#: Parameters of `mallopt`: how many blocks may be mapped apart, and how much free memory goes back (-1: none).
M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1
#: Batches on which the statistics of a network that a training starts from are measured.
START_BATCHES = 8


@dataclass(frozen=True)
class Trained:
    """How a training ended."""

    steps: int
    best_dice: float
    seconds: float
    reason: str
    interrupted: bool = False


def train(
    config: Config,
    out: Path,
    *,
    text: str = "",
    resume: bool = False,
    start: str | Path | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a network; checkpoint, best weights, metrics and curves go into `out`.

    From then on the process keeps memory that it frees (`keep_memory`).

    Parameters
    ----------
    config : Config
    out : Path
    text : str
        The configuration's file as it was, kept in `out`.
    resume : bool
        Go on from the checkpoint in `out`, if there is one.
    start : str or Path, optional
        A packaged network, or the folder of an exported one, whose weights the training starts from.
    progress : Progress, optional
    stop : function
        Asked after every step; if true, the state is saved and the training ends.

    Raises
    ------
    OutputError
        If `out` holds a training already and `resume` was not said, or cannot be written.
    TrainingError
        If the loss is not finite, or memory does not suffice.
    ConfigurationError, InputError
        If the configuration does not fit the data.
    """
    check_writable(out)
    exists = (out / CHECKPOINT_FILE).exists()
    if exists and not resume:
        raise OutputError(f"{out}: holds a training already; --resume goes on with it, or give another folder")
    keep_memory()
    torch.set_num_threads(config.training.threads or os.cpu_count() or 1)
    torch.manual_seed(config.training.seed)
    torch.backends.cudnn.deterministic = True
    listener = progress or Silent()
    if exists and (out / CONFIG_FILE).read_text(encoding="utf-8") != text:
        listener.note("the configuration is not the one that this training began with")
    with OutputSet(out) as outputs:
        outputs.write_text(CONFIG_FILE, text)
    run = Run(prepared(config, out, listener), out, listener, stop)
    if exists:
        run.restore()
    else:
        run.begin(start)
    return run.go()


def keep_memory() -> None:
    """Have this process keep the memory that it frees, where the C library is GNU's.

    Every step frees and takes the same large arrays. Given back to the system in between, each page of them is cleared
    and mapped anew: a third of the time of a step on a CPU.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if adjust is not None:
        adjust(M_MMAP_MAX, 0)
        adjust(M_TRIM_THRESHOLD, -1)


class Run:
    """One training on its way."""

    def __init__(self, config: Config, out: Path, progress: Progress, stop: Callable[[], bool]) -> None:
        self._config, self._out, self._progress, self._stop = config, out, progress, stop
        self._validation = validation_batches(config, progress)
        weighting = config.training.class_weights
        weights = None if weighting == "none" else class_weights(count_classes(config), weighting)
        self._trainer = Trainer(make_network(config), make_loss(config.training.loss, weights), config)
        self._history = History(label_names(config.task))
        self._step, self._seconds = 0, 0.0
        self._losses: list[float] = []

    def begin(self, start: str | Path | None) -> None:
        """Take over weights that there are already, and look for the learning rate, where that was asked for."""
        options = self._config.training
        if start is None and options.learning_rate > 0:
            return
        self._progress.step("Preparing the network")
        with Feed(self._config, 0) as feed:
            if start is not None:
                start_from(self._trainer, start, list(feed.batches(START_BATCHES)), self._config.task)
            if options.learning_rate == 0:
                rate = find_learning_rate(self._trainer, feed.batches(RATE_STEPS))
                self._progress.note(f"learning rate {rate:.2g}, where the loss fell fastest")
                self._trainer.use_learning_rate(rate)

    def restore(self) -> None:
        """Go on from the checkpoint."""
        state = checkpoint.load(self._out / CHECKPOINT_FILE)
        try:
            self._trainer.restore(state)
        except (RuntimeError, ValueError, KeyError) as error:
            raise WeightsError(
                f"{self._out}: its checkpoint is of another network or optimizer than the configuration says; give the "
                "configuration it began with, or another folder"
            ) from error
        self._step, self._seconds, self._losses = state["step"], state.get("seconds", 0.0), list(state["losses"])
        self._history = History(label_names(self._config.task), state["rows"])

    def go(self) -> Trained:
        """Train to the end, or until stopped."""
        options = self._config.training
        self._progress.step(f"Training {self._config.task.name}")
        started = saved = monotonic()
        before, reason, interrupted = self._seconds, "finished", False
        with Board(self._out, on=options.tensorboard) as board, Feed(self._config, self._step) as feed:
            for batch in feed.batches(options.steps - self._step):
                self._losses.append(self._loss_of(batch))
                self._step += 1
                self._progress.advance(self._step, options.steps)
                self._seconds = before + monotonic() - started
                measured = self._step % options.validate_every == 0 or self._step == options.steps
                if measured or self._step % ROW_STEPS == 0:
                    self._row(measured=measured)
                    board.add(self._history.rows[-1])
                if measured and options.early_stopping and self._history.stagnates:
                    reason = "stopped early, the validation no longer improves"
                if self._step < options.steps and self._stop():
                    reason, interrupted = "interrupted, --resume goes on", True
                if measured or reason != "finished" or monotonic() - saved > 60 * options.checkpoint_minutes:
                    self._save()
                    saved = monotonic()
                if reason != "finished":
                    break
        self._history.write(self._out / METRICS_FILE)
        with OutputSet(self._out) as outputs:
            outputs.write_text(CURVES_FILE, curves_svg(self._history.rows, label_names(self._config.task)))
        return Trained(self._step, self._history.best_dice, self._seconds, reason, interrupted)

    def _loss_of(self, batch: Batch) -> float:
        try:
            return self._trainer.step(batch)
        except TrainingError as error:
            raise TrainingError(f"step {self._step + 1}: {error}") from error

    def _row(self, *, measured: bool) -> None:
        found = self._trainer.measure(self._validation) if measured and self._validation else None
        loss = float(np.mean(self._losses))
        self._losses.clear()
        best = self._history.best_dice
        self._history.add(self._step, self._seconds, self._trainer.learning_rate, loss, found)
        self._history.write(self._out / METRICS_FILE)
        if found is not None:
            self._progress.note(f"step {self._step}: loss {loss:.4f}, validation Dice {found.mean_dice:.4f}")
        # Without a validation the last weights are the best.
        if (found is not None and found.mean_dice > best) or (measured and not self._validation):
            state = {"network": self._trainer.best_network.state_dict(), "step": self._step}
            checkpoint.save(self._out / BEST_FILE, state)

    def _save(self) -> None:
        state: dict[str, Any] = self._trainer.state()
        state |= {"step": self._step, "seconds": self._seconds, "rows": self._history.rows, "losses": self._losses}
        checkpoint.save(self._out / CHECKPOINT_FILE, state)


def label_names(task: Task) -> tuple[str, ...]:
    """Abbreviations of the structures, for columns and curves."""
    return tuple(label.abbreviation for label in task.output.labels)
