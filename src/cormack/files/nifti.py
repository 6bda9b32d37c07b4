"""NIfTI in and out: a CT as slices with exact positions; volumes and masks with qform and sform that agree."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from isal import igzip_lib, igzip_threaded

from cormack.core.acquisition import Acquisition
from cormack.core.errors import GeometryError, InputError, NiftiError
from cormack.core.labels import LabelMap
from cormack.core.volume import ORTHOGONAL_COSINE, AnyArray, FloatArray, SliceStack, Volume
from cormack.files.nifti_header import nifti_header
from cormack.imaging.orient import axis_codes, reorient

if TYPE_CHECKING:
    import nibabel as nib

#: File names that are taken for NIfTI.
NIFTI_SUFFIXES = (".nii", ".nii.gz")
#: A voxel edge outside this range (mm) is an error of units, not an image of a head.
SPACING_RANGE_MM = (0.05, 50.0)
#: More voxels than this are refused before anything is allocated.
MAX_VOXELS = 2_000_000_000
#: ISA-L level: 1 is the fastest that still finds repeats; CT noise compresses little better at higher ones.
COMPRESSION_LEVEL = 1
#: Threads that compress; blocks are compressed one by one, so that their number does not change the file.
COMPRESSION_THREADS = 2
#: Each thread holds several blocks; larger ones compress no better.
COMPRESSION_BLOCK_BYTES = 256 * 1024
_SCANNER_ANAT = 1
# The stubs of isal take its exception for an instance.
_BROKEN_STREAM = cast(type[Exception], igzip_lib.IsalError)


def is_nifti(path: Path) -> bool:
    """True if the file's name says NIfTI."""
    return path.name.lower().endswith(NIFTI_SUFFIXES)


def read_stack(path: Path, *, assume_mm: bool = False) -> tuple[SliceStack, str]:
    """Read a 3-D CT from NIfTI as slices; k is the third voxel axis.

    Parameters
    ----------
    path : Path
        `.nii` or `.nii.gz`.
    assume_mm : bool
        Take millimetres where the header states no unit of length.

    Returns
    -------
    stack : SliceStack
        Values as stored (int16 if they fit exactly, else float32), shape (i, j, k). If k runs against the normal of the
        slices, it is reversed. Sheared affines are kept exactly.
    codes : str
        Directions of the file's voxel axes, such as "LAS".

    Raises
    ------
    NiftiError
        If the file is broken, has not three dimensions, holds colours, states no orientation or no unit of length, or
        its voxels have an impossible size.
    """
    # Imported here: only to read; writing does without.
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image | nib.Nifti2Image):
            raise NiftiError(f"{path}: not a single-file NIfTI image")
        header, shape = image.header, image.shape
        affine = _millimetre_affine(path, image, assume_mm=assume_mm)
        _check_shape(path, shape, header.get_data_dtype())
        data = _values(image, path)
    except (ImageFileError, OSError, EOFError, zlib.error, _BROKEN_STREAM, ValueError) as error:
        raise NiftiError(f"{path}: not a readable NIfTI file, or it is truncated ({type(error).__name__})") from error
    data = data.reshape(data.shape[:3])
    stack = stack_from_affine(data, affine, acquisition=Acquisition(modality="CT", source_format="NIfTI"))
    return stack, axis_codes(affine)


