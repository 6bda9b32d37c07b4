"""Dice and cross-entropy of a softmax in one pass over the voxels, with the gradient written out."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

#: Voxels taken at once: what they need stays in the processor's cache.
BLOCK = 1 << 15


class DiceAndCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    """Categorical cross-entropy plus one minus the mean soft Dice of the structures, unweighted.

    The same as `losses.cross_entropy` and `losses.dice_loss` together, whose many passes over an array of all voxels
    and classes take three times as long.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smooth: float) -> Tensor:
        """Logits and targets, shape (batch, class, ...), to the loss, shape ()."""
        rows, truth = _rows(logits), _rows(targets)
        p = torch.empty_like(rows)
        overlap, size = rows.new_zeros(rows.shape[1]), rows.new_zeros(rows.shape[1])
        entropy = rows.new_zeros(())
        for start in range(0, len(rows), BLOCK):
            part, t = slice(start, start + BLOCK), truth[start : start + BLOCK]
            log_p = torch.log_softmax(rows[part], dim=1)
            entropy -= (log_p * t).sum()
            q = log_p.exp_()
            p[part] = q
            overlap += (q * t).sum(0)
            size += (q * q).sum(0) + (t * t).sum(0)
        ctx.save_for_backward(p, truth, overlap, size)
        ctx.shape, ctx.smooth = logits.shape, smooth
        dice = (2 * overlap[1:] + smooth) / (size[1:] + smooth)
        return cast(Tensor, entropy / len(rows) + 1 - dice.mean())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The derivative by the logits: that of Dice by the probabilities goes through the softmax."""
        p, truth, overlap, size = ctx.saved_tensors
        structures = p.shape[1] - 1
        by_truth = -2 / (size + ctx.smooth) / structures
        by_p = 2 * (2 * overlap + ctx.smooth) / (size + ctx.smooth) ** 2 / structures
        by_truth[0] = by_p[0] = 0
        out = torch.empty_like(p)
        for start in range(0, len(p), BLOCK):
            part = slice(start, start + BLOCK)
            q, t = p[part], truth[part]
            by_q = (q * by_p).addcmul_(t, by_truth)
            by_q -= (by_q * q).sum(1, keepdim=True)
            by_q *= q
            out[part] = by_q.add_(q - t, alpha=1 / len(p))
        batch, classes, *grid = ctx.shape
        return (out * gradient).reshape(batch, *grid, classes).movedim(-1, 1), None, None


def _rows(values: Tensor) -> Tensor:
    """(batch, class, ...) to (voxel, class); no copy where the classes of a voxel lie together."""
    return values.movedim(1, -1).reshape(-1, values.shape[1])
