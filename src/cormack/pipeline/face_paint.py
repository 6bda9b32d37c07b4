"""Taking a face away, plane by plane, on whatever grid it is asked for; the brain mask is watched on every plane."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.extract.face import check_brain_spared
from cormack.imaging.workgrid import WorkGrid
from cormack.pipeline.head_face import HeadFace

#: Blurring: the head is averaged on voxels of this size, then smoothed by a Gaussian of this width (mm).
BLUR_GRID_MM, BLUR_MM = 4.0, 12.0


class Mode(StrEnum):
    """What becomes of a face: air (dark in an MR), or a blur in which a head's mass stays."""

    REMOVE = "remove"
    BLUR = "blur"


class FacePainter:
    """Gives planes of a head without its face, and counts.

    Attributes
    ----------
    changed : int
        Voxels whose value was replaced; none of them lies in the brain mask, or `paint` would have raised.
    """

    def __init__(self, head: HeadFace, mode: Mode, padding: tuple[float, ...] = ()) -> None:
        self.changed = 0
        self._head, self._padding = head, padding
        self._blurred = _blurred(head.volume) if mode is Mode.BLUR else None

    def paint(self, origin: FloatArray, step_i: FloatArray, step_j: FloatArray, values: AnyArray) -> AnyArray:
        """A plane with the face replaced; the array that was given where there is none.

        Parameters
        ----------
        origin, step_i, step_j : array, shape (3,)
            RAS+ millimetres of voxel (0, 0), and to the next along i and j.
        values : array, shape (i, j)
            As the head's slices have them; padding stays.

        Raises
        ------
        ExtractionError
            If a voxel of the brain mask would change: an error of this program.
        """
        where = self._head.region.plane(origin, step_i, step_j, (values.shape[0], values.shape[1])) > 0
        brain = _at(self._head.brain.data, self._head.brain.affine, origin, step_i, step_j, where)
        check_brain_spared(brain >= 0.5)
        for padding in self._padding:
            where &= values != padding
        if not where.any():
            return values
        self.changed += int(np.count_nonzero(where))
        painted = np.array(values, order="K")
        painted[where] = self._replacement(origin, step_i, step_j, where, painted.dtype)
        return painted

    def volume(self) -> Volume:
        """The rectified head without its face, in its own unit; nothing is counted."""
        volume, changed, scale = self._head.volume, self.changed, np.float32(self._head.scale)
        step_i, step_j, step_k = volume.affine[:3, :3].T
        data = np.empty(volume.shape, dtype=volume.data.dtype, order="F")
        for k in range(volume.shape[2]):
            # Painted in values of the slices, and brought back.
            plane = volume.data[:, :, k].astype(np.float32) * scale
            data[:, :, k] = np.rint(self.paint(volume.affine[:3, 3] + k * step_k, step_i, step_j, plane) / scale)
        self.changed = changed
        return volume.with_data(data)

    def _replacement(
        self,
        origin: FloatArray,
        step_i: FloatArray,
        step_j: FloatArray,
        where: npt.NDArray[np.bool_],
        dtype: np.dtype[np.generic],
    ) -> AnyArray:
        if self._blurred is None:
            values: AnyArray = np.full(np.count_nonzero(where), self._head.fill)
        else:
            values = _at(self._blurred.data, self._blurred.affine, origin, step_i, step_j, where) * self._head.scale
        return values if dtype.kind == "f" else np.rint(values)


def _at(
    data: AnyArray,
    affine: FloatArray,
    origin: FloatArray,
    step_i: FloatArray,
    step_j: FloatArray,
    where: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """Values of a grid at some voxels of a plane, interpolated linearly; shape (voxels,)."""
    inverse = np.linalg.inv(affine)
    matrix = inverse[:3, :3] @ np.column_stack([step_i, step_j])
    index = matrix @ np.stack(np.nonzero(where)) + (inverse[:3, :3] @ origin + inverse[:3, 3])[:, None]
    return np.asarray(ndimage.map_coordinates(data, index, np.float32, order=1, mode="nearest"))


def _blurred(volume: Volume) -> Volume:
    grid = WorkGrid.over(tuple(slice(0, n) for n in volume.shape), volume.spacing_mm, BLUR_GRID_MM)  # type: ignore[arg-type]
    width = [BLUR_MM / h for h in grid.spacing_mm]
    data = ndimage.gaussian_filter(grid.coarsen(volume.data), width, mode="nearest")
    return Volume(data, grid.affine(volume.affine), unit=volume.unit, outside=volume.outside)