def _check_shape(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if dtype.names or dtype.kind not in "biuf":
        raise NiftiError(f"{path}: voxels of type {dtype} are colours or complex numbers; a CT has one number each")
    if len(shape) < 3 or any(n > 1 for n in shape[3:]):
        size = " x ".join(str(n) for n in shape)
        raise NiftiError(f"{path}: the image is {len(shape)}-D ({size}); give one 3-D CT volume")
    if min(shape[:3]) < 3 or np.prod([float(n) for n in shape[:3]]) > MAX_VOXELS:
        size = " x ".join(str(n) for n in shape)
        raise NiftiError(
            f"{path}: the image is {size}; expected are at least three voxels along each "
            f"axis and at most {MAX_VOXELS:.0e} in all"
        )


def _millimetre_affine(path: Path, image: nib.Nifti1Image, *, assume_mm: bool) -> FloatArray:
    header = image.header
    unit = header.get_xyzt_units()[0]
    scale = {"mm": 1.0, "meter": 1000.0, "micron": 0.001}.get(unit, 1.0 if assume_mm else np.nan)
    if np.isnan(scale):
        raise NiftiError(
            f"{path}: the header states no unit of length (xyzt_units is {int(header['xyzt_units'])}); "
            "if it is known to be millimetres, say --assume-mm"
        )
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise NiftiError(f"{path}: the header states no orientation (sform_code and qform_code are 0), so left and "
                         "right cannot be told apart; set the orientation first")  # fmt: skip
    affine = np.array(image.affine, dtype=np.float64)
    affine[:3] *= scale
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = SPACING_RANGE_MM
    if not (np.isfinite(affine).all() and (spacing > low).all() and (spacing < high).all()):
        found = " x ".join(f"{s:g}" for s in spacing)
        raise NiftiError(f"{path}: voxels of {found} mm; expected {low:g} to {high:g} mm along each axis")
    return affine


def _values(image: nib.Nifti1Image, path: Path) -> AnyArray:
    """Values as int16 where exact, else float32, i fastest in memory."""
    slope, inter = image.dataobj.slope, image.dataobj.inter
    stored = image.header.get_data_dtype()
    if float(slope).is_integer() and float(inter).is_integer() and stored.kind in "biu":
        values = _unscaled(image, path)
        low, high = (float(v) * slope + inter for v in (values.min(), values.max()))
        if min(low, high) >= -32768 and max(low, high) <= 32767:
            if (slope, inter) != (1.0, 0.0):
                values = values.astype(np.int32) * int(slope) + int(inter)
            return np.asfortranarray(values, dtype=np.int16)
    return np.asfortranarray(image.get_fdata(dtype=np.float32, caching="unchanged"), dtype=np.float32)


def _unscaled(image: nib.Nifti1Image, path: Path) -> AnyArray:
    """Values as stored; what is compressed is unpacked by ISA-L, in half of zlib's time."""
    proxy = image.dataobj
    if not path.name.lower().endswith(".gz"):
        return np.asanyarray(proxy.get_unscaled())
    values = np.empty(proxy.shape, dtype=proxy.dtype, order="F")
    room = values.reshape(-1, order="F").view(np.uint8).data
    with igzip_threaded.open(path, "rb", threads=1) as stream:
        stream.read(proxy.offset)
        while len(room):
            count = stream.readinto(room)
            if not count:
                raise EOFError("the file ends before its last voxel")
            room = room[count:]
    return values


def stack_from_affine(data: AnyArray, affine: FloatArray, *, acquisition: Acquisition | None = None) -> SliceStack:
    """An evenly spaced stack of an array and its affine; k is reversed where it runs against the slices' normal.

    Raises
    ------
    GeometryError
        If rows and columns are not at right angles within the slices (such a grid is no stack of CT slices).
    """
    step_i, step_j, step_k = affine[:3, 0], affine[:3, 1], affine[:3, 2]
    cosine = step_i @ step_j / np.linalg.norm(step_i) / np.linalg.norm(step_j)
    if abs(cosine) > max(ORTHOGONAL_COSINE, 1e-4):
        raise GeometryError(
            f"rows and columns are not at right angles (cosine {cosine:.4f}); no scanner makes such slices"
        )
    origins = affine[:3, 3] + np.arange(data.shape[2])[:, None] * step_k
    if step_k @ np.cross(step_i, step_j) < 0:
        data, origins = data[:, :, ::-1], origins[::-1]
    return SliceStack(data, step_i, step_j, origins, acquisition=acquisition or Acquisition())


def write_volume(path: Path, volume: Volume, *, codes: str | None = None) -> None:
    """Write a volume: int16 or float32 as it is, `scl_slope` 1, `scl_inter` 0, millimetres, qform and sform equal.

    A sheared affine cannot be held by a qform; its `qform_code` is then 0 and the sform alone is valid.

    Parameters
    ----------
    path : Path
    volume : Volume
    codes : str, optional
        Directions of the voxel axes in the file, such as "LAS"; as in memory if not given.
    """
    data = volume.data if volume.data.dtype in (np.int16, np.float32) else volume.data.astype(np.float32)
    _write(path, data, volume.affine, codes)


def write_labels(path: Path, labels: LabelMap, *, codes: str | None = None) -> None:
    """Write a label map as uint8 (uint16 where it holds numbers above 255); `codes` as in `write_volume`."""
    data = labels.data
    if data.dtype != np.uint8:
        data = data.astype(np.uint8 if int(data.max(initial=0)) < 256 else np.uint16)
    _write(path, data, labels.affine, codes)


def write_uneven(path: Path, stack: SliceStack) -> None:
    """Write the voxels of an unevenly spaced stack, for which no affine is true: both form codes are 0 (unknown).

    The third voxel size is the median slice distance; the positions belong into the sidecar.
    """
    affine = np.diag([*(float(np.linalg.norm(s)) for s in (stack.step_i, stack.step_j)), 1.0, 1.0])
    affine[2, 2] = float(np.median(stack.slice_distances_mm))
    _write(path, stack.data, affine, None, code=0)


def _write(path: Path, data: AnyArray, affine: FloatArray, codes: str | None, *, code: int = _SCANNER_ANAT) -> None:
    if codes is not None:
        data, affine = reorient(data, affine, codes)
    planes = (data[:, :, k] for k in range(data.shape[2]))
    write_planes(path, planes, data.shape, data.dtype, affine, code=code)


def write_planes(
    path: Path,
    planes: Iterable[AnyArray],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    affine: FloatArray,
    *,
    code: int = _SCANNER_ANAT,
    intent: int = 0,
) -> None:
    """Write a volume plane by plane as they come, so that it need not be in memory as a whole.

    Parameters
    ----------
    path : Path
    planes : iterable of array, shape (i, j)
        In ascending order of k, of the data type `dtype`.
    shape : (i, j, k), or more
        With further dimensions all planes of the first k come first.
    dtype : data type
    affine : array, shape (4, 4)
    code : int
        `sform_code`; `qform_code` is the same, but 0 where the affine is sheared.
    intent : int
        `intent_code`: what the numbers are (nifti1.h).
    """
    header = nifti_header(shape, dtype, affine, code=code, intent=intent)
    compressed = ".nii.gz" in path.name
    with (
        igzip_threaded.open(
            path,
            "wb",
            compresslevel=COMPRESSION_LEVEL,
            threads=COMPRESSION_THREADS,
            block_size=COMPRESSION_BLOCK_BYTES,
        )
        if compressed
        else path.open("wb") as f
    ):
        f.write(header)
        for plane in planes:
            # A plane that lies in memory as in the file is written from there; others are copied.
            f.write(np.ascontiguousarray(plane.T).data)
