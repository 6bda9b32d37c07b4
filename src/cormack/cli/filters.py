"""`cormack resample` and `cormack filter …`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cormack.cli.options import IN_PATH, OUT_PATH, load_from, source_options, talk_options
from cormack.cli.terminal import listener, say, warn

Command = TypeVar("Command", bound=Callable[..., Any])


def _common(command: Command) -> Command:
    """IN and OUT.nii.gz, the picture, and where the scan comes from."""
    for option in (
        talk_options,
        source_options,
        click.option("--picture", metavar="PICTURE", type=OUT_PATH, help="Draw before and after: .png, .svg or .pdf."),
        click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH),
        click.argument("source", metavar="IN", type=IN_PATH),
    ):
        command = option(command)
    return command


def _run(source: Path, out: Path, work: Callable[[Any], Any], values: dict[str, Any]) -> None:
    """Filter, warn of what was noticed, and say what was done."""
    from cormack.pipeline.filtering import filter_file

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        written = filter_file(source, out, options, work, progress=progress, **values)
    for finding in written.findings:
        warn(finding.message)
    told = ", ".join(f"{name} {value}" for name, value in written.facts.items() if name != "Filter")
    say(f"wrote {out}: {written.facts['Filter']}, {told}", quiet=quiet)


@click.command(name="resample")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--spacing",
    "spacing_mm",
    type=click.FloatRange(0.05, 50),
    metavar="MM",
    default=1.0,
    show_default=True,
    help="Edge of the cubic voxels.",
)
@click.option(
    "--order",
    type=click.Choice(["linear", "cubic", "nearest"]),
    default="linear",
    show_default=True,
    help="Kernel of the one interpolation; of labels linear takes the one with the largest share.",
)
@click.option("--labels", is_flag=True, help="The numbers name structures; they are never mixed.")
@source_options
@talk_options
def resample_command(source: Path, out: Path, spacing_mm: float, **values: Any) -> None:
    """Bring a scan onto cubic voxels of exactly this size, averaged where they are larger, and say the true spacing."""
    from cormack.pipeline.filtering import resample_file

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = load_from(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        written = resample_file(source, out, spacing_mm, options, progress=progress, **values)
    for finding in written.findings:
        warn(finding.message)
    before, after, shape = (written.facts[name] for name in ("VoxelSizeBefore", "VoxelSize", "Shape"))
    say(f"wrote {out}: {_times(shape)} voxels of {_times(after)} mm (before: {_times(before)} mm)", quiet=quiet)


def _times(numbers: Any) -> str:
    return " x ".join(f"{number:.6g}" for number in numbers)


@click.group(name="filter")
def filter_group() -> None:
    """Filter a scan in millimetres, with pictures of before and after by --picture."""


@filter_group.command(name="gaussian")
@_common
@click.option("--sigma", type=click.FloatRange(0, 50, min_open=True), metavar="MM", default=1.0, show_default=True,
              help="Standard deviation.")  # fmt: skip
def gaussian_command(source: Path, out: Path, sigma: float, **values: Any) -> None:
    """Smooth by a 3-D Gaussian."""
    from cormack.pipeline.filtering import gaussian_by

    _run(source, out, gaussian_by(sigma), values)


@filter_group.command(name="perona-malik")
@_common
@click.option("--sigma", type=click.FloatRange(0, 50, min_open=True), metavar="MM", default=1.5, show_default=True,
              help="How far to smooth where there is no edge: as a Gaussian of this width.")  # fmt: skip
@click.option("--edge", type=click.FloatRange(0, min_open=True), metavar="HU/MM", default=15.0, show_default=True,
              help="Gradient from which on a step is an edge.")  # fmt: skip
@click.option("--conductance", type=click.Choice(["exponential", "rational"]), default="exponential", show_default=True,
              help="exp(-(g/K)^2) favours strong edges, 1/(1+(g/K)^2) wide regions.")  # fmt: skip
def perona_malik_command(source: Path, out: Path, sigma: float, edge: float, conductance: Any, **values: Any) -> None:
    """Smooth where the image is even, and leave edges as they are."""
    from cormack.pipeline.filtering import perona_malik_by

    _run(source, out, perona_malik_by(sigma, edge, conductance), values)


@filter_group.command(name="median")
@_common
@click.option("--radius", type=click.FloatRange(0, 20, min_open=True), metavar="MM", default=1.0, show_default=True,
              help="Of the ball over which the median is taken.")  # fmt: skip
def median_command(source: Path, out: Path, radius: float, **values: Any) -> None:
    """Take the median of the neighbourhood: spikes go, edges stay."""
    from cormack.pipeline.filtering import median_by

    _run(source, out, median_by(radius), values)


@filter_group.command(name="n4")
@_common
@click.option("--mask", metavar="MASK.nii.gz", type=IN_PATH, help="Where the field is fitted  [default: the head]")
def n4_command(source: Path, out: Path, mask: Path | None, **values: Any) -> None:
    """Take the slow shading out of an MR by N4. Not for CT: Hounsfield units are calibrated."""
    from cormack.pipeline.filtering import n4_within

    _run(source, out, n4_within(mask), values)


@filter_group.command(name="harmonize")
@_common
@click.option("--like", metavar="SOFT", type=IN_PATH, help="A scan of the soft kernel whose noise is the aim.")
@click.option("--frequency", type=click.FloatRange(0.1, 2), metavar="PER_MM",
              help="Or the mean frequency of its noise power spectrum.")  # fmt: skip
def harmonize_command(source: Path, out: Path, like: Path | None, frequency: float | None, **values: Any) -> None:
    """Smooth a scan of a sharp kernel within its slices until its noise is as coarse as a soft one's."""
    from cormack.pipeline.filtering import harmonized_to
    from cormack.pipeline.options import LoadOptions

    options = LoadOptions(assume_mm=values["assume_mm"])
    _run(source, out, harmonized_to(like, frequency, options), values)
