"""Write slices as DICOM: CT Image Storage, localizers and secondary captures, whole folders or nothing.

Patient space is LPS in DICOM (PS3.3 C.7.6.2.1.1) and RAS+ here: positions and directions change the sign of x and y.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import format_number_as_ds

from ..core.errors import OutputError, ValuesError
from ..core.volume import FloatArray, SliceStack

LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
#: Names this writer in files; a fixed UID under the root for UUIDs (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = "2.25.186462395127416382116470310834271842461"
#: Root of all names that deterministic UIDs are derived from.
_NAMESPACE = uuid.UUID("6f0d5c3e-9a51-4f0c-8f55-c0a3c0ac4d10")
_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True)
class Study:
    """What all series of one export share: study and frame of reference; the patient is a phantom.

    Parameters
    ----------
    seed : str or None
        The same seed gives the same UIDs again; None gives new ones.
    description : StudyDescription
    """

    seed: str | None = None
    description: str = "Digital phantom"
    patient: str = "PHANTOM^HEAD"
    key: uuid.UUID = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = uuid.uuid4() if self.seed is None else uuid.uuid5(_NAMESPACE, self.seed)
        object.__setattr__(self, "key", key)

    def uid(self, *names: object) -> str:
        """The UID of something in this study, under the root 2.25 for UUIDs (PS3.5 B.2)."""
        return f"2.25.{uuid.uuid5(self.key, '/'.join(str(n) for n in names)).int}"


@dataclass(frozen=True)
class Series:
    """How a series calls itself.

    Parameters
    ----------
    number : SeriesNumber
    description : SeriesDescription
    image_type : ImageType
    rescale_intercept, rescale_slope : HU = stored · slope + intercept
    stated_tilt_deg : GantryDetectorTilt
        As stated, be it true or not; None states what the acquisition says, or else the measured tilt.
    window_hu : (WindowCenter, WindowWidth)
    """

    number: int = 2
    description: str = "Head 4.0 axial"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    rescale_intercept: float = -1024.0
    rescale_slope: float = 1.0
    stated_tilt_deg: float | None = None
    window_hu: tuple[float, float] = (40.0, 80.0)


def write_ct_series(
    stack: SliceStack,
    folder: Path | str,
    *,
    padding_hu: int | None = None,
    series: Series | None = None,
    study: Study | None = None,
) -> tuple[Path, ...]:
    """Write a stack as CT Image Storage (PS3.3 A.3), one file per slice, Explicit VR Little Endian.

    Parameters
    ----------
    stack : SliceStack
        Hounsfield units, shape (i, j, k).
    folder : path
        Appears whole or not at all; must not exist, or be empty.
    padding_hu : int, optional
        The value in `stack` of pixels that were never measured; goes into PixelPaddingValue.

    Returns
    -------
    tuple of Path
        The files, in the order of the slices.

    Raises
    ------
    OutputError
        If the folder holds something or cannot be written.
    ValuesError
        If a value does not fit 16 bits at the given slope and intercept.

    Notes
    -----
    Instances are numbered from 1 in the order of the slices; pixel values are rounded to the rescale slope.
    """
    series, study = series or Series(), study or Study()
    with whole_folder(folder) as partial:
        names = []
        for k in range(stack.data.shape[2]):
            dataset = _common(study, series, CTImageStorage, k + 1)
            _add_ct(dataset, stack, study, series, k)
            _add_hounsfield(dataset, stack.data[:, :, k], series, padding_hu)
            names.append(f"I{k + 1:05d}.dcm")
            _save(dataset, partial / names[-1])
    return tuple(Path(folder) / name for name in names)


def write_localizer(
    stacks: tuple[SliceStack, ...], folder: Path | str, *, series: Series | None = None, study: Study | None = None
) -> tuple[Path, ...]:
    """Write single-slice stacks of different orientation as one localizer series; see `write_ct_series`."""
    series = series or Series(1, "Scout", ("ORIGINAL", "PRIMARY", "LOCALIZER"), window_hu=(100.0, 1200.0))
    study = study or Study()
    with whole_folder(folder) as partial:
        names = []
        for number, stack in enumerate(stacks, start=1):
            dataset = _common(study, series, CTImageStorage, number)
            _add_ct(dataset, stack, study, series, 0)
            _add_hounsfield(dataset, stack.data[:, :, 0], series, None)
            names.append(f"I{number:05d}.dcm")
            _save(dataset, partial / names[-1])
    return tuple(Path(folder) / name for name in names)


def write_secondary_capture(
    image: npt.NDArray[np.uint8], folder: Path | str, *, series: Series | None = None, study: Study | None = None
) -> Path:
    """Write a grey picture of shape (rows, columns) as Secondary Capture (PS3.3 A.8.1): a dose page, a screenshot."""
    series = series or Series(999, "Dose report", ("DERIVED", "SECONDARY", "SCREEN SAVE"))
    with whole_folder(folder) as partial:
        dataset = _common(study or Study(), series, SecondaryCaptureImageStorage, 1)
        dataset.ConversionType = "WSD"
        dataset.PatientOrientation = ""
        _add_pixels(dataset, np.ascontiguousarray(image, dtype=np.uint8))
        _save(dataset, partial / "I00001.dcm")
    return Path(folder) / "I00001.dcm"


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


def _save(dataset: Dataset, path: Path) -> None:
    dataset.save_as(path, enforce_file_format=True)


def _common(study: Study, series: Series, sop_class: str, number: int) -> Dataset:
    """The modules that all images share: patient, study, series, equipment, SOP common (PS3.3 C.7, C.12.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = study.uid(series.number, number)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "CORMACK"
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.ImageType = list(series.image_type)
    dataset.Modality = "CT"
    dataset.Manufacturer = ""
    dataset.PatientName = study.patient
    dataset.PatientID = "PHANTOM"
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Digital phantom, never a person"
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber"):
        setattr(dataset, keyword, "")
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.StudyDescription = study.description
    dataset.StudyInstanceUID = study.uid("study")
    dataset.SeriesInstanceUID = study.uid("series", series.number)
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = series.description
    dataset.InstanceNumber = number
    return dataset


def _add_ct(dataset: Dataset, stack: SliceStack, study: Study, series: Series, k: int) -> None:
    """Frame of reference, image plane and CT image modules (PS3.3 C.7.4.1, C.7.6.2, C.8.2.1)."""
    facts = stack.acquisition
    row, column = float(np.linalg.norm(stack.step_j)), float(np.linalg.norm(stack.step_i))
    tilt = facts.gantry_detector_tilt_deg if series.stated_tilt_deg is None else series.stated_tilt_deg
    dataset.Manufacturer = facts.manufacturer or ""
    dataset.ManufacturerModelName = facts.manufacturer_model_name or "unknown"
    dataset.FrameOfReferenceUID = study.uid("frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.AcquisitionNumber = 1
    dataset.PatientPosition = facts.patient_position or "HFS"
    dataset.KVP = _ds(facts.kvp)
    dataset.SliceThickness = _ds(facts.slice_thickness_mm)
    dataset.GantryDetectorTilt = _ds(stack.tilt_deg if tilt is None else tilt)
    if facts.convolution_kernel is not None:
        dataset.ConvolutionKernel = facts.convolution_kernel
    if facts.reconstruction_diameter_mm is not None:
        dataset.ReconstructionDiameter = _ds(facts.reconstruction_diameter_mm)
    dataset.ImagePositionPatient = _lps(stack.origins[k])
    directions = np.concatenate([stack.step_i / column * LPS_FROM_RAS, stack.step_j / row * LPS_FROM_RAS])
    dataset.ImageOrientationPatient = [_ds(c) for c in directions]
    dataset.PixelSpacing = [_ds(row), _ds(column)]
    dataset.SliceLocation = _ds(float(stack.origins[k] @ stack.normal))
    dataset.WindowCenter, dataset.WindowWidth = (_ds(w) for w in series.window_hu)


def _lps(ras_mm: FloatArray) -> list[str]:
    return [_ds(c) for c in ras_mm * LPS_FROM_RAS]


def _ds(number: float | None) -> str:
    """A decimal string: at most 16 characters, as exact as they allow (PS3.5 6.2)."""
    if number is None:
        return ""
    return str(format_number_as_ds(round(float(number), 10) + 0.0))


def _add_hounsfield(dataset: Dataset, image: npt.NDArray[Any], series: Series, padding_hu: int | None) -> None:
    """Hounsfield units of shape (i, j) as signed 16-bit pixels with slope, intercept and padding."""
    slope, intercept = series.rescale_slope, series.rescale_intercept
    stored = np.rint((np.asarray(image.T, dtype=np.float32) - np.float32(intercept)) / np.float32(slope))
    if stored.min() < _INT16.min or stored.max() > _INT16.max:
        raise ValuesError(
            f"Hounsfield units from {image.min()} to {image.max()} do not fit 16 bits with rescale slope {slope} and "
            f"intercept {intercept}; choose a greater slope or clip the values"
        )
    dataset.RescaleIntercept, dataset.RescaleSlope = _ds(intercept), _ds(slope)
    dataset.RescaleType = "HU"
    _add_pixels(dataset, stored.astype(np.int16))
    if padding_hu is not None:
        dataset.add_new("PixelPaddingValue", "SS", round((padding_hu - intercept) / slope))


def _add_pixels(dataset: Dataset, pixels: npt.NDArray[Any]) -> None:
    """Image pixel module (PS3.3 C.7.6.3) of shape (rows, columns), grey."""
    bits = pixels.dtype.itemsize * 8
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
