"""What descriptions and image types tell."""

from __future__ import annotations

import pytest

from cormack.dicom.described import described_contrast, mr_component

WITH = (
    "Head +C",
    "HEAD C+ 1.0",
    "CT Head with contrast",
    "CTA COW 0.6 H20f",
    "CT-Angio Kopf",
    "Schädel mit KM 5.0",
    "KM 1.25mm",
    "Head post",
    "POST CONTRAST THIN",
    "Head W CON",
    "Contrast_Head",
    "Brain perfusion 4D",
    "Venous phase",
)
WITHOUT = (
    "Head w/o contrast",
    "Head W/O",
    "CT HEAD WITHOUT CONTRAST",
    "head wo contrast 5mm",
    "Schädel ohne KM",
    "Schaedel nativ 5.0 H31s",
    "NON-CONTRAST HEAD",
    "Non contrast",
    "NCCT brain",
    "Head no iv contrast",
    "CRANE SANS CONTRASTE",
    "Head -C",
    "PRE CONTRAST",
    "unenhanced",
    "Kopf ohne",
    "HEAD NC",
    "Head (C-)",
)
SILENT = (
    "Head 5.0 H31s",
    "Post fossa 2mm",
    "POST OP HEAD",
    "Posterior fossa",
    "POST TRAUMA",
    "FOSSA POST",
    "High contrast bone",
    "Head W/WO contrast",
    "HEAD WITHOUT AND WITH CONTRAST",
    "C-Spine",
    "CT HEAD + C SPINE",
    "Head - C spine",
    "Head +C-Sp",
    "Thin C1-C2",
    "",
    None,
)


@pytest.mark.parametrize(
    ("text", "told"), [*((t, True) for t in WITH), *((t, False) for t in WITHOUT), *((t, None) for t in SILENT)]
)
def test_what_a_description_says_of_contrast(text: str | None, told: bool | None) -> None:
    assert described_contrast(text) is told


def test_the_series_counts_before_the_protocol() -> None:
    assert described_contrast("Head plain", "Head CTA") is False
    assert described_contrast("Head 5 mm", "Head CTA") is True


@pytest.mark.parametrize(
    ("image_type", "stated", "component"),
    [
        (("ORIGINAL", "PRIMARY", "M", "ND"), None, "magnitude"),
        (("ORIGINAL", "PRIMARY", "P", "ND"), None, "phase"),
        (("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"), None, "magnitude"),
        (("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), None, "phase"),
        (("ORIGINAL", "PRIMARY", "R_IR"), None, "real"),
        (("DERIVED", "PRIMARY", "I"), None, "imaginary"),
        (("ORIGINAL", "PRIMARY", "T1", "NONE"), "PHASE", "phase"),
        (("ORIGINAL", "PRIMARY", "M"), "MIXED", "magnitude"),
        (("ORIGINAL", "PRIMARY", "OTHER"), None, None),
        (("P", "M"), None, None),
        ((), None, None),
    ],
)
def test_mr_components(image_type: tuple[str, ...], stated: str | None, component: str | None) -> None:
    assert mr_component(image_type, stated) == component
