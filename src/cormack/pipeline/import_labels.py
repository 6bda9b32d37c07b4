"""Label maps of other tools on the grid of an image: NRRD, RT Structure Sets, NIfTI."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cormack.core.contours import ContouredStructure
from cormack.core.errors import GeometryError
from cormack.core.findings import Finding
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.provenance import package_version
from cormack.core.transforms import Affine
from cormack.core.volume import SliceStack
from cormack.dicom.rtstruct import read_rtstruct
from cormack.files.label_tables import COLORS, read_label_table, unique_names, write_label_table
from cormack.files.nifti import is_nifti, read_stack, write_labels
from cormack.files.nrrd import is_nrrd, read_nrrd_labels
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.imaging.contours import fill_contours
from cormack.imaging.warp import warp
from cormack.measure.change import structure_volumes
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.images import Grid, find_grid
from cormack.pipeline.label_files import read_labels
from cormack.pipeline.load import locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent

Source = Literal["NRRD", "RTSTRUCT", "NIfTI"]


@dataclass(frozen=True, eq=False)
class Imported:
    """What was imported: the label map on the grid of the reference, from which format, and what was noticed."""

    labels: LabelMap
    source: Source
    findings: tuple[Finding, ...]


def import_labels(
    source: Path,
    out: Path,
    reference: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008  (frozen)
    *,
    names: Path | None = None,
    nearest: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Write labels of another tool as a NIfTI label map on the grid of an image.

    Parameters
    ----------
    source : Path
        NRRD (`.nrrd`, `.seg.nrrd`), NIfTI, or one DICOM file with an RT Structure Set.
    out : Path
        `….nii.gz` or `….nii`; `….json` and the names `….tsv` are written beside it.
    reference : Path
        The image: NIfTI, or DICOM. Contours are filled on its slices as acquired; other labels are brought onto its
        grid (of DICOM: the rectified one) by the share of each label, interpolated linearly.
    options : LoadOptions
        Of the reference.
    names : Path, optional
        Table of the structures' names, in place of those of the source.
    nearest : bool
        Take the nearest label instead: for masks on single slices.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If an input or the output cannot be used, or labels and image do not overlap.
    """
    listener = progress or Silent()
    check_target(source, out)
    check_target(reference, out)
    table = None if names is None else read_label_table(names)
    listener.step("Reading labels")
    if is_nrrd(source) or is_nifti(source):
        made, codes = _resampled(source, reference, options, listener, order=0 if nearest else 1)
    else:
        made, codes = _filled(source, reference, options, listener)
    labels = made.labels if table is None else replace(made.labels, table=table)
    made = replace(made, labels=labels, findings=(*made.findings, *_empty(labels)))
    listener.step("Writing files")
    with OutputSet(out.parent) as outputs:
        write_labels(outputs.part(out.name), labels, codes=codes)
        outputs.write_text(f"{stem(out)}.json", to_json(_sidecar(made)))
        if len(labels.table):
            write_label_table(outputs.part(f"{stem(out)}.tsv"), labels.table)
    return made


def _resampled(
    source: Path, reference: Path, options: LoadOptions, progress: Progress, *, order: int
) -> tuple[Imported, str]:
    """A label map of any grid on that of the reference."""
    kind: Source
    if is_nrrd(source):
        read = read_nrrd_labels(source)
        labels, kind, findings = read.labels, "NRRD", _overlap(read.overlap)
    else:
        labels, kind, findings = read_labels(source, assume_mm=options.assume_mm), "NIfTI", ()
    progress.step("Reading the image")
    grid: Grid = find_grid(reference, options, progress)
    progress.step("Resampling")
    warped = warp(labels, Affine.identity(), grid.affine, grid.shape, order=order)
    description = f"imported from {kind}"
    return Imported(replace(warped, description=description), kind, findings), grid.codes


def _filled(source: Path, reference: Path, options: LoadOptions, progress: Progress) -> tuple[Imported, str]:
    """Contours filled on the slices of the reference."""
    structures, open_ = read_rtstruct(source)
    progress.step("Reading the image")
    stack, codes = _slices(reference, options, progress)
    if stack.affine is None:
        raise GeometryError(
            f"{reference}: its slices are unevenly spaced, so that no label map can hold their places; give a "
            "NIfTI file of an evenly spaced part"
        )
    progress.step("Filling contours")
    filled = fill_contours(structures, stack)
    labels = LabelMap(filled.data, stack.affine, _table(structures), "contours filled on the slices of the image")
    findings = _overlap(filled.overlap)
    if filled.left_out + open_:
        total = open_ + sum(len(structure.contours) for structure in structures)
        findings += (
            Finding(
                "contours-left-out",
                f"{filled.left_out + open_} of {total} contours were left out: {filled.left_out} lie on no slice of "
                f"the image, {open_} are points or open lines",
                {"contours": total, "on_no_slice": filled.left_out, "not_closed": open_},
            ),
        )
    return Imported(labels, "RTSTRUCT", findings), codes


def _slices(reference: Path, options: LoadOptions, progress: Progress) -> tuple[SliceStack, str]:
    """The slices of the reference as acquired, and the directions of its axes."""
    if is_nifti(reference) and reference.is_file():
        return read_stack(reference, assume_mm=options.assume_mm)
    with closing(locate(reference, options, progress)) as located:
        return located.load(progress).stack, "RAS"


def _table(structures: tuple[ContouredStructure, ...]) -> LabelTable:
    names = unique_names(structure.name for structure in structures)
    return LabelTable(
        tuple(
            Label(n, name, name, structure.color or COLORS[n % len(COLORS)])
            for n, (name, structure) in enumerate(zip(names, structures, strict=True), start=1)
        )
    )


def _overlap(voxels: int) -> tuple[Finding, ...]:
    if not voxels:
        return ()
    message = f"{voxels} voxels belong to more than one structure; a label map holds the later one there"
    return (Finding("labels-overlap", message, {"voxels": voxels}),)


def _empty(labels: LabelMap) -> tuple[Finding, ...]:
    empty = [structure.name for structure in structure_volumes(labels) if not structure.voxels]
    if not empty:
        return ()
    message = f"{len(empty)} structures have no voxel on the grid of the image: {', '.join(empty)}"
    return (Finding("structures-empty", message, {"structures": len(empty)}),)


def _sidecar(made: Imported) -> dict[str, object]:
    return {
        "GeneratedBy": {"Name": "Cormack", "Version": package_version("cormack")},
        "Description": made.labels.description,
        "Source": made.source,
        "Structures": [
            {"Index": s.index, "Name": s.name, "VolumeMl": round(s.volume_ml, 4)}
            for s in structure_volumes(made.labels)
        ],
        "SNOMEDCT": {label.name: label.snomed_ct for label in made.labels.table if label.snomed_ct},
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in made.findings],
    }
