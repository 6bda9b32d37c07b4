"""Normalisation layers by name."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

#: What `normalisation` of a network may be.
NORMALISATIONS = ("none", "batch", "batch-renorm", "layer", "instance", "group")
#: Channels per group of `group`.
GROUP_CHANNELS = 8
#: Share of a new batch in the running statistics: batches of one or two volumes are noisy.
MOMENTUM = 0.05


class GroupNorm(nn.Module):  # type: ignore[misc] # torch is not read by the type checker
    """Zero mean and unit variance over the voxels and some of the channels, then a scale and a shift per channel.

    One group is layer normalisation (doi 10.48550/arXiv.1607.06450), one group per channel instance normalisation. The
    scale has a shape that multiplies without reshaping: exported graphs keep it under its name.
    """

    def __init__(self, groups: int, channels: int, dimensions: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(1, channels, *[1] * dimensions))
        self.bias = nn.Parameter(torch.zeros(1, channels, *[1] * dimensions))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channel, i, j[, k])."""
        return (functional.group_norm(x, self.groups) * self.weight + self.bias).to(x.dtype)


class BatchRenorm(nn.modules.batchnorm._BatchNorm):  # type: ignore[misc]
    """Batch normalisation corrected towards the running statistics, for small batches (doi 10.48550/arXiv.1702.03275).

    The correction's bounds grow from none to r in [1/3, 3] and |d| <= 5 over the first thousand batches.
    """

    warm_up, r_max, d_max = 1000.0, 3.0, 5.0

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of voxel axes."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channel, i, j[, k])."""
        if not self.training:
            return cast(Tensor, super().forward(x))
        axes = [0, *range(2, x.ndim)]
        # Statistics need more digits than mixed precision has.
        variance, mean = torch.var_mean(x.float(), axes, unbiased=False)
        running_mean, running_std = self.running_mean, (self.running_var + self.eps).sqrt()
        std = (variance + self.eps).sqrt()
        grown = min(1.0, float(self.num_batches_tracked) / self.warm_up)
        r_max, d_max = 1 + grown * (self.r_max - 1), grown * self.d_max
        r = (std / running_std).detach().clamp(1 / r_max, r_max)
        d = ((mean - running_mean) / running_std).detach().clamp(-d_max, d_max)
        scale = self.weight * r / std
        shift = self.bias + self.weight * d - mean * scale
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
            self.num_batches_tracked += 1
        shape = (1, -1, *[1] * (x.ndim - 2))
        return (x * scale.reshape(shape) + shift.reshape(shape)).to(x.dtype)


def normalisation(kind: str, channels: int, dimensions: int) -> nn.Module:
    """A layer for (batch, `channels`, i, j[, k]).

    Parameters
    ----------
    kind : one of NORMALISATIONS
    channels : int
    dimensions : 2 or 3
    """
    if kind == "none":
        return nn.Identity()
    if kind == "batch":
        layer: Any = nn.BatchNorm3d if dimensions == 3 else nn.BatchNorm2d
        return cast(nn.Module, layer(channels, momentum=MOMENTUM))
    if kind == "batch-renorm":
        return BatchRenorm(channels, momentum=MOMENTUM)
    groups = {"layer": 1, "instance": channels, "group": max(1, channels // GROUP_CHANNELS)}[kind]
    return GroupNorm(groups, channels, dimensions)
