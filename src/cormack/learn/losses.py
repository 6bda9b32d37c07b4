"""Losses on logits, with targets that may be shares of a voxel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from cormack.core.errors import ConfigurationError
from cormack.learn.fused import DiceAndCrossEntropy

#: A loss of logits (batch, class, ...) and targets (batch, class, ...) in [0, 1].
Loss = Callable[[Tensor, Tensor], Tensor]

#: Voxels that are added to numerator and denominator, so that an empty structure found empty costs nothing.
SMOOTH = 1.0
#: How the classes of categorical cross-entropy are weighted.
WEIGHTINGS = ("none", "balanced", "attenuated")


def probabilities(logits: Tensor) -> Tensor:
    """Sigmoid of one class, softmax of several."""
    return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)


def soft_dice_per_class(logits: Tensor, targets: Tensor) -> Tensor:
    """Soft Dice of each structure over the batch, without the background of several classes; shape (structure,).

    2 Σ p t / (Σ p² + Σ t²), as in V-Net (doi 10.1109/3DV.2016.79): 1 for p = t even where t is a share of a voxel.
    """
    overlap, size = _overlap(probabilities(logits), targets)
    return (2 * overlap + SMOOTH) / (size + SMOOTH)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the mean soft Dice."""
    return 1 - soft_dice_per_class(logits, targets).mean()


def jaccard_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the mean soft Jaccard index, Σ p t / (Σ p² + Σ t² − Σ p t)."""
    overlap, size = _overlap(probabilities(logits), targets)
    return 1 - ((overlap + SMOOTH) / (size - overlap + SMOOTH)).mean()


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of one class, categorical of several; `weights` per class, shape (class,)."""
    if logits.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(logits, targets)
    spread = -(targets * functional.log_softmax(logits, dim=1))
    if weights is None:
        return spread.sum(dim=1).mean()
    shape = (1, -1, *[1] * (logits.ndim - 2))
    weighted = spread * weights.reshape(shape)
    # As torch's own: the mean over voxels, each counted by the weight of its class.
    return weighted.sum() / (targets * weights.reshape(shape)).sum()


def class_weights(counts: Sequence[float], weighting: str) -> Tensor:
    """Weights w_c = Σ n_i / ((k + 1) n_c) of k structures and the background, or their cube roots.

    Parameters
    ----------
    counts : sequence of float
        Voxels n_c of every class, the background first.
    weighting : one of WEIGHTINGS
        Not "none". "balanced" are the w_c, "attenuated" their cube roots (doi 10.3174/ajnr.A6687 weighs so).

    Raises
    ------
    ConfigurationError
        If a class has no voxel in the data.
    """
    if min(counts) <= 0:
        missing = [n for n, count in enumerate(counts) if count <= 0]
        raise ConfigurationError(f"class {missing[0]} has no voxel in the training data: no weight can be given to it")
    n = torch.tensor(counts, dtype=torch.float64)
    balanced = n.sum() / (len(n) * n)
    return (balanced if weighting == "balanced" else balanced.pow(1 / 3)).float()


_PARTS: dict[str, Loss] = {"dice": dice_loss, "jaccard": jaccard_loss}
#: Parts of which a loss may be the sum, joined by +.
LOSS_PARTS = (*_PARTS, "cross-entropy")


def make_loss(name: str, weights: Tensor | None = None) -> Loss:
    """A sum of parts such as "dice+cross-entropy".

    Raises
    ------
    ConfigurationError
        If a part is not one of LOSS_PARTS.
    """
    names = [part.strip() for part in name.split("+")]
    for part in names:
        if part not in LOSS_PARTS:
            raise ConfigurationError(
                f"training.loss is {name!r}; give {', '.join(LOSS_PARTS)} or a sum such as dice+cross-entropy"
            )

    both = sorted(names) == ["cross-entropy", "dice"] and weights is None

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        if both and logits.shape[1] > 1:
            return cast(Tensor, DiceAndCrossEntropy.apply(logits, targets, SMOOTH))
        terms = [_PARTS[p](logits, targets) if p in _PARTS else cross_entropy(logits, targets, weights) for p in names]
        return torch.stack(terms).sum()

    return loss


def _overlap(p: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    if p.shape[1] > 1:
        p, targets = p[:, 1:], targets[:, 1:]
    axes = [0, *range(2, p.ndim)]
    return (p * targets).sum(axes), (p * p).sum(axes) + (targets * targets).sum(axes)
