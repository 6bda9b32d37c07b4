"""Left and right halves of a labelled head, parted by a smooth surface through the structures of the midline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.imaging.midsagittal import MidsagittalPlane, midsagittal_plane

RIGHT, LEFT = 1, 2
#: The surface is described by its distance from the mid-sagittal plane at nodes of this distance (mm).
NODE_MM = 4.0
#: Structures of the midline, with the weight of one of their voxels of 1 mm³, and how far (mm) from the surface
#: found so far they are looked for in each round. Falx and fissure run on into folds and sulci to both sides, and a
#: side ventricle is not the third one, so that only what is near counts.
MIDLINE = {
    "septum pellucidum": (4.0, (30.0, 12.0, 8.0)),
    "dural folds and venous sinuses": (1.0, (10.0, 6.0, 4.0)),
    "subarachnoid space": (0.5, (10.0, 6.0, 4.0)),
    "ventricular system": (0.5, (5.0, 4.0, 4.0)),
}
#: Voxels that are finer than this are thinned out to fit the surface (mm).
THINNED_MM = 1.0
#: Stiffness of the surface against bending, and the pull of the plane where nothing else speaks.
STIFFNESS, PULL = 40.0, 0.02
#: A node counts no more than this many voxels of 1 mm³.
MOST_WEIGHT = 20.0

Sides = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class MidlineSurface:
    """A surface near the mid-sagittal plane.

    Attributes
    ----------
    plane : MidsagittalPlane
    first_mm : array, shape (2,)
        Anterior and superior coordinate in the plane of the first node.
    offset_mm : array, shape (anterior nodes, superior nodes)
        Distance from the plane, to the right.
    """

    plane: MidsagittalPlane
    first_mm: FloatArray
    offset_mm: FloatArray

    def offset_at(self, anterior_superior: FloatArray) -> FloatArray:
        """Distance from the plane (mm, to the right) at coordinates in the plane, shape (..., 2) to (...)."""
        nodes = np.moveaxis((anterior_superior - self.first_mm) / NODE_MM, -1, 0)
        return np.asarray(ndimage.map_coordinates(self.offset_mm, nodes, order=1, mode="nearest"))


@dataclass(frozen=True, eq=False)
class _Labelled:
    """Labelled voxels: their indices, mm to the right of a plane, anterior and superior in it, and their labels."""

    voxels: npt.NDArray[np.intp]
    at: FloatArray
    numbers: npt.NDArray[np.integer]
    voxel_mm3: float


def split_sides(labels: LabelMap, surface: MidlineSurface | None = None) -> Sides:
    """Tell the right half of a labelled head (1) from the left (2).

    Parameters
    ----------
    labels : LabelMap
        Shape (i, j, k), any affine; structures by the names of `cormack.core.neuroanatomy`.
    surface : MidlineSurface, optional
        Found in these labels by default.

    Returns
    -------
    uint8 array, shape (i, j, k)
        0 where nothing is labelled.

    Raises
    ------
    InputError
        If hardly anything is labelled.
    """
    surface = midline_surface(labels) if surface is None else surface
    sides = np.zeros(labels.data.shape, dtype=np.uint8)
    filled = _labelled(labels, surface.plane)
    of = np.where(filled.at[:, 0] > surface.offset_at(filled.at[:, 1:]), RIGHT, LEFT)
    sides[tuple(filled.voxels.T)] = of
    return sides


def midline_surface(labels: LabelMap, plane: MidsagittalPlane | None = None) -> MidlineSurface:
    """Fit a smooth surface through septum, falx, interhemispheric fissure and third ventricle.

    A mass that shifts the midline bends the surface; where none of these structures is labelled it stays smooth and
    near the plane.

    Parameters
    ----------
    labels : LabelMap
    plane : MidsagittalPlane, optional
        Found in these labels by default.

    Raises
    ------
    InputError
        If hardly anything is labelled.
    """
    plane = midsagittal_plane(labels) if plane is None else plane
    names = {label.name: label.index for label in labels.table}
    thin = _labelled(labels, plane, THINNED_MM)
    first = thin.at[:, 1:].min(axis=0) - NODE_MM
    shape = tuple(int(n) for n in np.ceil((thin.at[:, 1:].max(axis=0) + NODE_MM - first) / NODE_MM) + 1)
    surface = MidlineSurface(plane, first, np.zeros(shape))
    found = [(thin.at[thin.numbers == names[name]], *how) for name, how in MIDLINE.items() if name in names]
    for n in range(len(next(iter(MIDLINE.values()))[1])):
        sums, weights = np.zeros(shape), np.zeros(shape)
        for at, weight, reach in found:
            near = np.abs(at[:, 0] - surface.offset_at(at[:, 1:])) <= reach[n]
            nodes = np.rint((at[near, 1:] - first) / NODE_MM).astype(np.intp)
            np.add.at(weights, tuple(nodes.T), weight * thin.voxel_mm3)
            np.add.at(sums, tuple(nodes.T), weight * thin.voxel_mm3 * at[near, 0])
        means = np.divide(sums, weights, out=np.zeros(shape), where=weights > 0)
        surface = MidlineSurface(plane, first, _smoothed(means, np.minimum(weights, MOST_WEIGHT)))
    return surface


def _labelled(labels: LabelMap, plane: MidsagittalPlane, step_mm: float = 0.0) -> _Labelled:
    """All labelled voxels, or as many as lie about this far apart."""
    steps = [max(1, int(step_mm / length)) for length in np.linalg.norm(labels.affine[:3, :3], axis=0)]
    # Places are found several times faster in an array of C order.
    part = np.ascontiguousarray(labels.data[:: steps[0], :: steps[1], :: steps[2]])
    filled = part > 0
    voxels = np.argwhere(filled) * steps
    at = plane.coordinates(voxels @ labels.affine[:3, :3].T + labels.affine[:3, 3])
    return _Labelled(voxels, at, part[filled], 1000 * labels.voxel_volume_ml * float(np.prod(steps)))


def _smoothed(values: FloatArray, weights: FloatArray) -> FloatArray:
    """The surface that is near the values by their weights, near 0 a little, and bends least."""
    # Loaded when first needed: it takes a while.
    from scipy.sparse.linalg import spsolve

    rows, columns = values.shape
    along, across = _bending(rows), _bending(columns)
    bend = sparse.vstack([sparse.kron(along, sparse.eye(columns)), sparse.kron(sparse.eye(rows), across)])
    normal = STIFFNESS * (bend.T @ bend) + sparse.diags(weights.ravel() + PULL)
    return np.asarray(spsolve(normal.tocsc(), (weights * values).ravel())).reshape(values.shape)


def _bending(count: int) -> sparse.dia_matrix:
    """Second differences of so many values."""
    return sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(count - 2, count))
