"""`cormack native`: the way back to the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, load_from, rules_option, talk_options
from cormack.cli.terminal import listener, say, warn


@click.command(name="native")
@click.argument("volume", metavar="VOLUME.nii.gz", type=IN_PATH)
@click.argument("source", metavar="DICOM_IN", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option("--series", metavar="NUMBER|UID", help="The DICOM series to go back to, instead of the best one.")
@rules_option
@click.option(
    "--as",
    "kind",
    type=click.Choice(["auto", "labels", "values"]),
    default="auto",
    show_default=True,
    help="What the numbers are; auto takes up to 200 different whole ones from 0 upwards for labels.",
)
@click.option("--description", metavar="TEXT", help="SeriesDescription, at most 64 characters.")
@click.option(
    "--window", type=(float, float), metavar="LEVEL WIDTH", help="How viewers show the series at first, such as 40 80."
)
@assume_mm_option
@talk_options
def native_command(
    volume: Path,
    source: Path,
    out: Path,
    kind: str,
    window: tuple[float, float] | None,
    **values: Any,
) -> None:
    """Bring a mask or volume back to the archive: a derived DICOM series on the slices it came from.

    VOLUME is a NIfTI file on any grid in the scanner's coordinates, such as the rectified one. Every slice written has
    the place of its source slice in DICOM_IN and refers to it. OUT_DIR carries the identifiers of the patient, as the
    archive needs them.
    """
    from cormack.imaging.windows import Window
    from cormack.pipeline.images import Kind
    from cormack.pipeline.native import write_native

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    if window is not None and not window[1] > 0:
        raise click.BadParameter("the width must be positive", param_hint="--window")
    options = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        made = write_native(
            volume,
            source,
            out,
            options,
            kind=Kind(kind),
            window=None if window is None else Window(*window),
            progress=progress,
            **values,
        )
    for finding in made.findings:
        warn(finding.message)
    say(f"wrote {out}: {made.slices} slices, {made.kind} on {made.filled} of them", quiet=quiet)
