"""Transforms between two spaces: affine ones and chains; displacement fields are in `cormack.core.fields`.

One convention holds everywhere: a transform maps POINTS of the reference (fixed) space to points of the moving space,
both in RAS+ millimetres. An image is therefore pulled back, as ITK and ANTs do it: the resampled image has at x the
value of the moving image at T(x). To carry points the other way, from the moving image to the reference, take the
inverse.

`a @ b` applies b first, as matrices do: (a @ b)(x) = a(b(x)). A chain lists its transforms in the order in which points
meet them, which is also the order of ANTs's list of transforms: the field (defined on the reference grid) before the
affine. Files keep other conventions (LPS); `cormack.files.transforms` converts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray

#: Points worked on at once, so that memory stays bounded.
BLOCK = 1 << 20
#: Iterations of a matrix's square root; it converges quadratically.
_ROOT_ITERATIONS = 60


class Transform(ABC):
    """A map from points of the reference space to points of the moving space, RAS+ mm."""

    @abstractmethod
    def apply(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Points of the reference, shape (..., 3), as points of the moving space, same shape; RAS+ mm."""

    @abstractmethod
    def inverse(self) -> Transform:
        """The map from the moving space to the reference.

        Raises
        ------
        GeometryError
            If there is none: a field that folds.
        """

    def __matmul__(self, other: Transform) -> TransformChain:
        """Both as one: `other` is applied first."""
        return TransformChain((other, self))

    def jacobian(self, affine: npt.ArrayLike, shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
        """Determinant of the derivative at the voxels of a grid, shape (i, j, k), by central differences.

        1 keeps volume, 2 means that the moving space is twice as large there as the reference; 0 or less is a fold.

        Parameters
        ----------
        affine : array, shape (4, 4)
            Grid in the reference space: voxel indices to RAS+ mm.
        shape : (i, j, k)
            At least two voxels along each axis.
        """
        grid = np.asarray(affine, dtype=np.float64)
        scale = 1.0 / np.linalg.det(grid[:3, :3])
        determinant = np.empty(shape, dtype=np.float32)
        slab = max(1, BLOCK // (shape[1] * shape[2]))
        for start in range(0, shape[0], slab):
            low, high = max(0, start - 1), min(shape[0], start + slab + 1)
            mapped = self.apply(grid_points(grid, shape, slice(low, high)))
            steps = np.stack(np.gradient(mapped, axis=(0, 1, 2)), axis=-1)
            kept = slice(start - low, start - low + slab)
            determinant[start : start + slab] = np.linalg.det(steps)[kept] * scale
        return determinant


@dataclass(frozen=True, eq=False)
class Affine(Transform):
    """A linear map with translation.

    Parameters
    ----------
    matrix : array, shape (4, 4)
        RAS+ mm of the reference to RAS+ mm of the moving space.

    Raises
    ------
    GeometryError
        If it is not finite, not invertible, or its last row is not 0, 0, 0, 1.

    Examples
    --------
    >>> shift = Affine([[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    >>> shift.inverse().apply([5.0, 0.0, 0.0]).tolist()
    [0.0, 0.0, 0.0]
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], [0, 0, 0, 1]):
            raise GeometryError("an Affine needs a finite 4 x 4 matrix whose last row is 0, 0, 0, 1")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
            raise GeometryError("an Affine needs an invertible matrix")
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls) -> Affine:
        """The map that moves nothing."""
        return cls(np.eye(4, dtype=np.float64))

    def apply(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Points of the reference, shape (..., 3), as points of the moving space; RAS+ mm."""
        points = np.asarray(points_mm, dtype=np.float64)
        return np.asarray(points @ self.matrix[:3, :3].T + self.matrix[:3, 3])

    def inverse(self) -> Affine:
        """The exact inverse."""
        return Affine(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64))

    def half(self) -> Affine:
        """The map that, applied twice, is this one: its principal square root (Denman and Beavers 1976).

        Raises
        ------
        GeometryError
            If there is none: a reflection, or a turn by 180°.
        """
        root: FloatArray = self.matrix
        inverse_root: FloatArray = np.eye(4)
        for _ in range(_ROOT_ITERATIONS):
            try:
                root, inverse_root = (
                    (root + np.linalg.inv(inverse_root)) / 2,
                    (inverse_root + np.linalg.inv(root)) / 2,
                )
            except np.linalg.LinAlgError:
                break
            if np.isfinite(root).all() and np.allclose(root @ root, self.matrix, rtol=0, atol=1e-10):
                return Affine(root)
        raise GeometryError("no transform lies halfway: the matrix mirrors, or turns by 180 degrees")

    def jacobian(self, affine: npt.ArrayLike, shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
        """The determinant of the matrix, at every voxel."""
        return np.full(shape, np.linalg.det(self.matrix[:3, :3]), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class TransformChain(Transform):
    """Transforms one after the other, in the order in which points of the reference meet them.

    Chains within the chain are unpacked and neighbouring affines become one, so that a chain is as short as can be. An
    empty chain moves nothing.

    Examples
    --------
    >>> shift = Affine([[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    >>> double = Affine(np.diag([2.0, 2.0, 2.0, 1.0]))
    >>> chain = TransformChain((shift, double))
    >>> chain.apply([0.0, 0.0, 0.0]).tolist(), len(chain.transforms)
    ([10.0, 0.0, 0.0], 1)
    """

    transforms: tuple[Transform, ...] = ()

    def __post_init__(self) -> None:
        flat: list[Transform] = []
        for transform in self.transforms:
            for part in transform.transforms if isinstance(transform, TransformChain) else (transform,):
                last = flat[-1] if flat else None
                if isinstance(part, Affine) and isinstance(last, Affine):
                    flat[-1] = Affine(part.matrix @ last.matrix)
                else:
                    flat.append(part)
        object.__setattr__(self, "transforms", tuple(flat))

    def apply(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Points of the reference, shape (..., 3), as points of the moving space; RAS+ mm."""
        points = np.array(points_mm, dtype=np.float64)
        for transform in self.transforms:
            points = transform.apply(points)
        return points

    def inverse(self) -> TransformChain:
        """The inverses in reverse order."""
        return TransformChain(tuple(transform.inverse() for transform in reversed(self.transforms)))


def grid_points(affine: FloatArray, shape: tuple[int, int, int], planes: slice = slice(None)) -> FloatArray:
    """RAS+ mm of the voxels of a grid, or of some of its planes along i; shape (planes, j, k, 3)."""
    i, j, k = (np.arange(n, dtype=np.float64)[:, None] for n in shape)
    linear, origin = affine[:3, :3].T, affine[:3, 3]
    # Sums of three short tables: a matrix product per voxel would take several times as long.
    along_i, along_j, along_k = (i[planes] * linear[0] + origin, j * linear[1], k * linear[2])
    points: npt.NDArray[Any] = (along_i[:, None, :] + along_j[None, :, :])[:, :, None, :] + along_k[None, None, :, :]
    return points
