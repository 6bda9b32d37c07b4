"""How a scanner made a scan: the facts of the header that describe the machine, never the person."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Acquisition:
    """Acquisition facts by DICOM keyword in snake case; None where the source does not say.

    Holds no date, name, identifier or free text of a person. Lengths are in millimetres, angles in degrees.
    """

    modality: str | None = None
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    convolution_kernel: str | None = None
    kvp: float | None = None
    xray_tube_current_ma: float | None = None
    exposure_mas: float | None = None
    exposure_time_ms: float | None = None
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None
    reconstruction_diameter_mm: float | None = None
    gantry_detector_tilt_deg: float | None = None
    table_height_mm: float | None = None
    spiral_pitch_factor: float | None = None
    rotation_direction: str | None = None
    filter_type: str | None = None
    ctdi_vol_mgy: float | None = None
    magnetic_field_strength_t: float | None = None
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    patient_position: str | None = None
    image_type: tuple[str, ...] = ()
    contrast_bolus_agent_present: bool | None = None
    software_versions: str | None = None
    transfer_syntax: str | None = None
    lossy_compressed: bool = False
    source_format: str | None = None

    def known(self) -> dict[str, object]:
        """The facts that the source states, by field name."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) not in (None, (), False)}
