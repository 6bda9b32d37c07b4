"""Structures as a step of a run: found where the network is here, told in the report, written beside the masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cormack.core.errors import ExtractionError, InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.provenance import generated_by
from cormack.core.volume import Unit
from cormack.files.bids import ScanName
from cormack.files.label_tables import write_label_table
from cormack.files.nifti import write_labels
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.imaging.orient import reorient
from cormack.pipeline.grids import Grids
from cormack.pipeline.options import RunOptions
from cormack.pipeline.runner import Step
from cormack.report.structures import StructureRow, StructuresContent

# What finds structures takes a while to import; runs without them do without.
if TYPE_CHECKING:
    from cormack.pipeline.neuroanatomy import Structures

#: Ends of the names of the two label maps, with their tables.
DSEG = {"desc-neuroanatomy_dseg": NEUROANATOMY, "desc-neuroanatomyFine_dseg": NEUROANATOMY_FINE}
NO_NETWORK = "the network ct-neuroanatomy is not part of this installation"


@dataclass(frozen=True, eq=False)
class StructuresOfRun:
    """Structures, or why there are none; `reason` is empty where nobody asked for any."""

    structures: Structures | None = None
    reason: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed."""
        return () if self.structures is None else self.structures.findings


def structures(grids: Grids, brain: LabelMap, options: RunOptions) -> StructuresOfRun:
    """Find the structures of a CT, unless they are not wanted or cannot be found."""
    if not options.structures or grids.volume.unit is not Unit.HU:
        return StructuresOfRun()
    from cormack.pipeline.neuroanatomy import find_structures, network_is_here

    if not network_is_here():
        return StructuresOfRun(reason=NO_NETWORK)
    try:
        return StructuresOfRun(find_structures(grids.volume, brain))
    except (ExtractionError, InputError) as error:
        return StructuresOfRun(reason=str(error))


STRUCTURES_STEP = Step("structures", "Finding structures", structures)


def structures_content(made: StructuresOfRun) -> StructuresContent | None:
    """What the report tells of structures."""
    if made.structures is None:
        return None
    found = made.structures.found
    # Parts of brainstem and cerebrum stand below it, the other structures follow.
    parts = {label.name for label in NEUROANATOMY_FINE} - {label.name for label in NEUROANATOMY}
    first, *others = (label.name for label in NEUROANATOMY)
    names = [first, *(label.name for label in NEUROANATOMY_FINE if label.name in parts), *others]
    rows = []
    for name in names:
        sure = found.confidence.get(name)
        rows.append(
            StructureRow(
                name,
                *made.structures.volumes_ml[name],
                None if sure is None else sure.probability,
                None if sure is None else sure.agreement,
                None if made.structures.routes is None else made.structures.routes.get(name),
            )
        )
    data, affine = reorient(found.opinion.labels(), found.opinion.affine)
    return StructuresContent(
        labels=found.labels,
        coarse=LabelMap(data, affine, NEUROANATOMY_FINE),
        eleven=NEUROANATOMY,
        rows=tuple(rows),
        measures=made.structures.measures,
        method=found.opinion.description[:1].upper() + found.opinion.description[1:],
        observers=found.opinion.observers,
    )


def write_structures(
    outputs: OutputSet, name: ScanName, made: StructuresOfRun, brain: LabelMap, codes: str
) -> list[Path]:
    """Write labels, their tables and sidecars; returns the files, relative to the data set."""
    if made.structures is None:
        return []
    from cormack.pipeline.neuroanatomy_record import structures_record

    written: list[Path] = []

    def file(suffix: str, extension: str) -> Path:
        written.append(name.file(suffix, extension))
        return outputs.part(written[-1])

    found = made.structures.found
    for suffix, table in DSEG.items():
        labels = found.labels if table is NEUROANATOMY_FINE else found.eleven()
        write_labels(file(suffix, ".nii.gz"), labels, codes=codes)
        write_label_table(file(suffix, ".tsv"), table)
        sidecar = {
            "Task": "neuroanatomy",
            "Method": "network",
            "Description": labels.description,
            "Label": {str(label.index): label.name for label in table},
            "VolumesMl": {label.name: round(sum(made.structures.volumes_ml[label.name]), 3) for label in table},
            **structures_record(made.structures, table, brain),
            "Warnings": [finding.message for finding in made.findings],
            "Sources": [f"bids::{name.file('ct', '.nii.gz')}"],
            "GeneratedBy": generated_by(),
        }
        file(suffix, ".json").write_text(to_json(sidecar), encoding="utf-8")
    return written
