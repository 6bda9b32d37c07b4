"""The learning-rate range test (doi 10.1109/WACV.2017.58)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cormack.core.errors import TrainingError
from cormack.learn.trainer import Batch, Trainer

#: First and last rate that is tried, and the number of steps between them.
LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 60
#: The test ends where the smoothed loss is this much above the lowest, as a share of what was gained.
DIVERGED = 0.5
#: Share of a new loss in the smoothed one.
SMOOTHING = 0.2


def find_learning_rate(trainer: Trainer, batches: Iterable[Batch]) -> float:
    """The rate at which the loss falls fastest while the rate grows from step to step.

    The trainer is left as it was before.

    Parameters
    ----------
    trainer : Trainer
    batches : iterable of Batch
        STEPS of them.

    Raises
    ------
    TrainingError
        If the loss falls at no rate.
    """
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses: list[float] = []
    with trainer.trial():
        for rate, batch in zip(rates, batches, strict=False):
            try:
                loss = trainer.step(batch, learning_rate=float(rate))
            except TrainingError:
                break
            losses.append(loss if not losses else SMOOTHING * loss + (1 - SMOOTHING) * losses[-1])
            if losses[-1] - min(losses) > DIVERGED * max(losses[0] - min(losses), 1e-3):
                break
    if len(losses) < 3 or min(losses) >= losses[0]:
        raise TrainingError("the loss falls at no learning rate; give training.learning_rate, such as 0.001")
    slope = np.gradient(np.asarray(losses), np.log(rates[: len(losses)]))
    return float(rates[int(np.argmin(slope))])
