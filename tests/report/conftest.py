"""A report of an analytic head, and the helper module `analytic_heads` made importable."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from analytic_heads import make_head
from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding
from cormack.core.volume import SliceStack
from cormack.measure.scan import measure_scan
from cormack.report.content import Processing, ReportContent, StackFacts


def make_stack(positions_mm, lean=0.0):
    """Axial slices with +x to the patient's left, +y to posterior as scanners write them, leaning along j."""
    positions = np.asarray(positions_mm, float)
    origins = np.stack([np.full(len(positions), 90.0), 110 + lean * positions, positions], axis=1)
    return SliceStack(np.zeros((40, 50, len(positions)), np.int16), [-2.0, 0, 0], [0, -2.0, 0], origins)


@pytest.fixture(scope="session")
def content() -> ReportContent:
    """Everything that a report can show, of a small noisy head whose vertex is cut."""
    acquisition = Acquisition(
        modality="CT",
        manufacturer="ACME <CT> & Sons",
        convolution_kernel="SOFT",
        kvp=120.0,
        slice_thickness_mm=3.0,
        gantry_detector_tilt_deg=-12.0,
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    )
    head = make_head((2.5, 2.5, 3.0), noise_hu=5, acquisition=acquisition, high_mm=(90, 110, 50))
    stack = make_stack([0, 3, 6, 9, 15], lean=-0.2)
    return ReportContent(
        subject="sub-<b>01</b>",
        volume=head.volume,
        head=head.head,
        brain=head.brain,
        measures=measure_scan(head.volume, head.head, head.brain, stack=stack),
        selection=("The thinnest series that covers the head.", "A localizer <script>alert(1)</script> was left out."),
        findings=(Finding("tilt", "the gantry was tilted", {"measured_deg": -11.3}),),
        stack=StackFacts.of(stack, missing_slices=1),
        processing=Processing(padding_hu=(-2000.0,), cormack_units=True),
        versions={"cormack": "0.1.0", "numpy": "2.0"},
        seconds={"load": 1.5, "brain": 3.0},
        peak_memory_mb=812.0,
        created="2026-01-01 12:00 UTC",
    )


@pytest.fixture(scope="session")
def bare(content) -> ReportContent:
    """As little as a report can be made of: a volume from a NIfTI file without header facts."""
    return ReportContent(
        subject="scan",
        volume=replace(content.volume, acquisition=Acquisition()),
        head=content.head,
        brain=content.brain,
        measures=replace(content.measures, findings=()),
        processing=Processing(source="NIfTI", interpolation=None, winsorised_hu=None, outside=None, brain_method="bet"),
    )
