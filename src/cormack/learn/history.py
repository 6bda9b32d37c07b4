"""What a training has gone through, as a table that is whole at any moment."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cormack.core.errors import TrainingError
from cormack.files.outputs import OutputSet

if TYPE_CHECKING:
    from cormack.learn.trainer import Measurement

#: Files of a training's folder.
CONFIG_FILE, CHECKPOINT_FILE, BEST_FILE = "config.toml", "checkpoint.pt", "best.pt"
METRICS_FILE, CURVES_FILE, EVENTS_FOLDER = "metrics.csv", "curves.svg", "events"
#: Early stopping: growth of the mean soft Dice, and the epochs in which it must be reached.
LEAST_GROWTH, PATIENCE = 0.001, 5
_FIXED = ("step", "seconds", "learning_rate", "loss", "validation_loss")


class History:
    """Rows of `metrics.csv`: the mean loss since the last row, and what validations found."""

    def __init__(self, names: Sequence[str], rows: Sequence[dict[str, float]] = ()) -> None:
        self.columns = (*_FIXED, *(f"dice_{name}" for name in names), *(f"soft_dice_{name}" for name in names))
        self._names = tuple(names)
        self.rows = [dict(row) for row in rows]

    @property
    def seconds(self) -> float:
        """Training time so far, without pauses."""
        return self.rows[-1]["seconds"] if self.rows else 0.0

    @property
    def soft_dice(self) -> list[float]:
        """Mean soft Dice of every validation."""
        key = [f"soft_dice_{name}" for name in self._names]
        return [sum(row[k] for k in key) / len(key) for row in self.rows if key[0] in row]

    @property
    def best_dice(self) -> float:
        """The highest mean Dice of a validation; −1 before the first."""
        key = [f"dice_{name}" for name in self._names]
        return max((sum(row[k] for k in key) / len(key) for row in self.rows if key[0] in row), default=-1.0)

    @property
    def stagnates(self) -> bool:
        """True when the mean soft Dice has grown by less than 0.001 over the last five validations."""
        values = self.soft_dice
        return len(values) > PATIENCE and max(values[-PATIENCE:]) - max(values[:-PATIENCE]) < LEAST_GROWTH

    def add(
        self, step: int, seconds: float, learning_rate: float, loss: float, measured: Measurement | None = None
    ) -> None:
        """One row; `measured` of a validation."""
        row = {"step": float(step), "seconds": seconds, "learning_rate": learning_rate, "loss": loss}
        if measured is not None:
            row["validation_loss"] = measured.loss
            row |= {f"dice_{name}": v for name, v in zip(self._names, measured.dice, strict=True)}
            row |= {f"soft_dice_{name}": v for name, v in zip(self._names, measured.soft_dice, strict=True)}
        self.rows.append(row)

    def write(self, path: Path) -> None:
        """Write the table in place of the one that stood there."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self.columns)
        table.writerows([_cell(row.get(name)) for name in self.columns] for row in self.rows)
        with OutputSet(path.parent) as outputs:
            outputs.write_text(path.name, text.getvalue())


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a `metrics.csv`, without the cells that are empty.

    Raises
    ------
    TrainingError
        If there is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as f:
            return [{name: float(cell) for name, cell in row.items() if cell} for row in csv.DictReader(f)]
    except FileNotFoundError as error:
        raise TrainingError(f"{path.parent} holds no {path.name}: give the whole folder of a training") from error


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
