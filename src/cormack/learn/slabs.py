"""Slices of a sample for 2-D networks: one alone, or with its neighbours as channels (2.5-D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cormack.learn.sample import Sample
from cormack.nn.channels import slice_input
from cormack.nn.task import Task


def cut(sample: Sample, task: Task, positions: Sequence[int] | None = None) -> Sequence[Sample]:
    """A volume as it is for a 3-D network, else the slices at `positions`, or all of them.

    Returns
    -------
    sequence of Sample
        Images of shape (channel, i, j, k), or (channel, ·, ·) with the neighbours of 2.5-D as further channels.
    """
    if task.input.dimensions == 3:
        return (sample,)
    axis = task.input.slice_axis
    where = range(sample.target.shape[axis]) if positions is None else positions
    images = slice_input(sample.image.astype(np.float32), task, where).astype(np.float16)
    targets = (np.take(sample.target, n, axis) for n in where)
    return tuple(replace(sample, image=image, target=target) for image, target in zip(images, targets, strict=True))


def random_positions(sample: Sample, task: Task, count: int, rng: np.random.Generator) -> Sequence[int]:
    """Places of random slices; `count` of them."""
    return [int(n) for n in rng.choice(sample.target.shape[task.input.slice_axis], count)]
