"""Two files registered: read, masked, aligned, judged, and written with pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from cormack.core.errors import ExtractionError, InputError, RegistrationError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import MODALITIES, Unit, Volume
from cormack.extract.brain import brain_mask
from cormack.extract.head import head_mask
from cormack.files.nifti import is_nifti, stack_from_affine
from cormack.files.outputs import check_apart, check_writable
from cormack.imaging.condition import HU_RANGE
from cormack.imaging.rectify import rectify
from cormack.imaging.warp import warp
from cormack.pipeline.images import Kind as ImageKind
from cormack.pipeline.images import find_image, read_image
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.register_outputs import Side, write_registration
from cormack.pipeline.templates import load_template
from cormack.register.engine import Kind, Metric
from cormack.register.register import RegisterOptions, Registration, register_volumes
from cormack.register.templates import TEMPLATES, Template

Region = Literal["brain", "head"]


@dataclass(frozen=True)
class RegisterFiles:
    """How two files are registered.

    Parameters
    ----------
    kind : str
        "rigid", "affine" or "syn".
    metric : str
        "auto", "mi", "nmi", "ls" or "cc".
    region : "brain", "head" or None
        What counts where no mask is given: the extracted brain, or the whole head. Not said: the brain for a
        template, the head for another scan, whose skull is the same and places it more exactly.
    moving_mask, fixed_mask, lesions : Path or None
        NIfTI files on the grids of their volumes; `lesions` lie on the moving one.
    values, spacing_mm, seed
        See `cormack.register.register.RegisterOptions`.
    template_dir : Path or None
        Where the files of a template lie.
    load : LoadOptions
        For the moving scan.
    """

    kind: str = Kind.RIGID
    metric: str = Metric.AUTO
    region: Region | None = None
    moving_mask: Path | None = None
    fixed_mask: Path | None = None
    lesions: Path | None = None
    options: RegisterOptions = field(default_factory=RegisterOptions)
    template_dir: Path | None = None
    load: LoadOptions = field(default_factory=LoadOptions)


def register_files(
    moving: Path,
    fixed: str | Path,
    out: Path,
    options: RegisterFiles = RegisterFiles(),
    *,
    progress: Progress | None = None,
) -> Registration:
    """Register a scan to another one or to a template, and write what came of it.

    Parameters
    ----------
    moving : Path
        DICOM folder, file or archive, or NIfTI.
    fixed : Path or str
        The same, or a template's name.
    out : Path
        A folder: gets `warped.nii.gz`, the transforms both ways, `registration.json` and `report.html`.
    options : RegisterFiles
    progress : Progress, optional

    Raises
    ------
    RegistrationError
        If the registration failed; `report.html` and `registration.json` are written and say why, nothing else is.
    CormackError
        If an input or the output cannot be used.
    """
    listener = progress or Silent()
    for source in (moving, Path(fixed)):
        if source.exists():
            check_apart(source, out)
    check_writable(out)
    second = find_fixed(fixed, options, listener)
    listener.step("Reading images")
    first = read_side(moving, "moving", options.load, options.moving_mask, listener)
    listener.step("Finding what counts")
    region = options.region or ("head" if second.template is None else "brain")
    first, second, findings = masked(first, second, region)
    lesions = None if options.lesions is None else read_mask(options.lesions, first.volume, "lesions")
    listener.step("Registering")
    registration = register_sides(first, second, options, lesions)
    listener.step("Writing files")
    notes = (*first.findings, *second.findings, *findings)
    write_registration(out, first, second, registration, options, notes)
    if registration.failure is not None:
        raise RegistrationError(f"{registration.failure.message}. See {out / 'report.html'}")
    return registration


def register_sides(moving: Side, fixed: Side, options: RegisterFiles, lesions: LabelMap | None = None) -> Registration:
    """Register two sides that have their masks."""
    symmetric = fixed.template is not None and fixed.template.entry.symmetric
    return register_volumes(
        moving.volume,
        fixed.volume,
        options.kind,
        metric=options.metric,
        moving_mask=moving.mask,
        fixed_mask=fixed.mask,
        moving_lesions=lesions,
        options=replace(options.options, look_for_mirror=not symmetric),
    )


def find_fixed(fixed: str | Path, options: RegisterFiles, progress: Progress) -> Side:
    """What is registered to: a template by name, or a scan.

    Raises
    ------
    InputError
        If it is neither, or cannot be used.
    """
    if Path(fixed).exists():
        load = LoadOptions(assume_mm=options.load.assume_mm)
        return read_side(Path(fixed), "fixed", load, options.fixed_mask, progress)
    template = _template(str(fixed), options, progress)
    mask = options.fixed_mask
    given = None if mask is None else read_mask(mask, template.volume, "fixed")
    return Side(template.volume, template.entry.space, given=given, brain=template.brain, template=template)


def _template(name: str, options: RegisterFiles, progress: Progress) -> Template:
    if name not in TEMPLATES:
        raise InputError(
            f"{name}: no such file or folder, and no template of this name; known are {', '.join(TEMPLATES)}"
        )
    progress.step("Reading the template")
    return load_template(name, folder=options.template_dir, progress=progress)


def read_side(path: Path, label: str, load: LoadOptions, mask: Path | None, progress: Progress) -> Side:
    """A scan on its own grid, with the mask that a file gives; `label` names its space.

    Raises
    ------
    InputError
        If it cannot be read, or is no scan.
    """
    found = find_image(path, load, progress)
    if not isinstance(found.image, Volume):
        raise InputError(f"{path}: a scan was expected, not labels")
    volume = found.image
    if volume.unit is Unit.HU:
        volume = volume.with_data(np.clip(volume.data, *HU_RANGE))
    given = None if mask is None else read_mask(mask, volume, label)
    return Side(volume, label, given=given, findings=found.findings, codes=found.codes)


def read_mask(path: Path, volume: Volume, name: str) -> LabelMap:
    """A mask from a file, on the grid of a volume; another grid in the same space is resampled.

    Raises
    ------
    InputError
        If it is no mask, or lies elsewhere.
    """
    if not (is_nifti(path) and path.is_file()):
        raise InputError(f"{path}: no such NIfTI file ({name})")
    image = read_image(path, ImageKind.LABELS, assume_mm=True).image
    if isinstance(image, Volume) or not image.data.any():
        raise InputError(f"{path}: an empty mask ({name}); leave it out, or give one that holds something")
    return image if image.on_grid_of(volume) else warp(image, Affine.identity(), volume.affine, volume.shape)


def masked(moving: Side, fixed: Side, region: Region) -> tuple[Side, Side, tuple[Finding, ...]]:
    """Both sides with their masks: those given, or brains, or heads; brains only where both have one."""
    needs_brain = fixed.template is not None and fixed.template.entry.brain_only
    if region == "brain" or needs_brain:
        try:
            return _with_brain(moving), _with_brain(fixed), ()
        except ExtractionError as error:
            if needs_brain:
                raise
            reason = f"whole heads were registered, as the brain of one scan is not known: {error}"
            lost = (Finding("registered-by-head", reason),)
            return _with_head(moving), _with_head(fixed), lost
    return _with_head(moving), _with_head(fixed), ()


def masked_side(side: Side, region: Region) -> Side:
    """One side with its mask.

    Raises
    ------
    ExtractionError
        If the region cannot be found.
    """
    return _with_brain(side) if region == "brain" else _with_head(side)


def _with_brain(side: Side) -> Side:
    if side.given is not None:
        return side.masked_by(side.given)
    if side.brain is not None:
        return side.masked_by(side.brain)
    advice = "give a mask of the brain (--mask-moving, --mask-fixed)"
    if side.volume.unit not in MODALITIES:
        raise ExtractionError(f"a brain is extracted from CT in HU or from MR, not from {side.volume.unit}; {advice}")
    upright = _upright(side.volume)
    try:
        head = head_mask(upright) if upright.unit is Unit.HU else None
        return side.masked_by(_back(brain_mask(upright, head=head), side.volume))
    except ExtractionError as error:
        raise ExtractionError(f"{error}; or {advice}") from error


def _with_head(side: Side) -> Side:
    if side.given is not None:
        return side.masked_by(side.given)
    if side.volume.unit is not Unit.HU or side.template is not None:
        return side
    return side.masked_by(_back(head_mask(_upright(side.volume)), side.volume))


def _upright(volume: Volume) -> Volume:
    """The volume on an orthogonal grid with axes closest to R, A and S, as extraction needs it."""
    data = volume.data.astype(np.int16) if volume.unit is Unit.HU else volume.data
    stack = stack_from_affine(data, volume.affine, acquisition=volume.acquisition)
    return rectify(replace(stack, unit=volume.unit, outside=volume.outside)).volume


def _back(mask: LabelMap, volume: Volume) -> LabelMap:
    return mask if mask.on_grid_of(volume) else warp(mask, Affine.identity(), volume.affine, volume.shape)
