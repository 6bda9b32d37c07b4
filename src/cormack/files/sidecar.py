"""JSON sidecars: the acquisition in BIDS terms, and what a CT needs beyond them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cormack.core.acquisition import Acquisition

#: Acquisition fields and their names in the sidecar: BIDS and dcm2niix where these have one, DICOM keywords else.
BIDS_NAMES = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturersModelName",
    "software_versions": "SoftwareVersions",
    "convolution_kernel": "ConvolutionKernel",
    "kvp": "KVP",
    "xray_tube_current_ma": "XRayTubeCurrent",
    "exposure_mas": "XRayExposure",
    "exposure_time_ms": "ExposureTime",
    "slice_thickness_mm": "SliceThickness",
    "spacing_between_slices_mm": "SpacingBetweenSlices",
    "reconstruction_diameter_mm": "ReconstructionDiameter",
    "gantry_detector_tilt_deg": "GantryDetectorTiltStated",
    "table_height_mm": "TableHeight",
    "spiral_pitch_factor": "SpiralPitchFactor",
    "rotation_direction": "RotationDirection",
    "filter_type": "FilterType",
    "ctdi_vol_mgy": "CTDIvol",
    "magnetic_field_strength_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "flip_angle_deg": "FlipAngle",
    "patient_position": "PatientPosition",
    "image_type": "ImageType",
    "contrast_bolus_agent_present": "ContrastBolusAgentPresent",
    "transfer_syntax": "SourceTransferSyntax",
    "lossy_compressed": "LossyImageCompression",
    "source_format": "SourceFormat",
}

#: Fields whose BIDS unit differs, with the factor to it: BIDS gives times in seconds.
BIDS_FACTORS = dict.fromkeys(("exposure_time_ms", "repetition_time_ms", "echo_time_ms", "inversion_time_ms"), 1e-3)


def acquisition_fields(acquisition: Acquisition) -> dict[str, object]:
    """What is known about the acquisition, under the names and in the units that BIDS and dcm2niix use."""
    return {
        BIDS_NAMES[name]: round(value * BIDS_FACTORS[name], 6)
        if name in BIDS_FACTORS and isinstance(value, float)
        else value
        for name, value in acquisition.known().items()
    }


def to_json(content: Mapping[str, object]) -> str:
    """JSON text, indented, keys as given, ending in a newline."""
    return json.dumps(content, indent=2, default=_plain) + "\n"


def _plain(value: object) -> object:
    """Numpy scalars and arrays, tuples and paths as plain JSON values."""
    tolist = getattr(value, "tolist", None)
    return tolist() if callable(tolist) else str(value)
