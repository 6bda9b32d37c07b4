"""De-identification of a folder, file or archive: two passes in several processes, a report, an audit, a verdict."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cormack.core.errors import InputError, OutputError
from cormack.core.findings import Finding
from cormack.core.provenance import Provenance, package_version, software_versions
from cormack.dicom.deidentify import ocr
from cormack.dicom.deidentify.lookup import check_available, read_lookup, write_lookup
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.profile import PROFILE_EDITION
from cormack.dicom.deidentify.project_key import ProjectKey, key_findings, load_or_make_key
from cormack.dicom.deidentify.regions import built_in_rules, read_rules
from cormack.dicom.deidentify.subjects import read_subjects
from cormack.dicom.deidentify.treat_pixels import PixelPolicy
from cormack.dicom.source import open_source
from cormack.files.outputs import check_apart
from cormack.pipeline.deidentify_faces import planned_faces
from cormack.pipeline.deidentify_outputs import close_folder, open_folder, sweep_folder
from cormack.pipeline.deidentify_passes import CLEAN_FILES, clean_objects, plan, read_headers
from cormack.pipeline.deidentify_patients import Patients
from cormack.pipeline.deidentify_tally import Tally
from cormack.pipeline.deidentify_worker import Setup, Status, Worker
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.worker_pool import Inline, WorkerPool
from cormack.report.deidentification_content import DeidentificationContent

#: More processes than this wait for the disk.
MOST_WORKERS = 8
_WORKER_MODULE = "cormack.pipeline.deidentify_process"


@dataclass(frozen=True)
class Deidentification:
    """What a de-identification did; nothing in it is of a person.

    Parameters
    ----------
    out : Path
        Where the objects, the report and the audit are.
    files : int
        Files looked at.
    written, unchanged : int
        Objects written now, and found there as an earlier run wrote them.
    refused, left_aside : mapping of str to int
        Counts by reason, in words: objects that should have had a place in the output, and files that should not.
    patients, studies, series : int
        Of the objects in the output.
    key_made : bool
        The project key did not exist and was made.
    findings : tuple of Finding
    report : Path
    """

    out: Path
    files: int
    written: int
    unchanged: int
    refused: Mapping[str, int]
    left_aside: Mapping[str, int]
    patients: int
    studies: int
    series: int
    key_made: bool
    report: Path
    findings: tuple[Finding, ...] = ()


def deidentify(
    source: Path | str,
    out: Path | str,
    key_file: Path | str,
    *,
    options: Iterable[Option | str] = (),
    subjects: Path | None = None,
    lookup: Path | None = None,
    pixel_rules: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Deidentification:
    """De-identify DICOM objects by PS3.15 Annex E, Basic Application Level Confidentiality Profile and options.

    What is not understood is removed or refused, and counted. The same input, options and key give the same files,
    whatever the number of processes; a second run over the same output writes nothing anew.

    Parameters
    ----------
    source : path
        Folder, file, zip or tar; it is never written to.
    out : path
        New, empty, or of an earlier run with the same key and options; apart from `source`.
    key_file : path
        The project key; made, readable by its owner alone, where no file is.
    options : iterable of Option or str
        Of the profile, such as `retain-uids`.
    subjects : Path, optional
        CSV with lines `old,new`: PatientIDs and what they become. A patient who is not listed is refused.
    lookup : Path, optional
        Where to write the encrypted look-up table.
    pixel_rules : Path, optional
        TOML file of regions to blank, in front of the packaged ones.
    workers : int, optional
        Number of processes; 0 works in this one. By itself one per usable core, eight at most.
    progress : Progress, optional

    Returns
    -------
    Deidentification

    Raises
    ------
    InputError
        If the input, the key, the subjects or the options cannot be used.
    OutputError
        If the output cannot be written, or holds something else.
    DependencyError
        If an option needs a package that is missing.
    """
    source, out, key_file = Path(source), Path(out), Path(key_file)
    listener = progress or Silent()
    chosen = Options.of(_option(option) for option in options)
    _check_places(source, out, key_file, lookup)
    if lookup is not None:
        check_available()
    new_names = None if subjects is None else read_subjects(subjects)
    policy = _policy(chosen, pixel_rules)
    with open_source(source) as files:
        count, tally = len(files.items), Tally(files.skipped)
    key, made = load_or_make_key(key_file)
    if made:
        listener.note(f"made the project key {key_file}: keep it safe and secret, all pseudonyms follow from it")
    setup = Setup(source, out, key, chosen, policy)
    fingerprint = _fingerprint(setup, pixel_rules)
    open_folder(out, fingerprint)
    run = _Run(setup, Patients(key, chosen, new_names), tally, listener)
    run.do(count, _usable_cores() if workers is None else workers)
    if lookup is not None:
        _add_to_lookup(lookup, run.patients, key)
    findings = (*key_findings(key_file), *tally.findings())
    content = run.content(findings, chosen_subjects=subjects is not None, lookup_written=lookup is not None)
    return Deidentification(
        out,
        count,
        tally.statuses[Status.WRITTEN],
        tally.statuses[Status.UNCHANGED],
        tally.refused_by_reason,
        dict(tally.aside),
        *tally.places,
        made,
        close_folder(out, fingerprint, content),
        findings,
    )


@dataclass
class _Run:
    """One run: what it needs to know, and what it finds out."""

    setup: Setup
    patients: Patients
    tally: Tally
    progress: Progress
    provenance: Provenance = field(default_factory=Provenance)
    faces: Mapping[str, int] = field(default_factory=dict)

    def do(self, count: int, workers: int) -> None:
        """Both passes over so many files; nothing unfinished is left in the output."""
        setup, timed = self.setup, self.provenance.timed
        processes = min(workers, -(-count // CLEAN_FILES))
        try:
            with Inline(Worker(setup)) if processes < 1 else WorkerPool(_WORKER_MODULE, setup, processes) as crew:
                with timed("headers"):
                    tasks = plan(read_headers(crew, count, self.patients, self.progress), self.patients, self.tally)
                with ExitStack() as stack:
                    with timed("faces"):
                        faces = stack.enter_context(planned_faces(setup.source, setup.options, self.progress))
                    self.faces = faces.counts
                    with timed("objects"):
                        tasks = [replace(task, faces=faces.file) for task in tasks]
                        clean_objects(crew, tasks, self.tally, setup.out, self.progress)
        finally:
            sweep_folder(setup.out)

    def content(
        self, findings: tuple[Finding, ...], *, chosen_subjects: bool, lookup_written: bool
    ) -> DeidentificationContent:
        """What report and audit say."""
        tally, options = self.tally, self.setup.options
        patients, studies, series = tally.places
        return DeidentificationContent(
            options=tuple(sorted(options.chosen)),
            method_codes=options.method_codes(),
            edition=PROFILE_EDITION,
            key_label=self.setup.key.label,
            patients=patients,
            studies=studies,
            series=series,
            objects=tally.objects,
            written=dict(tally.written),
            refused=tally.refused_groups(),
            left_aside=dict(tally.aside),
            actions=tally.actions_by_kind(),
            pixels=dict(tally.pixels),
            faces=dict(self.faces),
            chosen_subjects=chosen_subjects,
            lookup_written=lookup_written,
            findings=findings,
            versions=software_versions(),
            seconds=self.provenance.seconds,
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
        )


def _add_to_lookup(path: Path, patients: Patients, key: ProjectKey) -> None:
    """Write the look-up table; rows of earlier runs stay in it."""
    earlier = read_lookup(path, key) if path.exists() else ()
    write_lookup(path, (*earlier, *patients.lookup_rows()), key)


def _policy(options: Options, pixel_rules: Path | None) -> PixelPolicy:
    """How pixels are treated; text is looked for where the extra for it is installed."""
    rules = built_in_rules() if pixel_rules is None else read_rules(pixel_rules) + built_in_rules()
    clean = Option.CLEAN_PIXEL_DATA in options
    return PixelPolicy(clean=clean, rules=rules, ocr=clean and ocr.is_available())


def _fingerprint(setup: Setup, pixel_rules: Path | None) -> dict[str, object]:
    """What decides about the content of the files besides the input."""
    return {
        "Options": sorted(setup.options.chosen),
        "Key": setup.key.label,
        "Version": package_version("cormack"),
        "PixelRules": None if pixel_rules is None else hashlib.sha256(pixel_rules.read_bytes()).hexdigest(),
        "TextDetection": setup.policy.ocr,
    }


def _check_places(source: Path, out: Path, key_file: Path, lookup: Path | None) -> None:
    """Refuse an output inside the input, and secrets inside the output: what is shared must not hold them."""
    check_apart(source, out)
    for secret, name in ((key_file, "project key"), (lookup, "look-up table")):
        if secret is not None and secret.resolve().is_relative_to(out.resolve()):
            raise OutputError(f"{secret}: the {name} must not lie in the output, which is shared; choose another place")


def _option(option: Option | str) -> Option:
    try:
        return Option(option)
    except ValueError as error:
        raise InputError(f"{option!r} is no option; choose from {', '.join(Option)}") from error


def _usable_cores() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)
