"""The hippocampi as a step of a run on MR: a scan that shows none gives a finding, and the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cormack.core.errors import ExtractionError, InputError
from cormack.core.findings import Finding
from cormack.dicom.criteria import LONG_ECHO_MS
from cormack.files.bids import ScanName
from cormack.files.outputs import OutputSet
from cormack.nn.store import networks
from cormack.pipeline.grids import GridFacts, Grids
from cormack.pipeline.sidecars import segmentation_sidecar
from cormack.pipeline.structures_of_run import StructuresOfRun, write_dseg
from cormack.report.hippocampi import HippocampiContent, HippocampusRow
from cormack.segment.hippocampus import NETWORK, segment_hippocampus
from cormack.segment.segmentation import Segmentation

DSEG = "desc-hippocampus_dseg"
METHOD = "head"


@dataclass(frozen=True, eq=False)
class Hippocampi:
    """The hippocampi of a head, and the grid that they lie on."""

    segmentation: Segmentation
    facts: GridFacts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed."""
        return self.segmentation.findings

    def content(self) -> HippocampiContent:
        """What the report tells of them."""
        record = cast("Mapping[str, Mapping[str, float]]", self.segmentation.record)
        volumes, means, sds = (record[field] for field in ("VolumesMm3", "ViewsMeanMm3", "ViewsSdMm3"))
        parts = [label.name for label in self.segmentation.labels.table if label.name in volumes]
        # Each hippocampus, and below it its parts, which begin with the same side.
        names = sorted(volumes, key=lambda name: (name.split()[0], name in parts))
        rows = (HippocampusRow(name, volumes[name], means[name], sds[name], name in parts) for name in names)
        return HippocampiContent(self.segmentation.labels, tuple(rows))

    def write(self, outputs: OutputSet, name: ScanName) -> list[Path]:
        """Write labels, table and sidecar; returns the files, relative to the data set."""
        labels = self.segmentation.labels
        sidecar = segmentation_sidecar(self.segmentation, NETWORK, METHOD, self.facts)
        return write_dseg(outputs, name, DSEG, labels, labels.table, sidecar, self.facts.orientation)


def find_hippocampi(grids: Grids) -> StructuresOfRun:
    """Find and measure the hippocampi of a T1-weighted head, or say why they were left out."""
    if NETWORK not in networks():
        return StructuresOfRun(reason=f"the network {NETWORK} is not part of this installation")
    echo_ms = grids.facts.acquisition.echo_time_ms
    if echo_ms is not None and echo_ms > LONG_ECHO_MS:
        return _left_out(f"an echo time of {echo_ms:.0f} ms is not that of T1 weighting (up to {LONG_ECHO_MS:g} ms)")
    try:
        return StructuresOfRun(Hippocampi(segment_hippocampus(grids.volume, method=METHOD), grids.facts))
    except (ExtractionError, InputError) as error:
        return _left_out(str(error))


def _left_out(reason: str) -> StructuresOfRun:
    finding = Finding("hippocampus-left-out", f"the hippocampus was not measured: {reason}")
    return StructuresOfRun(reason=reason, notes=(finding,))
