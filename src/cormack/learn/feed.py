"""Batches for the steps of a training, each made while the one before it is used; and those it is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from cormack.learn.augment import augment
from cormack.learn.config import Config
from cormack.learn.pool import SamplePool
from cormack.learn.sample import random
from cormack.learn.sources import make_source
from cormack.learn.trainer import Batch, stack
from cormack.pipeline.progress import Progress

_STREAM_AUGMENTATION = 5


class Feed:
    """The batches of the steps from `first` on; what a step gets depends on its number and the seed alone."""

    def __init__(self, config: Config, first: int) -> None:
        self._config, self._next = config, first
        self._pool = SamplePool(config, first * config.training.batch)
        self._maker = ThreadPoolExecutor(1)
        self._waiting: Future[Batch] | None = None

    def __enter__(self) -> Feed:
        self._pool.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._pool.__exit__(kind, error, tb)
        self._maker.shutdown(cancel_futures=True)

    def batches(self, count: int) -> Iterator[Batch]:
        """The batches of so many steps."""
        for _ in range(count):
            waiting = self._waiting or self._maker.submit(self._batch, self._next)
            self._next += 1
            batch = waiting.result()
            self._waiting = self._maker.submit(self._batch, self._next)
            yield batch

    def _batch(self, step: int) -> Batch:
        options, size = self._config.training, self._config.training.batch
        samples = []
        for draw in range(step * size, (step + 1) * size):
            rng = random(options.seed, _STREAM_AUGMENTATION, draw)
            samples.append(augment(self._pool.draw(draw), self._config.data.augmentation, rng))
        return stack(samples, self._config.task.output.classes)


def validation_batches(config: Config, progress: Progress) -> list[Batch]:
    """The fixed samples that a network is measured on, one by one."""
    source = make_source(config)
    progress.step("Making the validation set")
    batches = []
    for number in range(source.validations):
        batches += [stack([sample], config.task.output.classes) for sample in source.validation(number)]
        progress.advance(number + 1, source.validations)
    return batches
