"""Write phantoms as DICOM: CT Image Storage, localizers and secondary captures, whole folders or nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from cormack.core.volume import SliceStack
from cormack.dicom.modules import (
    add_pixels,
    add_plane,
    add_values,
    decimal_string,
    derived_uid,
    new_image,
    save,
    uid_key,
    whole_folder,
)

__all__ = ["Series", "Study", "whole_folder", "write_ct_series", "write_localizer", "write_secondary_capture"]


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
        object.__setattr__(self, "key", uid_key(self.seed))

    def uid(self, *names: object) -> str:
        """The UID of something in this study, under the root 2.25 for UUIDs (PS3.5 B.2)."""
        return derived_uid(self.key, *names)


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
            save(dataset, partial / names[-1])
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
            save(dataset, partial / names[-1])
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
        add_pixels(dataset, np.ascontiguousarray(image, dtype=np.uint8))
        save(dataset, partial / "I00001.dcm")
    return Path(folder) / "I00001.dcm"


def _common(study: Study, series: Series, sop_class: str, number: int) -> Dataset:
    """The modules that all images share: patient, study, series, equipment, SOP common (PS3.3 C.7, C.12.1)."""
    dataset = new_image(sop_class, study.uid(series.number, number))
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
    tilt = facts.gantry_detector_tilt_deg if series.stated_tilt_deg is None else series.stated_tilt_deg
    dataset.Manufacturer = facts.manufacturer or ""
    dataset.ManufacturerModelName = facts.manufacturer_model_name or "unknown"
    dataset.FrameOfReferenceUID = study.uid("frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.AcquisitionNumber = 1
    dataset.PatientPosition = facts.patient_position or "HFS"
    dataset.KVP = decimal_string(facts.kvp)
    dataset.SliceThickness = decimal_string(facts.slice_thickness_mm)
    dataset.GantryDetectorTilt = decimal_string(stack.tilt_deg if tilt is None else tilt)
    if facts.convolution_kernel is not None:
        dataset.ConvolutionKernel = facts.convolution_kernel
    if facts.reconstruction_diameter_mm is not None:
        dataset.ReconstructionDiameter = decimal_string(facts.reconstruction_diameter_mm)
    add_plane(dataset, stack.origins[k], stack.step_i, stack.step_j)
    dataset.SliceLocation = decimal_string(float(stack.origins[k] @ stack.normal))
    dataset.WindowCenter, dataset.WindowWidth = (decimal_string(w) for w in series.window_hu)


def _add_hounsfield(dataset: Dataset, image: npt.NDArray[Any], series: Series, padding_hu: int | None) -> None:
    """Hounsfield units of shape (i, j) as signed 16-bit pixels with slope, intercept and padding."""
    slope, intercept = series.rescale_slope, series.rescale_intercept
    add_values(dataset, image, slope, intercept)
    if padding_hu is not None:
        dataset.add_new("PixelPaddingValue", "SS", round((padding_hu - intercept) / slope))
