"""What every segmentation gives: a label map, and what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Structures of a scan.

    Attributes
    ----------
    labels : LabelMap
        On the grid of the volume that was segmented; its description says how, and which surface it follows.
    findings : tuple of Finding
    record : mapping of str to plain values
        What else the task has to tell, as fields of the sidecar.
    maps : mapping of str to Volume or LabelMap
        Further images on the same grid, by the name of the task's option that asks for them.
    """

    labels: LabelMap
    findings: tuple[Finding, ...] = ()
    record: Mapping[str, object] = field(default_factory=dict)
    maps: Mapping[str, Volume | LabelMap] = field(default_factory=dict)

    def volumes_ml(self) -> dict[str, float]:
        """Volume of each structure by its name, in millilitres."""
        return {label.name: self.labels.volume_ml(label.index) for label in self.labels.table}
