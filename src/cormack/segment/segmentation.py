"""What every segmentation gives: a label map, and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Structures of a scan.

    Attributes
    ----------
    labels : LabelMap
        On the grid of the volume that was segmented; its description says how, and which surface it follows.
    findings : tuple of Finding
    """

    labels: LabelMap
    findings: tuple[Finding, ...] = ()

    def volumes_ml(self) -> dict[str, float]:
        """Volume of each structure by its name, in millilitres."""
        return {label.name: self.labels.volume_ml(label.index) for label in self.labels.table}
