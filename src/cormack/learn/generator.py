"""The background process that makes samples: `python -m cormack.learn.generator`, fed through its pipes."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from cormack.core.errors import CormackError
from cormack.learn.config import Config
from cormack.learn.sample import Made
from cormack.learn.sources import make_source

#: Added to the process's niceness, so that the training comes first.
NICENESS = 10


class Generator:
    """Makes the training samples of a configuration by their numbers."""

    def __init__(self, config: Config) -> None:
        self._source = make_source(config)

    def do(self, task: Any) -> Made:
        """The samples of the number `task`."""
        try:
            return Made(task, self._source.training(task))
        except CormackError as error:
            return Made(task, error=error)
        except Exception as error:  # noqa: BLE001 - this process's own words go nowhere
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            return Made(task, error=CormackError(f"sample {task} could not be made: {type(error).__name__} at {where}"))

    def close(self) -> None:
        """Nothing is held open."""


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Take the configuration, then numbers from one pipe and answer each into another, until the first is closed."""
    generator = Generator(pickle.load(incoming))
    _answer(True, outgoing)
    while True:
        try:
            task = pickle.load(incoming)
        except EOFError:
            return
        _answer(generator.do(task), outgoing)


def _answer(message: object, outgoing: IO[bytes]) -> None:
    pickle.dump(message, outgoing, protocol=pickle.HIGHEST_PROTOCOL)
    outgoing.flush()


def main() -> None:
    """Serve the process that started this one, through its standard streams."""
    # Whoever started this process decides what an interruption means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    # Libraries that print must not write between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
