"""Volume and SliceStack: images in patient space.

One convention holds everywhere: voxel axes are (i, j, k) as in NIfTI; coordinates are RAS+ millimetres (x grows to the
patient's right, y to anterior, z to superior); values are Hounsfield units unless `unit` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.acquisition import Acquisition
from cormack.core.errors import GeometryError

FloatArray = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

#: Two directions count as orthogonal when the cosine between them is below this (0.003°).
ORTHOGONAL_COSINE = 5e-5
#: Slices lie on a regular grid when none is farther than this from it (mm).
GRID_TOLERANCE_MM = 0.01


class Unit(StrEnum):
    """What the numbers of a volume mean."""

    HU = "HU"
    CORMACK = "Cormack"
    SHIFTED_HU = "HU+1025"
    PROBABILITY = "probability"
    ARBITRARY = "arbitrary"


#: The modalities of which heads are worked on, by the unit of their values.
MODALITIES = {Unit.HU: "CT", Unit.ARBITRARY: "MR"}


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3-D image on an evenly spaced grid.

    Parameters
    ----------
    data : array, shape (i, j, k)
    affine : array, shape (4, 4)
        Voxel indices to RAS+ millimetres. Sheared affines are allowed (a tilted stack); see `is_orthogonal`.
    unit : Unit
    outside : float
        The value of voxels that were never measured or lie outside a mask.
    acquisition : Acquisition
        How the scanner made it; holds no patient data.

    Raises
    ------
    GeometryError
        If `data` is not 3-D or the affine is not an invertible 4 × 4 matrix.
    """

    data: AnyArray
    affine: FloatArray
    unit: Unit = Unit.HU
    outside: float = -1024.0
    acquisition: Acquisition = field(default_factory=Acquisition)

    def __post_init__(self) -> None:
        affine = np.asarray(self.affine, dtype=np.float64)
        if self.data.ndim != 3 or min(self.data.shape) < 1:
            raise GeometryError(f"a Volume needs a 3-D array, not one of shape {self.data.shape}")
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise GeometryError("a Volume needs a finite, invertible 4 x 4 affine to RAS+ millimetres")
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (i, j, k)."""
        i, j, k = self.data.shape
        return i, j, k

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one voxel step along (i, j, k), in millimetres."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in millilitres (the determinant: right for sheared grids, too)."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def is_orthogonal(self) -> bool:
        """True if the three voxel axes are at right angles."""
        unit = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        cosines = unit.T @ unit
        return bool(np.abs(cosines - np.eye(3)).max() < ORTHOGONAL_COSINE)

    def world(self, ijk: npt.ArrayLike) -> FloatArray:
        """RAS+ millimetres of voxel indices, shape (..., 3) to (..., 3)."""
        return np.asarray(np.asarray(ijk, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def voxel(self, xyz: npt.ArrayLike) -> FloatArray:
        """Continuous voxel indices of RAS+ millimetres, shape (..., 3) to (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.asarray(xyz, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3])

    def cropped(self, box: tuple[slice, slice, slice]) -> Volume:
        """The voxels of a box, where they lie; its slices have a start and no step."""
        affine = self.affine.copy()
        affine[:3, 3] = self.world([side.start for side in box])
        return replace(self, data=np.ascontiguousarray(self.data[box]), affine=affine)

    def with_data(self, data: AnyArray, *, unit: Unit | None = None, outside: float | None = None) -> Volume:
        """The same grid with other numbers."""
        return replace(
            self,
            data=data,
            unit=self.unit if unit is None else unit,
            outside=self.outside if outside is None else outside,
        )


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Parallel slices as acquired: the `native` grid, exact even where no affine can say where the slices are.

    Parameters
    ----------
    data : array, shape (i, j, k)
        i along a row (DICOM column index), j down a column (DICOM row index), k from slice to slice.
    step_i, step_j : array, shape (3,)
        RAS+ millimetres from one voxel to the next within a slice; orthogonal to each other.
    origins : array, shape (k, 3)
        RAS+ millimetres of the centre of voxel (0, 0) of every slice, ordered along `normal`.
    sop_instance_uids : tuple of str
        SOPInstanceUID (for multi-frame: with `#frame`) of every slice; empty if not from DICOM.
    """

    data: AnyArray
    step_i: FloatArray
    step_j: FloatArray
    origins: FloatArray
    sop_instance_uids: tuple[str, ...] = ()
    unit: Unit = Unit.HU
    outside: float = -1024.0
    acquisition: Acquisition = field(default_factory=Acquisition)

    def __post_init__(self) -> None:
        for name in ("step_i", "step_j", "origins"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.data.ndim != 3 or self.origins.shape != (self.data.shape[2], 3):
            raise GeometryError(
                f"a SliceStack needs one origin per slice: data of shape {self.data.shape}, "
                f"origins of shape {self.origins.shape}"
            )
        if self.sop_instance_uids and len(self.sop_instance_uids) != self.data.shape[2]:
            raise GeometryError("a SliceStack needs one SOPInstanceUID per slice, or none at all")
        lengths = np.linalg.norm(self.step_i), np.linalg.norm(self.step_j)
        if not np.isfinite(self.origins).all() or not np.isfinite(lengths).all() or min(lengths) <= 0:
            raise GeometryError("a SliceStack needs finite positions and positive pixel spacing")
        if len(self.origins) > 1 and np.diff(self.slice_positions_mm).min() <= 0:
            raise GeometryError("the slices of a SliceStack must be ordered along their normal, each position once")

    @property
    def normal(self) -> FloatArray:
        """Unit normal of the slices, shape (3,): step_i × step_j in the handedness of RAS+."""
        n = np.cross(self.step_i, self.step_j)
        return np.asarray(n / np.linalg.norm(n))

    @property
    def slice_positions_mm(self) -> FloatArray:
        """Position of every slice along the normal, shape (k,), the first one being 0."""
        return np.asarray((self.origins - self.origins[0]) @ self.normal)

    @property
    def slice_distances_mm(self) -> FloatArray:
        """Distance along the normal from each slice to the next, shape (k − 1,)."""
        return np.diff(self.slice_positions_mm)

    @property
    def tilt_deg(self) -> float:
        """Gantry tilt measured from the positions: the angle by which the stack leans along j, in degrees.

        The stacking direction is the least-squares line through the origins; positive when slices farther
        along the normal are displaced towards greater j. The header's (0018,1120) is not used: its sign differs
        between vendors.
        """
        if len(self.origins) < 2:
            return 0.0
        along = self.slice_positions_mm - self.slice_positions_mm.mean()
        lean = (self.origins - self.origins.mean(axis=0)) @ (self.step_j / np.linalg.norm(self.step_j))
        return float(np.degrees(np.arctan2(along @ lean, along @ along)))

    @property
    def affine(self) -> FloatArray | None:
        """The 4 × 4 affine of the stack, sheared where it is tilted; None where no affine is exact to 0.01 mm."""
        n = len(self.origins)
        if n < 2:
            return None
        step_k = (self.origins[-1] - self.origins[0]) / (n - 1)
        fitted = self.origins[0] + np.arange(n)[:, None] * step_k
        if np.linalg.norm(fitted - self.origins, axis=1).max() > GRID_TOLERANCE_MM:
            return None
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = self.step_i, self.step_j, step_k, self.origins[0]
        return affine

    def world(self, ijk: npt.ArrayLike) -> FloatArray:
        """RAS+ millimetres of voxels, shape (..., 3) to (..., 3); k must be whole slice numbers."""
        ijk = np.asarray(ijk, dtype=np.float64)
        k = ijk[..., 2].astype(np.intp)
        return self.origins[k] + ijk[..., :1] * self.step_i + ijk[..., 1:2] * self.step_j

    def to_volume(self) -> Volume:
        """The same voxels as a Volume with a (possibly sheared) affine.

        Raises
        ------
        GeometryError
            If the slices are unevenly spaced, so that no affine is exact.
        """
        affine = self.affine
        if affine is None:
            raise GeometryError("the slices are unevenly spaced: no affine describes them; rectify the stack instead")
        return Volume(self.data, affine, unit=self.unit, outside=self.outside, acquisition=self.acquisition)

    def with_data(self, data: AnyArray, *, unit: Unit | None = None, outside: float | None = None) -> SliceStack:
        """The same slices with other numbers."""
        return replace(
            self,
            data=data,
            unit=self.unit if unit is None else unit,
            outside=self.outside if outside is None else outside,
        )
