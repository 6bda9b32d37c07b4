"""The tables of a report as rows of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding, Measurement
from cormack.core.kernels import kernel_class
from cormack.report.content import ReportContent, StackFacts
from cormack.report.kinds import kind_of

#: Field of Acquisition, what people call it, unit. What is not listed is not shown: nothing about a person can slip in.
ACQUISITION_ROWS = (
    ("manufacturer", "Manufacturer", ""),
    ("manufacturer_model_name", "Scanner", ""),
    ("software_versions", "Scanner software", ""),
    ("kvp", "Tube voltage", "kV"),
    ("xray_tube_current_ma", "Tube current", "mA"),
    ("exposure_mas", "Exposure", "mAs"),
    ("exposure_time_ms", "Exposure time", "ms"),
    ("ctdi_vol_mgy", "CTDIvol", "mGy"),
    ("spiral_pitch_factor", "Pitch", ""),
    ("convolution_kernel", "Kernel", ""),
    ("filter_type", "Filter", ""),
    ("magnetic_field_strength_t", "Field strength", "T"),
    ("repetition_time_ms", "Repetition time", "ms"),
    ("echo_time_ms", "Echo time", "ms"),
    ("inversion_time_ms", "Inversion time", "ms"),
    ("flip_angle_deg", "Flip angle", "°"),
    ("slice_thickness_mm", "Slice thickness", "mm"),
    ("spacing_between_slices_mm", "Spacing between slices", "mm"),
    ("reconstruction_diameter_mm", "Reconstruction diameter", "mm"),
    ("gantry_detector_tilt_deg", "Gantry tilt", "°"),
    ("table_height_mm", "Table height", "mm"),
    ("rotation_direction", "Rotation", ""),
    ("patient_position", "Patient position", ""),
    ("contrast_bolus_agent_present", "Contrast medium stated", ""),
    ("image_type", "Image type", ""),
    ("transfer_syntax", "Transfer syntax", ""),
    ("lossy_compressed", "Lossy compression", ""),
    ("source_format", "Source", ""),
)
#: Names of the brain mask's volume, by what the modality shows of it.
BRAIN_VOLUMES = ("intracranial volume", "brain and CSF volume")
#: Findings that say how a scan is, and put no result in doubt; they come after the warnings.
NOTES = frozenset({"tilt", "tilt-disagrees", "unequal-spacing", "doubled-positions", "stray-slices"})
#: Words that a finding's title writes in capitals.
CAPITALS = {"hu": "HU", "ct": "CT", "mr": "MR", "csf": "CSF", "dicom": "DICOM", "nifti": "NIfTI"}


@dataclass(frozen=True)
class Row:
    """A line of a table: what it is, its value, its unit, a note on it."""

    name: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Warned:
    """A finding as the page shows it."""

    title: str
    code: str
    message: str
    evidence: tuple[Row, ...]
    is_note: bool = False


def number(value: object, digits: int | None = None) -> str:
    """A value as people read it: minus signs as such, thin spaces in thousands, no needless digits."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        text = f"{value:,.{_digits(value) if digits is None else digits}f}"
        if digits is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.replace(",", "\u202f").replace("-", "−")
    if isinstance(value, list | tuple):
        return ", ".join(number(v) for v in value)
    return str(value)


