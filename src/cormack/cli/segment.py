"""`cormack segment …`: one command per task of the table of tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, load_from, load_options, talk_options
from cormack.cli.terminal import listener, say, warn
from cormack.segment.tasks import TASKS, Task


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
    @load_options
    @talk_options
    def command(source: Path, out: Path, method: str, picture: Path | None, **values: Any) -> None:
        from cormack.pipeline.segment import SegmentOptions, segment_structures

        quiet, verbose = values.pop("quiet"), values.pop("verbose")
        options = SegmentOptions(load_from(values), method, picture)
        with listener(quiet=quiet, verbose=verbose) as progress:
            found = segment_structures(source, out, task.name, options, progress=progress)
        for finding in found.findings:
            warn(finding.message)
        volumes = ", ".join(f"{name} {volume:.1f} ml" for name, volume in found.volumes_ml().items())
        say(f"wrote {out}: {volumes}", quiet=quiet)

    return command


def _help(task: Task) -> str:
    return (
        f"{task.summary}.\n\nIN is DICOM (a folder, file, zip or tar) or NIfTI. Beside OUT.nii.gz come OUT.tsv, the "
        "table of its labels, and OUT.json with volumes in millilitres, method and warnings."
    )


for _task in TASKS.values():
    segment_group.add_command(_command(_task))
