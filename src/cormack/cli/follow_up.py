"""`cormack follow-up`: two scans of one person, compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, talk_options
from cormack.cli.terminal import listener, say, warn


@click.command(name="follow-up")
@click.argument("first", metavar="A", type=IN_PATH)
@click.argument("second", metavar="B", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--labels",
    "labels",
    nargs=2,
    type=IN_PATH,
    metavar="A.nii.gz B.nii.gz",
    help="Structures drawn on each scan, whose volumes are compared, too.",
)
@click.option(
    "--spacing",
    "spacing_mm",
    type=click.FloatRange(0.3, 5),
    default=1.0,
    show_default=True,
    help="Edge of the voxels on which the scans are compared (mm).",
)
@click.option(
    "--interpolation",
    type=click.Choice(["linear", "cubic"]),
    default="linear",
    show_default=True,
    help="Kernel of the one interpolation.",
)
@click.option(
    "--metric",
    type=click.Choice(["mi", "nmi", "ls"]),
    default="mi",
    show_default=True,
    help="Mutual information, normalised mutual information, or least squares (two CT only).",
)
@assume_mm_option
@talk_options
def follow_up_command(
    first: Path, second: Path, out: Path, labels: tuple[Path, Path] | None, interpolation: str, **values: Any
) -> None:
    """Compare two scans of one person: CT with CT, or CT with MR.

    Both are brought halfway to each other and interpolated once, so that neither is favoured. OUT_DIR gets both scans,
    their difference (CT), a table of volumes, the transforms and a report.
    """
    from cormack.pipeline.follow_up import follow_up
    from cormack.pipeline.follow_up_outputs import FollowUpOptions

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = FollowUpOptions(order={"linear": 1, "cubic": 3}[interpolation], **values)
    given = {} if labels is None else {"first_labels": labels[0], "second_labels": labels[1]}
    with listener(quiet=quiet, verbose=verbose) as progress:
        made = follow_up(first, second, out, options, progress=progress, **given)
    for finding in made.findings:
        warn(finding.message)
    say(f"wrote {out}: turned by {made.turn_deg:.1f}°, shifted by {made.shift_mm:.1f} mm", quiet=quiet)
    for change in made.changes:
        percent = "" if change.change_percent is None else f" ({change.change_percent:+.2f} %)"
        say(f"{change.name}: {change.first_ml:.1f} to {change.second_ml:.1f} ml{percent}", quiet=quiet)
