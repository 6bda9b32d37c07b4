"""A surface of triangles in patient space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray

FaceArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with their corners in RAS+ millimetres.

    Parameters
    ----------
    vertices : array, shape (n, 3)
        RAS+ millimetres.
    faces : integer array, shape (m, 3)
        Vertex numbers, counter-clockwise when seen from outside.
    name : str
        What the surface is of.

    Raises
    ------
    GeometryError
        If the shapes are others, a number is not finite, or a face names a vertex that is not there.

    Examples
    --------
    >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    >>> pyramid = Mesh(np.array(corners), np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> pyramid.is_closed, round(6000 * pyramid.volume_ml, 9)
    (True, 1.0)
    """

    vertices: FloatArray
    faces: FaceArray
    name: str = "surface"

    def __post_init__(self) -> None:
        vertices = np.asarray(self.vertices, dtype=np.float64)
        faces = np.asarray(self.faces, dtype=np.int32)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise GeometryError(
                f"a Mesh needs vertices of shape (n, 3) and faces of shape (m, 3), not {vertices.shape}, {faces.shape}"
            )
        if not np.isfinite(vertices).all():
            raise GeometryError("a Mesh needs finite vertices")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise GeometryError(f"a Mesh of {len(vertices)} vertices has faces that name others")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    @property
    def area_mm2(self) -> float:
        """Area of all triangles in square millimetres."""
        return float(np.linalg.norm(self._doubled_areas, axis=1).sum() / 2)

    @property
    def volume_ml(self) -> float:
        """Enclosed volume in millilitres by the divergence theorem; meaningful if the mesh is closed."""
        a, b, c = self._corners
        return float(np.einsum("fx,fx->", a, np.cross(b, c)) / 6000.0)

    @property
    def centre_mm(self) -> FloatArray:
        """Centre of gravity of the enclosed solid in RAS+ millimetres, shape (3,)."""
        # Relative to the middle of the box, so that no digits are lost far from the origin.
        middle = (self.vertices.min(axis=0) + self.vertices.max(axis=0)) / 2
        a, b, c = (corner - middle for corner in self._corners)
        sixfold = np.einsum("fx,fx->f", a, np.cross(b, c))
        return np.asarray(middle + ((a + b + c) / 4 * sixfold[:, None]).sum(axis=0) / sixfold.sum())

    @property
    def open_edges(self) -> npt.NDArray[np.int32]:
        """Edges that more faces run along in one direction than in the other, in the direction of the surplus.

        Shape (n, 2), vertex numbers; none in a closed mesh.
        """
        edges, _, balance = self._edges
        surplus = np.repeat(np.where(balance[:, None] > 0, edges, edges[:, ::-1]), np.abs(balance), axis=0)
        return np.asarray(surplus, dtype=np.int32)

    @property
    def pinched_edges(self) -> int:
        """Number of edges that more than two faces share: the surface touches itself there."""
        return int(np.count_nonzero(self._edges[1] > 2))

    @property
    def is_closed(self) -> bool:
        """True if the mesh is watertight: it has faces, and no open edge."""
        return len(self.faces) > 0 and len(self.open_edges) == 0

    @cached_property
    def vertex_normals(self) -> FloatArray:
        """Unit normals at the vertices, pointing outwards, shape (n, 3): those of the faces weighted by area."""
        normals = np.empty_like(self.vertices)
        for axis in range(3):
            shares = np.repeat(self._doubled_areas[:, axis], 3)
            normals[:, axis] = np.bincount(self.faces.ravel(), shares, minlength=len(self.vertices))
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30))

    @property
    def _corners(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self.vertices[self.faces[:, 0]], self.vertices[self.faces[:, 1]], self.vertices[self.faces[:, 2]]

    @cached_property
    def _doubled_areas(self) -> FloatArray:
        a, b, c = self._corners
        return np.asarray(np.cross(b - a, c - a))

    @cached_property
    def _edges(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Edges as pairs of vertices, how many faces share each, and how many more run along it upwards than down."""
        ends = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]]).astype(np.int64)
        low, high, count = ends.min(axis=1), ends.max(axis=1), len(self.vertices)
        codes, edge, shared = np.unique(low * count + high, return_inverse=True, return_counts=True)
        balance = np.bincount(edge, np.where(ends[:, 0] == low, 1, -1), minlength=len(codes))
        return np.column_stack([codes // count, codes % count]), shared, balance.astype(np.int64)
