"""Derived CT and MR series for the PACS: patient, study and frame of the source, new UIDs, references to the source.

What is written here carries the patient of the source, as an archive needs it; nothing is de-identified.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import CTImageStorage, MRImageStorage

from cormack.core.errors import DicomError, InputError, ValuesError
from cormack.core.provenance import package_version
from cormack.core.volume import SliceStack, Unit
from cormack.dicom import headers
from cormack.dicom.inherit import add_facts, patient_and_study, source_header
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import SeriesEntry
from cormack.dicom.modules import (
    add_plane,
    add_values,
    decimal_string,
    decimal_strings,
    derived_uid,
    new_image,
    save,
    uid_key,
    whole_folder,
)
from cormack.dicom.rescale import fitting_rescale
from cormack.imaging.windows import WINDOWS, Window

#: Storage class and third value of ImageType (PS3.3 A.3, A.4) by the modality of the source.
KINDS = {"CT": (CTImageStorage, "AXIAL"), "MR": (MRImageStorage, "OTHER")}
#: A LO value holds this many characters (PS3.5 6.2).
MAX_DESCRIPTION = 64
#: A derived series is numbered so far behind its source.
SERIES_NUMBER_STEP = 1000
#: Two planes are parallel when the cosine between their normals differs from 1 by less than this (0.1°).
PARALLEL = 1.5e-6


@dataclass(frozen=True)
class _Series:
    """What all images of the derived series share."""

    stack: SliceStack
    entry: SeriesEntry
    key: uuid.UUID
    description: str
    window: Window
    slope: float
    intercept: float
    created: datetime | None
    patient: Dataset

    def uid(self, *names: object) -> str:
        return derived_uid(self.key, *names)


def native_slices(entry: SeriesEntry) -> SliceStack:
    """The slices of a series as their headers place them, without any value: where `to_native` has to bring things.

    Raises
    ------
    InputError
        If its images make no stack.
    """
    geometry = entry.geometry
    if geometry is None:
        raise InputError(f"{entry.label} makes no stack of slices: {entry.geometry_problem}")
    empty = np.broadcast_to(np.int16(0), (entry.first.columns, entry.first.rows, len(geometry.order)))
    uids = tuple(entry.instances[index].key for index in geometry.order)
    return SliceStack(empty, geometry.step_i, geometry.step_j, geometry.origins, uids)


def write_derived_series(
    stack: SliceStack,
    source: SeriesEntry,
    folder: Path | str,
    *,
    description: str,
    window: Window | None = None,
    seed: str | None = None,
) -> tuple[Path, ...]:
    r"""Write a stack as a derived CT or MR series (PS3.3 A.3, A.4, ImageType DERIVED\SECONDARY), one file per slice.

    The files carry the patient and the study of the source, as the archive needs them: they are as identifying as the
    source is. Private elements are not copied. Slices with a SOPInstanceUID of the source take its very position,
    orientation, pixel spacing and facts of acquisition, and refer to that instance alone; others refer to the source
    slices beside them, or to all of them if they are not parallel.

    Parameters
    ----------
    stack : SliceStack
        Shape (i, j, k). Hounsfield units are rounded to whole ones; other whole numbers are stored exactly where they
        fit 16 bits, anything else in steps of at most 1/12,000 of its range.
    source : SeriesEntry
        What the stack was made from (`scan.selection.entry`); its folder or archive must still be open.
    folder : path
        Appears whole or not at all; must not exist, or be empty.
    description : SeriesDescription
        At most 64 characters.
    window : Window, optional
        How viewers show it at first; brain for Hounsfield units, the range of the values otherwise.
    seed : str, optional
        The same seed gives the same UIDs for the same source and description, and no time of writing is stated; None
        gives new ones.

    Returns
    -------
    tuple of Path
        The files, in the order of the slices.

    Raises
    ------
    InputError
        If the source is neither CT nor MR, the slices are not of this source, or the description is no DICOM text.
    ValuesError
        If a value is not finite.
    DicomError
        If the headers of the source cannot be read again.
    OutputError
        If the folder holds something or cannot be written.
    """
    _check(stack, source, description)
    instances = {instance.key: instance for instance in source.instances}
    native = [instances[uid] for uid in stack.sop_instance_uids]
    with headers.quiet(), whole_folder(folder) as partial, _understood(source):
        patient = source_header(source, native[0] if native else source.first)
        series = _series(stack, source, patient, description, window, seed)
        names = []
        for k, number in enumerate(_instance_numbers(native, stack.data.shape[2])):
            header = source_header(source, native[k]) if native else patient
            dataset = _image(series, header, k, native[k] if native else None)
            dataset.InstanceNumber = number
            names.append(f"I{k + 1:05d}.dcm")
            save(dataset, partial / names[-1])
    return tuple(Path(folder) / name for name in names)


def _check(stack: SliceStack, source: SeriesEntry, description: str) -> None:
    if source.modality not in KINDS:
        raise InputError(f"{source.label} is {source.modality}; a derived series can be written for CT and MR")
    if not description.isprintable() or "\\" in description or not 0 < len(description) <= MAX_DESCRIPTION:
        raise InputError(f"description {description!r}: give 1 to {MAX_DESCRIPTION} printable characters without \\")
    if not set(stack.sop_instance_uids) <= {instance.key for instance in source.instances}:
        raise InputError(f"the slices name instances that are not of {source.label}; give the series they came from")
    if not np.isfinite(stack.data).all():
        raise ValuesError("the slices hold NaN or infinite values, which 16 bits cannot; fill them first")


def _series(
    stack: SliceStack, source: SeriesEntry, header: Any, description: str, window: Window | None, seed: str | None
) -> _Series:
    slope, intercept = fitting_rescale(stack)
    key = uid_key(None if seed is None else f"{seed}/{source.first.series_uid}/{description}")
    created = datetime.now() if seed is None else None
    chosen = _window(stack) if window is None else window
    patient = patient_and_study(header, source)
    return _Series(stack, source, key, description, chosen, slope, intercept, created, patient)


def _instance_numbers(native: list[Instance], count: int) -> Iterator[int]:
    """The numbers of the source, so that viewers page alike; those of the positions where they are not distinct."""
    numbers = [instance.instance_number for instance in native]
    if len(set(numbers)) == count and min(numbers) > 0:
        return iter(numbers)
    return iter(range(1, count + 1))


@contextmanager
def _understood(source: SeriesEntry) -> Iterator[None]:
    """Say what it means when pydicom chokes on what was copied."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except headers.BACKEND_ERRORS as error:
        raise DicomError(f"a header of {source.label} holds what cannot be written again; is it damaged?") from error


