"""The weights of a U-Net in one with more channels: it gives the same at first, and has room for more.

As the wider networks of Net2Net (Chen et al. 2016, doi 10.48550/arXiv.1511.05641), but the channels that are added
begin at random and with no weight in what was there, instead of as copies.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

#: Weights of a convolution have channels out and in and at least two axes of the grid.
CONVOLUTION_AXES = 4


def widened(stored: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stored tensors, those of a narrower U-Net put into the first channels of the network's.

    Parameters
    ----------
    stored, network : mapping of str to Tensor
        Tensors of two `UNet` by the same names. What the network adds keeps its values where it is fed from channels
        that it knows or adds, and gets zeros where it would feed channels that it knows.

    Returns
    -------
    dict
        Tensors as in `stored`. One that is not narrower in channels alone stays as it is, and does not fit.
    """
    found = dict(stored)
    if {n for n in stored if n.endswith(".weight")} <= set(network):
        for name, wide in network.items():
            if name in stored and _is_narrower(name, stored[name], wide):
                found[name] = _placed(name, stored, network)
    return found


def _is_narrower(name: str, narrow: Tensor, wide: Tensor) -> bool:
    """Fewer channels on the same grid; those of the image are the same."""
    if narrow.ndim != wide.ndim or narrow.shape[2:] != wide.shape[2:]:
        return False
    # Classes are matched by the names of their labels, later.
    channels = slice(1, 2) if name.startswith("head.") else slice(0, 2)
    less = [a - b for a, b in zip(narrow.shape[channels], wide.shape[channels], strict=True)]
    of_image = name.startswith("encoder.0.") and name.endswith(("convolutions.0.weight", "shortcut.weight")) and less[1]
    return bool(less) and max(less) <= 0 and min(less) < 0 and not of_image


def _placed(name: str, stored: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> Tensor:
    """One tensor of the wider network."""
    narrow, wide = stored[name], network[name]
    result = wide.new_zeros(narrow.shape[0], *wide.shape[1:]) if name.startswith("head.") else wide.clone()
    if narrow.ndim < CONVOLUTION_AXES or ".norms." in name:
        result[tuple(slice(n) for n in narrow.shape)] = narrow
        return result
    outputs, inputs = (1, 0) if name.startswith("upward.") else (0, 1)
    result.narrow(outputs, 0, narrow.shape[outputs]).zero_()
    places = torch.tensor(_inputs(name, narrow.shape[inputs], stored, network))
    result.narrow(outputs, 0, narrow.shape[outputs]).index_copy_(inputs, places, narrow)
    return result


def _inputs(name: str, count: int, stored: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> list[int]:
    """Where the channels that a convolution takes lie in the wider network.

    The first of a decoder's block takes those from below and, after them, those of the encoder's level beside it.
    """
    part, number, *rest = name.split(".")
    if part != "decoder" or rest[:2] not in (["convolutions", "0"], ["shortcut", "weight"]):
        return list(range(count))
    levels = 1 + max(int(other.split(".")[1]) for other in network if other.startswith("encoder."))
    beside = f"encoder.{levels - 2 - int(number)}.convolutions.0.weight"
    fine, wide_fine = len(stored[beside]), len(network[beside])
    first = network[name].shape[1] - wide_fine
    return [*range(count - fine), *range(first, first + fine)]
