"""The background process that makes samples: `python -m cormack.learn.generator`, fed through its pipes."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from cormack.core.errors import CormackError
from cormack.learn.config import Config
from cormack.learn.sample import Made
from cormack.learn.sources import make_source
from cormack.pipeline.worker_pool import serve_parent

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


def main() -> None:
    """Serve the process that started this one."""
    serve_parent(Generator, niceness=NICENESS)


if __name__ == "__main__":
    main()
