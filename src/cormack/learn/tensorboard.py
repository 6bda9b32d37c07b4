"""The rows of a training's table as TensorBoard shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from cormack.core.errors import DependencyError
from cormack.learn.history import EVENTS_FOLDER


class Board:
    """Writes rows into the folder `events` of a training; does nothing unless it is on."""

    def __init__(self, out: Path, *, on: bool) -> None:
        self._writer: Any = None
        if on:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise DependencyError("training.tensorboard needs tensorboard: pip install 'cormack[learn]'") from error
            self._writer = SummaryWriter(str(out / EVENTS_FOLDER))

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Add every value of a row at its step."""
        if self._writer is not None:
            for name, value in row.items():
                self._writer.add_scalar(name, value, int(row["step"]))
