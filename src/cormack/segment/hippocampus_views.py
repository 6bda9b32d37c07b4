"""A hippocampus network on one window, looked at in several ways: turned, shifted, brightened a little."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray, Volume
from cormack.nn.channels import network_input
from cormack.nn.predict import Prediction, predict_grid
from cormack.nn.store import Network
from cormack.nn.task import Channel

FloatImage = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

#: Views of a window without the plain one; every one of them is the same in every run.
VIEWS = 8
#: Largest turn about each axis (degrees), shift along each axis (mm), and exponent of the values.
TURN_DEG, SHIFT_MM, GAMMA = 6.0, 0.7, 0.2
_SEED = 9
#: The lowest value of a channel, which surrounds a window, too.
DARKEST = -1.0


@dataclass(frozen=True)
class View:
    """One way to look at a window: degrees about its three axes, voxels of shift, exponent of its values."""

    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gamma: float = 1.0

    def matrix(self, shape: tuple[int, ...]) -> FloatArray:
        """Voxels of the view to voxels of the window, shape (4, 4): a turn about its middle, and the shift."""
        turn = np.eye(3)
        for axis, angle in enumerate(np.radians(self.turn_deg)):
            a, b = (axis + 1) % 3, (axis + 2) % 3
            one = np.eye(3)
            one[a, a] = one[b, b] = np.cos(angle)
            one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
            turn = one @ turn
        middle = (np.asarray(shape) - 1) / 2
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = middle - turn @ middle + self.shift
        return matrix


def views(count: int) -> tuple[View, ...]:
    """The plain view, and `count` others, spread evenly over the ranges (a Latin square with a fixed seed)."""
    if count < 1:
        return (View(),)
    rng = np.random.default_rng(_SEED)
    steps = (np.stack([rng.permutation(count) for _ in range(7)], axis=1) + 0.5) / count * 2 - 1
    turn, shift = steps[:, :3] * TURN_DEG, steps[:, 3:6] * SHIFT_MM
    gamma = np.exp(steps[:, 6] * np.log1p(GAMMA))
    return (
        View(),
        *(View(tuple(t), tuple(s), float(g)) for t, s, g in zip(turn.tolist(), shift.tolist(), gamma, strict=True)),
    )


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network saw in a window.

    Attributes
    ----------
    prediction : Prediction
        The mean of all views, on the window's grid.
    volumes_mm3 : array, shape (view, structure)
        Volume of each structure in each view.
    """

    prediction: Prediction
    volumes_mm3: FloatArray

    @cached_property
    def labels(self) -> npt.NDArray[np.uint8]:
        """The likeliest structure of every voxel of the window, counted from 1; 0 where it is the background."""
        return likeliest(self.prediction.probability)

    @property
    def confidence(self) -> float:
        """Mean probability of the label over the voxels that have one; 0 where none has."""
        labels = self.labels
        if not labels.any():
            return 0.0
        return float(
            np.take_along_axis(self.prediction.probability, np.maximum(labels, 1)[None] - 1, 0)[0][labels > 0].mean()
        )


def look(window: Volume, network: Network, count: int = VIEWS) -> Seen:
    """Run a network on a window, plain and in `count` other views, and take the mean.

    Values are normalised once, in the plain window, and bent and moved after that, as in the training.

    Parameters
    ----------
    window : Volume
        On the network's grid (`nn.grid.onto_grid`), shape (i, j, k).
    network : Network
        Of one channel.
    count : int
    """
    task = network.task
    normal = window.with_data(network_input(window.data, task)[0], outside=DARKEST)
    given = replace(task.input, channels=(Channel("window", -1.0, 1.0),), pad_value=DARKEST)
    bare = Network(replace(task, input=given), network.session)
    total = np.zeros((len(task.output.labels), *window.shape), dtype=np.float32)
    volumes = []
    for view in views(count):
        matrix = view.matrix(window.shape)
        probability = predict_grid(_viewed(normal, view, matrix), bare).probability
        counts = np.bincount(likeliest(probability).ravel(), minlength=len(probability) + 1)[1:]
        volumes.append(counts * window.voxel_volume_ml * 1000)
        total += probability if view == View() else _back(probability, matrix)
    total /= len(volumes)
    return Seen(Prediction(task, total, window.affine), np.asarray(volumes, dtype=np.float64))


def likeliest(probability: FloatImage) -> npt.NDArray[np.uint8]:
    """The likeliest structure, 0 for the background; shape (label, …) to (…).

    The structures stand together against the background: a voxel that may be of either is none the less of one.
    """
    label = np.argmax(probability, axis=0) + 1
    return np.where(probability.sum(axis=0) > 0.5, label, 0).astype(np.uint8)


def mirrored(volume: Volume) -> Volume:
    """The same voxels with the first axis in reverse, so that a right hippocampus looks like a left one.

    The affine stays true: what is found lies where it was.
    """
    affine = volume.affine.copy()
    affine[:3, 3] = volume.world((volume.shape[0] - 1, 0, 0))
    affine[:3, 0] *= -1
    return Volume(volume.data[::-1], affine, volume.unit, volume.outside, volume.acquisition)


def _viewed(normal: Volume, view: View, matrix: FloatArray) -> Volume:
    if view == View():
        return normal
    data = ndimage.affine_transform(normal.data, matrix, order=1, mode="grid-constant", cval=DARKEST)
    return normal.with_data(((data + 1) / 2) ** np.float32(view.gamma) * 2 - 1)


def _back(probability: FloatImage, matrix: FloatArray) -> FloatImage:
    inverse = np.linalg.inv(matrix)
    return np.stack([ndimage.affine_transform(part, inverse, order=1, mode="nearest") for part in probability])
