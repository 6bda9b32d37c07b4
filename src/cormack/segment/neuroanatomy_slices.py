"""What the coarse network says of a brain, corrected slice by slice where pixels show more than its grid does.

Fluid over the cortex, folds and the edges of the ventricles are a millimetre or two wide: on a grid of 1.5 mm they are
mixed with what lies beside them. A network of slices sees pixels of about 0.8 mm, three neighbouring slices, and how
likely each structure is to the coarse one, and adds to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from cormack.core.errors import WeightsError
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.imaging.orient import axis_codes, axis_order
from cormack.nn.channels import guide, network_input, slice_input
from cormack.nn.grid import WayBack
from cormack.nn.predict import predict_slices
from cormack.nn.store import Network, load_network
from cormack.nn.task import Task
from cormack.segment.brain_grid import BoolArray, brain_on_grid
from cormack.segment.opinion import FloatImage, Opinion

#: The packaged network.
NAME = "ct-neuroanatomy-slices"
#: Pixels larger than this show no more than the coarse grid, and slices thicker than this were never trained on (mm).
LARGEST_PIXEL_MM, THICKEST_MM = 1.25, 8.0
#: Pixels around the brain of a slice that are looked at, and what sizes are multiples of: a new size takes 9 ms.
AROUND, EVEN = 16, 16


@dataclass(frozen=True, eq=False)
class BrainSlices:
    """A brain on the network's pixels, in slices as thick as the scan's, and the coarse opinion of it."""

    grid: Volume
    inside: BoolArray
    opinion: Opinion
    task: Task

    def images(self) -> Iterator[tuple[int, FloatImage]]:
        """Of every slice its number and the network's input, shape (channel, i, j)."""
        windows = network_input(self.grid.data, self.task)
        way = WayBack(self.opinion.affine, self.grid.affine, self.grid.shape)
        for k, probability in way.planes(self.opinion.probability):
            if self.inside[:, :, k].any():
                yield k, np.concatenate([slice_input(windows, self.task, [k])[0], guide(probability)])


def brain_slices(
    opinion: Opinion, volume: Volume, brain: LabelMap, task: Task, *, codes: str | None = None
) -> BrainSlices:
    """A brain as a network of slices takes it.

    Parameters
    ----------
    opinion : Opinion
        Of the coarse network, `without_islands`.
    volume : Volume
        HU, shape (i, j, k), at right angles.
    brain : LabelMap
        The intracranial space on the same grid.
    task : Task
        The network's: the spacing across its slices is the least that slices have; thinner ones are averaged.
    codes : str, optional
        Where the volume's axes point in place of what its affine says.
    """
    i, j, k = task.input.spacing_mm
    *_, slice_mm = _native_mm(volume, task, codes)
    grid, inside = brain_on_grid(volume, brain, replace(task.input, spacing_mm=(i, j, max(k, slice_mm))), codes=codes)
    return BrainSlices(grid, inside, opinion, task)


def _native_mm(volume: Volume, task: Task, codes: str | None) -> list[float]:
    """Spacing of the scan along the axes of the network's grid."""
    order, _ = axis_order(codes or axis_codes(volume.affine), task.input.orientation)
    return [volume.spacing_mm[axis] for axis in order]


def corrected_in_slices(
    opinion: Opinion,
    volume: Volume,
    brain: LabelMap,
    *,
    network: Network | None = None,
    codes: str | None = None,
) -> Opinion:
    """The opinion on finer pixels, corrected; as it is where the scan shows no more than the coarse grid.

    What the mask holds that is none of the sixteen, bone or air, is its `background`.

    Parameters
    ----------
    opinion, volume, brain, codes
        As of `brain_slices`.
    network : Network, optional
        Another one than the packaged network.

    Raises
    ------
    InputError, ExtractionError
        As `brain_on_grid` does.
    WeightsError
        If there is no such network, or it does not correct the sixteen structures.
    """
    chosen = network or load_network(NAME)
    sixteen = [(label.index, label.name) for label in NEUROANATOMY_FINE]
    if [(label.index, label.name) for label in chosen.task.output.labels] != sixteen or not chosen.task.input.guides:
        raise WeightsError(f"the network {chosen.task.name} does not correct the sixteen structures of neuroanatomy")
    *pixel_mm, slice_mm = _native_mm(volume, chosen.task, codes)
    if max(pixel_mm) > LARGEST_PIXEL_MM or slice_mm > THICKEST_MM:
        return opinion
    slices = brain_slices(opinion, volume, brain, chosen.task, codes=codes)
    # Slice by slice in memory: they are made so, and drawn so.
    probability = np.zeros((slices.grid.shape[2], len(sixteen), *slices.grid.shape[:2]), dtype=np.float32)
    background = np.zeros((len(probability), *slices.grid.shape[:2]), dtype=np.float32)
    parts = {k: _around(slices.inside[:, :, k]) for k in range(len(probability)) if slices.inside[:, :, k].any()}
    images = ((k, image[:, *parts[k]]) for k, image in slices.images())
    for k, found in predict_slices(images, chosen):
        probability[k, :, *parts[k]] = found
        background[k, *parts[k]] = 1 - found.sum(axis=0)
    return replace(
        opinion,
        probability=np.moveaxis(probability, 0, 3),
        background=_from_outside(np.moveaxis(background, 0, 2), slices.inside),
        inside=slices.inside,
        affine=slices.grid.affine,
        description=f"{opinion.description}, corrected in slices by network {chosen.task.name}",
    )


def _around(inside: BoolArray) -> tuple[slice, slice]:
    """The part of a slice, shape (i, j), that is seen: `AROUND` pixels and more beyond its brain, or to the border."""
    parts = []
    for axis, count in enumerate(inside.shape):
        held = np.flatnonzero(inside.any(axis=1 - axis))
        first, last = max(0, held[0] - AROUND), min(count, held[-1] + 1 + AROUND)
        length = min(count, -(-(last - first) // EVEN) * EVEN)
        first = max(0, min(first, count - length))
        parts.append(slice(first, first + length))
    return parts[0], parts[1]


def _from_outside(background: FloatImage, inside: BoolArray) -> FloatImage:
    """How likely a voxel is background, where that is likelier than not and hangs together with what lies outside.

    0 elsewhere: what is like no structure in the middle of a brain is the likeliest one all the same. Outside it is as
    beside it inside, for what is drawn between both.
    """
    beyond = ~inside | (background > 0.5)
    parts, count = ndimage.label(beyond)
    outer = np.zeros(count + 1, dtype=bool)
    outer[np.unique(parts[~inside])] = True
    kept = np.where(inside & beyond & outer[parts], background, np.float32(0))
    return np.where(inside, kept, ndimage.maximum_filter(kept, (3, 3, 1)))
