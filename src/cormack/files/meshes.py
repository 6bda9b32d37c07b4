"""Surfaces in files for printing and for other programs: STL (binary), PLY (binary) and OBJ, in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from cormack.core.errors import InputError, OutputError
from cormack.core.mesh import Mesh
from cormack.core.volume import FloatArray

Space = Literal["LPS", "RAS"]
MESH_ENDINGS = (".stl", ".ply", ".obj")
_HEADER_BYTES = 80


def write_mesh(path: Path, meshes: Mesh | Sequence[Mesh], *, ending: str | None = None, space: Space = "LPS") -> None:
    """Write surfaces in patient millimetres; the file says in which space.

    Parameters
    ----------
    path : Path
    meshes : Mesh or sequence of Mesh
        Several become groups of an OBJ file, and one solid of STL and PLY.
    ending : ".stl", ".ply" or ".obj", optional
        That of `path` by default.
    space : "LPS" or "RAS"
        LPS is what DICOM, ITK and 3D Slicer take when a file says nothing. It is written as `SPACE=…` into the header
        of STL and a comment of PLY and OBJ, where Slicer reads it.

    Raises
    ------
    OutputError
        If the ending is another.
    InputError
        If there is no triangle, or no such space.
    """
    kind = (ending or path.suffix).lower()
    if kind not in MESH_ENDINGS:
        raise OutputError(f"{path}: a surface must end in {', '.join(MESH_ENDINGS)}")
    if space not in ("LPS", "RAS"):
        raise InputError(f"space {space!r}: give LPS or RAS")
    parts = [meshes] if isinstance(meshes, Mesh) else list(meshes)
    if not any(len(part.faces) for part in parts):
        raise InputError("there is no surface to write: the mesh has no triangle")
    if kind == ".obj":
        path.write_text(_obj(parts, space), encoding="ascii")
        return
    vertices, faces = _joined(parts, space)
    path.write_bytes(_stl(vertices, faces, space) if kind == ".stl" else _ply(vertices, faces, space))


def _in_space(vertices: FloatArray, space: Space) -> FloatArray:
    """A half turn about the long axis leads from RAS to LPS, so that faces keep their sides."""
    return vertices * [-1.0, -1.0, 1.0] if space == "LPS" else vertices


def _joined(parts: Sequence[Mesh], space: Space) -> tuple[FloatArray, FloatArray]:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)])
    return _in_space(np.concatenate([part.vertices for part in parts]), space), faces


def _stl(vertices: FloatArray, faces: FloatArray, space: Space) -> bytes:
    """80 bytes of header, the number of triangles, and 50 bytes for each of them, little-endian."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    records = np.zeros(len(faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records["normal"], records["corners"] = normals, corners
    # A binary file must not begin with "solid": programs tell the text form by that word.
    header = f"binary STL by Cormack; unit mm; SPACE={space}".encode("ascii").ljust(_HEADER_BYTES, b" ")
    return header + len(faces).to_bytes(4, "little") + bytes(records.tobytes())


def _ply(vertices: FloatArray, faces: FloatArray, space: Space) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment by Cormack; unit mm; SPACE={space}\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    records = np.zeros(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    records["count"], records["corners"] = 3, faces
    return header.encode("ascii") + vertices.astype("<f4").tobytes() + records.tobytes()


def _obj(parts: Sequence[Mesh], space: Space) -> str:
    lines = [f"# by Cormack; unit mm; SPACE={space}"]
    start = 1
    for part in parts:
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in part.name)
        lines.append(f"g {name}")
        lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in _in_space(part.vertices, space).tolist()]
        lines += [f"f {a} {b} {c}" for a, b, c in (part.faces + start).tolist()]
        start += len(part.vertices)
    return "\n".join(lines) + "\n"
