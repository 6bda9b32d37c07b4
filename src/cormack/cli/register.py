"""`cormack register`: one scan brought onto another, or into the space of a template."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, load_from, talk_options
from cormack.cli.terminal import listener, say, warn

if TYPE_CHECKING:
    from cormack.pipeline.options import SpaceOptions
    from cormack.pipeline.register import Region

#: From here ITK takes how many threads it may use.
THREADS_VARIABLE = "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"


def use_threads(threads: int | None) -> None:
    """Give registration so many threads; without a number those of the environment, or one, for equal results."""
    if threads is None:
        os.environ.setdefault(THREADS_VARIABLE, "1")
    else:
        os.environ[THREADS_VARIABLE] = str(threads)


def template_dir_option(command: Any) -> Any:
    """`--template-dir`, for all commands that read templates."""
    return click.option(
        "--template-dir",
        type=IN_PATH,
        envvar="CORMACK_TEMPLATES",
        show_envvar=True,
        help="Folder with the files of the template, which are fetched else.",
    )(command)


def space_options(command: Any) -> Any:
    """`--space` and what belongs to it, for runs."""
    for option in reversed(
        (
            click.option(
                "--space",
                "space",
                metavar="ct|mni152|FILE",
                help="Bring the scan into the space of a template, too, and the template's brain onto the scan.",
            ),
            click.option(
                "--space-kind",
                type=click.Choice(["rigid", "affine", "syn"]),
                default="syn",
                show_default=True,
                help="How freely the scan may change on its way.",
            ),
            click.option(
                "--register-before-brain",
                "before_brain",
                is_flag=True,
                help="Register whole heads before the brain is extracted, rather than brains.",
            ),
            template_dir_option,
        )
    ):
        command = option(command)
    return command


def space_from(values: dict[str, Any]) -> SpaceOptions | None:
    """Take the choices about a template out of a command's values; None if none is asked for."""
    from cormack.pipeline.options import SpaceOptions

    name, kind, before = values.pop("space"), values.pop("space_kind"), values.pop("before_brain")
    folder = values.pop("template_dir")
    if name is None:
        return None
    use_threads(None)
    return SpaceOptions(name, kind=kind, before_brain=before, template_dir=None if folder is None else str(folder))


@click.command(name="register")
@click.argument("moving", metavar="MOVING", type=IN_PATH)
@click.argument("fixed", metavar="FIXED")
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--kind",
    type=click.Choice(["rigid", "affine", "syn"]),
    default="rigid",
    show_default=True,
    help="Turn and shift; scale and shear, too; deform smoothly, too (SyN).",
)
@click.option(
    "--metric",
    type=click.Choice(["auto", "mi", "nmi", "ls", "cc"]),
    default="auto",
    show_default=True,
    help="Mutual information, with least squares in the deformable stage where the values agree (auto); mutual "
    "information throughout; normalised mutual information; least squares (two CT); local correlation.",
)
@click.option(
    "--brain/--head",
    "brain",
    default=None,
    help="What counts where no mask is given: the extracted brain, or the head  [default: the brain for a template, "
    "the head for another scan]",
)
@click.option("--mask-moving", "moving_mask", type=IN_PATH, metavar="MASK.nii.gz", help="What counts of MOVING.")
@click.option("--mask-fixed", "fixed_mask", type=IN_PATH, metavar="MASK.nii.gz", help="What counts of FIXED.")
@click.option(
    "--lesion", "lesions", type=IN_PATH, metavar="MASK.nii.gz", help="What must not count: lesions of MOVING."
)
@click.option(
    "--units",
    "values",
    type=click.Choice(["window", "cormack"]),
    default="window",
    show_default=True,
    help="What the engine sees of a CT: the window of soft tissue, or Cormack units.",
)
@click.option(
    "--working-spacing",
    "spacing_mm",
    type=click.FloatRange(0.5, 8),
    default=2.0,
    show_default=True,
    help="Edge of the voxels that the engine sees (mm).",
)
@click.option("--trust-headers", is_flag=True, help="Begin where the headers place the volumes, without a search.")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Processor threads  [default: 1, which gives the same result every time]",
)
@click.option("--series", metavar="NUMBER|UID", help="Take this DICOM series of MOVING instead of the best one.")
@assume_mm_option
@template_dir_option
@talk_options
def register_command(
    moving: Path, fixed: str, out: Path, brain: bool | None, threads: int | None, trust_headers: bool, **values: Any
) -> None:
    """Register MOVING to FIXED: DICOM, NIfTI, or a template by name (ct, mni152).

    OUT_DIR gets the warped scan, the transforms both ways (for `cormack transform`, ANTs and Slicer), the evidence
    and a report with pictures. A registration that failed says why and leaves the report only.
    """
    from cormack.pipeline.register import RegisterFiles, register_files
    from cormack.register.register import RegisterOptions

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    use_threads(threads)
    chosen = RegisterOptions(spacing_mm=values.pop("spacing_mm"), values=values.pop("values"), search=not trust_headers)
    region: Region | None = None if brain is None else "brain" if brain else "head"
    options = RegisterFiles(options=chosen, load=load_from(values), region=region, **values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        made = register_files(moving, fixed, out, options, progress=progress)
    for finding in made.findings:
        warn(finding.message)
    overlap = "" if made.evidence is None else f", overlap {made.evidence.overlap:.3f} (Sørensen–Dice)"
    say(f"wrote {out}: {made.kind} by {made.metric}{overlap}", quiet=quiet)
