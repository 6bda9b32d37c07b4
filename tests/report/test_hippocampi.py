"""The part of a report about the hippocampi."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.report.hippocampi import SECTIONS, HippocampiContent, HippocampusRow, hippocampi_section
from cormack.report.pages import page_template
from cormack.segment.hippocampus import HIPPOCAMPI


@pytest.fixture
def labels() -> LabelMap:
    """Two hippocampi of 2 mm voxels: the left one's middle at i = 15, the right one's at i = 45."""
    data = np.zeros((60, 50, 40), dtype=np.uint8)
    for first, i in ((1, 14), (3, 44)):
        data[i : i + 3, 24:30, 18:22] = first
        data[i : i + 3, 10:24, 18:22] = first + 1
    return LabelMap(data, np.diag([2.0, 2.0, 2.0, 1.0]), HIPPOCAMPI, "anterior and posterior hippocampus, drawn")


def volume_of(labels: LabelMap) -> Volume:
    return Volume(np.where(labels.data > 0, 80.0, 40.0).astype(np.float32), labels.affine, Unit.ARBITRARY, 0.0)


def test_planes_go_through_both_sides_and_sections_from_tail_to_head(labels):
    rows = (HippocampusRow("left hippocampus", 3200.4, 3150.0, 63.0),)
    made = hippocampi_section(volume_of(labels), HippocampiContent(labels, rows))
    assert [panel.plane for panel in made.planes] == ["axial", "sagittal", "sagittal"]
    assert [panel.label for panel in made.planes] == ["k = 19", "i = 45", "i = 15"]
    at = [int(panel.label.removeprefix("j = ")) for panel in made.sections]
    assert len(at) == SECTIONS
    assert at == sorted(at)
    assert 10 < at[0] < at[-1] < 29
    assert made.rows == (
        {
            "name": "left hippocampus",
            "part": "",
            "volume": "3\u202f200",
            "mean": "3\u202f150",
            "sd": "63",
            "share": "2.0",
        },
    )
    assert [name for _, name in made.legend] == [label.name for label in HIPPOCAMPI]


def test_one_side_alone_has_one_sagittal_section_and_a_page(labels):
    labels.data[labels.data > 2] = 0
    rows = (HippocampusRow("left hippocampus", 0.0, 0.0, 0.0), HippocampusRow("left <part>", 1.0, 1.0, 0.5, True))
    made = hippocampi_section(volume_of(labels), HippocampiContent(labels, rows))
    assert [panel.label for panel in made.planes] == ["k = 19", "i = 15"]
    page = page_template(made.template).render(structures=made)
    assert "left &lt;part&gt;" in page
    assert page.count("<svg") == 2 + SECTIONS
    assert "Anterior and posterior hippocampus, drawn." in page
