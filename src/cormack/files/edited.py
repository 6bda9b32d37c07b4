"""A NIfTI file with some of its voxels replaced; all others, the grid and the data type stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from isal import igzip

from cormack.core.errors import GeometryError
from cormack.core.provenance import package_version
from cormack.core.volume import AnyArray
from cormack.files.nifti import COMPRESSION_LEVEL

#: Free texts of a header: programs write names of files and of persons into them.
TEXTS = ("descrip", "aux_file", "intent_name", "db_name", "data_type")


def write_edited(source: Path, out: Path, where: npt.NDArray[np.bool_], values: AnyArray) -> None:
    """Write a copy of a NIfTI file with other values in some voxels.

    Stored numbers, their scaling (`scl_slope`, `scl_inter`), the data type, qform and sform are those of the source;
    its free texts and extensions, which may name a person, are left out.

    Parameters
    ----------
    source, out : Path
    where : bool array, shape (i, j, k)
        In the order of `files.nifti.read_stack`.
    values : array, shape (i, j, k)
        What the voxels `where` become, scaled as they are read.

    Raises
    ------
    GeometryError
        If the shapes differ from that of the file.
    """
    image = nib.load(source)
    raw = np.array(image.dataobj.get_unscaled())
    volume = raw.reshape(raw.shape[:3])
    if volume.shape != where.shape or where.shape != values.shape:
        raise GeometryError(f"voxels of shape {where.shape} were given for a file of shape {volume.shape}")
    step_i, step_j, step_k = image.affine[:3, :3].T
    order = slice(None, None, -1 if step_k @ np.cross(step_i, step_j) < 0 else 1)
    where, values = where[:, :, order], values[:, :, order]
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    volume[where] = _stored((values[where].astype(np.float64) - intercept) / slope, raw.dtype)
    header = image.header.copy()
    for text in TEXTS:
        if text in header:
            header[text] = f"Cormack {package_version('cormack')}" if text == "descrip" else ""
    header.set_slope_inter(slope, intercept)
    header["vox_offset"] = len(header.binaryblock) + 4
    with igzip.open(out, "wb", COMPRESSION_LEVEL) if ".nii.gz" in out.name else out.open("wb") as f:
        # Four zeros: no extension follows.
        f.write(header.binaryblock + b"\0\0\0\0")
        f.write(raw.tobytes(order="F"))


def _stored(values: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> AnyArray:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
