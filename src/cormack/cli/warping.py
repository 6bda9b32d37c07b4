"""`cormack transform` and `cormack transform-points`: other images and points through a registration that was kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, load_from, talk_options
from cormack.cli.terminal import listener, say, warn

_transform_option = click.option(
    "--transform",
    metavar="OUT_DIR|FILE",
    type=IN_PATH,
    required=True,
    help="Folder that `cormack register` wrote, or one transform: .mat, .tfm, .txt, .h5 (ITK, ANTs), or a displacement "
    "field .nii.gz.",
)
_inverse_option = click.option("--inverse", is_flag=True, help="The way back: from the fixed image to the moving one.")


@click.command(name="transform")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--reference",
    metavar="FIXED",
    type=IN_PATH,
    required=True,
    help="Image whose grid the result takes, NIfTI or DICOM; with --inverse the moving image.",
)
@_transform_option
@_inverse_option
@click.option("--labels", is_flag=True, help="The numbers name structures; they are never mixed.")
@click.option(
    "--names", metavar="LABELS.tsv", type=IN_PATH, help="Names of the labels: a table with the columns index and name."
)
@click.option(
    "--volumes", metavar="VOLUMES.tsv", type=OUT_PATH, help="Write the volume of every structure on the new grid."
)
@click.option(
    "--interpolation",
    type=click.Choice(["linear", "cubic", "nearest"]),
    default="linear",
    show_default=True,
    help="Kernel of the one interpolation; of labels linear takes the one with the largest share.",
)
@click.option("--series", metavar="NUMBER|UID", help="Take this DICOM series of IN instead of the best one.")
@assume_mm_option
@talk_options
def transform_command(
    source: Path, out: Path, reference: Path, transform: Path, interpolation: Any, **values: Any
) -> None:
    """Carry any image along with one that was registered, in one interpolation.

    IN is DICOM or NIfTI in the space of the moving image; OUT.nii.gz lies on the voxels of FIXED. With --inverse, IN
    is in the space of the fixed image, such as an atlas, and the result on the scan.
    """
    from cormack.pipeline.transform import transform_image

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        made = transform_image(
            source, out, reference, transform, options, interpolation=interpolation, progress=progress, **values
        )
    for finding in made.findings:
        warn(finding.message)
    say(f"wrote {out}: {made.kind}, {100 * made.covered:.0f} % of the voxels are not outside", quiet=quiet)


@click.command(name="transform-points")
@click.argument("source", metavar="IN.csv|tsv", type=IN_PATH)
@click.argument("out", metavar="OUT.csv|tsv", type=OUT_PATH)
@_transform_option
@_inverse_option
@talk_options
def transform_points_command(
    source: Path, out: Path, transform: Path, inverse: bool, quiet: bool, verbose: int
) -> None:
    """Carry points of the moving image to the fixed one.

    IN is a table with the columns x, y and z in RAS+ mm; other columns are kept.
    """
    from cormack.pipeline.transform import transform_points

    with listener(quiet=quiet, verbose=verbose) as progress:
        progress.step("Moving points")
        count = transform_points(source, out, transform, inverse=inverse)
    say(f"wrote {out}: {count} points", quiet=quiet)
