"""The NIfTI-1 header against nibabel's, bit by bit."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import OutputError
from cormack.core.provenance import package_version
from cormack.files.nifti_header import nifti_header


def _nibabel(shape, dtype, affine, *, sform, qform, intent=0):
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header["intent_code"] = intent
    header.set_sform(affine, code=sform)
    header.set_qform(affine, code=qform)
    header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    header["descrip"] = f"Cormack {package_version('cormack')}"
    header["vox_offset"] = 352
    return header.binaryblock + b"\0\0\0\0"


def _turns():
    """Rotations: none, by angles, half and quarter turns, and all of them mirrored."""
    rng = np.random.default_rng(5)
    q, _ = np.linalg.qr(rng.normal(size=(20, 3, 3)))
    axes = [np.eye(3), np.diag([-1.0, -1, 1]), np.diag([1.0, -1, -1]), np.eye(3)[[1, 0, 2]], np.eye(3)[[2, 0, 1]], *q]
    return [*axes, *(a * [-1, 1, 1] for a in axes)]


@pytest.mark.parametrize("turn", _turns())
def test_orthogonal_grids(turn):
    affine = np.eye(4)
    affine[:3, :3] = turn * [0.48828125, 0.4882812, 1.25]
    affine[:3, 3] = [-124.7, 99.1, -1043.33]
    ours = nifti_header((512, 511, 91), np.dtype(np.int16), affine)
    assert ours == _nibabel((512, 511, 91), np.int16, affine, sform=1, qform=1)


def test_sheared_grid():
    affine = np.array([[-0.5, 0, 0, 12], [0, 0.47, -0.8, -7], [0, 0.17, 2.2, 40], [0, 0, 0, 1.0]])
    ours = nifti_header((12, 10, 8), np.dtype(np.uint8), affine, code=2)
    assert ours == _nibabel((12, 10, 8), np.uint8, affine, sform=2, qform=0)


@pytest.mark.parametrize("name", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_data_types_and_more_dimensions(name):
    dtype, shape, affine = np.dtype(name), (4, 5, 6, 1, 3), np.diag([1.0, 2, 3, 1])
    ours = nifti_header(shape, dtype, affine, code=0, intent=1007)
    assert ours == _nibabel(shape, dtype, affine, sform=0, qform=0, intent=1007)


@pytest.mark.parametrize(("shape", "dtype"), [((4, 4, 40_000), "i2"), ((4, 4, 4), "c8"), ((1,) * 8, "i2")])
def test_what_the_format_cannot_hold_is_refused(shape, dtype):
    with pytest.raises(OutputError, match="NIfTI-1 cannot hold"):
        nifti_header(shape, np.dtype(dtype), np.eye(4))
