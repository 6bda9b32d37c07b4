"""`cormack …`: from words on a terminal to the pipeline, and its errors back to sentences and exit codes.

Exit codes: 0 done; 1 an input or output could not be used, or some scans of a data set failed; 2 wrong usage;
130 interrupted; 70 an error inside Cormack.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cormack.cli.back import native_command
from cormack.cli.deface import deface_command
from cormack.cli.deidentify import deidentify_command
from cormack.cli.filters import filter_group, resample_command
from cormack.cli.follow_up import follow_up_command
from cormack.cli.labels import compare_command, consensus_command, labels_group
from cormack.cli.learn import evaluate_command, export_command, train_command
from cormack.cli.listing import headers_command, scan_command
from cormack.cli.options import (
    IN_PATH,
    OUT_PATH,
    assume_mm_option,
    load_from,
    load_options,
    method_option,
    modality_option,
    n4_option,
    talk_options,
)
from cormack.cli.plot import plot_group
from cormack.cli.register import register_command, space_from, space_options
from cormack.cli.reidentify import reidentify_command
from cormack.cli.segment import segment_group
from cormack.cli.template import template_group
from cormack.cli.terminal import listener, say, warn
from cormack.cli.view import view_command
from cormack.cli.warping import transform_command, transform_points_command
from cormack.core.errors import CormackError
from cormack.core.provenance import package_version

EXIT_FAILED, EXIT_INTERNAL, EXIT_INTERRUPTED = 1, 70, 130
#: Commands that read DICOM and do nothing else; in a process of their own they start faster.
READING = ("convert", "scan", "headers", "deidentify")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_version("cormack"), prog_name="cormack")
def cli() -> None:
    """Head CT from the scanner's DICOM to a brain mask, volumes and a report.

    Research use only: not for diagnosis.
    """


@cli.command(name="run")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--participant-label",
    "participants",
    metavar="LABEL...",
    multiple=True,
    help="Subjects of a BIDS data set (several may follow), or the label for a single scan.",
)
@method_option
@click.option(
    "--outside",
    type=click.Choice(["air", "nan", "shift"]),
    default="air",
    show_default=True,
    help="Outside the brain: -1024 HU (MR: 0); NaN; or 0 with 1025 added to all HU inside.",
)
@click.option("--cormack-units", is_flag=True, help="Write the volume in Cormack units, too (CT).")
@click.option(
    "--structures/--no-structures",
    default=True,
    show_default=True,
    help="Find the structures inside the skull of a CT, the hippocampi of an MR; left out where their network is not "
    "installed.",
)
@space_options
@modality_option
@n4_option
@load_options
@click.option("--force", is_flag=True, help="Compute again what is done already.")
@talk_options
def run_command(source: Path, out: Path, participants: tuple[str, ...], force: bool, **values: Any) -> None:
    """Take a head CT or MR all the way: masks, volumes, report.

    IN is a folder with DICOM files (nested, any names), a zip or tar of them, a NIfTI file, or a BIDS data set.
    OUT_DIR becomes a BIDS derivatives data set; a second run over the same input does nothing.
    """
    from cormack.pipeline.options import RunOptions
    from cormack.pipeline.run import Status, run

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = RunOptions(load=load_from(values), space=space_from(values), **values)
    labels = tuple(label for value in participants for label in value.replace(",", " ").split())
    with listener(quiet=quiet, verbose=verbose) as progress:
        outcomes = run(source, out, options, participants=labels, force=force, progress=progress)
    for outcome in outcomes:
        for finding in outcome.findings:
            warn(f"{outcome.name}: {finding}")
        told = {
            Status.DONE: f"{outcome.name}: done, report {outcome.report}",
            Status.UNCHANGED: f"{outcome.name}: nothing to do ({outcome.message}); --force computes again",
        }
        if outcome.status in told:
            say(told[outcome.status], quiet=quiet)
    failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    if failed:
        names = "; ".join(f"{outcome.name}: {outcome.message}" for outcome in failed)
        raise CormackError(f"{len(failed)} of {len(outcomes)} scans failed. {names}")


@cli.command(name="convert")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--rectified", "target", flag_value="rectified", default=True, help="Orthogonal, evenly spaced grid (default)."
)
@click.option("--native", "target", flag_value="native", help="The slices as acquired, values as stored.")
@click.option("--both", "target", flag_value="both", help="Both; the native slices as OUT_native.nii.gz.")
@click.option(
    "--unit",
    type=click.Choice(["hu", "cormack"]),
    default="hu",
    show_default=True,
    help="Unit of the rectified values.",
)
@click.option("--source-uids", is_flag=True, help="Name every slice's SOPInstanceUID in the sidecar (an identifier).")
@load_options
@talk_options
def convert_command(source: Path, out: Path, target: str, unit: str, source_uids: bool, **values: Any) -> None:
    """Convert a head CT to NIfTI with a JSON sidecar, tilt and slice distances corrected in one interpolation."""
    from cormack.core.volume import Unit
    from cormack.pipeline.convert import Target, convert

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    with listener(quiet=quiet, verbose=verbose) as progress:
        findings = convert(
            source,
            out,
            load_from(values),
            target=Target(target),
            unit=Unit.CORMACK if unit == "cormack" else Unit.HU,
            source_uids=source_uids,
            progress=progress,
        )
    for finding in findings:
        warn(finding.message)
    say(f"wrote {out}", quiet=quiet)


@cli.group(name="extract")
def extract_group() -> None:
    """Write one mask alone: the head or the brain."""


def _extract(region: str, source: Path, out: Path, values: dict[str, Any]) -> None:
    from cormack.pipeline.extract import extract_mask
    from cormack.pipeline.options import RunOptions

    quiet, verbose = values.pop("quiet"), values.pop("verbose")
    options = RunOptions(load=load_from(values), **values)
    with listener(quiet=quiet, verbose=verbose) as progress:
        mask, findings = extract_mask(source, out, region, options, progress=progress)
    for finding in findings:
        warn(finding.message)
    say(f"wrote {out}: {mask.table[1].name}, {mask.volume_ml():.1f} ml", quiet=quiet)


@extract_group.command(name="head")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@modality_option
@load_options
@talk_options
def extract_head_command(source: Path, out: Path, **values: Any) -> None:
    """Mask of the head without table, pillow and headrest; IN is DICOM or NIfTI."""
    _extract("head", source, out, values)


@extract_group.command(name="brain")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@method_option
@modality_option
@n4_option
@load_options
@talk_options
def extract_brain_command(source: Path, out: Path, **values: Any) -> None:
    """Mask of the brain: the intracranial space of a head CT, brain and fluid of an MR; IN is DICOM or NIfTI."""
    _extract("brain", source, out, values)


@cli.command(name="units")
@click.argument("source", metavar="IN.nii.gz", type=IN_PATH)
@click.argument("out", metavar="OUT.nii.gz", type=OUT_PATH)
@click.option(
    "--to",
    "unit",
    type=click.Choice(["cormack", "hu"]),
    default="cormack",
    show_default=True,
    help="Unit to convert to.",
)
@assume_mm_option
@talk_options
def units_command(source: Path, out: Path, unit: str, assume_mm: bool, quiet: bool, verbose: int) -> None:
    """Convert a NIfTI volume from Hounsfield to Cormack units, or back."""
    from cormack.core.volume import Unit
    from cormack.pipeline.convert import convert_units

    with listener(quiet=quiet, verbose=verbose) as progress:
        convert_units(
            source, out, Unit.CORMACK if unit == "cormack" else Unit.HU, assume_mm=assume_mm, progress=progress
        )
    say(f"wrote {out}", quiet=quiet)


@cli.command(name="phantom")
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--tilt",
    "tilt_deg",
    type=click.FloatRange(-30, 30),
    default=-18.0,
    show_default=True,
    help="Gantry tilt in degrees.",
)
@click.option("--slices", type=click.IntRange(3, 400), default=40, show_default=True, help="Number of slices.")
@click.option(
    "--thickness",
    "thickness_mm",
    type=click.FloatRange(0.3, 10),
    default=4.0,
    show_default=True,
    help="Slice thickness and distance (mm).",
)
@click.option(
    "--noise",
    "noise_hu",
    type=click.FloatRange(0, 100),
    default=3.5,
    show_default=True,
    help="Standard deviation of the noise (HU).",
)
@click.option("--pixels", type=click.IntRange(64, 1024), default=512, show_default=True, help="Rows and columns.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of noise and UIDs.")
@talk_options
def phantom_command(out: Path, quiet: bool, verbose: int, **values: Any) -> None:
    """Make a digital head as a DICOM export: a tilted series, a localizer and a dose page. No person was scanned."""
    from cormack.pipeline.phantom import make_phantom_series

    with listener(quiet=quiet, verbose=verbose) as progress:
        progress.step("Scanning the digital head")
        made = make_phantom_series(out, **values)
    say(
        f"wrote {out}: {made.slices} slices, {made.localizers} localizers, a dose page; "
        f"true intracranial volume {made.intracranial_volume_ml:.1f} ml",
        quiet=quiet,
    )


@cli.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of a shell: eval "$(cormack completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise CormackError(f"no completion for {shell}")
    click.echo(kind(cli, {}, "cormack", "_CORMACK_COMPLETE").source())


cli.add_command(scan_command)
cli.add_command(headers_command)
cli.add_command(native_command)
cli.add_command(deidentify_command)
cli.add_command(deface_command)
cli.add_command(register_command)
cli.add_command(segment_group)
cli.add_command(template_group)
cli.add_command(transform_command)
cli.add_command(follow_up_command)
cli.add_command(compare_command)
cli.add_command(consensus_command)
cli.add_command(labels_group)
cli.add_command(transform_points_command)
cli.add_command(reidentify_command)
cli.add_command(view_command)
cli.add_command(train_command)
cli.add_command(evaluate_command)
cli.add_command(export_command)
cli.add_command(plot_group)
cli.add_command(resample_command)
cli.add_command(filter_group)


class _Stopped(KeyboardInterrupt):
    """A polite kill. A plain KeyboardInterrupt that went through `exec` makes CPython exit with -2 in the end."""


def _stop(number: int, frame: FrameType | None) -> None:
    """Turn a polite kill into an interruption, so that unfinished files are removed."""
    raise _Stopped


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = _spread_labels(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and words and not {"-h", "--help"} & set(words):
        _load_readers(words)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        return _exit_code(words)
    finally:
        # What comes now is the interpreter's own end: an interruption there would only hide the exit code.
        signal.signal(signal.SIGTERM, before)


def _load_readers(words: list[str]) -> None:
    """Load what reads the files that are named, without what it would take along and nobody needs here."""
    if words[0] in READING:
        from cormack.dicom.lean import load_pydicom

        load_pydicom()
    elif any(word.lower().endswith((".nii", ".nii.gz")) and Path(word).is_file() for word in words):
        from cormack.files.lean import load_nibabel

        load_nibabel()


def _exit_code(words: list[str]) -> int:
    """Run the words and turn every error into a sentence and a code."""
    try:
        cli.main(args=words, prog_name="cormack", standalone_mode=False)
    except CormackError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_FAILED
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing unfinished was left behind", err=True)
        return EXIT_INTERRUPTED
    except MemoryError:
        click.echo("error: not enough memory for this scan", err=True)
        return EXIT_FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        if "-vv" in words or words.count("-v") > 1:
            raise
        place = _innermost(error)
        click.echo(f"error: inside Cormack ({type(error).__name__} at {place}); -vv shows the trace. "
                   "No unfinished output was left behind", err=True)  # fmt: skip
        return EXIT_INTERNAL
    return 0


def _spread_labels(words: list[str]) -> list[str]:
    """`--participant-label 01 02`, as BIDS apps take it, to one option per label."""
    spread: list[str] = []
    taking = False
    for word in words:
        if word == "--participant-label":
            taking = True
        elif taking and not word.startswith("-"):
            spread += ["--participant-label", word]
        else:
            taking = False
            spread.append(word)
    return spread


def _innermost(error: BaseException) -> str:
    """File and line of Cormack where an error arose, without any value."""
    trace, place = error.__traceback__, "unknown place"
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if "cormack" in path:
            place = f"{Path(path).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
