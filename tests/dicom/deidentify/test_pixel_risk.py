"""Which images can hold burned-in text, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from synthetic import Recipe, datasets

from cormack.core.errors import CormackError
from cormack.dicom import headers
from cormack.dicom.deidentify.pixel_risk import RISKS, find_risk, pixel_facts

CT, MR, SC, US, CR, DX = "2", "4", "7", "6.1", "1", "1.1"


def _reason(sop_class: str = CT, modality: str = "CT", **elements: Any) -> str | None:
    recipe = Recipe(n=1, sop_class=f"1.2.840.10008.5.1.4.1.1.{sop_class}", modality=modality)
    dataset = datasets(recipe)[0]
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    risk = find_risk(pixel_facts(dataset, dataset.SamplesPerPixel, dataset.PhotometricInterpretation))
    return None if risk is None else risk.reason


@pytest.mark.parametrize(
    ("sop_class", "modality", "elements"),
    [
        (CT, "CT", {}),
        (MR, "MR", {}),
        ("128", "PT", {}),
        (CT, "CT", {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
        (CT, "CT", {"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]}),
        (CT, "CT", {"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]}),
        (CT, "CT", {"SeriesDescription": "LOW DOSE LUNG, rescanned"}),
        ("4.1", "MR", {"ImageType": ["ORIGINAL", "PRIMARY", "ANGIOGRAPHY", "PROTON_DENSITY"]}),
        (CT, "CT", {"BurnedInAnnotation": "NO"}),
        (DX, "DX", {"BurnedInAnnotation": "NO"}),
        ("2.1", "CT", {"ImageOrientationPatient": None}),
        ("66.4", "SEG", {}),
        ("481.2", "RTDOSE", {"ImageOrientationPatient": None}),
    ],
)
def test_images_of_slices_are_no_risk(sop_class: str, modality: str, elements: dict[str, Any]) -> None:
    assert _reason(sop_class, modality, **elements) is None


@pytest.mark.parametrize(
    ("sop_class", "modality", "elements", "word"),
    [
        (CT, "CT", {"BurnedInAnnotation": "YES"}, "states"),
        (SC, "CT", {}, "secondary capture"),
        (SC, "OT", {"BurnedInAnnotation": "NO"}, "secondary capture"),
        ("7.4", "OT", {}, "secondary capture"),
        (US, "US", {}, "ultrasound"),
        (US, "US", {"BurnedInAnnotation": "NO"}, "ultrasound"),
        ("77.1.1", "ES", {}, "endoscopy"),
        ("77.1.6", "SM", {"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, "slide"),
        (CR, "CR", {}, "X-ray"),
        (DX, "DX", {"BurnedInAnnotation": "YES"}, "states"),
        ("12.1", "XA", {}, "X-ray"),
        ("1.2", "MG", {}, "X-ray"),
        (CT, "CT", {"ConversionType": "WSD"}, "captured"),
        (CT, "CT", {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "image type"),
        (CT, "CT", {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, "image type"),
        (CT, "CT", {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]}, "image type"),
        (CT, "CT", {"ImageType": ["ORIGINAL", "SECONDARY", "LOCALIZER"]}, "localizer"),
        (CT, "CT", {"SeriesDescription": "Dose Report"}, "description"),
        (CT, "CT", {"SeriesDescription": "CT_dose-report(1)"}, "description"),
        (CT, "CT", {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "colour"),
        (MR, "MR", {"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        (CT, "CT", {"ImageOrientationPatient": None}, "place"),
        (CT, "OT", {}, "scanned"),
    ],
)
def test_images_that_may_show_text(sop_class: str, modality: str, elements: dict[str, Any], word: str) -> None:
    reason = _reason(sop_class, modality, **elements)
    assert reason is not None
    assert word in reason


def test_an_image_that_was_cleaned_before_is_no_risk_if_it_says_so() -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113101", "DCM", "Clean Pixel Data Option"
    stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethodCodeSequence": [code], "BurnedInAnnotation": "NO"}
    assert _reason(US, "US", **stated) is None
    for missing in stated:
        assert _reason(US, "US", **{k: v for k, v in stated.items() if k != missing}) is not None


def test_every_kind_has_a_reason_and_a_condition() -> None:
    for risk in RISKS:
        assert risk.reason
        assert any(getattr(risk, name) for name in risk.__dataclass_fields__ if name != "reason")


def test_real_slices_are_no_risk(shared_data: Path) -> None:
    found = 0
    for path in sorted((shared_data / "head_ct").rglob("*")):
        try:
            dataset = headers.parse_header(path.read_bytes()[:65_536])[0]
        except (CormackError, headers.NotDicom, OSError):
            continue
        if "Rows" in dataset:
            found += 1
            assert find_risk(pixel_facts(dataset, 1, "MONOCHROME2")) is None
    assert found > 300
