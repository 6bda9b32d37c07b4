"""Header fields of every instance as a table, by an allow-list of elements that say nothing of a person.

The list names what is kept, so that an element that nobody thought of stays out. Identifiers, dates, times, names,
descriptions and comments are not on it; patient, study and series appear as ordinals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydicom.datadict import tag_for_keyword

from cormack.core.errors import DicomError, InputError
from cormack.dicom import headers
from cormack.dicom.inventory import Inventory, Progress

#: Columns that the reader makes itself.
ORDINALS = ("patient", "study", "series", "part")

ALLOWED: tuple[str, ...] = (
    "Modality",
    "SOPClassUID",
    "ImageType",
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "BodyPartExamined",
    "PatientPosition",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "TemporalPositionIdentifier",
    "ScanOptions",
    "KVP",
    "XRayTubeCurrent",
    "Exposure",
    "ExposureTime",
    "ExposureModulationType",
    "CTDIvol",
    "FilterType",
    "FocalSpots",
    "GeneratorPower",
    "ConvolutionKernel",
    "SliceThickness",
    "SpacingBetweenSlices",
    "DataCollectionDiameter",
    "ReconstructionDiameter",
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "GantryDetectorTilt",
    "TableHeight",
    "TableSpeed",
    "TableFeedPerRotation",
    "SpiralPitchFactor",
    "RevolutionTime",
    "SingleCollimationWidth",
    "TotalCollimationWidth",
    "RotationDirection",
    "ContrastBolusRoute",
    "ContrastBolusVolume",
    "ContrastFlowRate",
    "MagneticFieldStrength",
    "ScanningSequence",
    "SequenceVariant",
    "MRAcquisitionType",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "EchoNumbers",
    "EchoTrainLength",
    "PixelBandwidth",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceLocation",
    "PixelSpacing",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
)


def header_table(
    inventory: Inventory, *, keywords: Iterable[str] = ALLOWED, on_progress: Progress | None = None
) -> Iterator[dict[str, str | None]]:
    """One row per file and series: ordinals, then the values of `keywords` as text; None where absent.

    Parameters
    ----------
    inventory : Inventory
        Its source must still be open.
    keywords : iterable of str
        DICOM keywords. Naming more than `ALLOWED` is the caller's responsibility.
    on_progress : callable, optional
        Called with (files done, files in all).

    Raises
    ------
    InputError
        If a keyword is not one of the standard.
    """
    wanted = tuple(keywords)
    tags = []
    for keyword in wanted:
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise InputError(f"{keyword!r} is not a DICOM keyword; expected one such as SliceThickness")
        tags.append(tag)
    return _rows(inventory, wanted, tags, on_progress)


def _rows(
    inventory: Inventory, keywords: tuple[str, ...], tags: list[int], on_progress: Progress | None
) -> Iterator[dict[str, str | None]]:
    places: dict[int, list[tuple[int, int, int, int]]] = {}
    for number, entry in enumerate(inventory.series, start=1):
        for item in dict.fromkeys(instance.item for instance in entry.instances):
            places.setdefault(item, []).append((entry.patient, entry.study, number, entry.part))
    for done, item in enumerate(sorted(places), start=1):
        with headers.quiet():
            values = _values(inventory, item, keywords, tags)
        for place in places[item]:
            yield {**dict(zip(ORDINALS, map(str, place), strict=True)), **values}
        if on_progress is not None:
            on_progress(done, len(places))


def _values(inventory: Inventory, item: int, keywords: tuple[str, ...], tags: list[int]) -> dict[str, str | None]:
    source = inventory.source
    try:
        dataset, _ = headers.parse_item(source, source.items[item], tags)
    except (DicomError, headers.NotDicom):
        return dict.fromkeys(keywords)
    return {keyword: headers.text(dataset, keyword, limit=256) for keyword in keywords}


def as_tsv(rows: Iterable[dict[str, str | None]], keywords: Iterable[str] = ALLOWED) -> Iterator[str]:
    """Lines of tab-separated text, the names of the columns first; `n/a` where nothing is known."""
    columns = (*ORDINALS, *keywords)
    yield "\t".join(columns) + "\n"
    for row in rows:
        yield "\t".join((row.get(name) or "n/a").replace("\t", " ") for name in columns) + "\n"
