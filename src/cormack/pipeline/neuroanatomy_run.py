"""Structures of a CT as a step of a run: found where the network is here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cormack.core.errors import ExtractionError, InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.provenance import generated_by
from cormack.files.bids import ScanName
from cormack.files.outputs import OutputSet
from cormack.imaging.orient import reorient
from cormack.pipeline.grids import Grids
from cormack.pipeline.neuroanatomy import Structures, find_structures, network_is_here
from cormack.pipeline.neuroanatomy_record import structures_record
from cormack.pipeline.structures_of_run import StructuresOfRun, write_dseg
from cormack.report.structures import StructureRow, StructuresContent

#: Ends of the names of the two label maps, with their tables.
DSEG = {"desc-neuroanatomy_dseg": NEUROANATOMY, "desc-neuroanatomyFine_dseg": NEUROANATOMY_FINE}
NO_NETWORK = "the network ct-neuroanatomy is not part of this installation"


@dataclass(frozen=True, eq=False)
class HeadStructures:
    """The structures of a head, the brain that they lie in, and the directions in which files are written."""

    structures: Structures
    brain: LabelMap
    codes: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed."""
        return self.structures.findings

    def content(self) -> StructuresContent:
        """What the report tells of them."""
        made = self.structures
        found = made.found
        # Parts of brainstem and cerebrum stand below it, the other structures follow.
        parts = {label.name for label in NEUROANATOMY_FINE} - {label.name for label in NEUROANATOMY}
        first, *others = (label.name for label in NEUROANATOMY)
        names = [first, *(label.name for label in NEUROANATOMY_FINE if label.name in parts), *others]
        data, affine = reorient(found.coarse.labels(), found.coarse.affine)
        return StructuresContent(
            labels=found.labels,
            coarse=LabelMap(data, affine, NEUROANATOMY_FINE),
            eleven=NEUROANATOMY,
            rows=tuple(_row(made, name) for name in names),
            measures=made.measures,
            method=found.opinion.description[:1].upper() + found.opinion.description[1:],
            observers=found.opinion.observers,
        )

    def write(self, outputs: OutputSet, name: ScanName) -> list[Path]:
        """Write labels, their tables and sidecars; returns the files, relative to the data set."""
        made = self.structures
        written: list[Path] = []
        for suffix, table in DSEG.items():
            labels = made.found.labels if table is NEUROANATOMY_FINE else made.found.eleven()
            sidecar = {
                "Task": "neuroanatomy",
                "Method": "network",
                "Description": labels.description,
                "Label": {str(label.index): label.name for label in table},
                "VolumesMl": {label.name: round(sum(made.volumes_ml[label.name]), 3) for label in table},
                **structures_record(made, table, self.brain),
                "Warnings": [finding.message for finding in self.findings],
                "GeneratedBy": generated_by(),
            }
            written += write_dseg(outputs, name, suffix, labels, table, sidecar, self.codes)
        return written


def _row(made: Structures, name: str) -> StructureRow:
    sure = made.found.confidence.get(name)
    return StructureRow(
        name,
        *made.volumes_ml[name],
        None if sure is None else sure.probability,
        None if sure is None else sure.agreement,
        None if made.routes is None else made.routes.get(name),
    )


def find_neuroanatomy(grids: Grids, brain: LabelMap) -> StructuresOfRun:
    """Find the structures of a CT, or say why they cannot be found."""
    if not network_is_here():
        return StructuresOfRun(reason=NO_NETWORK)
    try:
        found = find_structures(grids.volume, brain)
    except (ExtractionError, InputError) as error:
        return StructuresOfRun(reason=str(error))
    return StructuresOfRun(HeadStructures(found, brain, grids.facts.orientation))
