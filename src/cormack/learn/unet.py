"""U-Nets in two and three dimensions, plain and residual (doi 10.1007/978-3-319-24574-4_28)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cormack.learn.normalisation import normalisation
from cormack.nn.channels import GUIDE_SCALE

#: What `upsampling` of a network may be.
UPSAMPLINGS = ("nearest", "transposed")
#: Slope of leaky ReLU below zero.
SLOPE = 0.01


def convolution(
    dimensions: int, inputs: int, outputs: int, size: int = 3, *, stride: int = 1, bias: bool = True
) -> nn.Module:
    """A convolution that keeps the grid (divided by `stride`), its weights after He (doi 10.1109/ICCV.2015.123)."""
    kind: Any = nn.Conv3d if dimensions == 3 else nn.Conv2d
    layer = kind(inputs, outputs, size, stride=stride, padding=size // 2, bias=bias)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE, nonlinearity="leaky_relu")
    if bias:
        nn.init.zeros_(layer.bias)
    return cast(nn.Module, layer)


class ConvolutionBlock(nn.Module):  # type: ignore[misc] # torch is not read by the type checker
    """Convolutions, of size 3 unless told otherwise, each normalised and followed by leaky ReLU.

    A residual block adds its input before the last leaky ReLU (doi 10.1109/CVPR.2016.90).
    """

    def __init__(
        self,
        dimensions: int,
        inputs: int,
        outputs: int,
        count: int,
        *,
        norm: str = "batch",
        residual: bool = False,
        size: int = 3,
        stride: int = 1,
    ) -> None:
        super().__init__()
        # Batch normalisation takes a shift away again.
        bias = not norm.startswith("batch")
        widths = [inputs, *[outputs] * count]
        self.convolutions = nn.ModuleList(
            convolution(dimensions, a, b, size, stride=1 if n else stride, bias=bias)
            for n, (a, b) in enumerate(pairwise(widths))
        )
        self.norms = nn.ModuleList(normalisation(norm, outputs, dimensions) for _ in range(count))
        self.shortcut: nn.Module | None = None
        self.residual = residual
        if residual and (inputs != outputs or stride > 1):
            self.shortcut = convolution(dimensions, inputs, outputs, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, i, j[, k]) to (batch, outputs, i, j[, k]), the grid divided by the stride."""
        start = x if self.shortcut is None else self.shortcut(x)
        return self._after_first(self.convolutions[0](x), start)

    def on_two_grids(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The same for channels `coarse`, whose grid is doubled to the nearest neighbour, and beside them `fine`."""
        if not self.residual:
            return self._after_first(convolve_on_two_grids(self.convolutions[0], coarse, fine), None)
        return self(torch.cat([functional.interpolate(coarse, scale_factor=2.0, mode="nearest"), fine], dim=1))

    def _after_first(self, x: Tensor, start: Tensor | None) -> Tensor:
        for number, norm in enumerate(self.norms):
            x = norm(x if number == 0 else self.convolutions[number](x))
            if self.residual and number == len(self.norms) - 1:
                x = x + start
            x = functional.leaky_relu(x, SLOPE)
        return x


def convolve_on_two_grids(layer: nn.Module, coarse: Tensor, fine: Tensor) -> Tensor:
    """A convolution of size 3 of what `ConvolutionBlock.on_two_grids` says, without the doubled grid in memory.

    Where neighbours are alike, their weights can be added before: what is left is a transposed convolution of size 4,
    with 64 products for a voxel of the coarse grid instead of 216 in 3-D. A step of a training takes a third less time,
    as does an exported network: in its graph the weights keep their names and shapes, an engine adds them on loading.

    Parameters
    ----------
    layer : Conv2d or Conv3d
        Its inputs are the channels of `coarse` and `fine`, in this order; it keeps the grid.
    coarse : Tensor, shape (batch, channel, i, j[, k])
    fine : Tensor, shape (batch, channel, 2 i, 2 j[, 2 k])

    Returns
    -------
    Tensor, shape (batch, outputs, 2 i, 2 j[, 2 k])
    """
    of_coarse, of_fine = cast(Tensor, layer.weight).split([coarse.shape[1], fine.shape[1]], dim=1)
    axes = range(2, coarse.ndim)
    for axis in axes:
        # Axes are padded from the last one on.
        before = [0, 0] * (coarse.ndim - 1 - axis)
        of_coarse = functional.pad(of_coarse, [*before, 0, 1]) + functional.pad(of_coarse, [*before, 1, 0])
    kernel = of_coarse.flip(*axes).transpose(0, 1)
    flat = coarse.ndim == 4
    convolve: Any = functional.conv2d if flat else functional.conv3d
    transposed: Any = functional.conv_transpose2d if flat else functional.conv_transpose3d
    return cast(
        Tensor, transposed(coarse, kernel, stride=2, padding=1) + convolve(fine, of_fine, layer.bias, padding=1)
    )


class UNet(nn.Module):  # type: ignore[misc]
    """An encoder that halves the grid by max-pooling, a decoder that doubles it, and the encoder's levels beside it.

    Parameters
    ----------
    dimensions : 2 or 3
    inputs, classes : int
        Channels of the image; logits per voxel.
    channels : sequence of int
        Of each level, the finest first. The grid must be a multiple of 2 ** (levels - 1).
    convolutions : sequence of int
        Of size 3 per level, in the encoder as in the decoder.
    residual : bool
    norm : one of NORMALISATIONS
    upsampling : one of UPSAMPLINGS
        Nearest neighbour, or a transposed convolution that halves the channels, as in the paper.
    """

    def __init__(
        self,
        dimensions: int,
        inputs: int,
        classes: int,
        *,
        channels: Sequence[int] = (8, 16, 32, 64, 96),
        convolutions: Sequence[int] = (1, 2, 2, 2, 2),
        residual: bool = False,
        norm: str = "batch",
        upsampling: str = "nearest",
    ) -> None:
        super().__init__()

        def block(a: int, b: int, level: int) -> ConvolutionBlock:
            return ConvolutionBlock(dimensions, a, b, convolutions[level], norm=norm, residual=residual)

        levels = range(len(channels))
        self.dimensions = dimensions
        self.encoder = nn.ModuleList(block(channels[n - 1] if n else inputs, channels[n], n) for n in levels)
        self.upward = nn.ModuleList()
        self.decoder = nn.ModuleList()
        transposed: Any = nn.ConvTranspose3d if dimensions == 3 else nn.ConvTranspose2d
        for n in levels[-2::-1]:
            below = channels[n + 1]
            if upsampling == "transposed":
                self.upward.append(transposed(below, channels[n], 2, stride=2))
                below = channels[n]
            self.decoder.append(block(below + channels[n], channels[n], n))
        self.head = convolution(dimensions, channels[0], classes, size=1)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channel, i, j[, k]) to logits (batch, class, i, j[, k])."""
        pool = functional.max_pool3d if self.dimensions == 3 else functional.max_pool2d
        beside: list[Tensor] = []
        x = image
        for n, block in enumerate(self.encoder):
            x = block(x if n == 0 else pool(x, 2))
            beside.append(x)
        for n, block in enumerate(self.decoder):
            fine = beside[-2 - n]
            x = block(torch.cat([self.upward[n](x), fine], dim=1)) if self.upward else block.on_two_grids(x, fine)
        return cast(Tensor, self.head(x))


class GuidedUNet(UNet):
    """A `UNet` that corrects what another network says: its last channels of input are a guide, one for every class.

    It adds to the logarithms of the probabilities, or the odds, that they stand for (`nn.channels.guide`), and begins
    with nothing.
    """

    def __init__(self, dimensions: int, inputs: int, classes: int, **how: Any) -> None:
        super().__init__(dimensions, inputs, classes, **how)
        self.classes = classes
        for weights in self.head.parameters():
            nn.init.zeros_(weights)

    def forward(self, image: Tensor) -> Tensor:
        """As of `UNet`, the guide added."""
        guide = image[:, -self.classes :]
        return super().forward(image) + GUIDE_SCALE * (2 * guide if self.classes == 1 else guide - 1)
