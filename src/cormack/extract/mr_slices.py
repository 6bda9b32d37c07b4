"""The edge of the brain on MR, corrected slice by slice.

Dura, fluid and the cortex below are a millimetre or two thick: on a grid of 2 mm they are mixed. A network of slices
sees voxels of about 1 mm, or an image interpolated to such, slices around each one, and how likely each voxel is brain
to the first network, and adds to the logarithm of the odds. It is asked for every fifth slice, and what it adds is
interpolated between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cormack.core.volume import Unit, Volume
from cormack.imaging.weights import interpolation_weights
from cormack.imaging.workgrid import FloatImage, bounding_box
from cormack.nn.channels import GUIDE_SCALE, guide, network_input, slice_input
from cormack.nn.grid import WayBack, onto_grid
from cormack.nn.predict import predict_slices
from cormack.nn.store import Network
from cormack.nn.task import Task

#: The packaged network.
NAME = "t1-brain-slices"
#: Images are left as they are whose voxels are larger than this (mm), unless they are so small along two axes.
LARGEST_MM, SMALL_MM = 2.5, 1.25
#: Kept around what the first network finds (mm).
MARGIN_MM = 8.0
#: The network is asked for every so many slices.
EVERY = 5


@dataclass(frozen=True, eq=False)
class HeadSlices:
    """A head around its brain on voxels of about 1 mm, and how likely each is brain to the first network."""

    grid: Volume
    probability: FloatImage
    task: Task

    @cached_property
    def said(self) -> FloatImage:
        """What the first network says as a guide, shape (slice, ·, ·)."""
        return np.asarray(guide(np.moveaxis(self.probability, self.task.input.slice_axis, 0)[None])[0])

    def images(self, numbers: Iterable[int]) -> Iterator[tuple[int, FloatImage]]:
        """Of every slice that is asked for its number and the network's input, shape (channel, ·, ·)."""
        image, said = network_input(self.grid.data, self.task), self.said
        for number in numbers:
            yield number, np.concatenate([slice_input(image, self.task, [number])[0], said[number][None]])


def is_fine(volume: Volume) -> bool:
    """Whether voxels are small enough for a correction."""
    _, second, largest = sorted(volume.spacing_mm)
    return largest <= LARGEST_MM or second <= SMALL_MM


def head_slices(volume: Volume, coarse: Volume, task: Task) -> HeadSlices:
    """A head as a network of slices takes it.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), at right angles.
    coarse : Volume
        What the first network says: probabilities on its grid, half and more being brain. Its axes tell where those of
        the volume point.
    task : Task
        The network's.
    """
    to_coarse = np.linalg.inv(coarse.affine) @ volume.affine
    margin = tuple(int(np.ceil(MARGIN_MM / h)) for h in coarse.spacing_mm)
    around = bounding_box(coarse.data >= 0.5, margin)  # type: ignore[arg-type]
    corners = np.stack([np.array([s.start - 0.5, s.stop - 0.5]) for s in around])
    native = np.sort((np.linalg.inv(to_coarse) @ np.vstack([corners, np.ones(2)]))[:3], axis=1)
    i, j, k = (
        slice(max(0, int(np.ceil(first))), min(n, int(np.floor(last)) + 1))
        for (first, last), n in zip(native, volume.shape, strict=True)
    )
    part = volume.cropped((i, j, k))
    along = np.abs(to_coarse[:3, :3]).argmax(axis=0)
    codes = "".join(("RAS" if to_coarse[row, axis] > 0 else "LPI")[row] for axis, row in enumerate(along))
    wanted = [_voxel_mm(volume.spacing_mm[int(np.flatnonzero(along == axis)[0])]) for axis in range(3)]
    given = replace(task.input, spacing_mm=(wanted[0], wanted[1], wanted[2]))
    grid = onto_grid(part, given, codes=codes)
    probability = np.empty((grid.shape[2], *grid.shape[:2]), dtype=np.float32)
    for number, plane in WayBack(coarse.affine, grid.affine, grid.shape).planes(coarse.data[None]):
        probability[number] = plane[0]
    return HeadSlices(grid, np.moveaxis(probability, 0, 2), task)


def _voxel_mm(native_mm: float) -> float:
    """About 1 mm, so that voxels are taken as they are, averaged or divided."""
    return native_mm * round(1 / native_mm) if native_mm < 1 else native_mm / round(native_mm)


def corrected_in_slices(volume: Volume, coarse: Volume, network: Network) -> Volume:
    """How likely each voxel around the brain is brain, on a grid of about 1 mm.

    Parameters
    ----------
    volume, coarse
        As of `head_slices`.
    network : Network

    Raises
    ------
    WeightsError
        If the weights are damaged.
    """
    slices = head_slices(volume, coarse, network.task)
    said = slices.said
    count = len(said)
    asked = np.unique([*range(0, count, EVERY), count - 1])
    found = predict_slices(slices.images(asked.tolist()), network)
    added = np.stack([guide(probability)[0] - said[number] for number, probability in found])
    between = interpolation_weights(np.interp(np.arange(count), asked, np.arange(len(asked))), len(asked))
    log_odds = said + (between @ added.reshape(len(asked), -1)).reshape(said.shape)
    # The guide's scale is that of half the logarithm of the odds.
    log_odds *= np.float32(GUIDE_SCALE)
    probability = np.moveaxis(0.5 * (1 + np.tanh(log_odds, out=log_odds)), 0, network.task.input.slice_axis)
    return slices.grid.with_data(np.ascontiguousarray(probability), unit=Unit.PROBABILITY, outside=0.0)
