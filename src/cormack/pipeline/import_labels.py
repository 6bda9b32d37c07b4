"""Label maps of other tools on the grid of an image: NRRD, DICOM (RT Structure Sets, segmentations), NIfTI."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cormack.core.contours import ContouredStructure
from cormack.core.errors import InputError, SeriesError
from cormack.core.findings import Finding
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.provenance import generated_by
from cormack.core.transforms import Affine
from cormack.core.volume import AnyArray, SliceStack
from cormack.dicom.rtstruct import read_rtstruct
from cormack.dicom.segmentation import Segmentation, is_segmentation, read_segmentation
from cormack.files.label_tables import COLORS, read_label_table, unique_names, write_label_table
from cormack.files.nifti import is_nifti, read_stack, write_labels
from cormack.files.nrrd import is_nrrd, read_nrrd_labels
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.imaging.contours import fill_contours
from cormack.imaging.place_slices import filled_labels, placed_labels
from cormack.imaging.rectify_labels import rectify_labels
from cormack.imaging.warp import warp
from cormack.measure.change import structure_volumes
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.images import Grid, find_grid
from cormack.pipeline.label_files import read_labels
from cormack.pipeline.load import locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent

Source = Literal["NRRD", "RTSTRUCT", "SEG", "NIfTI"]


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
    native: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Write labels of another tool as a NIfTI label map on the grid of an image.

    Parameters
    ----------
    source : Path
        NRRD (`.nrrd`, `.seg.nrrd`), NIfTI, or one DICOM file: an RT Structure Set or a segmentation (SEG).
    out : Path
        `….nii.gz` or `….nii`; `….json` and the names `….tsv` are written beside it.
    reference : Path
        The image: NIfTI, or DICOM. Its grid is taken, of DICOM the rectified one, as `convert` writes it. Contours are
        filled on the slices as acquired first, frames of a SEG laid on those. Labels are brought onto the grid by their
        shares, interpolated linearly.
    options : LoadOptions
        Of the reference. A SEG names the series it was drawn on, which is taken unless another one is asked for.
    names : Path, optional
        Table of the structures' names, in place of those of the source.
    nearest : bool
        Take the nearest label instead: for masks on single slices, not for contours.
    native : bool
        Leave filled contours and frames on the slices as acquired, if these are evenly spaced.
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
    elif is_segmentation(source):
        made, codes = _laid(source, reference, options, listener, order=0 if nearest else 1, native=native)
    else:
        made, codes = _filled(source, reference, options, listener, native=native)
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


def _filled(
    source: Path, reference: Path, options: LoadOptions, progress: Progress, *, native: bool
) -> tuple[Imported, str]:
    """Contours filled on the slices of the reference, and brought onto its grid."""
    structures, open_ = read_rtstruct(source)
    progress.step("Reading the image")
    stack, codes, is_grid = _slices(reference, options, progress)
    progress.step("Filling contours")
    filled = fill_contours(structures, stack)
    table = _table(structures)
    labels = _on_grid(filled.data, stack, table, options, as_acquired=is_grid or native)
    labels = replace(labels, description="contours filled on the slices of the image")
    findings = (*_overlap(filled.overlap), *_lost(structures, filled.left_out, open_))
    return Imported(labels, "RTSTRUCT", findings), codes


def _laid(
    source: Path, reference: Path, options: LoadOptions, progress: Progress, *, order: int, native: bool
) -> tuple[Imported, str]:
    """Frames of a segmentation laid on the slices of the reference; those of other slices are resampled."""
    read = read_segmentation(source)
    progress.step("Reading the image")
    options = _of_series(read, reference, options)
    try:
        stack, codes, is_grid = _slices(reference, options, progress)
    except SeriesError as error:
        raise InputError(
            f"{reference}: the series that the segmentation was drawn on cannot be taken ({error}); give the folder "
            "that holds it, or another series of the same space by --series"
        ) from error
    table = _named(read)
    data = placed_labels(read.slices, stack)
    if data is not None:
        labels = _on_grid(data, stack, table, options, as_acquired=is_grid or native)
    elif native:
        raise InputError(f"{source}: its frames do not lie on the slices of the image; leave out --native")
    else:
        own = LabelMap(*filled_labels(read.slices, read.spacing_mm), table)
        grid = find_grid(reference, options, progress)
        progress.step("Resampling")
        labels = warp(own, Affine.identity(), grid.affine, grid.shape, order=order)
    labels = replace(labels, description="frames of a segmentation on the grid of the image")
    return Imported(labels, "SEG", _overlap(read.overlap)), codes


def _of_series(read: Segmentation, reference: Path, options: LoadOptions) -> LoadOptions:
    """The options with the series that the segmentation names, if the reference is DICOM and none was asked for."""
    if options.series is not None or (is_nifti(reference) and reference.is_file()):
        return options
    return replace(options, series=read.series_uid)


def _on_grid(
    data: AnyArray, stack: SliceStack, table: LabelTable, options: LoadOptions, *, as_acquired: bool
) -> LabelMap:
    """Labels of slices as they are, or on the rectified grid."""
    if as_acquired:
        # An uneven stack has no affine; `to_volume` says so.
        return LabelMap(data, stack.to_volume().affine, table)
    return rectify_labels(data, stack, table, spacing=options.slice_spacing)


def _slices(reference: Path, options: LoadOptions, progress: Progress) -> tuple[SliceStack, str, bool]:
    """The slices of the reference as acquired, directions of the axes of files, and whether they are its grid."""
    if is_nifti(reference) and reference.is_file():
        return *read_stack(reference, assume_mm=options.assume_mm), True
    with closing(locate(reference, options, progress)) as located:
        return located.load(progress).stack, "RAS", False


def _lost(structures: tuple[ContouredStructure, ...], on_no_slice: int, not_closed: int) -> tuple[Finding, ...]:
    lost = on_no_slice + not_closed
    if not lost:
        return ()
    total = not_closed + sum(len(structure.contours) for structure in structures)
    return (
        Finding(
            "contours-left-out",
            f"{lost} of {total} contours were left out: {on_no_slice} lie on no slice of the image, {not_closed} are "
            "points or open lines",
            {"contours": total, "on_no_slice": on_no_slice, "not_closed": not_closed},
        ),
    )


def _table(structures: tuple[ContouredStructure, ...]) -> LabelTable:
    names = unique_names(structure.name for structure in structures)
    return LabelTable(
        tuple(
            Label(n, name, name, structure.color or COLORS[n % len(COLORS)])
            for n, (name, structure) in enumerate(zip(names, structures, strict=True), start=1)
        )
    )


def _named(read: Segmentation) -> LabelTable:
    names = unique_names(segment.name for segment in read.segments)
    return LabelTable(
        tuple(
            Label(one.number, name, name, one.color or COLORS[one.number % len(COLORS)], one.snomed_ct)
            for name, one in zip(names, read.segments, strict=True)
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
        "GeneratedBy": generated_by(),
        "Description": made.labels.description,
        "Source": made.source,
        "Structures": [
            {"Index": s.index, "Name": s.name, "VolumeMl": round(s.volume_ml, 4)}
            for s in structure_volumes(made.labels)
        ],
        "SNOMEDCT": {label.name: label.snomed_ct for label in made.labels.table if label.snomed_ct},
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in made.findings],
    }
