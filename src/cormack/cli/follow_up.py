"""`cormack follow-up`: two scans of one person, compared."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, talk_options
from cormack.cli.terminal import listener, say, warn

#: Mean length of a year of the Gregorian calendar.
DAYS_PER_YEAR = 365.2425


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
@click.option(
    "--dates",
    nargs=2,
    type=click.DateTime(["%Y-%m-%d", "%Y%m%d"]),
    metavar="DATE DATE",
    help="Label maps: days of both scans, for changes per year. Not kept.",
)
@click.option("--years", type=click.FloatRange(0, min_open=True), help="Label maps: time between both scans, instead.")
@assume_mm_option
@talk_options
def follow_up_command(
    first: Path,
    second: Path,
    out: Path,
    labels: tuple[Path, Path] | None,
    interpolation: str,
    dates: tuple[datetime, datetime] | None,
    years: float | None,
    **values: Any,
) -> None:
    """Compare two scans of one person: CT with CT, MR with MR, CT with MR; or two label maps of `cormack segment`.

    Scans are brought halfway to each other and interpolated once, so that neither is favoured. OUT_DIR gets both scans,
    their difference (CT), a table of volumes, the transforms and a report.

    Of two label maps of one task, with their JSON beside them, the volumes are compared: OUT_DIR gets a table of
    changes in percent per year.
    """
    from cormack.pipeline.follow_up import follow_up
    from cormack.pipeline.follow_up_outputs import FollowUpOptions
    from cormack.pipeline.volume_rates import is_segmentation

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    if is_segmentation(first) and is_segmentation(second):
        _rates(first, second, out, _years(dates, years), quiet=quiet)
        return
    if dates is not None or years is not None:
        raise click.UsageError("--dates and --years are for two label maps of `cormack segment`")
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


def _years(dates: tuple[datetime, datetime] | None, years: float | None) -> float:
    if (dates is None) == (years is None):
        raise click.UsageError("two label maps need either --dates or --years, for changes per year")
    if dates is None:
        return float(years or 0.0)
    return (dates[1] - dates[0]).days / DAYS_PER_YEAR


def _rates(first: Path, second: Path, out: Path, years: float, *, quiet: bool) -> None:
    from cormack.pipeline.volume_rates import volume_rates

    made = volume_rates(first, second, out, years)
    for finding in made.findings:
        warn(finding.message)
    say(f"wrote {out}: {made.years:.2f} years", quiet=quiet)
    for rate in made.rates:
        spread = "" if rate.percent_per_year_sd is None else f" ± {rate.percent_per_year_sd:.2f}"
        told = "" if rate.percent_per_year is None else f" ({rate.percent_per_year:+.2f}{spread} % a year)"
        say(f"{rate.name}: {rate.first.volume_mm3:.0f} to {rate.second.volume_mm3:.0f} mm³{told}", quiet=quiet)
