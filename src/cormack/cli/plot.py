"""`cormack plot …`: histograms, montages, planes, overlays, pairs and surfaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cormack.cli.options import IN_PATH, OUT_PATH, load_from, source_options, talk_options
from cormack.cli.terminal import listener, say, warn

if TYPE_CHECKING:
    from cormack.pipeline.look import LookOptions

Command = TypeVar("Command", bound=Callable[..., Any])
_PLANES = ("axial", "coronal", "sagittal")


class Triple(click.ParamType[tuple[float, float, float]]):
    """Three numbers, separated by commas."""

    name = "X,Y,Z"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The three numbers."""
        if isinstance(value, tuple):
            return value
        try:
            x, y, z = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers such as 0,-20,35", param, ctx)
        return x, y, z


def _common(dpi: int = 150) -> Callable[[Command], Command]:
    """Options of every picture: its pixels, where the scan comes from, what is said."""
    dpi_option = click.option(
        "--dpi", type=click.IntRange(20, 1200), default=dpi, show_default=True, help="Pixels per inch of a PNG."
    )
    return lambda command: dpi_option(source_options(talk_options(command)))


def _tone_options(command: Command) -> Command:
    for option in (
        click.option("--color-map", metavar="NAME", help="Colour map of matplotlib, or tissue; grey for windows."),
        click.option("--sigmoid", is_flag=True, help="Let the window fade out instead of cutting off."),
        click.option(
            "--window",
            metavar="NAME|LEVEL,WIDTH",
            default="auto",
            show_default=True,
            help="brain, subdural, stroke, stroke-narrow, soft-tissue, bone, lung, mediastinum, liver, spine, "
            "spine-bone, angiography; equalised or all-range, in colour; or numbers in HU.",
        ),
    ):
        command = option(command)
    return command


_planes_option = click.option(
    "--plane", "planes", type=click.Choice(_PLANES), multiple=True, default=_PLANES, help="May be repeated."
)
_names_option = click.option(
    "--names", metavar="LABELS.tsv", type=IN_PATH, help="Names of the labels: columns index and name."
)


def _place_options(command: Command) -> Command:
    for option in (
        click.option("--normal", "normal", type=Triple(), help="Normal of an oblique plane (RAS+)."),
        click.option(
            "--at", "at_mm", type=Triple(), help="A point of the planes, RAS+ mm  [default: middle of the body]"
        ),
    ):
        command = option(command)
    return command


def _look(values: dict[str, Any]) -> LookOptions:
    """Take the choices about tones, place and source out of a command's values."""
    from cormack.pipeline.look import LookOptions

    names = ("window", "sigmoid", "color_map", "at_mm", "normal", "dpi")
    return LookOptions(load=load_from(values), **{name: values.pop(name) for name in names if name in values})


