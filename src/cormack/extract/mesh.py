"""A closed triangle mesh that keeps its neighbours while it moves: icosphere, normals, crossings, voxels inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse, spatial

from cormack.imaging.workgrid import BoolArray

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Topology:
    """What stays the same while vertices move.

    Parameters
    ----------
    triangles : int array, shape (t, 3)
        Vertex numbers, counter-clockwise seen from outside.
    neighbour_mean : sparse array, shape (v, v)
        Times the vertices, it gives the mean of each vertex's neighbours.
    triangle_sum : sparse array, shape (v, t)
        Sums over the triangles around each vertex.
    edges : int array, shape (e, 2)
    """

    triangles: IndexArray
    neighbour_mean: sparse.csr_array
    triangle_sum: sparse.csr_array
    edges: IndexArray

    def normals(self, vertices: FloatArray) -> FloatArray:
        """Unit outward normals at the vertices, shape (v, 3); triangles count by their area."""
        a, b, c = (vertices[self.triangles[:, n]] for n in range(3))
        summed = self.triangle_sum @ np.cross(b - a, c - a)
        return np.asarray(summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12))

    def mean_edge(self, vertices: FloatArray) -> float:
        """Mean distance of neighbouring vertices."""
        return float(np.linalg.norm(vertices[self.edges[:, 0]] - vertices[self.edges[:, 1]], axis=1).mean())


def icosphere(divisions: int) -> tuple[FloatArray, Topology]:
    """Unit sphere from an icosahedron whose triangles are divided in four `divisions` times: 10·4ⁿ + 2 vertices."""
    golden = (1 + np.sqrt(5)) / 2
    vertices = np.array(
        [[0, a, b * golden] for a in (-1, 1) for b in (-1, 1)]
        + [[a, b * golden, 0] for a in (-1, 1) for b in (-1, 1)]
        + [[b * golden, 0, a] for a in (-1, 1) for b in (-1, 1)],
        dtype=np.float64,
    )
    triangles = np.asarray(spatial.ConvexHull(vertices).simplices, dtype=np.intp)
    centres = vertices[triangles].mean(axis=1)
    a, b, c = (vertices[triangles[:, n]] for n in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), centres) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    for _ in range(divisions):
        vertices, triangles = _divide(vertices, triangles)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices, _topology(triangles, len(vertices))


def _divide(vertices: FloatArray, triangles: IndexArray) -> tuple[FloatArray, IndexArray]:
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, number = np.unique(sides, axis=0, return_inverse=True)
    middle = number.reshape(3, -1).T + len(vertices)
    a, b, c = triangles.T
    ab, bc, ca = middle.T
    divided = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    middles = vertices[unique].mean(axis=1)
    middles *= np.linalg.norm(vertices[0]) / np.linalg.norm(middles, axis=1, keepdims=True)
    return np.concatenate([vertices, middles]), divided


def _topology(triangles: IndexArray, n: int) -> Topology:
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1), axis=0
    )
    row, column = np.concatenate([edges, edges[:, ::-1]]).T
    weight = 1.0 / np.bincount(row, minlength=n)[row]
    mean = sparse.csr_array((weight, (row, column)), shape=(n, n))
    t = len(triangles)
    total = sparse.csr_array((np.ones(3 * t), (triangles.ravel(), np.repeat(np.arange(t), 3))), shape=(n, t))
    return Topology(triangles, mean, total, edges)


def self_intersection(vertices: FloatArray, original: FloatArray, topology: Topology) -> float:
    """How far a mesh runs into itself: squared change of distance, in edge lengths, of vertices that have come close.

    0 for a mesh that was only scaled; BET takes 4000 as too much.
    """
    length, original_length = topology.mean_edge(vertices), topology.mean_edge(original)
    pairs = spatial.cKDTree(vertices).query_pairs(length, output_type="ndarray")
    if len(pairs) == 0:
        return 0.0
    now = np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1) / length
    then = np.linalg.norm(original[pairs[:, 0]] - original[pairs[:, 1]], axis=1) / original_length
    return float(2 * np.sum((now - then) ** 2))


def voxels_inside(vertices: FloatArray, triangles: IndexArray, shape: tuple[int, int, int]) -> BoolArray:
    """Voxels whose centre lies inside a closed mesh; the vertices are given in voxel indices.

    The surface is drawn by points closer than a voxel and what it encloses is filled; of the voxels that it passes
    through, those stay whose centre is on the inner side of the points that fell into them.
    """
    a, b, c = (vertices[triangles[:, n]] for n in range(3))
    normals = np.cross(b - a, c - a)
    longest = max(float(np.linalg.norm(p - q, axis=1).max()) for p, q in ((a, b), (b, c), (c, a)))
    n = int(np.ceil(longest / 0.4)) + 1
    u, v = (w.ravel() for w in np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n)))
    u, v = u[u + v <= 1 + 1e-9], v[u + v <= 1 + 1e-9]
    drawn = np.zeros(shape, dtype=bool)
    outwards = np.zeros(shape)
    for s, t in zip(u, v, strict=True):
        points = a + s * (b - a) + t * (c - a)
        index = np.round(points).astype(np.intp)
        seen = np.all((index >= 0) & (index < shape), axis=1)
        voxels = tuple(index[seen].T)
        drawn[voxels] = True
        np.add.at(outwards, voxels, np.einsum("ij,ij->i", (index - points)[seen], normals[seen]))
    filled = drawn.copy()
    # A surface that leaves the field of view is open there: what it encloses in a slice is filled first.
    for k in range(shape[2]):
        filled[:, :, k] = ndimage.binary_fill_holes(filled[:, :, k])
    filled = ndimage.binary_fill_holes(filled)
    return np.asarray(filled & ~(drawn & (outwards > 0)))