def _image(series: _Series, header: Any, k: int, native: Instance | None) -> Dataset:
    stack = series.stack
    dataset = new_image(KINDS[series.entry.modality][0], series.uid("image", k))
    dataset.update(series.patient)
    _add_series(dataset, series)
    add_facts(dataset, header, series.entry.modality, native=native is not None)
    _add_place(dataset, stack, k, native)
    _add_derivation(dataset, series, k, native)
    dataset.WindowCenter, dataset.WindowWidth = decimal_strings((series.window.level_hu, series.window.width_hu))
    rescale_type = None if series.entry.modality == "MR" else "HU" if stack.unit is Unit.HU else "US"
    add_values(dataset, stack.data[:, :, k], series.slope, series.intercept, rescale_type=rescale_type)
    return dataset


def _add_series(dataset: Dataset, series: _Series) -> None:
    """General series and equipment (PS3.3 C.7.3.1, C.7.5.1): this program's, the scanner as a contributor."""
    dataset.Modality = series.entry.modality
    dataset.ImageType = ["DERIVED", "SECONDARY", KINDS[series.entry.modality][1]]
    dataset.SeriesInstanceUID = series.uid("series")
    dataset.SeriesNumber = min((series.entry.number or 0) + SERIES_NUMBER_STEP, 2**31 - 1)
    dataset.SeriesDescription = series.description
    if not series.description.isascii():
        # The text is written in the source's character set; one that lacks a letter would lose it.
        dataset.SpecificCharacterSet = "ISO_IR 192"
    if series.created is not None:
        dataset.SeriesDate = dataset.InstanceCreationDate = series.created.strftime("%Y%m%d")
        dataset.SeriesTime = dataset.InstanceCreationTime = series.created.strftime("%H%M%S")
    dataset.Manufacturer = dataset.ManufacturerModelName = "Cormack"
    dataset.SoftwareVersions = package_version("cormack")
    scanner = Dataset()
    scanner.PurposeOfReferenceCodeSequence = [_code(codes.DCM.AcquisitionEquipment)]
    scanner.Manufacturer = series.entry.first.manufacturer or "unknown"
    dataset.ContributingEquipmentSequence = [scanner]


