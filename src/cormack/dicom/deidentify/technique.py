"""Attributes that describe equipment and technique: what makers write there is in no vocabulary, and is no name.

Their text stays unless something speaks against it; of other texts that table E.1-1 does not list only the words of the
vocabulary stay.
"""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

TECHNIQUE = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "AcquisitionDeviceProcessingCode", "AlgorithmName", "AlgorithmSource", "AlgorithmVersion",
        "ApplicationManufacturer", "ApplicationName", "ApplicationVersion", "AttenuationCorrectionMethod",
        "ChannelLabel", "CodingSchemeDesignator", "CodingSchemeRegistry", "CodingSchemeVersion",
        "CollimatorGridName", "ConvolutionKernel", "DetectorManufacturerModelName", "DetectorManufacturerName",
        "DimensionIndexPrivateCreator", "DoseModeName", "FilterType", "FontName", "FunctionalGroupPrivateCreator",
        "IOLManufacturer", "ImageFilter", "ImagedNucleus", "ListOfMIMETypes", "MIMETypeOfEncapsulatedDocument",
        "Manufacturer", "ManufacturerModelName", "ManufacturerModelVersion", "ModalityLUTType",
        "MultiCoilElementName", "OpticalPathIdentifier", "PhosphorType", "PlateType", "PositionReferenceIndicator",
        "PostprocessingFunction", "ProcessingFunction", "PulseSequenceName", "Radiopharmaceutical",
        "ReceiveCoilManufacturerName", "ReceiveCoilName", "ReconstructionMethod",
        "ReferencedOpticalPathIdentifier", "RescaleType", "ScatterCorrectionMethod",
        "SecondaryCaptureDeviceManufacturer", "SecondaryCaptureDeviceManufacturerModelName",
        "SecondaryCaptureDeviceSoftwareVersions", "SegmentAlgorithmName", "SequenceName", "SoftwareVersions",
        "SourceIsotopeName", "TransmitCoilManufacturerName", "TransmitCoilName", "WindowCenterWidthExplanation",
    )
)  # fmt: skip


def is_technique(tag: int) -> bool:
    """True for attributes of equipment and technique."""
    return tag in TECHNIQUE
