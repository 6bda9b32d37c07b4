"""A pool of samples that background processes fill, so that the training does not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from threading import Condition, Thread
from types import TracebackType

from cormack.core.errors import CormackError
from cormack.learn.config import Config
from cormack.learn.sample import Made, Sample, random
from cormack.pipeline.worker_pool import Died, WorkerPool

#: Samples that may be made ahead of their turn.
AHEAD = 4
_STREAM_DRAW = 1


class SamplePool:
    """Every draw takes a random one of the last `size` samples; every `reuse` draws one more sample has joined them.

    What a draw gives depends on its number and the seed alone: a training that stops and goes on sees the same. With
    `reuse` 0 a draw takes one of the last `size` samples that are ready, waits only for the first, and repeats nothing.

    Parameters
    ----------
    config : Config
    first : int
        The first draw.
    """

    def __init__(self, config: Config, first: int = 0) -> None:
        self._seed, self._reuse, self._size = config.training.seed, config.data.reuse, config.data.pool
        self._samples: dict[int, Sequence[Sample]] = {}
        self._ready = Condition()
        self._error: BaseException | None = None
        self._closed = False
        self._head = first // self._reuse if self._reuse else first
        self._start = max(0, self._head - self._size + 1) if self._reuse else first
        self._crew = WorkerPool("cormack.learn.generator", config, config.data.processes)
        self._thread = Thread(target=self._collect, daemon=True)

    def __enter__(self) -> SamplePool:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        self._crew.__exit__(kind, error, tb)
        self._thread.join()

    def draw(self, number: int) -> Sample:
        """The sample of a draw; the numbers go up by one from the first.

        Raises
        ------
        CormackError
            If the samples cannot be made.
        """
        rng = random(self._seed, _STREAM_DRAW, number)
        with self._ready:
            samples = self._samples[self._choose(number, rng.random())]
        return samples[int(rng.integers(len(samples)))]

    def _choose(self, draw: int, where: float) -> int:
        if not self._reuse:
            self._wait_for(lambda: bool(self._samples))
            ready = sorted(self._samples)
            return ready[int(where * len(ready))]
        self._head = draw // self._reuse
        low = max(0, self._head - self._size + 1)
        for number in [n for n in self._samples if n < low]:
            del self._samples[number]
        wanted = low + int(where * (self._head - low + 1))
        self._wait_for(lambda: wanted in self._samples)
        return wanted

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        self._ready.notify_all()
        self._ready.wait_for(lambda: self._closed or self._error is not None or condition())
        if self._error is not None:
            raise self._error
        if self._closed:
            raise CormackError("the pool of samples is closed")

    def _numbers(self) -> Iterator[int]:
        """Numbers to make, each when its turn comes near."""
        for number in count(self._start):
            with self._ready:
                while not self._closed and self._reuse and number > self._head + AHEAD:
                    self._ready.wait()
                if self._closed:
                    return
            yield number

    def _collect(self) -> None:
        try:
            for made in self._crew.results(self._numbers()):
                self._keep(made)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever draws
            with self._ready:
                self._error = error
                self._ready.notify_all()

    def _keep(self, made: Made | Died) -> None:
        if isinstance(made, Died):
            raise CormackError(
                "a background process that makes samples ended without a word; if memory ran out, lower "
                "data.processes, data.pool or data.shape"
            )
        if made.error is not None:
            raise made.error
        with self._ready:
            self._samples[made.number] = made.samples
            if not self._reuse and len(self._samples) > self._size:
                del self._samples[min(self._samples)]
            self._ready.notify_all()
