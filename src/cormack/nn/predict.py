"""A packaged network run on a volume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError, WeightsError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Unit, Volume
from cormack.nn.channels import network_input, slice_input
from cormack.nn.grid import FloatImage, WayBack, onto_grid
from cormack.nn.post import apply_steps
from cormack.nn.store import Network
from cormack.nn.task import Task, TaskInput
from cormack.nn.tiles import BYTES_PER_VOXEL, by_tiles, padded, places, tile_shape

#: What a network may take for its layers unless told otherwise (MB).
MEMORY_MB = 600.0
#: Called with the number of parts done and the number of all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Prediction:
    """How likely each voxel of the network's grid belongs to each structure.

    Parameters
    ----------
    task : Task
    probability : float32 array, shape (label, i, j, k)
        In the order of the task's labels; the background has the rest to 1.
    affine : array, shape (4, 4)
        The network's grid: voxel indices to RAS+ millimetres.
    """

    task: Task
    probability: FloatImage
    affine: FloatArray

    def volume(self, key: int | str) -> Volume:
        """The probability of one label (its number, name or abbreviation) on the network's grid."""
        labels = self.task.output.labels
        number = [label.index for label in labels].index(labels[key].index)
        return Volume(self.probability[number], self.affine, unit=Unit.PROBABILITY, outside=0.0)

    def planes(self, affine: FloatArray, shape: tuple[int, int, int]) -> Iterator[tuple[int, FloatImage]]:
        """Probabilities on a grid with parallel axes, plane by plane: k, and an array of shape (label, i, j).

        Interpolated linearly, so that edges are smooth where the grid is finer than the network's; 0 beyond it.
        """
        return WayBack(self.affine, affine, shape).planes(self.probability)

    def on_grid(self, affine: FloatArray, shape: tuple[int, int, int]) -> FloatImage:
        """Probabilities on a grid with parallel axes, shape (label, i, j, k); `planes` needs less memory."""
        # A plane is written in one piece: several times faster than spreading it over the whole memory.
        out = np.empty((shape[2], len(self.probability), *shape[:2]), dtype=np.float32)
        for k, plane in self.planes(affine, shape):
            out[k] = plane
        return np.moveaxis(out, 0, 3)

    def label_map(self, affine: FloatArray, shape: tuple[int, int, int]) -> LabelMap:
        """The likeliest label of every voxel of a grid with parallel axes, after the task's post-processing."""
        values = [label.index for label in self.task.output.labels]
        labels = np.zeros(shape, dtype=np.min_scalar_type(max(values)), order="F")
        for k, plane in self.planes(affine, shape):
            best = 1 - plane.sum(axis=0)
            for value, share in zip(values, plane, strict=True):
                labels[:, :, k][share > best] = value
                np.maximum(best, share, out=best)
        labels = apply_steps(labels, self.task.post.steps)
        return LabelMap(labels, affine, self.task.output.labels, f"network {self.task.name}")


def predict(
    volume: Volume,
    network: Network,
    *,
    codes: str | None = None,
    memory_mb: float = MEMORY_MB,
    progress: Progress | None = None,
) -> Prediction:
    """Run a network on a volume.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), at right angles; for CT in Hounsfield units. Brought to the network's grid here.
    network : Network
        As `nn.store.load_network` gives it.
    codes : str, optional
        Where the volume's axes point, such as "LPS", in place of what its affine says: to try a scan whose header may
        be wrong. The affine of the result stays true to that of the volume.
    memory_mb : float
        For the network's layers; grids that need more go by overlapping tiles.
    progress : callable, optional

    Raises
    ------
    InputError
        If the unit is not what the network was trained on, or no voxel is finite.
    GeometryError
        If the axes are not at right angles.
    WeightsError
        If the graph cannot be run, or gives another number of classes than its task says.
    """
    grid = onto_grid(volume, network.task.input, codes=codes)
    return predict_grid(grid, network, memory_mb=memory_mb, progress=progress)


def predict_grid(
    grid: Volume, network: Network, *, memory_mb: float = MEMORY_MB, progress: Progress | None = None
) -> Prediction:
    """Run a network on a volume, or a part of one, that lies on its grid already (`onto_grid`); else as `predict`."""
    task = network.task
    if task.input.guides:
        raise InputError(f"the network {task.name} corrects what another one says of an image, and cannot be run alone")
    _check_unit(grid, task)
    if np.all(grid.data == np.float32(task.input.pad_value)):
        raise InputError("the volume holds no finite value apart from padding: there is nothing to see for a network")
    image = network_input(grid.data, task)
    fill = network_input(np.full((1, 1, 1), task.input.pad_value), task).reshape(-1)
    listener = progress or (lambda done, total: None)
    infer = _volume_logits if task.input.dimensions == 3 else _slice_logits
    logits = infer(image, fill, network, memory_mb, listener)
    network.session.rest()
    return Prediction(task, _probability(logits), grid.affine)


