"""`cormack segment …`: one command per task of the table of tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cormack.cli.options import IN_PATH, OUT_PATH, Command, load_from, load_options, talk_options
from cormack.cli.terminal import listener, say, warn
from cormack.segment.tasks import TASKS, Option, Task

if TYPE_CHECKING:
    from cormack.segment.segmentation import Segmentation


@click.group(name="segment")
def segment_group() -> None:
    """Find structures: a label map, its table, volumes in millilitres."""


def _command(task: Task) -> click.Command:
    @click.command(name=task.name, help=_help(task), short_help=f"{task.summary}.")
    @click.argument("source", metavar="IN", type=IN_PATH)
    @click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
    @click.option(
        "--method",
        type=click.Choice(list(task.methods)),
        default=task.default_method,
        show_default=True,
        help="; ".join(f"{name}: {what}" for name, what in task.methods.items()) + ".",
    )
    @click.option(
        "--picture", metavar="FILE.png", type=OUT_PATH, help="Write coronal and axial sections with the labels, too."
    )
    @_own_options(task)
    @load_options
    @talk_options
    def command(source: Path, out: Path, method: str, picture: Path | None, **values: Any) -> None:
        from cormack.pipeline.segment import SegmentOptions, segment_structures

        quiet, verbose = values.pop("quiet"), values.pop("verbose")
        load = load_from(values)
        options = SegmentOptions(load, method, picture, values)
        with listener(quiet=quiet, verbose=verbose) as progress:
            found = segment_structures(source, out, task.name, options, progress=progress)
        for finding in found.findings:
            warn(finding.message)
        volumes = ", ".join(_volumes(found))
        say(f"wrote {out}: {volumes}", quiet=quiet)

    return command


def _own_options(task: Task) -> Callable[[Command], Command]:
    """The options that the task alone offers."""

    def decorate(command: Command) -> Command:
        for option in reversed(task.options):
            command = _option(option)(command)
        return command

    return decorate


def _option(option: Option) -> Callable[[Command], Command]:
    if not option.metavar:
        return click.option(f"--{option.name}", is_flag=True, help=f"{option.help}.")
    kind = OUT_PATH if option.output else IN_PATH
    return click.option(f"--{option.name}", metavar=option.metavar, type=kind, help=f"{option.help}.")


def _volumes(found: Segmentation) -> Iterator[str]:
    """Name and volume of each structure: in mm³ with its standard deviation, where the task states that."""
    exact, spreads = (cast("dict[str, float]", found.record.get(f, {})) for f in ("VolumesMm3", "ViewsSdMm3"))
    for name, volume in exact.items():
        yield f"{name} {volume:.0f} ± {spreads[name]:.0f} mm³"
    if not exact:
        for name, volume in found.volumes_ml().items():
            yield f"{name} {volume:.1f} ml"


def _help(task: Task) -> str:
    return (
        f"{task.summary}.\n\nIN is DICOM (a folder, file, zip or tar) or NIfTI. Beside OUT.nii.gz come OUT.tsv, the "
        "table of its labels, and OUT.json with volumes in millilitres, method and warnings."
    )


for _task in TASKS.values():
    segment_group.add_command(_command(_task))
