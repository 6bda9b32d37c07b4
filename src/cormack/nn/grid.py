"""The grid of a network over a volume: there with detail averaged, back with smooth edges.

The network's axes are those of the volume in another order and direction, so both ways are one-dimensional
interpolation along each axis in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.weights import interpolation_weights
from cormack.imaging.workgrid import WorkGrid
from cormack.nn.task import TaskInput

if TYPE_CHECKING:
    from scipy import sparse

FloatImage = npt.NDArray[np.float32]

#: Voxels this much larger than the network's, as a share, still count as one for averaging.
NEARLY = 0.02
#: Places are known to this many voxels.
ROUNDING = 1e-6


def onto_grid(volume: Volume, wanted: TaskInput, *, codes: str | None = None) -> Volume:
    """A volume on the network's grid; voxels that were never measured hold the task's `pad_value`.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), at right angles. What is not finite was never measured.
    wanted : TaskInput
    codes : str, optional
        Where the volume's axes point, as `axis_codes` says it, in place of what the affine says.

    Returns
    -------
    Volume
        float32. Its affine is true to the volume's, whatever `codes` says.

    Raises
    ------
    GeometryError
        If the axes are not at right angles.
    """
    if not volume.is_orthogonal:
        raise GeometryError("a network needs a volume whose axes are at right angles: rectify it first")
    data, affine = reorient(volume.data, volume.affine, wanted.orientation, present=codes or axis_codes(volume.affine))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    ratio = np.asarray(wanted.spacing_mm) / spacing
    pool = np.clip((ratio * (1 + NEARLY)).astype(int), 1, data.shape)
    box = tuple(slice(0, int(n // p * p)) for n, p in zip(data.shape, pool, strict=True))
    values = WorkGrid(box, tuple(int(p) for p in pool), (1, 1, 1), (1.0, 1.0, 1.0)).coarsen(data)  # type: ignore[arg-type]
    measured = np.isfinite(values)
    values = values if measured.all() else np.where(measured, values, np.float32(wanted.pad_value))
    to_source = np.eye(4)
    for axis in range(3):
        # Enough to cover the volume, so that nothing is missing at its border on the way back.
        count = max(1, int(np.ceil(data.shape[axis] / ratio[axis] - NEARLY)))
        first = (data.shape[axis] - 1 - (count - 1) * ratio[axis]) / 2
        to_source[axis, [axis, 3]] = ratio[axis], first
        native = first + np.arange(count) * ratio[axis]
        blocks = values.shape[axis]
        at = np.clip((native - (pool[axis] - 1) / 2) / pool[axis], 0, blocks - 1)
        # Blocks of several voxels are averaged enough; a stretched kernel would bend what is straight.
        width = max(1.0, ratio[axis]) if pool[axis] == 1 else 1.0
        values = _along(values, interpolation_weights(at, blocks, width=width), axis)
    return Volume(np.ascontiguousarray(values), affine @ to_source, volume.unit, wanted.pad_value, volume.acquisition)


@dataclass(frozen=True, eq=False)
class WayBack:
    """From a grid onto another one whose axes are parallel to its own, plane by plane.

    Parameters
    ----------
    source : array, shape (4, 4)
        Affine of the grid that values lie on.
    target, shape : array of shape (4, 4), (i, j, k)
        The grid they are wanted on.
    """

    source: FloatArray
    target: FloatArray
    shape: tuple[int, int, int]

    def planes(self, values: FloatImage) -> Iterator[tuple[int, FloatImage]]:
        """Values of shape (class, a, b, c) interpolated linearly, one plane of constant k at a time.

        Yields k and an array of shape (class, i, j). Beyond the centres of the outermost voxels their values are held;
        beyond their edges there is 0.
        """
        matrix = np.linalg.inv(self.source) @ self.target
        order = np.argmax(np.abs(matrix[:3, :3]), axis=0)
        if sorted(order) != [0, 1, 2] or np.abs(np.delete(matrix[:3, :3].T, order + 3 * np.arange(3))).max() > 1e-3:
            raise GeometryError("probabilities are brought back to grids with the same axes only: reslice them instead")
        turned = values.transpose(0, *(1 + order))
        i, j, k = (
            _held(matrix[order[axis], axis] * np.arange(n) + matrix[order[axis], 3], turned.shape[axis + 1])
            for axis, n in enumerate(self.shape)
        )
        used = [(k.indices[first:last].tolist(), k.data[first:last]) for first, last in pairwise(k.indptr.tolist())]

        def wide(plane: FloatImage) -> FloatImage:
            return np.stack([(j @ np.ascontiguousarray((i @ part).T)).T for part in plane])

        def mean(slabs: Sequence[FloatImage], weights: FloatImage, shape: tuple[int, ...]) -> FloatImage:
            plane = np.zeros(shape, dtype=np.float32)
            for slab, weight in zip(slabs, weights, strict=True):
                plane += weight * slab
            return plane

        if len({slab for slabs, _ in used for slab in slabs}) >= len(used):
            for number, (slabs, weights) in enumerate(used):
                yield number, wide(mean([turned[..., slab] for slab in slabs], weights, turned.shape[:3]))
            return
        # Fewer planes there than here: each of them is interpolated along i and j once.
        held: dict[int, FloatImage] = {}
        for number, (slabs, weights) in enumerate(used):
            held = {slab: held[slab] if slab in held else wide(turned[..., slab]) for slab in slabs}
            yield number, mean(list(held.values()), weights, (len(turned), *self.shape[:2]))


def _held(at: FloatArray, count: int) -> sparse.csr_array:
    """Weights of linear interpolation that hold the outermost values for half a voxel, shape (len(at), count)."""
    weights = interpolation_weights(np.clip(at, 0, count - 1), count)
    weights.data[np.repeat((at < -0.5 - ROUNDING) | (at > count - 0.5 + ROUNDING), np.diff(weights.indptr))] = 0
    return weights


def _along(values: FloatImage, weights: sparse.csr_array, axis: int) -> FloatImage:
    """Interpolate along one axis: (…, old, …) to (…, new, …)."""
    first = np.moveaxis(values, axis, 0)
    # Sparse, and not as a product of matrices: few weights are not 0, and threads of BLAS wait for each other.
    flat = weights @ np.ascontiguousarray(first).reshape(len(first), -1)
    return np.moveaxis(flat.reshape(-1, *first.shape[1:]), 0, axis)
