"""A NIfTI file with some voxels replaced: data type, scaling, grid and all other voxels stay bit for bit."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import GeometryError
from cormack.files.edited import write_edited
from cormack.files.nifti import read_stack


def write(path: Path, dtype: type, *, slope: float = 1.0, intercept: float = 0.0, flip: bool = False) -> np.ndarray:
    rng = np.random.default_rng(3)
    raw = rng.integers(0, 200, (5, 6, 7)).astype(dtype)
    affine = np.array([[2.0, 0, 0, -5], [0, 2, 0, 3], [0, 0, -4 if flip else 4, 1], [0, 0, 0, 1]])
    image = nib.Nifti1Image(raw, affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"DOE^JANE 19700101"
    image.header["aux_file"] = b"jane.hdr"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    nib.save(image, path)
    if (slope, intercept) != (1.0, 0.0):
        stored = bytearray(path.read_bytes())
        stored[112:120] = np.array([slope, intercept], "<f4").tobytes()
        path.write_bytes(stored)
    return raw


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("dtype", "slope", "intercept"),
    [(np.uint8, 1, 0), (np.int16, 0.5, -100), (np.float64, 1, 0), (np.uint16, 2, -1024)],
)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_only_the_voxels_asked_for_change(tmp_path, dtype, slope, intercept, flip, ending):
    source, out = tmp_path / "in.nii", tmp_path / f"out{ending}"
    raw = write(source, dtype, slope=slope, intercept=intercept, flip=flip)
    stack, _ = read_stack(source)
    where = np.zeros(raw.shape, bool)
    where[1:3, 2, 4:] = True
    values = np.where(where, -20.0 if dtype is not np.uint8 else 7.0, stack.data)
    write_edited(source, out, where, values)
    made = nib.load(out)
    assert made.get_data_dtype() == np.dtype(dtype)
    assert (made.dataobj.slope, made.dataobj.inter) == (slope, intercept)
    np.testing.assert_array_equal(made.affine, nib.load(source).affine)
    again, _ = read_stack(out)
    np.testing.assert_array_equal(again.data[~where], stack.data[~where])
    np.testing.assert_allclose(again.data[where], -20 if dtype is not np.uint8 else 7, atol=abs(slope) / 2)
    in_file = where[:, :, ::-1] if flip else where
    np.testing.assert_array_equal(np.asarray(made.dataobj.get_unscaled())[~in_file], raw[~in_file])


def test_texts_of_the_header_are_left_out(tmp_path):
    raw = write(tmp_path / "in.nii", np.int16)
    nothing = np.zeros(raw.shape, bool)
    write_edited(tmp_path / "in.nii", tmp_path / "out.nii", nothing, raw)
    stored = (tmp_path / "out.nii").read_bytes()
    assert b"DOE" not in stored
    assert b"jane" not in stored.lower()
    assert b"Cormack" in stored


def test_voxels_of_another_grid_are_refused(tmp_path):
    raw = write(tmp_path / "in.nii", np.int16)
    with pytest.raises(GeometryError, match="shape"):
        write_edited(tmp_path / "in.nii", tmp_path / "out.nii", np.zeros((2, 2, 2), bool), raw)
