"""What a run knows of structures, whatever its modality: those that were found, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap, LabelTable
from cormack.files.bids import ScanName
from cormack.files.label_tables import write_label_table
from cormack.files.nifti import write_labels
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.report.hippocampi import HippocampiContent
from cormack.report.structures import StructuresContent


class Found(Protocol):
    """Structures of one modality."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed."""
        ...

    def content(self) -> StructuresContent | HippocampiContent:
        """What the report tells of them."""
        ...

    def write(self, outputs: OutputSet, name: ScanName) -> list[Path]:
        """Write labels, tables and sidecars; returns the files, relative to the data set."""
        ...


@dataclass(frozen=True, eq=False)
class StructuresOfRun:
    """Structures, or why there are none.

    Attributes
    ----------
    found : Found or None
    reason : str
        Empty where nobody asked for any.
    notes : tuple of Finding
        What is to be told where nothing was found.
    """

    found: Found | None = None
    reason: str = ""
    notes: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed."""
        return self.notes if self.found is None else self.found.findings


def write_dseg(
    outputs: OutputSet,
    name: ScanName,
    suffix: str,
    labels: LabelMap,
    table: LabelTable,
    sidecar: dict[str, object],
    codes: str,
) -> list[Path]:
    """Write a label map with its table and its sidecar; returns the files, relative to the data set."""
    files = [name.file(suffix, extension) for extension in (".nii.gz", ".tsv", ".json")]
    write_labels(outputs.part(files[0]), labels, codes=codes)
    write_label_table(outputs.part(files[1]), table)
    source = {"Sources": [f"bids::{name.file(name.suffix, '.nii.gz')}"]}
    outputs.write_text(files[2], to_json({**sidecar, **source}))
    return files
