"""From the values of an image to what a network takes: the same when it is trained and when it is used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.nn.task import Channel, Task

FloatImage = npt.NDArray[np.float32]

#: Probabilities are told apart down to this one.
LEAST_PROBABILITY = 1e-3
#: A guide of -1…1 times this, and less it, is the logarithm of a probability; that of a single label times twice this
#: is the logarithm of its odds.
GUIDE_SCALE = -math.log(LEAST_PROBABILITY) / 2


def network_input(data: npt.NDArray[Any], task: Task) -> FloatImage:
    """The channels of an image.

    Parameters
    ----------
    data : array, shape (i, j, k)
        The image on the network's grid and in its own units (Hounsfield units for CT). What is not finite or holds the
        task's `pad_value` was never measured.
    task : Task

    Returns
    -------
    float32 array, shape (channel, i, j, k)
    """
    values = np.asarray(data, dtype=np.float32)
    pad = np.float32(task.input.pad_value)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, pad)
    image = np.empty((len(task.input.channels), *values.shape), dtype=np.float32)
    for channel, out in zip(task.input.channels, image, strict=True):
        low, span = _limits(channel, values, pad)
        if channel.kind == "zscore":
            np.subtract(values, low, out=out)
            out /= span
        else:
            np.clip(values, low, low + span, out=out)
            out -= low
            out /= span
            if channel.kind == "root":
                np.sqrt(out, out=out)
            out *= np.float32(2.0)
            out -= np.float32(1.0)
    return image


def slice_input(image: FloatImage, task: Task, positions: Sequence[int]) -> FloatImage:
    """Slices as a batch, each with its neighbours as channels; beyond the first and last slice these are repeated.

    Parameters
    ----------
    image : array, shape (channel, i, j, k)
        As `network_input` gives it.
    task : Task
        Of a 2-D or 2.5-D network.
    positions : sequence of int
        Which slices along the task's `slice_axis`.

    Returns
    -------
    float32 array, shape (slice, channel · (2 context + 1), ·, ·)
        The channels of the neighbour with the lowest index come first.
    """
    slices = np.moveaxis(image, task.input.slice_axis + 1, 0)
    reach = np.arange(-task.input.context, task.input.context + 1)
    around = np.clip(np.asarray(positions)[:, None] + reach, 0, len(slices) - 1)
    taken = slices[around]
    return np.ascontiguousarray(taken.reshape(len(around), -1, *taken.shape[3:]))


def guide(probability: FloatImage) -> FloatImage:
    """What another network says as channels: logarithms of its probabilities, brought to -1…1, the background first.

    Of a single label, the logarithm of its odds.

    Parameters
    ----------
    probability : array, shape (label, ...)
        The background has the rest to 1.

    Returns
    -------
    float32 array, shape (label + 1, ...), or (1, ...)
    """
    if len(probability) == 1:
        share = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY, dtype=np.float32)
        return np.asarray(np.log(share / (1 - share)) / np.float32(2 * GUIDE_SCALE), dtype=np.float32)
    out = np.empty((len(probability) + 1, *probability.shape[1:]), dtype=np.float32)
    out[1:] = probability
    np.subtract(1, probability.sum(axis=0), out=out[0])
    np.log(np.clip(out, LEAST_PROBABILITY, 1, out=out), out=out)
    out /= np.float32(GUIDE_SCALE)
    out += 1
    return out


def _limits(channel: Channel, values: FloatImage, pad: np.float32) -> tuple[np.float32, np.float32]:
    """What is subtracted, and what is divided by: never 0, so that an even image stays finite."""
    if channel.kind == "window":
        low, high = float(channel.low or 0.0), float(channel.high or 0.0)
    else:
        measured = values[values != pad]
        if not measured.size:
            return pad, np.float32(1.0)
        if channel.kind == "zscore":
            mean, deviation = float(measured.mean(dtype=np.float64)), float(measured.std(dtype=np.float64))
            return np.float32(mean), np.float32(deviation or 1.0)
        low, high = (float(v) for v in np.percentile(measured, [channel.low or 0.0, channel.high or 100.0]))
    return np.float32(low), np.float32(high - low or 1.0)
