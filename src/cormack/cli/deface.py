"""`cormack deface`: a head without its face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import (
    IN_PATH,
    OUT_PATH,
    assume_mm_option,
    load_from,
    rules_option,
    series_option,
    talk_options,
)
from cormack.cli.terminal import listener, say, warn


@click.command(name="deface")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@click.option(
    "--mode",
    type=click.Choice(["remove", "blur"]),
    default="remove",
    show_default=True,
    help="Put air in its place (0 in an MR), or blur it.",
)
@click.option(
    "--parts",
    metavar="face,ears,teeth",
    default="face",
    show_default=True,
    help="What to take away; the face holds both jaws with their teeth.",
)
@click.option(
    "--margin",
    "margin_mm",
    type=click.FloatRange(0, 50),
    default=5.0,
    show_default=True,
    metavar="MM",
    help="Nothing nearer to the brain mask changes.",
)
@click.option(
    "--modality",
    type=click.Choice(["auto", "ct", "mr"]),
    default="auto",
    show_default=True,
    help="How the brain is found; auto asks the DICOM header, and the values of a NIfTI file.",
)
@click.option("--no-before", is_flag=True, help="Leave the pictures that show the face out of the report.")
@series_option
@rules_option
@assume_mm_option
@talk_options
def deface_command(
    source: Path,
    out: Path,
    mode: str,
    parts: str,
    margin_mm: float,
    modality: str,
    no_before: bool,
    quiet: bool,
    verbose: int,
    **values: Any,
) -> None:
    """Take the face from a head CT or a T1-weighted MR; no voxel of the brain mask changes.

    IN is a NIfTI file and OUT another (OUT.nii.gz, on the same voxels); or IN is DICOM (a folder, zip or tar) and OUT a
    new folder with the same instances of one series: same UIDs, geometry and headers, other pixel values.

    DICOM headers are NOT de-identified: they keep names, dates and numbers of the patient. `cormack deidentify` cleans
    them. A sidecar and a report with renderings are written beside OUT; its pictures "before" show the face.
    """
    from cormack.pipeline.deface import deface
    from cormack.pipeline.deface_report import DefaceOptions
    from cormack.pipeline.face_paint import Mode
    from cormack.pipeline.head_face import Modality

    chosen = tuple(part for part in parts.replace(",", " ").split() if part)
    load = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        done = deface(
            source,
            out,
            DefaceOptions(Mode(mode), chosen, margin_mm, Modality(modality), show_before=not no_before),
            load,
            progress=progress,
        )
    for finding in done.told.findings:
        warn(finding.message)
    if out.is_dir():
        warn("the DICOM headers are not de-identified; `cormack deidentify` cleans them")
    say(f"wrote {out}: {done.told.changed} voxels changed, 0 of them in the brain; report {done.page}", quiet=quiet)