def _add_place(dataset: Dataset, stack: SliceStack, k: int, native: Instance | None) -> None:
    """Image plane (PS3.3 C.7.6.2): on a native slice, its source's own."""
    add_plane(dataset, stack.origins[k], stack.step_i, stack.step_j)
    if native is None:
        distances = stack.slice_distances_mm
        dataset.SliceThickness = decimal_string(float(np.median(distances)) if len(distances) else None)
        dataset.SliceLocation = decimal_string(float(stack.origins[k] @ stack.normal))
    elif native.position and native.orientation and native.pixel_spacing:
        # The stack's directions are the mean over its slices: the numbers of this slice are exact.
        dataset.ImagePositionPatient = decimal_strings(native.position)
        dataset.ImageOrientationPatient = decimal_strings(native.orientation)
        dataset.PixelSpacing = decimal_strings(native.pixel_spacing)


def _add_derivation(dataset: Dataset, series: _Series, k: int, native: Instance | None) -> None:
    """How the image came about, and from what (PS3.3 C.7.6.1.1.3, C.12.4, C.12.2)."""
    labels = series.stack.unit is Unit.ARBITRARY and series.stack.data.dtype.kind in "bu"
    resampling = codes.DCM.SpatialResampling if native is not None else codes.DCM.MultiplanarReformatting
    derived_by = [resampling, *([codes.cid7203.SegmentationImageDerivation] if labels else [])]
    where = "on the slices of the source series" if native is not None else "on slices of its own"
    dataset.DerivationDescription = (
        f"{'Labels' if labels else 'Values'} resampled by Cormack {where}; research use only"
    )
    dataset.DerivationCodeSequence = [_code(code) for code in derived_by]
    sources = [native] if native is not None else _beside(series.stack, series.entry, k)
    dataset.SourceImageSequence = [_source_item(instance, preserved=native is not None) for instance in sources]
    referenced = Dataset()
    referenced.SeriesInstanceUID = series.entry.first.series_uid
    unique = {instance.sop_uid: instance for instance in sources}
    referenced.ReferencedInstanceSequence = [_reference(instance) for instance in unique.values()]
    dataset.ReferencedSeriesSequence = [referenced]


def _beside(stack: SliceStack, entry: SeriesEntry, k: int) -> list[Instance]:
    """The source slices that a plane came from: the two beside it if they are parallel, else all."""
    geometry = entry.geometry
    if geometry is None:
        return list(entry.instances)
    slices = [entry.instances[index] for index in geometry.order]
    if abs(abs(float(geometry.normal @ stack.normal)) - 1.0) > PARALLEL:
        return slices
    distances = np.abs((geometry.origins - stack.origins[k]) @ geometry.normal)
    return [slices[index] for index in sorted(np.argsort(distances)[:2])]


def _reference(instance: Instance) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = instance.sop_class
    item.ReferencedSOPInstanceUID = instance.sop_uid
    return item


def _source_item(instance: Instance, *, preserved: bool) -> Dataset:
    item = _reference(instance)
    if instance.frame is not None:
        item.ReferencedFrameNumber = instance.frame + 1
    item.SpatialLocationsPreserved = "YES" if preserved else "NO"
    item.PurposeOfReferenceCodeSequence = [_code(codes.DCM.SourceImageForImageProcessingOperation)]
    return item


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _window(stack: SliceStack) -> Window:
    if stack.unit is Unit.HU:
        return WINDOWS["brain"]
    low, high = float(stack.data.min()), float(stack.data.max())
    return Window((low + high) / 2, max(high - low, 1.0 if stack.data.dtype.kind in "bui" else 1e-6))
