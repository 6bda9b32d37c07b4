"""`cormack deface`: a head without its face."""

from __future__ import annotations

from pathlib import Path

import click

from cormack.cli.options import IN_PATH, OUT_PATH, talk_options
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
@click.option("--series", metavar="NUMBER|UID", help="Take this DICOM series instead of the best one.")
@click.option(
    "--rules", metavar="FILE.toml", type=IN_PATH, help="Rules of series selection in place of the built-in ones."
)
@click.option("--assume-mm", is_flag=True, help="Take a NIfTI header without a unit of length for millimetres.")
@talk_options
def deface_command(
    source: Path,
    out: Path,
    mode: str,
    parts: str,
    margin_mm: float,
    modality: str,
    no_before: bool,
    series: str | None,
    rules: Path | None,
    assume_mm: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Take the face from a head CT or a T1-weighted MR; no voxel of the brain mask changes.

    IN is a NIfTI file and OUT another (OUT.nii.gz, on the same voxels); or IN is DICOM (a folder, zip or tar) and OUT a
    new folder with the same instances of one series: same UIDs, geometry and headers, other pixel values.

    DICOM headers are NOT de-identified: they keep names, dates and numbers of the patient. `cormack deidentify` cleans
    them. A sidecar and a report with renderings are written beside OUT; its pictures "before" show the face.
    """
    from cormack.dicom.rules import DEFAULT_RULES, load_rules
    from cormack.pipeline.deface import deface
    from cormack.pipeline.deface_report import DefaceOptions
    from cormack.pipeline.face_paint import Mode
    from cormack.pipeline.head_face import Modality
    from cormack.pipeline.options import LoadOptions

    chosen = tuple(part for part in parts.replace(",", " ").split() if part)
    with listener(quiet=quiet, verbose=verbose) as progress:
        done = deface(
            source,
            out,
            DefaceOptions(Mode(mode), chosen, margin_mm, Modality(modality), show_before=not no_before),
            LoadOptions(
                series=series, assume_mm=assume_mm, rules=DEFAULT_RULES if rules is None else load_rules(rules)
            ),
            progress=progress,
        )
    for finding in done.told.findings:
        warn(finding.message)
    if out.is_dir():
        warn("the DICOM headers are not de-identified; `cormack deidentify` cleans them")
    say(f"wrote {out}: {done.told.changed} voxels changed, 0 of them in the brain; report {done.page}", quiet=quiet)
