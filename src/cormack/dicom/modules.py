"""What all written images share: numbers as DICOM wants them, UIDs, pixels, and folders that appear whole.

Patient space is LPS in DICOM (PS3.3 C.7.6.2.1.1) and RAS+ elsewhere in Cormack: x and y change their sign.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from cormack.core.errors import OutputError, ValuesError
from cormack.core.volume import FloatArray

LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
#: Names this writer in files; a fixed UID under the root for UUIDs (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = "2.25.186462395127416382116470310834271842461"
#: Root of all names that deterministic UIDs are derived from.
_NAMESPACE = uuid.UUID("6f0d5c3e-9a51-4f0c-8f55-c0a3c0ac4d10")
_INT16 = np.iinfo(np.int16)


def uid_key(seed: str | None) -> uuid.UUID:
    """What UIDs are derived from: the same for the same seed, a new one for None."""
    return uuid.uuid4() if seed is None else uuid.uuid5(_NAMESPACE, seed)


def derived_uid(key: uuid.UUID, *names: object) -> str:
    """The UID of something by its names, under the root 2.25 for UUIDs (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(key, '/'.join(str(n) for n in names)).int}"


def decimal_string(number: float | None) -> str:
    """A decimal string: at most 16 characters, as exact as they allow (PS3.5 6.2); empty for None."""
    if number is None:
        return ""
    return str(format_number_as_ds(round(float(number), 10) + 0.0))


def decimal_strings(numbers: Iterable[float]) -> list[str]:
    """Several of them."""
    return [decimal_string(n) for n in numbers]


def new_image(sop_class: str, sop_instance_uid: str) -> Dataset:
    """A data set with its file meta information and SOP common module (PS3.10 7.1, PS3.3 C.12.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = sop_instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "CORMACK"
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = sop_instance_uid
    return dataset


def add_plane(dataset: Dataset, origin: FloatArray, step_i: FloatArray, step_j: FloatArray) -> None:
    """Image plane module (PS3.3 C.7.6.2) from RAS+ millimetres: centre of the first pixel, steps along i and j."""
    row, column = float(np.linalg.norm(step_j)), float(np.linalg.norm(step_i))
    dataset.ImagePositionPatient = decimal_strings(origin * LPS_FROM_RAS)
    dataset.ImageOrientationPatient = decimal_strings(
        np.concatenate([step_i / column * LPS_FROM_RAS, step_j / row * LPS_FROM_RAS])
    )
    dataset.PixelSpacing = decimal_strings((row, column))


def add_values(
    dataset: Dataset, image: npt.NDArray[Any], slope: float, intercept: float, *, rescale_type: str | None = "HU"
) -> None:
    """Values of shape (i, j) as signed 16-bit pixels, rounded to the slope (PS3.3 C.7.6.3, C.8.2.1, C.11.1).

    Without a type the rescale is stated only where it changes the values: an MR image has no place for it.

    Raises
    ------
    ValuesError
        If a value does not fit 16 bits.
    """
    stored = np.rint((np.asarray(image.T, dtype=np.float32) - np.float32(intercept)) / np.float32(slope))
    if stored.min() < _INT16.min or stored.max() > _INT16.max:
        what = "Hounsfield units" if rescale_type == "HU" else "values"
        raise ValuesError(
            f"{what} from {image.min()} to {image.max()} do not fit 16 bits with rescale slope {slope} and "
            f"intercept {intercept}; choose a greater slope or clip the values"
        )
    if rescale_type is not None or (slope, intercept) != (1.0, 0.0):
        dataset.RescaleIntercept, dataset.RescaleSlope = decimal_strings((intercept, slope))
        dataset.RescaleType = rescale_type or "US"
    add_pixels(dataset, stored.astype(np.int16))


def add_pixels(dataset: Dataset, pixels: npt.NDArray[Any]) -> None:
    """Image pixel module (PS3.3 C.7.6.3) of shape (rows, columns), grey."""
    bits = pixels.dtype.itemsize * 8
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())


def save(dataset: Dataset, path: Path) -> None:
    """Write one file with preamble and meta information."""
    dataset.save_as(path, enforce_file_format=True)


@contextmanager
def whole_folder(folder: Path | str) -> Iterator[Path]:
    """A place to write that becomes `folder` when all went well, and vanishes when not.

    Raises
    ------
    OutputError
        If the folder holds something already, or it cannot be made, filled or renamed.
    """
    folder = Path(folder).absolute()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder} exists and is not an empty folder; name a new one or remove it")
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.partial"
        partial.mkdir()
    except OSError as error:
        raise OutputError(f"cannot write in {folder.parent}: {error.strerror}; choose a writable place") from error
    try:
        yield partial
        os.replace(partial, folder)  # noqa: PTH105 (replaces an empty folder in one step)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}; free space or choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
