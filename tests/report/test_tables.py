"""Numbers and rows as people read them."""

import pytest

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding
from cormack.report.tables import acquisition_rows, geometry_rows, measurement_rows, number, sentence, warned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1586.93, "1\u202f587"),
        (0.625, "0.625"),
        (8.5, "8.5"),
        (-18.5, "−18.5"),
        (120.0, "120"),
        (0, "0"),
        (12.34, "12.3"),
        (None, "–"),
        (True, "yes"),
        ((1.0, 2.5), "1, 2.5"),
        ("STD+", "STD+"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_acquisition_shows_listed_facts_only():
    rows = acquisition_rows(
        Acquisition(
            modality="CT", manufacturer="SIEMENS", convolution_kernel="H60s", image_type=("ORIGINAL", "PRIMARY")
        )
    )
    assert [(r.name, r.value, r.note) for r in rows] == [
        ("Manufacturer", "SIEMENS", ""),
        ("Kernel", "H60s", "sharp"),
        ("Image type", "ORIGINAL\\PRIMARY", ""),
    ]


def test_volumes_apart_from_other_measurements(content):
    volumes = measurement_rows(content.measures.measurements, volumes=True)
    others = measurement_rows(content.measures.measurements, volumes=False)
    assert [r.name for r in volumes] == ["Intracranial volume", "Head volume"]
    assert len(volumes) + len(others) == len(content.measures.measurements)


def test_geometry_states_measured_and_stated_tilt(content, bare):
    rows = {r.name: r for r in geometry_rows(content)}
    assert rows["Gantry tilt, measured"].value == number(content.stack.tilt_deg, 1)
    assert "states −12°" in rows["Gantry tilt, measured"].note
    assert rows["Slice distance"].value == "3.00 to 6.00"
    assert rows["Missing slices"].value == "1"
    assert [r.name for r in geometry_rows(bare)] == ["Grid"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the tilt is -18.5°", "The tilt is −18.5°."),
        ("Done.", "Done."),
        ("12-bit, sub-01, 1-2 mm", "12-bit, sub-01, 1-2 mm."),
        ("", ""),
    ],
)
def test_sentence(text, expected):
    assert sentence(text) == expected


def test_findings_become_sentences_with_units():
    shown = warned(
        Finding(
            "brain-hu-implausible", "the median is odd", {"median_hu": 812.0, "gap_mm": [1.5, 2.0], "grain_per_mm": 0.5}
        )
    )
    assert shown.title == "Brain HU implausible"
    assert shown.message == "The median is odd."
    assert [(r.name, r.value, r.unit) for r in shown.evidence] == [
        ("Median", "812", "HU"),
        ("Gap", "1.5, 2", "mm"),
        ("Grain", "0.5", "1/mm"),
    ]
    assert not shown.is_note
    assert warned(Finding("tilt", "Tilted.")).is_note
