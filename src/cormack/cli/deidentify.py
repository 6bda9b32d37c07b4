"""`cormack deidentify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cormack.cli.options import IN_PATH, OUT_PATH, Command, talk_options
from cormack.cli.terminal import listener, say, warn
from cormack.core.errors import CormackError

#: The options of the profile: what each keeps or cleans, and what it costs.
SWITCHES = {
    "retain-longitudinal-modified-dates": "Keep dates, all of a patient moved by one secret number of days: intervals "
    "stay exact. Not HIPAA Safe Harbor: shifted dates are dates.",
    "retain-longitudinal-full-dates": "Keep dates as they are. A date of an examination leads back to the patient.",
    "retain-uids": "Keep UIDs. Whoever has the archive finds the patient with one.",
    "retain-device-identity": "Keep serial numbers and names of devices, for studies of scanners. They name the place.",
    "retain-institution": "Keep name and address of the institution. It narrows down who the patient can be.",
    "retain-patient-characteristics": "Keep age, sex, size, weight and the like. Rare combinations identify.",
    "retain-safe-private": "Keep private attributes that are known to hold no identity, such as b-values. A writer may "
    "have put other things there.",
    "clean-descriptors": "Keep descriptions such as SeriesDescription, only words of a medical vocabulary in them; "
    "else they are removed. A vocabulary word may be somebody's name.",
    "clean-structured-content": "Keep structured reports: codes, numbers and references, only vocabulary words of "
    "their text; else they are refused.",
    "clean-graphics": "Keep graphic annotations, only vocabulary words of their text; overlays are removed. Drawings "
    "are not looked at.",
    "clean-pixel-data": "Blank burned-in text by region rules, or by text detection; else objects that may have some "
    "are refused. Blanked pixels are lost.",
    "clean-recognizable-visual-features": "Remove faces from CT and MR volumes of heads. The face's pixels are lost.",
}


def _switches(command: Command) -> Command:
    for name, words in reversed(SWITCHES.items()):
        command = click.option(f"--{name}", name.replace("-", "_"), is_flag=True, help=words)(command)
    return command


@click.command(name="deidentify")
@click.argument("source", metavar="IN", type=IN_PATH)
@click.argument("out", metavar="OUT_DIR", type=OUT_PATH)
@click.option(
    "--project-key",
    "key_file",
    metavar="FILE",
    type=OUT_PATH,
    required=True,
    help="The secret that pseudonyms, UIDs and shifts follow from; made if the file does not exist. Keep it safe.",
)
@_switches
@click.option(
    "--subjects",
    metavar="FILE.csv",
    type=IN_PATH,
    help="Lines `old,new`: PatientIDs and what they become. A patient who is not listed is refused.",
)
@click.option(
    "--lookup",
    metavar="FILE",
    type=OUT_PATH,
    help="Write an encrypted table of who is who, for `cormack reidentify`; it lies apart from OUT_DIR.",
)
@click.option(
    "--pixel-rules",
    metavar="FILE.toml",
    type=IN_PATH,
    help="Regions to blank, by modality, manufacturer, model and size, in front of the built-in ones.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; by itself one per core, eight at most.")
@talk_options
def deidentify_command(source: Path, out: Path, key_file: Path, quiet: bool, verbose: int, **values: Any) -> None:
    """De-identify DICOM by PS3.15 Annex E: Basic Application Level Confidentiality Profile and its options.

    IN is a folder, a file, or a zip or tar; it is never written to. OUT_DIR gets a folder per patient with names made
    of keyed hashes, a report and an audit file. What is not understood is removed or refused; with refused objects
    the exit code is 1. The same input, options and key give the same files, and a second run adds nothing.
    """
    from cormack.pipeline.deidentify import deidentify

    options = [name for name in SWITCHES if values.pop(name.replace("-", "_"))]
    with listener(quiet=quiet, verbose=verbose) as progress:
        done = deidentify(source, out, key_file, options=options, progress=progress, **values)
    for finding in done.findings:
        warn(finding.message)
    say(
        f"wrote {out}: {_objects(done.written)}"
        + (f", {done.unchanged} there already" if done.unchanged else "")
        + f"; {done.patients} patient(s), {done.studies} study(ies), {done.series} series; report {done.report}",
        quiet=quiet,
    )
    if done.left_aside:
        say(f"left aside: {_counts(done.left_aside)}", quiet=quiet)
    if done.refused:
        raise CormackError(f"{_objects(sum(done.refused.values()))} refused: {_counts(done.refused)}")


def _objects(count: int) -> str:
    return f"{count} object" + ("" if count == 1 else "s")


def _counts(counts: Any) -> str:
    return "; ".join(f"{count} {reason}" for reason, count in counts.items())