def _digits(value: float) -> int:
    """Digits after the point that keep about three figures."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3


def acquisition_rows(acquisition: Acquisition) -> tuple[Row, ...]:
    """The acquisition table: facts of the machine that the source states."""
    known = acquisition.known()
    rows = []
    for field, name, unit in ACQUISITION_ROWS:
        if field not in known:
            continue
        value = known[field]
        text = "\\".join(value) if field == "image_type" and isinstance(value, tuple) else number(value)
        note = ""
        if field == "convolution_kernel":
            sharpness = kernel_class(acquisition.convolution_kernel, acquisition.manufacturer)
            note = "" if sharpness is None else str(sharpness.value)
        rows.append(Row(name, text, unit, note))
    return tuple(rows)


def measurement_rows(measurements: tuple[Measurement, ...], *, volumes: bool) -> tuple[Row, ...]:
    """The measurements that are volumes of head and brain, or all others."""
    return tuple(
        Row(capital(m.name), number(m.value, 1 if volumes else None), m.unit, m.definition)
        for m in measurements
        if (m.name in (*BRAIN_VOLUMES, "head volume")) is volumes
    )


def geometry_rows(content: ReportContent) -> tuple[Row, ...]:
    """How the slices lay, and the grid that they were brought to."""
    volume, stack = content.volume, content.stack
    native = stack is not None and (content.processing.source == "DICOM" or stack.leans)
    rows = list(_native_rows(stack, content)) if native and stack is not None else []
    spacing = " × ".join(f"{s:.3f}" for s in volume.spacing_mm)
    name = "Rectified grid" if native else "Grid"
    rows.append(
        Row(name, " × ".join(str(n) for n in volume.shape), "voxels", f"{spacing} mm, along right, anterior, superior")
    )
    return tuple(rows)


def _native_rows(stack: StackFacts, content: ReportContent) -> tuple[Row, ...]:
    stated = content.volume.acquisition.gantry_detector_tilt_deg
    note = "from Image Position (Patient)" if content.processing.source == "DICOM" else "from the affine"
    if stated is not None:
        note += f"; the header states {number(stated)}°" + (", its sign by vendor" if stated else "")
    gaps = stack.slice_distances_mm
    rows = [
        Row("Native slices", str(stack.shape[2]), "", f"{stack.shape[0]} × {stack.shape[1]} pixels"),
        Row("Pixel spacing", " × ".join(f"{p:.3f}" for p in stack.pixel_spacing_mm), "mm"),
        Row(kind_of(content.volume).lean, number(stack.tilt_deg if stack.leans else 0.0, 1), "°", note),
    ]
    if gaps:
        low, high = min(gaps), max(gaps)
        even = high - low <= 0.02 * high
        text = f"{low:.2f}" if even else f"{low:.2f} to {high:.2f}"
        described = "one affine describes the stack" if stack.regular else "uneven: no affine describes the stack"
        rows.append(Row("Slice distance", text, "mm", described))
        rows.append(Row("Covered along the normal", number(stack.slice_positions_mm[-1], 1), "mm"))
    if stack.missing_slices:
        rows.append(Row("Missing slices", str(stack.missing_slices)))
    return tuple(rows)


def with_minus(text: str) -> str:
    """Text whose hyphens before numbers are minus signs."""
    return re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def sentence(text: str) -> str:
    """Text as a sentence: a capital first, a full stop last, minus signs before numbers."""
    text = with_minus(text.strip())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) or not text else ".")


def warned(finding: Finding) -> Warned:
    """A finding with its title and its evidence as rows."""
    return Warned(
        title=capital(finding.code.replace("-", " ")),
        code=finding.code,
        message=sentence(finding.message),
        evidence=_evidence_rows(finding.evidence),
        is_note=finding.code in NOTES,
    )


#: Ends of evidence names that are units.
UNITS = (("_per_mm", "1/mm"), ("_cm2", "cm²"), ("_mm", "mm"), ("_ml", "ml"), ("_hu", "HU"), ("_deg", "°"), ("_s", "s"))


def _evidence_rows(evidence: Mapping[str, object]) -> tuple[Row, ...]:
    rows = []
    for key, value in evidence.items():
        name, unit = key, ""
        for end, symbol in UNITS:
            if key.endswith(end):
                name, unit = key.removesuffix(end), symbol
                break
        rows.append(Row(capital(name.replace("_", " ")), number(value), unit))
    return tuple(rows)


def capital(text: str) -> str:
    """Text that begins with a capital, abbreviations in capitals."""
    words = [CAPITALS.get(word, word) for word in text.split(" ")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
