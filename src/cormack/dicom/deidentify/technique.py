"""Attributes that describe equipment and technique: what makers write there is in no vocabulary, and is no name.

Their text stays unless something speaks against it; of other texts that table E.1-1 does not list only the words of the
vocabulary stay.
"""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

TECHNIQUE = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "AcquisitionDeviceProcessingCode", "AcquisitionMode", "AlgorithmName", "AlgorithmSource",
        "AlgorithmVersion", "ApplicationManufacturer", "ApplicationName", "ApplicationVersion",
        "AttenuationCorrectionMethod", "CardiacFramingType", "ChannelLabel", "CodingSchemeDesignator",
        "CodingSchemeRegistry", "CodingSchemeVersion", "CollimatorGridName", "ContrastBolusRoute",
        "ConvolutionKernel", "DetectorManufacturerModelName", "DetectorManufacturerName",
        "DigitalImageFormatAcquired", "DimensionIndexPrivateCreator", "DoseModeName", "EnergyWindowName",
        "FilterType", "FluenceModeID", "FontName", "FrameLabel", "FunctionalGroupPrivateCreator",
        "IOLManufacturer", "ImageFilter", "ImagedNucleus", "LUTExplanation", "LUTLabel", "ListOfMIMETypes",
        "MIMETypeOfEncapsulatedDocument", "Manufacturer", "ManufacturerModelName", "ManufacturerModelVersion",
        "ModalityLUTType", "MultiCoilConfiguration", "MultiCoilElementName", "MultiplexGroupLabel",
        "OpticalPathIdentifier", "OutputPower", "PVCRejection", "PhosphorType", "PixelValueMappingExplanation",
        "PlateType", "PositionReferenceIndicator", "PostprocessingFunction", "ProcessingFunction",
        "PulseSequenceName", "Radiopharmaceutical", "RadiopharmaceuticalRoute", "ReceiveCoilManufacturerName",
        "ReceiveCoilName", "ReconstructionMethod", "ReferencedOpticalPathIdentifier", "RescaleType",
        "ScatterCorrectionMethod", "SecondaryCaptureDeviceManufacturer",
        "SecondaryCaptureDeviceManufacturerModelName", "SecondaryCaptureDeviceSoftwareVersions",
        "SegmentAlgorithmName", "SequenceName", "SoftwareVersions", "SourceIsotopeName", "StackID",
        "TransducerData", "TransmitCoilManufacturerName", "TransmitCoilName", "TriggerSourceOrType",
        "TypeOfFilters", "VideoImageFormatAcquired", "WindowCenterWidthExplanation",
    )
)  # fmt: skip


def is_technique(tag: int) -> bool:
    """True for attributes of equipment and technique."""
    return tag in TECHNIQUE
