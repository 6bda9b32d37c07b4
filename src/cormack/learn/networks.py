"""The network that a configuration asks for."""

from __future__ import annotations

from torch import nn

from cormack.core.errors import ConfigurationError
from cormack.learn.config import Config
from cormack.learn.resnet import ResNetUNet
from cormack.learn.unet import GuidedUNet, UNet


def make_network(config: Config) -> nn.Module:
    """A network with random weights, its input and output as the task says.

    Raises
    ------
    ConfigurationError
        If the task's grid is no multiple of what the network divides it by.
    """
    options, task = config.network, config.task
    dimensions, inputs, classes = network_size(config)
    factor = 32 if options.kind == "resnet34" else 2 ** (len(options.channels) - 1)
    if task.input.multiple_of % factor:
        raise ConfigurationError(
            f"task.input.multiple_of is {task.input.multiple_of}; with the levels of this network it must be a "
            f"multiple of {factor}"
        )
    if options.kind == "resnet34":
        if dimensions == 3:
            raise ConfigurationError("network.kind 'resnet34' is for slices: task.input.dimensions 2 or 2.5")
        if task.input.guides:
            raise ConfigurationError("network.kind 'resnet34' is without guides: task.input.guides are for 'unet'")
        return ResNetUNet(inputs, classes, norm=options.normalisation)
    return (GuidedUNet if task.input.guides else UNet)(
        dimensions,
        inputs,
        classes,
        channels=options.channels,
        convolutions=options.convolutions,
        residual=options.residual,
        norm=options.normalisation,
        upsampling=options.upsampling,
    )


def network_size(config: Config) -> tuple[int, int, int]:
    """Voxel axes that the network sees (2 or 3), channels of the image, classes of the logits."""
    task = config.task
    return 3 if task.input.dimensions == 3 else 2, task.image_channels, task.output.classes
