"""The header of a NIfTI-1 file, written without a library: a small conversion must not wait for one to be loaded.

Layout: nifti1.h (https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h). A test compares it with nibabel's, bit by
bit.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from cormack.core.errors import OutputError
from cormack.core.provenance import package_version
from cormack.core.volume import FloatArray, Volume

#: Where the voxels begin in a file: behind the header, and four bytes that say that no extension follows.
VOX_OFFSET = 352
#: Data type codes and bits per voxel, by numpy's names.
_DATA_TYPES = {
    "uint8": (2, 8),
    "int16": (4, 16),
    "int32": (8, 32),
    "float32": (16, 32),
    "float64": (64, 64),
    "int8": (256, 8),
    "uint16": (512, 16),
    "uint32": (768, 32),
    "int64": (1024, 64),
    "uint64": (1280, 64),
}
_MOST_VOXELS = 32767
_MILLIMETRES = 2
#: Everything that is not filled here, such as times and display ranges, is zero.
_LAYOUT = struct.Struct("<i36x8h12x3h2x8f3f3xB24x80s24x2h3f3f12f16x4s")


def nifti_header(
    shape: tuple[int, ...], dtype: np.dtype[Any], affine: FloatArray, *, code: int = 1, intent: int = 0
) -> bytes:
    """All bytes of a single NIfTI-1 file before its voxels, little-endian.

    Parameters
    ----------
    shape : (i, j, k), or more
    dtype : data type
    affine : array, shape (4, 4)
        Voxel indices to RAS+ millimetres.
    code : int
        `sform_code`; `qform_code` is the same, but 0 where the affine is sheared, which a qform cannot hold.
    intent : int
        `intent_code`: what the numbers are.

    Raises
    ------
    OutputError
        If the format cannot hold such a shape or data type.
    """
    if dtype.name not in _DATA_TYPES or len(shape) > 7 or max(shape) > _MOST_VOXELS:
        size = " x ".join(str(n) for n in shape)
        raise OutputError(f"NIfTI-1 cannot hold {size} voxels of type {dtype}: at most {_MOST_VOXELS} along each axis")
    kind, bits = _DATA_TYPES[dtype.name]
    sheared = not Volume(np.broadcast_to(np.int16(0), shape[:3]), affine).is_orthogonal
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    quaternion, hand = _quaternion(affine[:3, :3] / sizes)
    header = _LAYOUT.pack(
        348,
        *(len(shape), *shape, *[1] * (7 - len(shape))),
        *(intent, kind, bits),
        *(hand, *sizes, *[1.0] * 4),
        *(VOX_OFFSET, 1.0, 0.0, _MILLIMETRES),
        f"Cormack {package_version('cormack')}".encode(),
        *(0 if sheared else code, code),
        *quaternion[1:],
        *affine[:3, 3],
        *affine[:3].ravel(),
        b"n+1",
    )
    return header + bytes(VOX_OFFSET - len(header))


def _quaternion(axes: FloatArray) -> tuple[FloatArray, float]:
    """The unit quaternion (w, x, y, z) of the rotation nearest to three unit axes, and −1 if they are left-handed.

    The rotation is the polar factor; its quaternion is the main eigenvector of a symmetric matrix (Bar-Itzhack 2000,
    DOI 10.2514/2.4654), which is exact for half turns, too.
    """
    hand = 1.0 if np.linalg.det(axes) > 0 else -1.0
    u, _, v = np.linalg.svd(axes * [1.0, 1.0, hand])
    (xx, yx, zx), (xy, yy, zy), (xz, yz, zz) = u @ v
    lower = np.array(
        [
            [xx - yy - zz, 0.0, 0.0, 0.0],
            [yx + xy, yy - xx - zz, 0.0, 0.0],
            [zx + xz, zy + yz, zz - xx - yy, 0.0],
            [yz - zy, zx - xz, xy - yx, xx + yy + zz],
        ]
    )
    values, vectors = np.linalg.eigh(lower / 3.0)
    quaternion = vectors[[3, 0, 1, 2], np.argmax(values)]
    return (-quaternion if quaternion[0] < 0 else quaternion), hand
