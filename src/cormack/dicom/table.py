"""An inventory as a table: one row per series, nothing of a person in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from cormack.dicom.inventory import Inventory, SeriesEntry
from cormack.dicom.select import Selection, Verdict


@dataclass(frozen=True)
class SeriesRow:
    """One series; None where it is not known or has no meaning. Lengths in millimetres, angles in degrees."""

    patient: int
    study: int
    series: int | None
    part: int
    modality: str
    image_type: str
    images: int
    slices: int
    left_out: int
    rows: int
    columns: int
    plane: str | None
    pixel_spacing_mm: float | None
    slice_thickness_mm: float | None
    slice_distance_mm: float | None
    extent_mm: float | None
    tilt_deg: float | None
    missing: int | None
    kernel: str | None
    kernel_class: str | None
    contrast: bool
    contrast_by: str | None
    component: str | None
    chosen: bool | None
    reason: str | None


COLUMNS = tuple(field.name for field in fields(SeriesRow))


def series_table(inventory: Inventory, selection: Selection | None = None) -> tuple[SeriesRow, ...]:
    """Rows for all series of an inventory, with the verdicts if a selection was made.

    Parameters
    ----------
    inventory : Inventory
    selection : Selection, optional
    """
    verdicts = {id(v.entry): v for v in selection.verdicts} if selection else {}
    return tuple(_row(entry, verdicts.get(id(entry))) for entry in inventory.series)


def _row(entry: SeriesEntry, verdict: Verdict | None) -> SeriesRow:
    geometry, first = entry.geometry, entry.first
    contrast_by = verdict.contrast_by if verdict else entry.contrast_by
    return SeriesRow(
        patient=entry.patient,
        study=entry.study,
        series=entry.number,
        part=entry.part,
        modality=entry.modality,
        image_type="\\".join(entry.image_type),
        images=0 if entry.broken else len(entry.instances),
        slices=0 if entry.broken else entry.n_slices,
        left_out=sum(entry.left_out.values()),
        rows=first.rows,
        columns=first.columns,
        plane=geometry.plane if geometry else None,
        pixel_spacing_mm=first.pixel_spacing[0] if first.pixel_spacing else None,
        slice_thickness_mm=entry.thickness_mm,
        slice_distance_mm=_rounded(geometry.spacing_mm if geometry else None),
        extent_mm=_rounded(geometry.extent_mm if geometry else None),
        tilt_deg=_rounded(geometry.tilt_deg if geometry else None),
        missing=sum(gap.missing for gap in geometry.gaps) if geometry else None,
        kernel=entry.kernel,
        kernel_class=entry.kernel_class.value if entry.kernel_class else None,
        contrast=contrast_by is not None,
        contrast_by=contrast_by,
        component=entry.component,
        chosen=verdict.chosen if verdict else None,
        reason=verdict.reason if verdict else None,
    )


def _rounded(value: float | None) -> float | None:
    # Adding zero turns −0.0 into 0.0.
    return None if value is None else round(value, 4) + 0.0


def as_records(rows: tuple[SeriesRow, ...]) -> list[dict[str, object]]:
    """Rows as plain dictionaries, for JSON."""
    return [asdict(row) for row in rows]


def as_tsv(rows: tuple[SeriesRow, ...]) -> str:
    """Rows as tab-separated text with a header line; `n/a` where nothing is known, as BIDS has it."""
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        cells = asdict(row).values()
        lines.append("\t".join("n/a" if cell is None else _cell(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell).replace("\t", " ").replace("\n", " ") or "n/a"