def _draw(work: Callable[..., Any], *paths: Path, out: Path, values: dict[str, Any]) -> None:
    """Draw, warn of what was noticed, and say where the picture is."""
    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = _look(values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        findings = work(*paths, out, options, progress=progress, **values)
    for finding in findings:
        warn(finding.message)
    say(f"wrote {out}", quiet=quiet)


@click.group(name="plot")
def plot_group() -> None:
    """Draw a scan: PNG, SVG or PDF by the ending of OUT; surfaces also as a page or for printing."""


@plot_group.command(name="histogram")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@click.option("--log/--linear", default=True, show_default=True, help="Counts on a logarithmic axis.")
@click.option(
    "--stretched/--even",
    default=True,
    show_default=True,
    help="An axis on which soft tissue takes as much room as in Cormack units.",
)
@_common()
def histogram_command(source: Path, out: Path, **values: Any) -> None:
    """How many millilitres have which Hounsfield unit, with the usual ranges of tissues; padding is told apart."""
    from cormack.pipeline.look import draw_histogram

    _draw(draw_histogram, source, out=out, values=values)


@plot_group.command(name="montage")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@click.option("--slices", "count", type=click.IntRange(1, 400), default=36, show_default=True, help="How many slices.")
@click.option("--every", type=click.IntRange(1), metavar="N", help="Every n-th slice of the whole scan instead.")
@click.option("--plane", type=click.Choice(_PLANES), default="axial", show_default=True, help="Direction of slices.")
@click.option("--labels", metavar="LABELS.nii.gz", type=IN_PATH, help="Labels on the same grid, drawn over the slices.")
@_tone_options
@_common()
def montage_command(source: Path, out: Path, **values: Any) -> None:
    """Many slices in one picture, each with its position in millimetres."""
    from cormack.pipeline.look import draw_montage

    _draw(draw_montage, source, out=out, values=values)


@plot_group.command(name="planes")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@_planes_option
@_place_options
@_tone_options
@_common()
def planes_command(source: Path, out: Path, **values: Any) -> None:
    """Axial, coronal, sagittal and oblique cuts at right proportions, with a scale bar and directions."""
    from cormack.pipeline.look import draw_planes

    _draw(draw_planes, source, out=out, values=values)


@plot_group.command(name="overlay")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("labels", metavar="LABELS.nii.gz", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@_names_option
@click.option("--opacity", type=click.FloatRange(0, 1), default=0.4, show_default=True, help="Of the labels.")
@_planes_option
@_place_options
@_tone_options
@_common()
def overlay_command(source: Path, labels: Path, out: Path, **values: Any) -> None:
    """Labels over the planes of a scan, with their names and volumes; the grids may differ."""
    from cormack.pipeline.look import draw_planes

    _draw(draw_planes, source, out=out, values={**values, "labels": labels})


@plot_group.command(name="pair")
@click.argument("before", metavar="BEFORE", type=IN_PATH)
@click.argument("after", metavar="AFTER", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@click.option(
    "--kind",
    type=click.Choice(["side", "checkerboard", "difference"]),
    default="side",
    show_default=True,
    help="Next to each other, in squares of 25 mm in turn, or after less before.",
)
@click.option("--plane", type=click.Choice(_PLANES), default="axial", show_default=True)
@_place_options
@click.option("--window", metavar="NAME|LEVEL,WIDTH", default="auto", show_default=True, help="As in `plot planes`.")
@_common()
def pair_command(before: Path, after: Path, out: Path, **values: Any) -> None:
    """Two scans of one space: before and after, or whether they are aligned. The grids may differ."""
    from cormack.pipeline.look import draw_pair

    _draw(draw_pair, before, after, out=out, values=values)


@plot_group.command(name="surface")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT", type=OUT_PATH)
@click.option(
    "--surface",
    "surfaces",
    metavar="NAME|LEVEL",
    multiple=True,
    default=("skin",),
    help="skin, bone, or a level in the unit of the scan; may be repeated  [default: skin]",
)
@click.option("--labels", is_flag=True, help="IN holds labels: one surface each.")
@_names_option
@click.option(
    "--faces", type=click.IntRange(0), default=200_000, show_default=True, help="Triangles at most; 0 for all."
)
@click.option("--voxel", "spacing_mm", type=click.FloatRange(0, 20), default=1.0, show_default=True, metavar="MM",
              help="Finer voxels are averaged to this edge; 0 keeps them.")  # fmt: skip
@click.option(
    "--view",
    type=click.Choice(["front", "oblique", "left", "back", "right", "top", "bottom"]),
    default="oblique",
    show_default=True,
    help="Of a still picture.",
)
@click.option("--space", type=click.Choice(["LPS", "RAS"]), default="LPS", show_default=True, help="Of STL, PLY, OBJ.")
@_common(dpi=300)
def surface_command(source: Path, out: Path, labels: bool, names: Path | None, **values: Any) -> None:
    """Surfaces: a still picture (.png, .svg, .pdf), a page to turn (.html), or a file to print (.stl, .ply, .obj)."""
    from cormack.pipeline.surfaces import SurfaceOptions, draw_surface

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = SurfaceOptions(look=_look(values), **values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        given = {"labels": source, "names": names} if labels else {}
        meshes, findings = draw_surface(source, out, options, **given, progress=progress)
    for finding in findings:
        warn(finding.message)
    for mesh in meshes:
        state = "watertight" if mesh.is_closed else f"{len(mesh.open_edges)} open edges"
        size = f"{len(mesh.faces)} triangles, {mesh.area_mm2 / 100:.1f} cm2, {mesh.volume_ml:.1f} ml"
        say(f"{mesh.name}: {size}, {state}", quiet=quiet)
    say(f"wrote {out}", quiet=quiet)
