"""Scans in, a template out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cormack.core.errors import InputError
from cormack.core.provenance import generated_by
from cormack.core.volume import Unit
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.register import Region, masked_side, read_side
from cormack.register.template_build import ROUNDS, BuiltTemplate, Scan, build_template


@dataclass(frozen=True)
class TemplateOptions:
    """How a template is made: see `cormack.register.template_build.build_template`."""

    rounds: tuple[str, ...] = ROUNDS
    spacing_mm: float = 2.0
    sharpen: bool = False
    region: Region = "brain"
    assume_mm: bool = False


def build_template_files(
    scans: Sequence[Path],
    out: Path,
    options: TemplateOptions = TemplateOptions(),
    *,
    progress: Progress | None = None,
) -> BuiltTemplate:
    """Make a template of scans and write it: `template.nii.gz`, `template_mask.nii.gz`, `template.json`.

    Parameters
    ----------
    scans : sequence of Path
        DICOM folders, files or archives, or NIfTI files.
    out : Path
        A folder.
    options : TemplateOptions
    progress : Progress, optional

    Raises
    ------
    CormackError
        If an input or the output cannot be used, or too few scans can be registered.
    """
    listener = progress or Silent()
    for source in scans:
        check_apart(source, out)
    check_writable(out)
    read = []
    for source in scans:
        listener.step("Reading images")
        side = read_side(source, "scan", LoadOptions(assume_mm=options.assume_mm), None, listener)
        if side.volume.unit is not Unit.HU:
            raise InputError(
                f"{source}: a template is made of CT in Hounsfield units, not of {side.volume.unit} values"
            )
        side = masked_side(side, options.region)
        if side.mask is not None:
            read.append(Scan(side.volume, side.mask))
    listener.step("Building the template")
    built = build_template(
        read,
        rounds=options.rounds,
        spacing_mm=options.spacing_mm,
        sharpen=options.sharpen,
        on_progress=listener.advance,
    )
    listener.step("Writing files")
    with OutputSet(out) as outputs:
        write_volume(outputs.part("template.nii.gz"), built.volume)
        write_labels(outputs.part("template_mask.nii.gz"), built.mask)
        outputs.write_text("template.json", to_json(_record(built, len(read), options)))
    return built


def _record(built: BuiltTemplate, count: int, options: TemplateOptions) -> dict[str, object]:
    return {
        "GeneratedBy": generated_by(),
        "Scans": count,
        "Region": options.region,
        "Sharpened": options.sharpen,
        "Units": str(built.volume.unit),
        "Rounds": [
            {
                "Kind": told.kind,
                "MeanChange": round(told.change, 4),
                "ShapeMovedMm": round(told.displacement_mm, 4),
                "ScansLeftOut": told.left_out,
            }
            for told in built.rounds
        ],
    }
