"""Runs: one scan or a BIDS data set, resumed where done, one failure never stopping the others."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cormack.core.errors import CormackError, DatasetError
from cormack.core.provenance import Provenance
from cormack.files.bids import ScanName, find_scans, is_dataset, scan_name, subject_name
from cormack.files.outputs import check_apart, check_writable
from cormack.pipeline.load import Located, locate
from cormack.pipeline.manifest import is_done
from cormack.pipeline.options import RunOptions, check_options
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.runner import run_steps
from cormack.pipeline.steps import steps_of
from cormack.pipeline.write import write_run

#: Characters of the input's fingerprint that name a subject for whom no label was given.
FINGERPRINT_LABEL = 8


class Status(StrEnum):
    """How a scan ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """One scan of a run: its neutral name, how it ended, and why or where its report is."""

    name: str
    status: Status
    message: str = ""
    report: Path | None = None
    findings: tuple[str, ...] = ()


def run(
    source: Path,
    out: Path,
    options: RunOptions = RunOptions(),  # noqa: B008  (frozen)
    *,
    participants: Iterable[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """Take a head CT or MR, or all of a BIDS data set, from its source to masks, volumes and a report.

    Parameters
    ----------
    source : Path
        DICOM folder, file, zip or tar; NIfTI file; BIDS data set.
    out : Path
        Folder of the BIDS derivatives; created if needed.
    options : RunOptions
    participants : iterable of str
        For a data set: which subjects. For a single scan: the one label to give it.
    force : bool
        Recompute what is done already.
    progress : Progress, optional

    Returns
    -------
    tuple of Outcome
        One per scan. A single scan that fails raises instead.

    Raises
    ------
    CormackError
        If the input or output cannot be used, or a single scan fails.
    """
    listener = progress or Silent()
    check_writable(out)
    if is_dataset(source):
        return _run_dataset(source, out, options, tuple(participants), force=force, progress=listener)
    labels = tuple(participants)
    if len(labels) > 1:
        raise DatasetError(f"{source} is a single scan, not a BIDS data set: give one participant label at most")
    check_apart(source, out)
    name = subject_name(labels[0]) if labels else scan_name(source)
    return (_run_scan(source, out, name, options, force=force, progress=listener),)


def _run_dataset(
    source: Path, out: Path, options: RunOptions, participants: tuple[str, ...], *, force: bool, progress: Progress
) -> tuple[Outcome, ...]:
    check_apart(source, out, allowed=source / "derivatives")
    wanted = ("CT", "MR") if options.load.modality == "auto" else (options.load.modality,)
    scans = find_scans(source, participants, modalities=wanted)
    outcomes = []
    for number, scan in enumerate(scans, start=1):
        progress.note(f"{scan.name.title} ({number} of {len(scans)})")
        try:
            outcomes.append(_run_scan(scan.path, out, scan.name, options, force=force, progress=progress))
        except CormackError as error:
            progress.note(f"{scan.name.title} failed: {error}")
            outcomes.append(Outcome(scan.name.title, Status.FAILED, str(error)))
        except Exception as error:  # noqa: BLE001  (whatever one scan does, the others go on)
            progress.note(f"{scan.name.title} failed: internal error ({type(error).__name__})")
            outcomes.append(Outcome(scan.name.title, Status.FAILED, f"internal error ({type(error).__name__})"))
    return tuple(outcomes)


def _run_scan(
    source: Path, out: Path, name: ScanName | None, options: RunOptions, *, force: bool, progress: Progress
) -> Outcome:
    provenance = Provenance(parameters=options.as_parameters())
    with provenance.timed("locate"):
        located = locate(source, options.load, progress)
    with closing(located):
        return _run_located(located, out, name, options, provenance, force=force, progress=progress)


def _run_located(
    located: Located,
    out: Path,
    name: ScanName | None,
    options: RunOptions,
    provenance: Provenance,
    *,
    force: bool,
    progress: Progress,
) -> Outcome:
    name = name or subject_name(located.fingerprint[:FINGERPRINT_LABEL])
    name = replace(name, modality=located.modality)
    check_options(options, located.modality)
    if not force and is_done(out, name.manifest, located, provenance.parameters):
        return Outcome(name.title, Status.UNCHANGED, "same input, parameters and version", out / name.report)
    results = _process(located, name, options, provenance, progress)
    progress.step("Writing files")
    write_run(out, name, located, results, options, provenance)
    space = () if results["space"] is None else results["space"].findings
    findings = (
        *results["grids"].facts.findings,
        *results["brain"].findings,
        *space,
        *results["measures"].findings,
        *results["structures"].findings,
    )
    return Outcome(name.title, Status.DONE, "", out / name.report, tuple(f.message for f in findings))


def _process(
    located: Located, name: ScanName, options: RunOptions, provenance: Provenance, progress: Progress
) -> dict[str, Any]:
    given: dict[str, Any] = {
        "located": located,
        "options": options,
        "load_options": options.load,
        "provenance": provenance,
        "progress": progress,
        "subject": name.title,
    }
    keep = ("grids", "head", "brain", "brain_volume", "measures", "structures", "report", "space")
    if options.space is None:
        given["space"] = None
    return run_steps(steps_of(options), given, keep=keep, provenance=provenance, progress=progress)