def predict_slices(images: Iterable[tuple[int, FloatImage]], network: Network) -> Iterator[tuple[int, FloatImage]]:
    """Run a network of slices on images that are its input already, one after the other.

    Parameters
    ----------
    images : iterable of (number, float32 array of shape (channel, i, j))
        Any i and j.
    network : Network

    Yields the number, and probabilities of the labels, shape (label, i, j).

    Raises
    ------
    WeightsError
        As `predict` does.
    """
    multiple_of = network.task.input.multiple_of

    def logits() -> Iterator[tuple[int, FloatImage]]:
        for number, image in _ahead(images):
            whole, inside = padded(image, multiple_of, image[:, 0, 0])
            yield number, _run(whole[None], network, MEMORY_MB)[0][:, *inside]

    # The engine's threads wait while numpy works, unless both work at the same time.
    for number, found in _ahead(logits()):
        yield number, _probability(found)
    network.session.rest()


def _ahead(images: Iterable[tuple[int, FloatImage]]) -> Iterator[tuple[int, FloatImage]]:
    """The images, each made by another thread while the one before is used."""
    source = iter(images)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, None)
        while (image := coming.result()) is not None:
            coming = maker.submit(next, source, None)
            yield image


def _check_unit(volume: Volume, task: Task) -> None:
    if task.modality == "CT" and volume.unit is not Unit.HU:
        raise InputError(f"the network {task.name} takes Hounsfield units, not {volume.unit}: convert the volume first")
    if task.modality == "MR" and volume.unit is not Unit.ARBITRARY:
        raise InputError(f"the network {task.name} takes MR images in arbitrary units, not {volume.unit}")


def _volume_logits(
    image: FloatImage, fill: FloatImage, network: Network, memory_mb: float, progress: Progress
) -> FloatImage:
    """Logits of the whole grid, shape (class, i, j, k)."""
    given = network.task.input
    whole, inside = padded(image, given.multiple_of, fill)
    tile = tile_shape(whole.shape[1:], given.tile, given.multiple_of, memory_mb)
    steps = _Steps(len(list(places(whole.shape[1:], tile))), progress)
    logits = by_tiles(whole[None], tile, lambda part: _run(part, network, memory_mb), done=steps.done)
    return np.asarray(logits[:, :, *inside][0])


def _slice_logits(
    image: FloatImage, fill: FloatImage, network: Network, memory_mb: float, progress: Progress
) -> FloatImage:
    """Logits of every slice, put together again to shape (class, i, j, k)."""
    given = network.task.input
    slices = image.shape[given.slice_axis + 1]
    plane = _padded_plane(image.shape, given)
    tile = tile_shape(plane, given.tile, given.multiple_of, memory_mb)
    at_once = max(1, int(memory_mb * 1e6 / BYTES_PER_VOXEL / np.prod(tile)))
    batches = [range(n, min(n + at_once, slices)) for n in range(0, slices, at_once)]
    steps = _Steps(len(batches) * len(list(places(plane, tile))), progress)
    parts = []
    neighbours = np.tile(fill, 2 * given.context + 1)
    for batch in batches:
        taken = slice_input(image, network.task, batch)
        flat, inside = padded(taken.reshape(-1, *taken.shape[2:]), given.multiple_of, np.tile(neighbours, len(batch)))
        whole = flat.reshape(*taken.shape[:2], *plane)
        logits = by_tiles(whole, tile, lambda part: _run(part, network, memory_mb), done=steps.done)
        parts.append(logits[:, :, *inside])
    return np.moveaxis(np.concatenate(parts), 0, given.slice_axis + 1)


def _padded_plane(shape: tuple[int, ...], given: TaskInput) -> tuple[int, ...]:
    plane = np.delete(shape[1:], given.slice_axis)
    return tuple(int(-(-n // given.multiple_of) * given.multiple_of) for n in plane)


def _run(batch: FloatImage, network: Network, memory_mb: float) -> FloatImage:
    try:
        logits = network.session.run(batch)
    except Exception as error:
        # Engines raise errors of many kinds of their own.
        raise WeightsError(
            f"{network.session.name} cannot run the network {network.task.name} on an array of shape {batch.shape} "
            f"({type(error).__name__}); if memory ran out, lower memory_mb from {memory_mb:.0f}"
        ) from error
    expected = (len(batch), network.task.output.classes, *batch.shape[2:])
    if logits.shape != expected:
        raise WeightsError(
            f"the network {network.task.name} gives logits of shape {logits.shape}, its task expects {expected}: "
            "export it again"
        )
    return logits


def _probability(logits: npt.NDArray[np.float32]) -> FloatImage:
    """Logits of shape (class, …) to probabilities of the labels, in place; the background's are left out."""
    if not np.isfinite(logits).all():
        raise WeightsError("the network gives logits that are not finite: its weights are damaged; install it again")
    if len(logits) == 1:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), dtype=np.float32)
    shifted = np.exp(logits - logits.max(axis=0))
    return np.asarray(shifted[1:] / shifted.sum(axis=0))


class _Steps:
    """Counts what is done and tells it."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def done(self) -> None:
        self._done += 1
        self._progress(self._done, self._total)
