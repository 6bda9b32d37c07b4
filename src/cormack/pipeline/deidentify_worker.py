"""What one process of a de-identification does: look through headers, clean objects, write files.

Processes read the source and write the output themselves; only numbers, identities and reasons pass between them, and
these never reach a message.
"""

from __future__ import annotations

import hashlib
import pickle
import secrets
from collections import Counter, OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from cormack.core.errors import DicomError
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.cleaner import Cleaner
from cormack.dicom.deidentify.ledger import Actions
from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.pixels import PixelWork
from cormack.dicom.deidentify.process import CleanedObject, clean_object
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.survey import PatientFacts, Surveyed, survey
from cormack.dicom.deidentify.treat_pixels import PixelPolicy
from cormack.dicom.deidentify.values import Patient
from cormack.dicom.source import Source, open_source
from cormack.files.outputs import PART_SUFFIX

#: Patients whose rules and results are remembered; objects come in the order of their patients.
_CLEANERS = 4


@dataclass(frozen=True)
class Setup:
    """What every process needs to know."""

    source: Path
    out: Path
    key: ProjectKey
    options: Options
    policy: PixelPolicy = field(default_factory=PixelPolicy)


@dataclass(frozen=True)
class SurveyTask:
    """Look through the headers of these files."""

    indices: tuple[int, ...]


@dataclass(frozen=True)
class CleanTask:
    """Clean these files: number and identity of each, and what becomes of the patients.

    With `one_instance` all files state one SOP Instance UID; `faces` is a pickled plan of the faces that they show.
    """

    files: tuple[tuple[int, str], ...]
    patients: Mapping[str, Patient] = field(repr=False)
    one_instance: bool = False
    faces: Path | None = None


@dataclass(frozen=True)
class SurveyResult:
    """What the headers say."""

    files: tuple[Surveyed, ...]
    patients: Mapping[str, PatientFacts] = field(repr=False)


class Status(StrEnum):
    """What became of an object."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one object.

    Parameters
    ----------
    index : int
        Number of the file in its source.
    status : Status
    reason : Reason or None
        Of a refusal; `detail` has more words.
    sop_class : str
        UID, empty where it is not known.
    pixels : str
        What was done to the pixels.
    place : tuple of str
        Folders below the output, of what was written.
    actions : Actions
        What was done to attributes, counted.
    same_uid : bool
        Another object of the input has the same SOP Instance UID.
    """

    index: int
    status: Status
    reason: Reason | None = None
    detail: str = ""
    sop_class: str = ""
    pixels: str = ""
    place: tuple[str, ...] = ()
    actions: Actions = field(default_factory=Counter)
    same_uid: bool = False


@dataclass(frozen=True)
class CleanResult:
    """Outcomes in the order of the task; with `errno`, writing failed and the rest was not tried."""

    outcomes: tuple[Outcome, ...]
    errno: int | None = None


class Worker:
    """Does tasks one after the other; holds one object at a time.

    Parameters
    ----------
    setup : Setup
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._source: Source = open_source(setup.source)
        self._cleaners: OrderedDict[str, Cleaner] = OrderedDict()
        self._pixels = PixelWork(setup.policy, DecodeWorkers())
        self._token = secrets.token_hex(4)

    def close(self) -> None:
        """Give back the source."""
        self._source.close()
        self._pixels.decoders.close()

    def do(self, task: SurveyTask | CleanTask) -> SurveyResult | CleanResult:
        """One task."""
        if isinstance(task, SurveyTask):
            files, patients = survey(self._source, task.indices, self._setup.options)
            return SurveyResult(tuple(files), patients)
        if task.faces is not None:
            if self._pixels.faces is None:
                self._pixels = replace(self._pixels, faces=pickle.loads(task.faces.read_bytes()))
            if task.one_instance and self._differ(task):
                # A mask is known by the UID, and might be that of the other one.
                refused = (Status.REFUSED, Reason.FACE, "its SOP Instance UID is that of another object, too")
                return CleanResult(tuple(Outcome(index, *refused) for index, _ in task.files))
        outcomes: list[Outcome] = []
        written: list[Path] = []
        for index, identity in task.files:
            try:
                cleaned = self._clean(index, identity, task.patients[identity])
                status, path = self._write(cleaned)
            except Refusal as refusal:
                outcomes.append(Outcome(index, Status.REFUSED, refusal.reason, refusal.detail, refusal.sop_class))
                continue
            except OSError as error:
                return CleanResult(tuple(outcomes), error.errno or 0)
            copy = task.one_instance and path in written
            outcomes.append(
                Outcome(
                    index,
                    status,
                    Reason.COPY if copy else None,
                    sop_class=cleaned.sop_class,
                    pixels=cleaned.pixels,
                    place=cleaned.place[:-1],
                    actions=cleaned.actions,
                    same_uid=bool(written),
                )
            )
            if task.one_instance:
                written.append(path)
        return CleanResult(tuple(outcomes))

    def _differ(self, task: CleanTask) -> bool:
        """True if the files of a task are not copies of each other."""
        digests = {hashlib.sha256(self._read(index)).digest() for index, _ in task.files}
        return len(digests) > 1

    def _read(self, index: int) -> bytes:
        if index >= len(self._source.items):
            raise Refusal(Reason.CHANGED)
        try:
            return self._source.read(self._source.items[index])
        except DicomError as error:
            raise Refusal(Reason.CHANGED) from error

    def _clean(self, index: int, identity: str, patient: Patient) -> CleanedObject:
        return clean_object(self._read(index), identity, self._cleaner(identity, patient), self._pixels)

    def _cleaner(self, identity: str, patient: Patient) -> Cleaner:
        cleaner = self._cleaners.get(identity)
        if cleaner is None:
            cleaner = self._cleaners[identity] = Cleaner(self._setup.options, self._setup.key, patient)
            if len(self._cleaners) > _CLEANERS:
                self._cleaners.popitem(last=False)
        return cleaner

    def _write(self, cleaned: CleanedObject) -> tuple[Status, Path]:
        """Write a file whole or not at all; a file with other content that is there stays, and gets a neighbour.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        final = self._setup.out.joinpath(*cleaned.place)
        if final.exists() and not _same_content(final, cleaned.parts):
            digest = hashlib.sha256(b"".join(cleaned.parts)).hexdigest()[:16]
            final = final.with_stem(f"{final.stem}_{digest}")
        if final.exists():
            return Status.UNCHANGED, final
        final.parent.mkdir(parents=True, exist_ok=True)
        part = final.with_name(f".{final.name}.{self._token}{PART_SUFFIX}")
        try:
            with part.open("wb", buffering=0) as f:
                for piece in cleaned.parts:
                    _write_all(f, piece)
            part.replace(final)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        return Status.WRITTEN, final


def _write_all(stream: IO[bytes], piece: bytes) -> None:
    """All bytes: an unbuffered write may take fewer than it was given."""
    view = memoryview(piece)
    while view:
        view = view[stream.write(view) :]


def _same_content(path: Path, parts: tuple[bytes, ...]) -> bool:
    if path.stat().st_size != sum(map(len, parts)):
        return False
    with path.open("rb") as f:
        return all(f.read(len(part)) == part for part in parts)
