"""`cormack train`: from a configuration to weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch

from cormack.core.errors import OutputError, TrainingError
from cormack.files.outputs import OutputSet, check_writable
from cormack.learn import checkpoint
from cormack.learn.augment import augment
from cormack.learn.config import Config
from cormack.learn.history import History
from cormack.learn.losses import make_loss
from cormack.learn.networks import make_network, network_size
from cormack.learn.pool import SamplePool
from cormack.learn.sample import random
from cormack.learn.sources import make_source
from cormack.learn.trainer import Batch, Trainer, stack
from cormack.nn.task import Task
from cormack.pipeline.progress import Progress, Silent

CONFIG_FILE, CHECKPOINT_FILE, BEST_FILE, METRICS_FILE = "config.toml", "checkpoint.pt", "best.pt", "metrics.csv"
#: Steps between two rows of the table of metrics.
ROW_STEPS = 20
_STREAM_AUGMENTATION = 5


@dataclass(frozen=True)
class Trained:
    """How a training ended."""

    steps: int
    best_dice: float
    seconds: float
    reason: str


def train(
    config: Config,
    out: Path,
    *,
    text: str = "",
    resume: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a network; checkpoint, best weights and metrics go into `out`.

    Parameters
    ----------
    config : Config
    out : Path
    text : str
        The configuration's file as it was, kept in `out`.
    resume : bool
        Go on from the checkpoint in `out`.
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
    torch.set_num_threads(config.training.threads or os.cpu_count() or 1)
    torch.manual_seed(config.training.seed)
    torch.backends.cudnn.deterministic = True
    listener = progress or Silent()
    if not exists:
        with OutputSet(out) as outputs:
            outputs.write_text(CONFIG_FILE, text)
    return Run(prepared(config, out, listener), out, listener, stop).go(resume=exists)


def prepared(config: Config, out: Path, progress: Progress) -> Config:
    """The configuration with its data made ready: anatomies made, images brought onto the task's grid."""
    if config.data.kind == "synthesis":
        from cormack.learn.synthetic import make_anatomies

        folder = make_anatomies(config, out / "anatomies", progress)
        return replace(config, data=replace(config.data, anatomies=str(folder.resolve())))
    return config


class Run:
    """One training on its way."""

    def __init__(self, config: Config, out: Path, progress: Progress, stop: Callable[[], bool]) -> None:
        self._config, self._out, self._progress, self._stop = config, out, progress, stop
        self._classes = network_size(config)[2]
        self._trainer = Trainer(make_network(config), make_loss(config.training.loss), config, config.training.steps)
        self._history = History(label_names(config.task))
        self._step = 0
        self._losses: list[float] = []

    def go(self, *, resume: bool) -> Trained:
        """Train from the start or from the checkpoint, to the end or until stopped."""
        if resume:
            self._restore()
        self._validation = self._validation_batches()
        options = self._config.training
        self._progress.step(f"Training {self._config.task.name}")
        started = saved = monotonic()
        before = self._history.seconds
        reason = "finished"
        with SamplePool(self._config, self._step * options.batch) as pool, self._batches(pool) as batches:
            for batch in batches:
                self._losses.append(self._loss_of(batch))
                self._step += 1
                self._progress.advance(self._step, options.steps)
                seconds = before + monotonic() - started
                measured = self._step % options.validate_every == 0 or self._step == options.steps
                if measured or self._step % ROW_STEPS == 0:
                    self._row(seconds, measured=measured)
                if measured and options.early_stopping and self._history.stagnates:
                    reason = "stopped early: the validation no longer improves"
                if self._stop():
                    reason = "interrupted; --resume goes on"
                if measured or reason != "finished" or monotonic() - saved > 60 * options.checkpoint_minutes:
                    self._save()
                    saved = monotonic()
                if reason != "finished":
                    break
        self._history.write(self._out / METRICS_FILE)
        return Trained(self._step, self._history.best_dice, self._history.seconds, reason)

    def _loss_of(self, batch: Batch) -> float:
        try:
            return self._trainer.step(batch)
        except TrainingError as error:
            raise TrainingError(f"step {self._step + 1}: {error}") from error

    @contextmanager
    def _batches(self, pool: SamplePool) -> Iterator[Iterator[Batch]]:
        """The batches of the steps that are left, each made while the one before it is used."""
        numbers = range(self._step, self._config.training.steps)

        def walk() -> Iterator[Batch]:
            waiting = maker.submit(self._batch, pool, numbers[0]) if numbers else None
            for number in numbers:
                batch = waiting.result() if waiting else None
                if batch is None:
                    return
                waiting = maker.submit(self._batch, pool, number + 1) if number + 1 < numbers.stop else None
                yield batch

        with ThreadPoolExecutor(1) as maker:
            yield walk()

    def _batch(self, pool: SamplePool, step: int) -> Batch:
        options = self._config.training
        samples = []
        for draw in range(step * options.batch, (step + 1) * options.batch):
            rng = random(options.seed, _STREAM_AUGMENTATION, draw)
            samples.append(augment(pool.draw(draw), self._config.data.augmentation, rng))
        return stack(samples, self._classes)

    def _validation_batches(self) -> list[Batch]:
        source = make_source(self._config)
        self._progress.step("Making the validation set")
        batches = []
        for number in range(source.validations):
            batches += [stack([sample], self._classes) for sample in source.validation(number)]
            self._progress.advance(number + 1, source.validations)
        return batches

    def _row(self, seconds: float, *, measured: bool) -> None:
        found = self._trainer.measure(self._validation) if measured and self._validation else None
        loss = float(np.mean(self._losses))
        self._losses.clear()
        best = self._history.best_dice
        self._history.add(self._step, seconds, self._trainer.learning_rate, loss, found)
        self._history.write(self._out / METRICS_FILE)
        if found is None:
            return
        self._progress.note(f"step {self._step}: loss {loss:.4f}, validation Dice {found.mean_dice:.4f}")
        if found.mean_dice > best:
            self._save_weights()

    def _save_weights(self) -> None:
        state = {"network": self._trainer.best_network.state_dict(), "step": self._step}
        checkpoint.save(self._out / BEST_FILE, state)

    def _save(self) -> None:
        state: dict[str, Any] = self._trainer.state()
        state |= {"step": self._step, "rows": self._history.rows, "losses": self._losses}
        checkpoint.save(self._out / CHECKPOINT_FILE, state)

    def _restore(self) -> None:
        state = checkpoint.load(self._out / CHECKPOINT_FILE)
        self._trainer.restore(state)
        self._step, self._losses = state["step"], list(state["losses"])
        self._history = History(label_names(self._config.task), state["rows"])


def label_names(task: Task) -> tuple[str, ...]:
    """Abbreviations of the structures, for columns and curves."""
    return tuple(label.abbreviation for label in task.output.labels)
