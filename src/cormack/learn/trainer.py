"""One network, its optimizer, and what they have gone through: steps and measurements."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cormack.core.errors import TrainingError
from cormack.learn.config import Config, TrainingOptions
from cormack.learn.losses import Loss, probabilities, soft_dice_per_class
from cormack.learn.sample import Sample, one_hot

#: Share of a one-cycle schedule in which the learning rate rises.
RISE = 0.2
LEAST_SCHEDULE = 11
OUT_OF_MEMORY = "not enough memory for this training; lower training.batch, data.shape or network.channels"


@dataclass(frozen=True)
class Batch:
    """Samples as tensors: images (batch, channel, ...) and targets (batch, class, ...), float32."""

    images: Tensor
    targets: Tensor
    names: tuple[str, ...]


def stack(samples: Sequence[Sample], classes: int) -> Batch:
    """Samples of one shape as a batch."""
    images = np.stack([sample.image for sample in samples]).astype(np.float32)
    targets = np.stack([one_hot(sample.target, classes) for sample in samples])
    return Batch(torch.from_numpy(images), torch.from_numpy(targets), tuple(sample.name for sample in samples))


class Trainer:
    """Takes steps and measures.

    Parameters
    ----------
    network : Module
    loss : Loss
    config : Config
    """

    def __init__(self, network: nn.Module, loss: Loss, config: Config) -> None:
        options = config.training
        self._options, self._loss = options, loss
        self._device = torch.device(device_of(options))
        self._layout = torch.channels_last_3d if config.task.input.dimensions == 3 else torch.channels_last
        # torch's stubs do not know the 3-D layout of `to`.
        self.network = cast(Any, network).to(device=self._device, memory_format=self._layout)
        kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
        self.scheduler = _schedule(self.optimizer, options)
        self.average: AveragedModel | None = None
        if options.weight_average > 0:
            self.average = AveragedModel(self.network, multi_avg_fn=_decaying(options.weight_average), use_buffers=True)

    @property
    def best_network(self) -> nn.Module:
        """What is measured and exported: the averaged weights, where they are averaged."""
        return self.network if self.average is None else cast(nn.Module, self.average.module)

    def use_learning_rate(self, rate: float) -> None:
        """Begin the schedule anew with another highest rate."""
        self.optimizer.param_groups[0]["lr"] = rate
        self.scheduler = _schedule(self.optimizer, replace(self._options, learning_rate=rate))

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Steps that are taken back at the end."""
        before = copy.deepcopy(self.state())
        try:
            yield
        finally:
            self.restore(before)

    def step(self, batch: Batch, *, learning_rate: float | None = None) -> float:
        """Change the weights once; returns the loss.

        Parameters
        ----------
        batch : Batch
        learning_rate : float, optional
            Instead of the schedule's, which does not move on then.

        Raises
        ------
        TrainingError
            If the loss is no finite number, or memory does not suffice.
        """
        try:
            self.network.train()
            self.optimizer.zero_grad(set_to_none=True)
            loss = self._loss(self.logits(self.network, batch), self._moved(batch.targets))
            value = float(loss.detach())
            if not np.isfinite(value):
                raise TrainingError(
                    f"the loss is {value} on the batch of {', '.join(batch.names)}; look at these cases, or lower "
                    "training.learning_rate"
                )
            loss.backward()
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise TrainingError(OUT_OF_MEMORY) from error
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise TrainingError(OUT_OF_MEMORY) from error
            raise
        if self._options.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self._options.clip)
        if learning_rate is None:
            self.optimizer.step()
            self.scheduler.step()
        else:
            self.optimizer.param_groups[0]["lr"] = learning_rate
            self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value

    def measure(self, batches: Sequence[Batch]) -> Measurement:
        """Loss and agreement of the best network on batches, means over these."""
        network = self.best_network.eval()
        losses, dice, soft = [], [], []
        for batch in batches:
            with torch.no_grad():
                logits, targets = self.logits(network, batch), self._moved(batch.targets)
            losses.append(float(self._loss(logits, targets)))
            soft.append(soft_dice_per_class(logits, targets).cpu().numpy())
            dice.append(hard_dice_per_class(logits, targets))
        return Measurement(
            loss=float(np.mean(losses)),
            dice=tuple(float(v) for v in np.mean(dice, axis=0)),
            soft_dice=tuple(float(v) for v in np.mean(soft, axis=0)),
        )

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""
        parts: dict[str, Any] = {"network": self.network, "optimizer": self.optimizer, "scheduler": self.scheduler}
        if self.average is not None:
            parts["average"] = self.average
        return {name: part.state_dict() for name, part in parts.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, memory_format=self._layout)

    def logits(self, network: nn.Module, batch: Batch) -> Tensor:
        """What a network on the trainer's device answers, float32."""
        bf16 = self._options.precision == "bf16"
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=bf16):
            logits = network(self._moved(batch.images))
        # Sums over a million voxels need more digits than bf16 has.
        return cast(Tensor, logits.float())


@dataclass(frozen=True)
class Measurement:
    """Means over a validation: the loss, and of every structure the Dice of decided voxels and of probabilities."""

    loss: float
    dice: tuple[float, ...]
    soft_dice: tuple[float, ...]

    @property
    def mean_dice(self) -> float:
        """Over the structures."""
        return float(np.mean(self.dice))

    @property
    def mean_soft_dice(self) -> float:
        """Over the structures."""
        return float(np.mean(self.soft_dice))


def hard_dice_per_class(logits: Tensor, targets: Tensor) -> np.ndarray[Any, Any]:
    """Sørensen–Dice of every structure over a batch after a decision for every voxel; absent in both is 1."""
    if logits.shape[1] == 1:
        found, truth = logits > 0, targets >= 0.5
    else:
        classes = torch.arange(1, logits.shape[1], device=logits.device).reshape(1, -1, *[1] * (logits.ndim - 2))
        found = probabilities(logits).argmax(1, keepdim=True) == classes
        truth = targets.argmax(1, keepdim=True) == classes
    axes = [0, *range(2, logits.ndim)]
    both, size = (found & truth).sum(axes), found.sum(axes) + truth.sum(axes)
    return np.asarray(torch.where(size > 0, 2 * both / size.clamp(min=1), 1.0).cpu().numpy())


def _decaying(most: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    """A running average whose memory grows to that of the decay `most`: the first steps are soon forgotten."""

    def average(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        kept = min(most, (1 + float(count)) / (10 + float(count)))
        with torch.no_grad():
            for old, new in zip(averaged, current, strict=True):
                # Counters of batches are whole numbers.
                old.copy_(torch.lerp(old, new, 1 - kept) if old.is_floating_point() else new)

    return average


def device_of(options: TrainingOptions) -> str:
    """Where tensors live."""
    if options.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if options.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("training.device is 'cuda', but torch finds no GPU here; give 'auto' or 'cpu'")
    return options.device


def _schedule(optimizer: torch.optim.Optimizer, options: TrainingOptions) -> Any:
    if options.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    # One step more, since a schedule that is asked beyond its end raises; and enough for a rise of a step.
    total = max(options.steps + 1, LEAST_SCHEDULE)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        options.learning_rate,
        total_steps=total,
        pct_start=RISE,
        div_factor=25,
        final_div_factor=1e3,
    )
