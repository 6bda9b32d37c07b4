"""`cormack template build`: a template from many scans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, assume_mm_option, talk_options
from cormack.cli.register import use_threads
from cormack.cli.terminal import listener, say


@click.group(name="template")
def template_group() -> None:
    """Templates: spaces that scans are brought into."""


@template_group.command(name="build")
@click.argument("scans", metavar="SCAN...", type=IN_PATH, nargs=-1, required=True)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--rounds",
    metavar="KINDS",
    default="affine,syn,syn",
    show_default=True,
    help="Kinds of the rounds, separated by commas: rigid, affine, syn.",
)
@click.option(
    "--spacing",
    "spacing_mm",
    type=click.FloatRange(0.5, 8),
    default=2.0,
    show_default=True,
    help="Edge of the template's voxels (mm).",
)
@click.option("--sharpen", is_flag=True, help="Give back some of the detail that averaging takes.")
@click.option("--brain/--head", "brain", default=True, show_default=True, help="What the scans are registered by.")
@assume_mm_option
@talk_options
def build_command(scans: tuple[Path, ...], out: Path, rounds: str, brain: bool, **values: Any) -> None:
    """Make a template of CT scans: registered to their mean, averaged, brought to their mean shape, in rounds."""
    from cormack.pipeline.template import TemplateOptions, build_template_files

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    use_threads(None)
    kinds = tuple(kind.strip() for kind in rounds.split(","))
    options = TemplateOptions(rounds=kinds, region="brain" if brain else "head", **values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        built = build_template_files(scans, out, options, progress=progress)
    last = built.rounds[-1]
    say(
        f"wrote {out}: {len(scans)} scans, the last round moved the shape by {last.displacement_mm:.2f} mm", quiet=quiet
    )
