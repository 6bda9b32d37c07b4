"""A head without its face: NIfTI on the same voxels, or the same DICOM instances, and a page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cormack.core.errors import DicomError, OutputError
from cormack.core.provenance import Provenance
from cormack.core.volume import AnyArray, SliceStack
from cormack.dicom.assemble import assemble
from cormack.dicom.geometry import stack_geometry
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import take_inventory
from cormack.dicom.repaint import repaint_series
from cormack.dicom.source import open_source
from cormack.files.edited import write_edited
from cormack.files.nifti import is_nifti, read_stack
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.deface_report import DefaceOptions, Description, describe
from cormack.pipeline.face_paint import FacePainter
from cormack.pipeline.head_face import HeadFace, Modality, find_face
from cormack.pipeline.modality import choose_series
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent

#: Which series are looked for, by the modality that was asked for.
SERIES: dict[Modality, Literal["CT", "MR", "auto"]] = {Modality.AUTO: "auto", Modality.CT: "CT", Modality.MR: "MR"}


@dataclass(frozen=True)
class Defaced:
    """What was written, and what there is to tell of it."""

    out: Path
    page: Path
    sidecar: Path
    told: Description


def deface(
    source: Path,
    out: Path,
    options: DefaceOptions = DefaceOptions(),  # noqa: B008  (frozen)
    load: LoadOptions = LoadOptions(),  # noqa: B008  (frozen)
    *,
    progress: Progress | None = None,
) -> Defaced:
    """Take the face from a head CT or a T1-weighted MR of a head.

    A NIfTI file is written on the same voxels with the same data type, a DICOM series with the same instances, UIDs,
    headers and geometry: only pixel values change, and what names a person in headers stays
    (`cormack deidentify` cleans headers). Beside the output stand a sidecar and a page with renderings.

    Parameters
    ----------
    source : Path
        NIfTI file, or DICOM folder, file, zip or tar.
    out : Path
        `….nii.gz` or `….nii` for NIfTI; for DICOM a folder that must not exist, or be empty.
    options : DefaceOptions
    load : LoadOptions
        `series`, `rules` and `assume_mm` count.
    progress : Progress, optional

    Raises
    ------
    ExtractionError
        If brain or face cannot be found, or a voxel of the brain mask would change; nothing is written then.
    CormackError
        If the input or output cannot be used.
    """
    listener = progress or Silent()
    if is_nifti(source) and source.is_file():
        return _deface_nifti(source, out, options, load, listener)
    return _deface_dicom(source, out, options, load, listener)


def _deface_nifti(source: Path, out: Path, options: DefaceOptions, load: LoadOptions, progress: Progress) -> Defaced:
    check_target(source, out)
    provenance = Provenance()
    progress.step("Reading slices")
    with provenance.timed("Reading"):
        stack, _ = read_stack(source, assume_mm=load.assume_mm)
    head = _found(stack, (), options, options.modality, progress, provenance)
    painter = FacePainter(head, options.mode)
    values = stack.data.copy(order="K")
    with provenance.timed("Painting"):
        for k in range(values.shape[2]):
            values[:, :, k] = painter.paint(stack.origins[k], stack.step_i, stack.step_j, stack.data[:, :, k])
    told = describe(head, painter, options, progress, provenance=provenance)
    progress.step("Writing files")
    with OutputSet(out.parent) as outputs:
        write_edited(source, outputs.part(out.name), values != stack.data, values)
        return _finish(told, out, stem(out), outputs)


def _deface_dicom(source: Path, out: Path, options: DefaceOptions, load: LoadOptions, progress: Progress) -> Defaced:
    check_apart(source, out)
    if is_nifti(out) or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise OutputError(f"{out}: DICOM is written to a new or empty folder; name one")
    check_writable(out.parent)
    provenance = Provenance()
    progress.step("Reading headers")
    with open_source(source) as files:
        wanted_series = replace(load, modality=SERIES[options.modality])
        selection = choose_series(take_inventory(files, on_progress=progress.advance), wanted_series)
        progress.step("Reading slices")
        with provenance.timed("Reading"):
            assembly = assemble(selection.entry, on_progress=progress.advance)
        stated = Modality.CT if selection.entry.modality == "CT" else Modality.MR
        wanted = stated if options.modality is Modality.AUTO else options.modality
        head = _found(assembly.stack, assembly.padding_hu, options, wanted, progress, provenance)
        painter = FacePainter(head, options.mode, assembly.padding_hu)
        progress.step("Writing files")
        with provenance.timed("Painting and writing"):
            repaint_series(selection.entry, out, _by_instance(painter), on_progress=progress.advance)
    findings = (*selection.findings, *assembly.findings)
    told = describe(head, painter, options, progress, provenance=provenance, findings=findings)
    with OutputSet(out.parent) as outputs:
        return _finish(told, out, out.name, outputs)


def _finish(told: Description, out: Path, name: str, outputs: OutputSet) -> Defaced:
    page, sidecar = f"{name}.html", f"{name}.json"
    outputs.write_text(page, told.page)
    outputs.write_text(sidecar, to_json(told.fields))
    return Defaced(out, out.with_name(page), out.with_name(sidecar), told)


def _by_instance(painter: FacePainter) -> Callable[[Instance, AnyArray], AnyArray]:
    """The painter for images as DICOM has them: rows and columns, each where its own header puts it."""

    def paint(image: Instance, values: AnyArray) -> AnyArray:
        if not (image.position and image.orientation and image.pixel_spacing):
            raise DicomError("an image of the series states no position, orientation or pixel spacing")
        place = stack_geometry([image.orientation], [image.position], image.pixel_spacing)
        plane = values.T
        painted = painter.paint(place.origins[0], place.step_i, place.step_j, plane)
        return values if painted is plane else painted.T

    return paint


def _found(
    stack: SliceStack,
    padding: tuple[float, ...],
    options: DefaceOptions,
    modality: Modality,
    progress: Progress,
    provenance: Provenance,
) -> HeadFace:
    progress.step("Finding brain and face")
    with provenance.timed("Finding brain and face"):
        return find_face(stack, padding, modality, parts=options.parts, margin_mm=options.margin_mm)
