"""The two passes of a de-identification: all headers first, then every object.

A process that dies takes its task with it; the files of that task are then tried one by one, and only the one that
ends a process alone is refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cormack.core.errors import InputError, OutputError
from cormack.dicom.deidentify.reasons import Reason
from cormack.dicom.deidentify.survey import Surveyed
from cormack.files.outputs import explain_os_error
from cormack.pipeline.deidentify_patients import Patients
from cormack.pipeline.deidentify_tally import Tally
from cormack.pipeline.deidentify_worker import CleanTask, SurveyTask
from cormack.pipeline.progress import Progress
from cormack.pipeline.worker_pool import Crew, Died

#: Files per task: enough that a task outweighs its way through the pipe, few enough that processes end together.
SURVEY_FILES, CLEAN_FILES = 64, 16


def read_headers(crew: Crew, count: int, patients: Patients, progress: Progress) -> list[Surveyed]:
    """The first pass: all headers; `patients` learns from them. Returns what is known of each file, in their order."""
    progress.step("Reading headers")
    found: list[Surveyed] = []
    tasks = [SurveyTask(tuple(range(i, min(i + SURVEY_FILES, count)))) for i in range(0, count, SURVEY_FILES)]
    while tasks:
        again: list[SurveyTask] = []
        for result in crew.results(tasks):
            if isinstance(result, Died):
                again += [SurveyTask((index,)) for index in result.task.indices if len(result.task.indices) > 1]
                if len(result.task.indices) == 1:
                    found.append(Surveyed(result.task.indices[0], reason=Reason.CRASHED))
            else:
                found += result.files
                patients.learn(result.patients)
            progress.advance(len(found), count)
        tasks = again
    return sorted(found, key=lambda surveyed: surveyed.index)


def plan(surveyed: list[Surveyed], patients: Patients, tally: Tally) -> list[CleanTask]:
    """Tasks of the second pass; objects that share a SOP Instance UID go together, in the order of the files.

    Raises
    ------
    InputError
        If there is no object to be cleaned.
    """
    instances: dict[bytes, list[tuple[int, str]]] = {}
    for one in surveyed:
        if one.reason is not None:
            tally.leave_out(one.reason)
        elif patients.patient(one.identity) is None:
            tally.leave_out(Reason.PATIENT_NOT_LISTED)
        else:
            instances.setdefault(one.instance, []).append((one.index, one.identity))
    if not instances:
        raise InputError(f"no DICOM object can be de-identified ({_counts(tally)})")
    single = [files[0] for files in instances.values() if len(files) == 1]
    chunks = [single[i : i + CLEAN_FILES] for i in range(0, len(single), CLEAN_FILES)]
    shared = [files for files in instances.values() if len(files) > 1]
    return [_task(chunk, patients) for chunk in chunks] + [_task(files, patients, shared=True) for files in shared]


def _task(files: list[tuple[int, str]], patients: Patients, *, shared: bool = False) -> CleanTask:
    found = {identity: patients.patient(identity) for _, identity in files}
    return CleanTask(tuple(files), {i: patient for i, patient in found.items() if patient is not None}, shared)


def clean_objects(crew: Crew, tasks: list[CleanTask], tally: Tally, out: Path, progress: Progress) -> None:
    """The second pass: all objects, each counted.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    progress.step("De-identifying")
    done, count = 0, sum(len(task.files) for task in tasks)
    while tasks:
        again: list[CleanTask] = []
        for result in crew.results(tasks):
            if isinstance(result, Died):
                parts = _after_death(result.task, tally)
                again += parts
                done += 0 if parts else len(result.task.files)
                continue
            if result.errno is not None:
                raise OutputError(_explained(result.errno, out))
            for outcome in result.outcomes:
                tally.add(outcome)
            done += len(result.outcomes)
            progress.advance(done, count)
        tasks = again


def _after_death(task: CleanTask, tally: Tally) -> list[CleanTask]:
    """The files of a task that ended a process, each on its own; one that was alone is what ended it.

    Files of one instance must follow each other, so that these are given up together.
    """
    if len(task.files) == 1 or task.one_instance:
        for _ in task.files:
            tally.leave_out(Reason.CRASHED)
        return []
    return [replace(task, files=(file,)) for file in task.files]


def _explained(errno: int, out: Path) -> str:
    words = explain_os_error(OSError(errno, ""), out).removesuffix(" Nothing was written").rstrip(".")
    return f"{words}. Objects written before are whole; running again goes on from there"


def _counts(tally: Tally) -> str:
    counts = {**tally.refused_by_reason, **tally.aside}
    return ", ".join(f"{count} x {reason}" for reason, count in counts.items())
