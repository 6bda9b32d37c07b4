"""A U-Net whose encoder is ResNet-34 and whose decoder doubles the grid by shuffling channels, as fastai builds it.

He et al. 2016, doi 10.1109/CVPR.2016.90; sub-pixel convolution: doi 10.1109/CVPR.2016.207; its start without a
checkerboard (ICNR): doi 10.48550/arXiv.1707.02937.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cormack.learn.unet import SLOPE, ConvolutionBlock, convolution

#: Channels and blocks of the four stages of ResNet-34; a stem of 64 channels comes before them.
STEM, STAGES = 64, ((64, 3), (128, 4), (256, 6), (512, 3))


class ResNetUNet(nn.Module):  # type: ignore[misc] # torch is not read by the type checker
    """Slices (batch, channel, i, j) to logits; the grid must be a multiple of 32.

    Parameters
    ----------
    inputs, classes : int
    norm : one of NORMALISATIONS
    """

    def __init__(self, inputs: int, classes: int, *, norm: str = "batch") -> None:
        super().__init__()
        self.stem = ConvolutionBlock(2, inputs, STEM, 1, norm=norm, size=7, stride=2)
        self.stages = nn.ModuleList()
        before = STEM
        for number, (channels, blocks) in enumerate(STAGES):
            stride = 2 if number else 1
            stage = [ConvolutionBlock(2, before, channels, 2, norm=norm, residual=True, stride=stride)]
            stage += [ConvolutionBlock(2, channels, channels, 2, norm=norm, residual=True) for _ in range(1, blocks)]
            self.stages.append(nn.Sequential(*stage))
            before = channels
        beside = [STEM, *(channels for channels, _ in STAGES[:-1])]
        self.upward, self.decoder = nn.ModuleList(), nn.ModuleList()
        for skip in reversed(beside):
            self.upward.append(SubPixel(before, before // 2))
            before = before // 2 + skip
            self.decoder.append(ConvolutionBlock(2, before, before // 2, 2, norm=norm))
            before //= 2
        self.last = SubPixel(before, before)
        self.head = convolution(2, before, classes, size=1)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channel, i, j) to logits (batch, class, i, j)."""
        x = self.stem(image)
        beside = [x]
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for stage in self.stages:
            x = stage(x)
            beside.append(x)
        for up, block, skip in zip(self.upward, self.decoder, beside[-2::-1], strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
        return cast(Tensor, self.head(self.last(x)))


class SubPixel(nn.Module):  # type: ignore[misc]
    """A convolution to four times the channels, which become the voxels of a grid twice as fine."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = convolution(2, inputs, 4 * outputs, size=1)
        self.shuffle = nn.PixelShuffle(2)
        # The four channels of a voxel begin alike, so that the result begins as nearest neighbour.
        weight = self.convolution.weight
        with torch.no_grad():
            weight.copy_(weight[::4].repeat_interleave(4, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, i, j) to (batch, outputs, 2 i, 2 j)."""
        return functional.leaky_relu(self.shuffle(self.convolution(x)), SLOPE)
