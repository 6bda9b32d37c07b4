"""The part of a report about the structures of a head: pictures, volumes by side, confidence, clinical measures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from cormack.core.clinical import ClinicalMeasure
from cormack.core.labels import LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.imaging.filled_box import filled_box
from cormack.imaging.windows import WINDOWS
from cormack.report.planes import AXIAL, CORONAL, SAGITTAL, Box, Panel, panel
from cormack.report.structure_surfaces import SurfacePicture, structure_surfaces
from cormack.report.tables import number

#: Axial sections with labels, from base to vertex.
SECTIONS = 10
#: Shown around the brain (mm).
MARGIN_MM = 6.0
#: What is seen in three dimensions: the brain from outside, and what lies deep in it.
SURFACES = {
    "the brain": (
        "frontal lobe",
        "parietal lobe",
        "occipital lobe",
        "temporal lobe",
        "cerebellum",
        "brainstem and rest of the diencephalon",
        "central sulcus",
    ),
    "deep structures": (
        "ventricular system",
        "caudate nucleus",
        "lentiform nucleus",
        "thalamus",
        "insular cortex",
        "brainstem and rest of the diencephalon",
    ),
}


@dataclass(frozen=True)
class StructureRow:
    """One structure: millilitres on the right, on the left and in all, and how sure its labels are (0 to 1)."""

    name: str
    right_ml: float
    left_ml: float
    probability: float | None = None
    agreement: float | None = None
    routes: float | None = None


@dataclass(frozen=True, eq=False)
class StructuresContent:
    """What is told of the structures of a head.

    Parameters
    ----------
    labels : LabelMap
        The sixteen, on the grid of the report's volume.
    coarse : LabelMap
        The same on coarse voxels, for the views in three dimensions.
    eleven : LabelTable
        Names that the rows of the table have; rows of other names are parts of the first of them.
    rows : tuple of StructureRow
    measures : tuple of ClinicalMeasure
    method : str
        How labels were found, in a sentence.
    observers : str
        Whose agreement is told.
    """

    labels: LabelMap
    coarse: LabelMap
    eleven: LabelTable
    rows: tuple[StructureRow, ...]
    measures: tuple[ClinicalMeasure, ...] = ()
    method: str = ""
    observers: str = ""


@dataclass(frozen=True)
class MeasurePicture:
    """A measure drawn where it was taken, as a data URI, with its caption."""

    uri: str
    caption: str
    alt: str


@dataclass(frozen=True)
class StructureSection:
    """What the page shows: ready for the template."""

    template: ClassVar[str] = "structures.html.j2"

    legend: tuple[tuple[str, str], ...]
    planes: tuple[Panel, ...]
    sections: tuple[Panel, ...]
    surfaces: Mapping[str, tuple[SurfacePicture, ...]]
    rows: tuple[Mapping[str, str], ...]
    measured: tuple[MeasurePicture, ...]
    measures: tuple[Mapping[str, str], ...]
    has_routes: bool
    method: str
    observers: str = field(default="")


def structure_section(volume: Volume, content: StructuresContent) -> StructureSection:
    """Draw everything that the page shows of the structures.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), axes closest to right, anterior, superior.
    content : StructuresContent
    """
    box = _box(content.labels)
    middle = [(s.start + s.stop) // 2 for s in box]
    sections = np.linspace(box[2].start, box[2].stop - 1, SECTIONS + 2).round().astype(int)[1:-1]
    views = {what: structure_surfaces(content.coarse, shown, what) for what, shown in SURFACES.items()}

    def cut(axis: int, index: int) -> Panel:
        alt = (
            f"{('Sagittal', 'Coronal', 'Axial')[axis]} section {'ijk'[axis]} = {index} with the structures in colours."
        )
        return panel(volume, axis, index, box, WINDOWS["brain"], {}, alt=alt, painted=content.labels)

    return StructureSection(
        legend=legend(content.labels.table),
        planes=tuple(cut(axis, middle[axis]) for axis in (AXIAL, CORONAL, SAGITTAL)),
        sections=tuple(cut(AXIAL, int(k)) for k in sections),
        surfaces={what[:1].upper() + what[1:]: pictures for what, pictures in views.items() if pictures},
        rows=tuple(_row(row, content.eleven) for row in content.rows),
        measured=_measure_pictures(volume, content),
        measures=tuple(_measure_row(measure) for measure in content.measures),
        has_routes=any(row.routes is not None for row in content.rows),
        method=content.method,
        observers=content.observers,
    )


def legend(table: LabelTable) -> tuple[tuple[str, str], ...]:
    """Colours as CSS writes them, and names."""
    return tuple(("#" + bytes(label.color).hex(), label.name) for label in table)


def _box(labels: LabelMap) -> Box:
    """The part of the grid that is labelled, with a margin; all of it where nothing is."""
    i, j, k = (int(np.ceil(MARGIN_MM / h)) for h in np.linalg.norm(labels.affine[:3, :3], axis=0))
    whole = (slice(0, labels.data.shape[0]), slice(0, labels.data.shape[1]), slice(0, labels.data.shape[2]))
    return filled_box(labels.data, (i, j, k)) or whole


def _row(row: StructureRow, eleven: LabelTable) -> dict[str, str]:
    own = row.name in {label.name for label in eleven}
    return {
        "name": row.name,
        "part": "" if own else "part",
        "right": number(row.right_ml, 1),
        "left": number(row.left_ml, 1),
        "total": number(row.right_ml + row.left_ml, 1),
        "probability": number(row.probability, 2),
        "agreement": number(row.agreement, 2),
        "routes": number(row.routes, 2),
    }


def _measure_row(measure: ClinicalMeasure) -> dict[str, str]:
    name = measure.name[:1].upper() + measure.name[1:]
    return {"name": name, "value": measure.text, "definition": measure.definition, "doi": measure.reference}


def _measure_pictures(volume: Volume, content: StructuresContent) -> tuple[MeasurePicture, ...]:
    drawn = [measure for measure in content.measures if measure.plane is not None and measure.value is not None]
    if not drawn:
        return ()
    # Loaded when first needed: matplotlib takes a while.
    from cormack.report.plots.clinical import measure_caption, measure_picture

    return tuple(
        MeasurePicture(
            "data:image/png;base64," + b64encode(measure_picture(measure, content.labels, volume)).decode("ascii"),
            measure_caption(measure),
            f"{measure.name}, {measure.text}, drawn on the section where it was measured.",
        )
        for measure in drawn
    )
