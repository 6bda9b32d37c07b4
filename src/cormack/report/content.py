"""What a report is made of: everything that the page says, as values, gathered by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.measures import ScanMeasures
from cormack.core.volume import SliceStack, Volume

if TYPE_CHECKING:
    from cormack.report.hippocampi import HippocampiContent
    from cormack.report.structures import StructuresContent
    from cormack.report.tables import Row

#: A stack leans from this on (degrees); below, it is called straight.
LEANING_DEG = 0.05


@dataclass(frozen=True)
class StackFacts:
    """The slices as acquired, without their voxels.

    Lengths in millimetres along the slice normal, angles in degrees. `regular`: one affine describes the stack.
    `side_view_mm` holds each slice as seen along its rows: the two ends of its middle column, each as the two
    coordinates named in `side_view_axes` (for axial slices: anterior and superior, RAS+).
    """

    shape: tuple[int, int, int]
    pixel_spacing_mm: tuple[float, float]
    slice_positions_mm: tuple[float, ...]
    tilt_deg: float
    regular: bool
    missing_slices: int = 0
    side_view_axes: tuple[str, str] = ("A", "S")
    side_view_mm: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()

    @classmethod
    def of(cls, stack: SliceStack, *, missing_slices: int = 0) -> StackFacts:
        """Gather the facts of a stack; `missing_slices` where the reader noticed gaps."""
        i, j, k = stack.data.shape
        axes = [axis for axis in range(3) if axis != int(np.argmax(np.abs(stack.step_i)))]
        start = (stack.origins + stack.step_i * (i - 1) / 2)[:, axes]
        end = start + (stack.step_j * (j - 1))[axes]
        return cls(
            shape=(i, j, k),
            pixel_spacing_mm=(float((stack.step_i**2).sum() ** 0.5), float((stack.step_j**2).sum() ** 0.5)),
            slice_positions_mm=tuple(float(p) for p in stack.slice_positions_mm),
            tilt_deg=stack.tilt_deg,
            regular=stack.affine is not None,
            missing_slices=missing_slices,
            side_view_axes=("RAS"[axes[0]], "RAS"[axes[1]]),
            side_view_mm=tuple(
                ((float(a[0]), float(a[1])), (float(b[0]), float(b[1]))) for a, b in zip(start, end, strict=True)
            ),
        )

    @property
    def leans(self) -> bool:
        """True if the stack is tilted by an amount that shows with one decimal."""
        return abs(self.tilt_deg) >= LEANING_DEG

    @property
    def slice_distances_mm(self) -> tuple[float, ...]:
        """Distance from each slice to the next."""
        return tuple(b - a for a, b in pairwise(self.slice_positions_mm))


@dataclass(frozen=True)
class Processing:
    """What was really done to the scan, for the methods paragraph; what is None or empty is not mentioned.

    Parameters
    ----------
    source : str
        "DICOM" or "NIfTI".
    interpolation : str or None
        "linear", "nearest" ... of the one resampling to the orthogonal grid; None if nothing was resampled.
    winsorised_hu : tuple or None
        Lowest and highest HU kept.
    padding_hu : tuple of float
        Values recognised as padding outside the reconstruction circle.
    head_range_hu : tuple or None
    brain_method : str
        "network", "skull" or "bet"; anything else is described by the brain mask's own description.
    outside : str or None
        What voxels outside the brain mask hold in the masked image ("-1024 HU").
    cormack_units : bool
        True if an image in Cormack units was written.
    bias_field_correction : str or None
        "N4" if the shading of an MR was taken out by it.
    """

    source: str = "DICOM"
    interpolation: str | None = "linear"
    winsorised_hu: tuple[float, float] | None = (-1024, 3071)
    padding_hu: tuple[float, ...] = ()
    head_range_hu: tuple[float, float] | None = (-100, 300)
    brain_method: str = "skull"
    outside: str | None = "-1024 HU"
    cormack_units: bool = False
    bias_field_correction: str | None = None


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that a report shows.

    Parameters
    ----------
    subject : str
        A neutral label such as `sub-01`; never a person's name or hospital number.
    volume : Volume
        The rectified volume in HU; its `acquisition` fills the acquisition table.
    head, brain : LabelMap
        On the grid of the volume.
    measures : ScanMeasures
        From `cormack.measure.scan.measure_scan`; its findings are shown after `findings`.
    selection : tuple of str
        Why this series and not another, one sentence each.
    findings : tuple of Finding
        What reading, assembling and extracting noticed.
    stack : StackFacts or None
        The native slices; None where the source was a volume file.
    processing : Processing
    versions, seconds : mapping
        Software versions by package; wall seconds by step.
    peak_memory_mb : float or None
    template_brain : LabelMap or None
        The brain of a template, carried onto the volume; outlined in the pictures.
    registration : tuple of Row
        How well the scan lies on the template; not shown if empty.
    structures : StructuresContent, HippocampiContent or None
        Structures inside the skull of a CT, the hippocampi of an MR; not shown if None.
    no_structures : str
        Why there are none, where they were wanted.
    created : str
        Date and time of the run (not of the scan), as it should be shown; empty to leave it out.
    """

    subject: str
    volume: Volume
    head: LabelMap
    brain: LabelMap
    measures: ScanMeasures
    selection: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    stack: StackFacts | None = None
    processing: Processing = field(default_factory=Processing)
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    template_brain: LabelMap | None = None
    registration: tuple[Row, ...] = ()
    structures: StructuresContent | HippocampiContent | None = None
    no_structures: str = ""
    created: str = ""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings of reading and extraction, then those of measuring; equal ones once."""
        seen: dict[tuple[str, str], Finding] = {}
        for finding in (*self.findings, *self.measures.findings):
            seen.setdefault((finding.code, finding.message), finding)
        return tuple(seen.values())
