"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cormack.extract.methods import BRAIN_METHODS, DEFAULT_METHOD

if TYPE_CHECKING:
    from cormack.pipeline.options import LoadOptions

Command = TypeVar("Command", bound=Callable[..., Any])

# What cannot be read is told by the pipeline, in its words and with its exit code.
IN_PATH = click.Path(path_type=Path, readable=False)
OUT_PATH = click.Path(path_type=Path, readable=False)


class SliceSpacing(click.ParamType[str | float]):
    """A rule by name, or a number of millimetres."""

    name = "RULE|MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        """Rule name, or a positive number."""
        if value in ("finest", "median", "minimum"):
            return str(value)
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0.0 < number < 1000.0:
            self.fail(f"{value!r} is none of finest, median, minimum, nor a positive number of millimetres", param, ctx)
        return number


def talk_options(command: Command) -> Command:
    """`--quiet` and `-v`."""
    command = click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")(command)
    return click.option("-v", "--verbose", count=True, help="Say more; -vv shows where an error arose.")(command)


series_option = click.option("--series", metavar="NUMBER|UID", help="Take this DICOM series instead of the best one.")
rules_option = click.option(
    "--rules", metavar="FILE.toml", type=IN_PATH, help="Rules of series selection in place of the built-in ones."
)
assume_mm_option = click.option(
    "--assume-mm", is_flag=True, help="Take NIfTI headers without a unit of length for millimetres."
)


def source_options(command: Command) -> Command:
    """How the scan is found."""
    return series_option(assume_mm_option(command))


def load_options(command: Command) -> Command:
    """How the scan is found and brought onto its grid."""
    for option in reversed(
        (
            series_option,
            rules_option,
            click.option(
                "--slice-spacing",
                type=SliceSpacing(),
                default="finest",
                show_default=True,
                help="Distance of the rectified slices: finest (the smallest that a quarter of the gaps do not "
                "exceed), median, minimum, or millimetres.",
            ),
            click.option(
                "--spacing",
                "voxel_mm",
                type=click.FloatRange(0.1, 20),
                metavar="MM",
                help="Isotropic voxels of this size, anti-aliased where they are larger than the native ones.",
            ),
            click.option(
                "--interpolation",
                type=click.Choice(["linear", "cubic"]),
                default="linear",
                show_default=True,
                help="Kernel of the one interpolation.",
            ),
            click.option(
                "--bridge-gaps", is_flag=True, help="Interpolate across wide gaps, too, instead of leaving them out."
            ),
            assume_mm_option,
        )
    ):
        command = option(command)
    return command


modality_option = click.option(
    "--modality",
    type=click.Choice(["auto", "CT", "MR"]),
    default="auto",
    show_default=True,
    help="What IN is of: auto asks the header, the sidecar or the values, and takes CT where there are both.",
)


def method_option(command: Command) -> Command:
    """`--method` of brain extraction."""
    names = dict.fromkeys(name for methods in BRAIN_METHODS.values() for name in methods)
    return click.option(
        "--method",
        type=click.Choice(list(names)),
        default=DEFAULT_METHOD,
        show_default=True,
        help="Brain extraction: the modality's network; on CT also the inside of the skull by rules, or the published "
        "recipe with BET; on MR also a network by its name.",
    )(command)


#: `--n4`, for commands that look for something on MR.
n4_option = click.option(
    "--n4", is_flag=True, help="MR: take the slow shading (bias field) out by N4 before anything is looked for."
)


def load_from(values: dict[str, Any]) -> LoadOptions:
    """Take the loading choices that a command offers out of its values.

    What a command means otherwise by one of these names must be a parameter of its own.
    """
    from cormack.dicom.rules import load_rules
    from cormack.pipeline.options import LoadOptions

    rules = values.pop("rules", None)
    names = ("modality", "series", "slice_spacing", "voxel_mm", "interpolation", "bridge_gaps", "assume_mm")
    chosen = {name: values.pop(name) for name in names if name in values}
    return LoadOptions(**chosen) if rules is None else LoadOptions(**chosen, rules=load_rules(rules))
